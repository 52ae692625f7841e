"""Measures of whole neighbor rankings: what entered and left neighborhoods, and from how far.

Ranks come a block of rows at a time from the exact engine, so that ties break as everywhere (by row number) and memory stays
that of a block; up to a few thousand items they are kept for the next measure or pairing.
"""

from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Float
from isthmus.measures._paired import Paired


def trustworthiness(pair: Paired) -> float:
    """How near in the first space the neighbors of the second are; 1 where none came from outside the first k.

    1 - 2 / (n k (2n - 3k - 1)) sum_i sum_{j in NN_k(y_i)} max(0, rank_x(i, j) - k): Venna & Kaski (2001), "Neighborhood
    preservation in nonlinear projection methods"; as scikit-learn's `trustworthiness(X, Y)`.

    Raises:
        NeighborError: k is not below n / 2, where the norm is defined.
    """
    n, k = pair.n, pair.k
    if 2 * k >= n:
        raise NeighborError(f"k: needed less than {n / 2:g}, half of the items, got {k}. Use a smaller k.")
    near = pair.lists[1]
    far = sum(
        int(np.maximum(0, np.take_along_axis(first, near[rows], axis=1) - k).sum()) for rows, first, _ in pair.rank_blocks()
    )
    return 1 - 2 * far / (n * k * (2 * n - 3 * k - 1))


def continuity(pair: Paired) -> float:
    """How near in the second space the neighbors of the first are: trustworthiness the other way round.

    Venna & Kaski (2001).
    """
    return trustworthiness(pair.swapped())


def trustworthiness_chance(k: int, n: int) -> float:
    """Mean trustworthiness, or continuity, of random pairings: ranks are then 1..n-1 alike.

    Example:
        >>> round(trustworthiness_chance(10, 1000), 3)
        0.502
    """
    return 1 - (n - 1 - k) * (n - k) / ((n - 1) * (2 * n - 3 * k - 1))


def information_imbalance(pair: Paired) -> float:
    """How little the first space says about who is nearest in the second: 0 all, 1 nothing.

    Delta(X -> Y) = 2/n mean_i rank_y(i, nearest of x_i); Glielmo et al. (2022), "Ranking the information content of distance
    measures", PNAS Nexus 1, eq. 2. Not symmetric: it tells which of two spaces holds the other. 2/n where all nearest
    agree, 1 on average for random pairings.
    """
    nearest = pair.lists[0][:, 0]
    total = sum(int(second[np.arange(len(rows)), nearest[rows]].sum()) for rows, _, second in pair.rank_blocks())
    return 2 * total / pair.n**2


@dataclass(frozen=True, slots=True, eq=False)
class RankCurves:
    """Agreement of neighborhoods of every size.

    Args:
        k: 1..n-1.
        q_nx: share of the k-neighbors that both spaces have, mNNO at every k.
        lcmc: q_nx - k/(n-1), what is above chance (Chen & Buja 2009).
        r_nx: ((n-1) q_nx - k) / (n - 1 - k), 0 at chance and 1 where all agree; nan at k = n-1.
    """

    k: Float[ndarray, " m"]
    q_nx: Float[ndarray, " m"]
    lcmc: Float[ndarray, " m"]
    r_nx: Float[ndarray, " m"]

    @property
    def area(self) -> float:
        """Mean of R_NX over k = 1..n-2 with weights 1/k, the area over log k (Lee, Peluffo-Ordonez, Verleysen 2015)."""
        return float(np.average(self.r_nx[:-1], weights=1 / self.k[:-1]))


def rank_curves(pair: Paired) -> RankCurves:
    """Q_NX, LCMC and R_NX at every k, from the coranking of all pairs.

    Q_NX(k) = |{(i, j) : rank_x(i, j) <= k and rank_y(i, j) <= k}| / (n k): Lee & Verleysen (2009), "Quality assessment of
    dimensionality reduction", Neurocomputing 72.

    Raises:
        NeighborError: fewer than 3 items.
    """
    n = _enough_for_curves(pair)
    both = np.zeros(n, dtype=np.int64)  # pairs by the first k at which both spaces have them
    for _, first, second in pair.rank_blocks():
        both += np.bincount(np.maximum(first, second).ravel(), minlength=n)
    k = np.arange(1.0, n)
    q = np.cumsum(both[1:]) / (n * k)
    with np.errstate(invalid="ignore"):
        r = ((n - 1) * q - k) / (n - 1 - k)
    return RankCurves(k, q, q - k / (n - 1), r)


def rank_areas(pair: Paired) -> Float[ndarray, " n"]:
    """What each item gives to the area of R_NX over log k, which is their mean.

    A pair (i, j) counts at every k from max(rank_x(i, j), rank_y(i, j)) on, with the weight 1/k over the sum of weights
    times (n-1) / (k (n-1-k)); what is expected by chance is taken off.

    Raises:
        NeighborError: fewer than 3 items.
    """
    n = _enough_for_curves(pair)
    k = np.arange(1.0, n - 1)
    weight = 1 / k / (1 / k).sum()
    gain = np.zeros(n)  # of a pair by the first k at which both spaces have it; rank 0 is the item itself, n - 1 the last
    gain[1 : n - 1] = np.cumsum((weight * (n - 1) / (k * (n - 1 - k)))[::-1])[::-1]
    areas = np.full(n, -(weight * k / (n - 1 - k)).sum())
    for rows, first, second in pair.rank_blocks():
        areas[rows] += gain[np.maximum(first, second)].sum(axis=1)
    return areas


def _enough_for_curves(pair: Paired) -> int:
    if pair.n < 3:
        raise NeighborError(f"X, Y: needed 3 items or more for curves over k, got {pair.n}. Add items.")
    return pair.n
