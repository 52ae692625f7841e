"""The paradox behind it all: a map that has learned nothing keeps most neighborhoods.

    python examples/untrained_maps.py [FOLDER]

Random weights, up to five hidden layers, on 1,911 emoji descriptions; the paper's figure 1 shows it on a toy manifold. So
the target overlap of a trained mapping says little by itself, and each is shown beside its untrained twin.
"""

# %% Untrained maps of growing depth
import sys
from pathlib import Path

from isthmus import load, progress
from isthmus.experiments import figure1
from isthmus.report import untrained_figure

texts = load("emoji").x
found = figure1(texts, "emoji descriptions", draws=2, progress=progress())
for each in found.overlaps:
    if each.activation == "relu" and each.width == found.overlaps[-1].width:
        print(f"{each.depth} hidden layers: {each.input_overlap:.2f} of the neighbors stay (chance {each.chance:.3f})")

# %% The picture, as PNG: an SVG with a mark for each point would be large
folder = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "pictures"
(folder / "untrained-maps.png").write_bytes(untrained_figure(found).png(scale=1))
