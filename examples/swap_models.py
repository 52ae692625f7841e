"""A search that runs on one embedding model is to move to another: whose neighbors will its users lose?

    python examples/swap_models.py [FOLDER]

The old model embeds the dictionary's gloss of a thing (MiniLM), the new one its word (GloVe). An adapter from the old to the
new would save embedding everything again, if it gave the neighbors that the new model gives.
"""

# %% The same things under both models, joined by id
import sys
from pathlib import Path

import altair as alt
import numpy as np

from isthmus import audit, load, overlap
from isthmus.pairs import Vectors, align
from isthmus.report import Figure, audit_answer, bridge_plane

glosses, words = load("imagenet-glosses"), load("imagenet-words")
labels = dict(zip(glosses.ids, glosses.labels or (), strict=True))
pairs = align(
    Vectors.of(glosses.x, glosses.ids, "old (glosses)"), Vectors.of(words.x, words.ids, "new (words)"),
    labels=labels, name="swap",
)  # fmt: skip
print(pairs.alignment)

# %% How many of the ten neighbors of each item stay
kept = overlap(pairs.x, pairs.y)
print(kept)
order = np.argsort(kept.counts, kind="stable")
for title, rows in (("keeps most", order[::-1][:3]), ("keeps none", order[:3])):
    print(f"{title}: {', '.join(pairs.ids[row] for row in rows)}")

# %% Which kinds of items change most: any chart with words and data is a figure
assert pairs.labels is not None
kinds = np.array(pairs.labels)
records = [
    {"kind": kind, "items": int((kinds == kind).sum()), "kept": float(kept.counts[kinds == kind].mean())}
    for kind in sorted(set(kinds.tolist())) if (kinds == kind).sum() >= 15
]  # fmt: skip
chart = alt.Chart(alt.InlineData(records)).mark_bar(color="#00866F", height=12).encode(
    x=alt.X("kept:Q", title="neighbors kept, of 10", axis=alt.Axis(tickCount=6)), y=alt.Y("kind:N", sort="-x", title=None)
).properties(width=380, height={"step": 18})  # fmt: skip
by_kind = Figure(
    "swap-models-kinds", "Neighbors kept, by kind of item",
    "Mean number of ten nearest neighbors under the old model that the new one gives too, by kinds of 15 items or more. "
    f"N={kept.n}, K=10, cosine, self excluded; at random {10 * kept.chance:.2f}.", chart, records,
)  # fmt: skip

# %% Would an adapter do?
found = audit(pairs, ["ridge", "procrustes"])
print(audit_answer(found).splitlines()[0])

folder = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "pictures"
by_kind.save(folder / "swap-models-kinds.svg")
plane = bridge_plane([row for row in found.rows if row.direction == "x->y"], pairs.x_space, pairs.y_space)
plane.save(folder / "swap-models-bridge-plane.svg")
