"""What a choice within the training items can go by: overlaps and rates of predictions of them, from neighbors alone.

The full measures, with intervals and tests, stand in `isthmus.measures`; this is what a mapping needs while it is learned.
"""

from typing import Literal, get_args

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._shapes import Bool, Float, Int
from isthmus.neighbors import Metric, search
from isthmus.pairs import Split, equal_items, k_fold

Quantity = Literal["target_overlap", "bridge_rate", "index"]
"""What a criterion counts of the predictions' neighborhoods."""


class Criterion:
    """The three quantities of predictions f, higher is better: `Criterion(x, y, k)(f)` gives them by name.

    target_overlap = mNNO(Y, f); bridge_rate: share of the neighbors that only y has that f recovers; index: bridge rate less
    echo rate. Where input and target have the same neighbors, there is nothing to bridge: rate and index are 0.

    Args:
        x: inputs.
        y: targets.
        k: neighbors; of few items at most half of the others, since lists of all others are the same in every space.
        metric: of the distances.

    Example:
        >>> x, y = np.random.default_rng(0).normal(size=(2, 40, 4))
        >>> [Criterion(x, y, 5)(each)["index"] for each in (x, y)]
        [-1.0, 1.0]
    """

    def __init__(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], k: int, metric: Metric = "cosine") -> None:
        self.k, self.metric = min(k, max(1, (len(x) - 1) // 2)), metric
        self.x, self.y = (search(each, self.k, metric).index for each in (x, y))
        self.only_target = ~_found(self.y, self.x)
        self.only_input = ~_found(self.x, self.y)

    def __call__(self, f: Float[ndarray, "n d"]) -> dict[Quantity, float]:
        """The quantities of predictions f, one row for each item."""
        mapped = search(f, self.k, self.metric).index
        in_target = _found(self.y, mapped)
        whole = max(int(self.only_target.sum()), 1)
        bridged = int((in_target & self.only_target).sum())
        echoed = int((_found(self.x, mapped) & self.only_input).sum())
        return {
            "target_overlap": float(in_target.mean()), "bridge_rate": bridged / whole, "index": (bridged - echoed) / whole,
        }  # fmt: skip


def folds_of(x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], folds: int, seed: int, least: int) -> tuple[Split, ...]:
    """Folds to choose on, which part no items with equal x or y: parted, they would favor what remembers them.

    Args:
        x: inputs.
        y: targets.
        folds: most of them.
        seed: of the draw.
        least: groups of such items a fold; where there are too few for two folds, there is none, and nothing to choose by.
    """
    groups = equal_items(x, y)
    folds = min(folds, len(np.unique(groups)) // least)
    return k_fold(len(x), folds, seed, groups) if folds > 1 else ()


def check_quantity(of: str) -> None:
    """Refuse an unknown quantity.

    Raises:
        MappingError: one that is not among the three.
    """
    if of not in get_args(Quantity):
        raise MappingError(f"criterion: needed one of {', '.join(get_args(Quantity))}, got {of!r}. Choose one.")


def _found(a: Int[ndarray, "n k"], b: Int[ndarray, "n k"]) -> Bool[ndarray, "n k"]:
    """Which entries of each row of a stand in the same row of b."""
    found: Bool[ndarray, "n k"] = (a[:, :, None] == b[:, None]).any(axis=-1)
    return found
