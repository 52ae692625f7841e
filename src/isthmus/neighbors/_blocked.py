"""The exact engine in numpy: nominated in float32, decided in float64.

A block of rows is compared with all items by one float32 matrix product. Its rounding error has a proven bound, so every
item whose float32 value lies within twice that bound of the k-th smallest *may* be a neighbor and no other can. These few
are compared again in float64, pair by pair, and sorted by (squared distance, row number). The order never depends on the
product, hence not on the BLAS library, the number of threads or the block size.

Both metrics are one: the squared Euclidean distance of the rows as they are, or of the rows at unit length, where it is
2(1 - cos). A zero row has no direction; its cosine with everything is 0 by definition here, as in
scikit-learn, so its neighbors under cosine are the items with the lowest row numbers.
"""

from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from isthmus._shapes import Bool, Float, Int, Progress
from isthmus.neighbors._neighbors import Metric, Neighbors

_ROUNDOFF = 2.0**-24  # unit roundoff of float32
_BYTES_A_CANDIDATE = 96  # of the product, the mask and the sort, in the worst case that every item is a candidate
_NUMBERS_AT_ONCE = 1 << 17  # float64 numbers compared in one step of the decision: they stay in the cache


@dataclass(frozen=True, slots=True)
class BlockedEngine:
    """Exact all-pairs search within a memory budget.

    Args:
        memory: bytes that a search may use beside the vectors, the float32 copy of them and its result.
    """

    memory: int = 1 << 28
    name: str = "numpy"

    def search(
        self,
        vectors: Float[ndarray, "n d"],
        k: int,
        *,
        metric: Metric,
        progress: Progress | None = None,
    ) -> Neighbors:
        """The k nearest neighbors of every row; `isthmus.neighbors.search` is the door that checks its arguments."""
        n = len(vectors)
        rows = _Rows.prepare(vectors, metric, self.memory)
        index = np.empty((n, k), dtype=np.int64)
        squared_distance = np.empty((n, k))
        step = int(np.clip(self.memory // (_BYTES_A_CANDIDATE * n), 1, 1024))
        for start in range(0, n, step):
            block = np.arange(start, min(start + step, n))
            query, item = rows.candidates(block, k)
            squared = rows.squared_distances(query, item)
            nearest_first = np.lexsort((item, squared, query))
            chosen = nearest_first[np.searchsorted(query, block)[:, None] + np.arange(k)]
            index[block], squared_distance[block] = item[chosen], squared[chosen]
            if progress is not None:
                progress("neighbors", int(block[-1]) + 1, n)
        return Neighbors(index, rows.in_metric(squared_distance), metric, includes_self=False)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Items prepared for search: an exact float64 view of every row, and a float32 copy with rows at most 1 long."""

    source: Float[ndarray, "n d"]
    metric: Metric
    exponent: Int[ndarray, "n 1"]  # rows are first divided by 2^exponent, which is exact and keeps squares in range
    factor: Float[ndarray, "n 1"]  # then multiplied by 1 / their length under cosine, by 1 under euclidean
    zero: Bool[ndarray, " n"]  # rows without a direction, under cosine
    exact_rows: Float[ndarray, "n d"] | None  # all rows in float64, where the memory budget allows to keep them
    near: Float[ndarray, "n d"]  # float32, what the product runs on
    square: Float[ndarray, " n"]  # float32, squared lengths of `near`

    @classmethod
    def prepare(cls, vectors: Float[ndarray, "n d"], metric: Metric, memory: int) -> "_Rows":
        n, d = vectors.shape
        step = max(1, _NUMBERS_AT_ONCE // d)
        parts = [slice(start, start + step) for start in range(0, n, step)]
        peak = np.maximum(vectors.max(axis=1), -vectors.min(axis=1)).astype(np.float64)
        exponent = np.frexp(peak if metric == "cosine" else np.full(n, peak.max()))[1].astype(np.int64)[:, None]
        factor = np.ones((n, 1))
        zero = np.zeros(n, dtype=bool)
        center = np.zeros(d)
        bare = cls(vectors, metric, exponent, factor, zero, None, vectors, peak)
        if metric == "cosine":
            for part in parts:
                rows = bare.exact(np.arange(n)[part])
                factor[part, 0] = np.sqrt(np.sum(rows * rows, axis=1))
            zero |= factor[:, 0] == 0
            factor[zero] = 1.0
            np.reciprocal(factor, out=factor)
        else:
            # Distances do not change when all rows move together, and rows near 0 lose fewer digits in float32.
            center = bare.exact(np.arange(0, n, max(1, n // 1024))).mean(axis=0)
        near = np.empty((n, d), dtype=np.float32)
        exact_rows = np.empty((n, d)) if 8 * n * d <= memory else None
        longest = 1.0
        if metric == "euclidean":
            longest = max(float(np.linalg.norm(bare.exact(np.arange(n)[p]) - center, axis=1).max()) for p in parts)
        for part in parts:
            rows = bare.exact(np.arange(n)[part])
            if exact_rows is not None:
                exact_rows[part] = rows
            near[part] = (rows - center) / (longest or 1.0)
        square = np.einsum("ij,ij->i", near, near)
        square[zero] = 1.0  # with its product of 0, that puts a zero row at 2(1 - 0) from every row of unit length
        return cls(vectors, metric, exponent, factor, zero, exact_rows, near, square)

    def exact(self, row: Int[ndarray, " m"]) -> Float[ndarray, "m d"]:
        """These rows in float64, of unit length under cosine."""
        if self.exact_rows is not None:
            return self.exact_rows[row]
        return np.ldexp(self.source[row].astype(np.float64), -self.exponent[row]) * self.factor[row]

    def candidates(self, block: Int[ndarray, " b"], k: int) -> tuple[Int[ndarray, " c"], Int[ndarray, " c"]]:
        """Pairs (query, item) among which the k nearest of every row of the block are certain to be, sorted by query.

        The key of item j for row i is |q_j|^2 - 2 q_i.q_j, the squared distance less a constant of the row. With rows at
        most 1 long and d terms summed in any order, its float32 value is off by at most about d u (1 + 2|q_i|), where u
        is the unit roundoff (Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1); the rounding
        of the copy and of the last two operations is covered by d + 16 in place of d, and 1.1 covers terms in u^2.
        """
        key = self.near[block] @ self.near.T
        key *= -2
        key += self.square
        key[np.arange(len(block)), block] = np.inf
        bound = 1.1 * (self.near.shape[1] + 16) * _ROUNDOFF * (1 + 2 * np.sqrt(self.square[block].astype(np.float64)))
        kth = np.partition(key, k - 1, axis=1)[:, k - 1]
        row, item = np.nonzero(key <= (kth + 2 * bound)[:, None])
        return block[row], item

    def squared_distances(self, query: Int[ndarray, " c"], item: Int[ndarray, " c"]) -> Float[ndarray, " c"]:
        """Squared distance of each pair in float64; equal rows give equal values, whatever stands around them."""
        squared = np.empty(len(query))
        step = max(1, _NUMBERS_AT_ONCE // self.near.shape[1])
        for start in range(0, len(query), step):
            part = slice(start, start + step)
            difference = self.exact(query[part]) - self.exact(item[part])
            difference *= difference
            squared[part] = difference.sum(axis=1)
        squared[self.zero[query] | self.zero[item]] = 2.0
        return squared

    def in_metric(self, squared: Float[ndarray, "n k"]) -> Float[ndarray, "n k"]:
        """1 - cos under cosine, the distance in the units of the vectors under euclidean."""
        return squared / 2 if self.metric == "cosine" else np.ldexp(np.sqrt(squared), self.exponent)
