"""Does a map from words to pictures bridge the two, or echo the words?

    python examples/text_to_image.py [FOLDER]

989 words with their GloVe vectors, and what a vision network sees in pictures of each. Two mappings are learned on four
fifths of the words and measured on the rest, five times. The pictures go to FOLDER, examples/pictures if left out.
"""

# %% The question, in two lines
import sys
from pathlib import Path

from isthmus import audit, load
from isthmus.report import audit_answer, audit_figures

found = audit(load("imagenet-words"), ["ridge", "nearest"])
print(audit_answer(found))

# %% What the numbers are: in a notebook, `found` alone shows the table
best = found.best("x->y")
print(f"Target overlap {best.target_overlap:.3f}, but {best.baseline_overlap:.3f} without any mapping: look at the rates.")
print(
    f"Bridge rate {best.bridge_rate:.3f} [{best.bridge_rate_low:.3f}, {best.bridge_rate_high:.3f}], chance {best.chance:.3f}"
)

# %% The pictures: in a notebook, a figure alone shows itself
folder = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "pictures"
for figure in audit_figures(found, "x->y"):
    if figure.name.startswith(("bridge-plane", "parts", "overlap-over-n")):
        figure.save(folder / f"text-to-image-{figure.name.split('-x-y')[0]}.svg")
