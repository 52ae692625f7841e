"""Measures of inner products and distances between all items: CKA, CKNNA, RSA with its Mantel test.

CKA never makes a matrix of size n x n: with linear kernels, sums over all pairs of items are products of features. RSA
needs all distances by definition, n (n - 1) / 2 numbers a space.
"""

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Float, Int
from isthmus.measures._paired import Paired, Space
from isthmus.neighbors import check_distance

Correlation = Literal["spearman", "pearson"]

_MOST_DISTANCES = 12_000  # items of which all distances are made (0.6 GB a space)


def cka(pair: Paired) -> float:
    """Linear centered kernel alignment, |X'Y|^2 / (|X'X| |Y'Y|) in Frobenius norms of centered X and Y, in [0, 1].

    Kornblith et al. (2019), "Similarity of neural network representations revisited". It grows with the number of
    dimensions per item, also for unrelated spaces: read it beside its chance level, or use `cka_unbiased`. nan where a
    space is constant.
    """
    x, y = pair.first.centered, pair.take(pair.second.centered)
    own = _squares(x.T @ x) * _squares(y.T @ y)
    return _squares(x.T @ y) / float(np.sqrt(own)) if own else float("nan")


def cka_chance(pair: Paired) -> float:
    """Mean of `cka` over random pairings: |X|^2 |Y|^2 / ((n - 1) |X'X| |Y'Y|), exact.

    The mean of a centered Gram matrix over all orders of its items is its trace over n - 1, times the centering matrix.
    """
    x, y = pair.first.centered, pair.second.centered
    own = _squares(x.T @ x) * _squares(y.T @ y)
    return _squares(x) * _squares(y) / ((pair.n - 1) * float(np.sqrt(own))) if own else float("nan")


def cka_unbiased(pair: Paired) -> float:
    """Linear CKA from unbiased estimates of HSIC; 0 on average for random pairings, and negative values stay negative.

    Song et al. (2012), "Feature selection via dependence maximization", eq. 5, in the ratio of Kornblith et al. (2019). nan
    where a space is constant.

    Raises:
        NeighborError: fewer than 4 items.
    """
    if pair.n < 4:
        raise NeighborError(f"X, Y: needed 4 items or more for the unbiased estimate, got {pair.n}. Add items.")
    x, y = pair.first.centered, pair.take(pair.second.centered)
    own = _hsic(x, x) * _hsic(y, y)
    return _hsic(x, y) / float(np.sqrt(own)) if own > 0 else float("nan")


def _squares(values: Float[ndarray, "..."]) -> float:
    return float(np.vdot(values, values))


def _hsic(x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> float:
    """N (n-3) times the unbiased HSIC of xx' and yy' without their diagonals: tr(KL) + 1K1 1L1/((n-1)(n-2)) - 2/(n-2) 1KL1.

    Rows are centered, so a row of xx' sums to 0, and without its diagonal to -|x_i|^2.
    """
    n = len(x)
    p, q = np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)
    both = float(p @ q)
    return _squares(x.T @ y) - both + float(p.sum() * q.sum()) / ((n - 1) * (n - 2)) - 2 / (n - 2) * both


def cknna(pair: Paired) -> float:
    """CKA of nothing but mutual neighbors: kernels are 0 except where j is among the k nearest of i in both spaces.

    Huh et al. (2024), "The Platonic Representation Hypothesis", appendix A, with the unbiased HSIC (Song et al. 2012) and
    its own masks in the two norms, as their published code has it. Kernels are inner products of rows, at unit length under
    cosine. nan where a norm is not positive.

    Raises:
        NeighborError: fewer than 4 items, or k below 2.
    """
    if pair.n < 4 or pair.k < 2:
        raise NeighborError(f"k: needed 2 or more, and 4 items or more, got k={pair.k} of {pair.n} items. Use k=10, say.")
    x, y = pair.first.rows, pair.take(pair.second.rows)
    a, b = pair.lists
    a, b = np.sort(a, axis=1), np.sort(b, axis=1)
    kl = _masked(a, b, x, y, pair.n)
    own = _masked(a, a, x, x, pair.n) * _masked(b, b, y, y, pair.n)
    return kl / float(np.sqrt(own)) if own > 0 else float("nan")


