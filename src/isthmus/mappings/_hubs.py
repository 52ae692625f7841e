"""Hubs of the input set apart: what is near everything there need not be near everything in the prediction.

In spaces of many dimensions some items are among the neighbors of very many others: hubs (Radovanovic, Nanopoulos, Ivanovic
2010, "Hubs in space"). A mapping keeps in the middle what lies in the middle, so that a good part of an echo is hubs of the
input, which stand in the lists of the predictions as they stood in those of the input. The targets have other hubs. How much
of a hub an item is, in either space, follows from where it lies, hence can be predicted of a new one. One that is more of a
hub among inputs than among targets gets a direction of its own, by which its cosine with all others shrinks alike, up to
chance cosines of about 1/sqrt(dimensions of the target): they lose it as a neighbor, whether it was near them or not.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.mappings._nearest import directions
from isthmus.mappings._smoother import Smoother
from isthmus.neighbors import Metric, search

_RADIANS = 20.0  # of a wave over a typical distance: from about a tenth of that on, directions are unlike


class Hubs(NamedTuple):
    """What tells of a new item how much it is to be set apart.

    Args:
        weights: of a kernel regression, one an anchor: how much more a hub among inputs than among targets.
        frequencies, phases: of the waves that give an item its own direction.
    """

    weights: Float[ndarray, " m"]
    frequencies: Float[ndarray, "dx dy"]
    phases: Float[ndarray, " dy"]

    def shrink(self, kernel: Float[ndarray, "n m"], strength: float) -> Float[ndarray, " n"]:
        """exp(-strength * excess), by which the cosine of each item with all others is to shrink, in (0, 1].

        The excess is counted from half a unit below the mean, and 0 below that: an average item has some, and none comes
        nearer. The unit is that of `weights`.

        Args:
            kernel: between items and anchors, centered.
            strength: 0 or more.
        """
        return np.exp(-strength * np.maximum(kernel @ self.weights + 0.5, 0.0))

    def own_directions(self, x: Float[ndarray, "n dx"]) -> Float[ndarray, "n dy"]:
        """A direction an item, the same for the same input, and as good as random for any other.

        Cosines of random waves (Rahimi & Recht 2007, "Random features for large-scale kernel machines") of a length far
        below the distances between items.
        """
        return directions(np.cos(x @ self.frequencies + self.phases))


def learn_hubs(
    smoother: Smoother,
    x: Float[ndarray, "n dx"],
    y: Float[ndarray, "n dy"],
    k: int,
    metric: Metric,
    penalties: Sequence[float],
    square: float = 1.0,
    seed: int = 0,
) -> Hubs | None:
    """Learn to tell hubs of the input from hubs of the target; None where there are none to tell.

    The number of lists of k that an item is in, by its logarithm, is learned of either space. The unit of each is the
    standard deviation of what is learned, so that what cannot be predicted is predicted to be average; the difference of the
    two is divided by sqrt(2).

    Args:
        smoother: of the inputs, as in kernel ridge regression.
        x: inputs as they come, whose neighborhoods are meant.
        y: targets.
        k: neighbors; as many as there are others, where these are fewer.
        metric: of the distances.
        penalties: candidates.
        square: typical squared distance between inputs as `Hubs` gets them.
        seed: of the own directions.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(100, 3))
        >>> learn_hubs(Smoother.of(x), x, x, 10, "cosine", [1.0]) is None  # the same in both
        True
    """
    weights = np.zeros(len(smoother.back))
    for sign, space in ((1.0, x), (-1.0, y)):
        lists = search(space, min(k, len(space) - 1), metric).index
        popularity = np.log1p(np.bincount(lists.ravel(), minlength=len(space)))[:, None]
        centered = popularity - popularity.mean()
        if np.ptp(popularity):
            penalty, _, _ = smoother.best(centered, penalties)
            weights += sign / np.sqrt(2) / centered.std() * smoother.weights(centered, penalty)[:, 0]
    if not weights.any():
        return None
    rng = np.random.default_rng([seed, 0x3A9E])
    frequencies = rng.normal(size=(x.shape[1], y.shape[1])) * (_RADIANS / np.sqrt(square))
    return Hubs(weights, frequencies.astype(np.float32), rng.uniform(0, 2 * np.pi, (y.shape[1],)))
