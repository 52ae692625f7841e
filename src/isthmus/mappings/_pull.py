"""What a snap learns and how it predicts: a regression whose predictions are pulled to training targets near them.

It stands apart from `Snap` since choosing makes many of these, of parts of the training items, before one is kept.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.mappings._anchor_attention import softmax
from isthmus.mappings._hubs import Hubs
from isthmus.mappings._kernels import gaussian
from isthmus.mappings._nearest import directions


def snap(
    f: Float[ndarray, "m d"], targets: Float[ndarray, "n d"], neighbors: int, sharpness: float
) -> Float[ndarray, "m d"]:
    """Mean of the nearest targets, weighed by softmax(sharpness * cosine).

    Args:
        f: predictions.
        targets: rows of length 1.
        neighbors: targets that count for each prediction; all where there are fewer.
        sharpness: 0 or more; 0 weighs them alike.

    Example:
        >>> snap(np.array([[2.0, 0.1]]), np.eye(2), 1, 10.0)
        array([[1., 0.]])
    """
    cosine = directions(f) @ targets.T
    neighbors = min(neighbors, len(targets))
    index = np.argpartition(-cosine, neighbors - 1, axis=1)[:, :neighbors]
    weights = np.zeros_like(cosine)
    np.put_along_axis(weights, index, softmax(sharpness * np.take_along_axis(cosine, index, axis=1)), axis=1)
    pulled: Float[ndarray, "m d"] = weights @ targets
    return pulled


class Choice(NamedTuple):
    """Steps of the walk (0: directions of the targets), power of the metric, the snap, and how far hubs are set apart."""

    steps: int
    power: float
    share: float
    rounds: int
    apart: float

    @classmethod
    def of(cls, place: tuple[int, float], pull: tuple[float, int, float]) -> "Choice":
        """What is learned, and what is done with its predictions."""
        return cls(place[0], place[1], pull[0], pull[1], pull[2])


def spread_metric(f: Float[ndarray, "n d"], power: float) -> Float[ndarray, "d d"]:
    """(C / largest variance)^(-power / 2) with C the covariance of f; empty directions stay empty.

    Example:
        >>> spread_metric(np.array([[4.0, 0.0], [-4.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), 0.5).tolist()
        [[1.0, 0.0], [0.0, 2.0]]
    """
    _, s, vt = np.linalg.svd(f - f.mean(axis=0), full_matrices=False)
    kept = s > s.max(initial=0.0) * 1e-6
    metric: Float[ndarray, "d d"] = (vt[kept].T * (s[kept] / s.max(initial=0.0)) ** -power) @ vt[kept]
    return metric


class Learned(NamedTuple):
    """A kernel ridge regression and what its predictions are pulled to: g(x) = (k(x) - row) dual.

    Args:
        inputs: anchors; width: of the kernel; row: its mean over the training items.
        dual: weights, one row an anchor.
        targets: of the anchors, as rows of length 1.
        hubs: where they are set apart.
    """

    inputs: Float[ndarray, "m dx"]
    width: Float[ndarray, ""]
    row: Float[ndarray, " m"]
    dual: Float[ndarray, "m dy"]
    targets: Float[ndarray, "m dy"]
    hubs: Hubs | None = None

    def pulled(
        self, x: Float[ndarray, "n dx"], pulls: Sequence[tuple[float, int, float]], neighbors: int, sharpness: float
    ) -> Iterator[Float[ndarray, "n dy"]]:
        """Predictions, for each share and number of rounds of the snap and strength with which hubs are set apart."""
        kernel = gaussian(x, self.inputs, float(self.width)) - self.row
        snapped = [directions(kernel @ self.dual)]
        own = self.hubs.own_directions(x) if self.hubs is not None else None
        for share, rounds, apart in pulls:
            while share and len(snapped) <= rounds:
                snapped.append(directions(snap(snapped[-1], self.targets, neighbors, sharpness)))
            f = directions((1 - share) * snapped[0] + share * snapped[rounds if share else 0])
            if apart and self.hubs is not None and own is not None:
                shrink = self.hubs.shrink(kernel, apart)[:, None]
                # coordinates in the graph are fewer than those of the targets that they are turned into
                f = np.pad(shrink * f, ((0, 0), (0, own.shape[1] - f.shape[1]))) + np.sqrt(1 - shrink**2) * own
            yield f