def _masked(
    a: Int[ndarray, "n k"], b: Int[ndarray, "n k"], x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], n: int
) -> float:
    """Unbiased HSIC, times n (n-3), of the inner products of x and of y at the entries that both lists hold."""
    from scipy import sparse  # noqa: PLC0415 - not needed by most measures

    k = a.shape[1]
    item = np.repeat(np.arange(n), k)
    both = np.intersect1d(item * n + a.ravel(), item * n + b.ravel(), assume_unique=True)
    i, j = both // n, both % n
    K, L = (sparse.csr_array((np.einsum("ij,ij->i", v[i], v[j]), (i, j)), shape=(n, n)) for v in (x, y))
    product = float((K * L.T).sum())
    mean = float(K.sum() * L.sum()) / ((n - 1) * (n - 2))
    return product + mean - 2 / (n - 2) * float(K.sum(axis=0) @ L.sum(axis=1))


def rsa(pair: Paired, correlation: Correlation = "spearman") -> float:
    """Correlation of the distances between all pairs of items in one space with those in the other, in [-1, 1].

    Kriegeskorte, Mur, Bandettini (2008), "Representational similarity analysis". nan where all distances of a space are
    equal.

    Raises:
        NeighborError: more items than all distances of which are made, or fewer than 3; or csls, which orders neighbors and
            is no distance.
    """
    check_distance(pair.metric, "RSA")
    first, second = (_dissimilarities(space, correlation) for space in (pair.first, pair.second))
    return _correlate(first, second if pair.order is None else second[np.ix_(pair.order, pair.order)])


def mantel(
    pair: Paired, orders: Iterable[Int[ndarray, " n"]], correlation: Correlation = "spearman"
) -> Float[ndarray, " m"]:
    """RSA under random pairings: rows and columns of one matrix of distances in another order (Mantel 1967).

    The distances of a space depend on each other, so the correlation must not be tested as one of independent numbers;
    orders of the items may.
    """
    return np.array([rsa(pair.reordered(order), correlation) for order in orders])


def _correlate(first: Float[ndarray, "n n"], second: Float[ndarray, "n n"]) -> float:
    """Both have a zero diagonal, and their other entries are centered and of squares that sum to 1, or all 0."""
    return float(np.vdot(first, second)) if first.any() and second.any() else float("nan")


def _dissimilarities(space: Space, correlation: Correlation) -> Float[ndarray, "n n"]:
    """All distances, or their ranks, centered and of length 1 over all pairs; made once a space."""
    kept = space.__dict__.setdefault("_dissimilarities", {})
    if correlation not in kept:
        n = len(space)
        if not 3 <= n <= _MOST_DISTANCES:
            raise NeighborError(
                f"X, Y: needed 3 to {_MOST_DISTANCES} items for all their distances, got {n}. Take a random part."
            )
        from scipy import stats  # noqa: PLC0415 - takes a second to load
        from scipy.spatial import distance  # noqa: PLC0415

        # Unit rows: their squared distance is 2 (1 - cos), exactly 0 for equal rows.
        values = distance.pdist(space.rows, "sqeuclidean" if space.metric == "cosine" else "euclidean")
        nowhere = ~space.rows.any(axis=1)
        if space.metric == "cosine" and nowhere.any():  # a row without a direction has cosine 0 with everything
            square = distance.squareform(values)
            square[nowhere], square[:, nowhere] = 2.0, 2.0
            values = distance.squareform(square, checks=False)
        values = stats.rankdata(values) if correlation == "spearman" else values
        values = values - values.mean()
        length = float(np.sqrt(2 * (values @ values)))
        equal = length <= 1e-12 * len(values)
        kept[correlation] = distance.squareform(np.zeros_like(values) if equal else values / length, checks=False)
    return kept[correlation]
