"""The exact engine in numpy: nominated in float32, decided in float64.

A block of rows is compared with all items by one float32 matrix product. Its rounding error has a proven bound, so every
item whose float32 value lies within twice that bound of the k-th smallest *may* be a neighbor and no other can. These few
are compared again in float64, pair by pair, and sorted by (squared distance, row number). The order never depends on the
product, hence not on the BLAS library, the number of threads or the block size.

Both metrics are one: the squared Euclidean distance of the rows as they are, or of the rows at unit length, where it is
2(1 - cos). A zero row has no direction; its cosine with everything is 0 by definition here, as in
scikit-learn, so its neighbors under cosine are the items with the lowest row numbers.
"""

from collections.abc import Iterator
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
    """Exact search within a memory budget.

    Args:
        memory: bytes that a search may use beside the vectors, the float32 copy of them and its result.
    """

    memory: int = 1 << 28
    name: str = "numpy"

    def search(
        self, vectors: Float[ndarray, "n d"], k: int, *, metric: Metric, progress: Progress | None = None
    ) -> Neighbors:
        """The k nearest neighbors of every row; `isthmus.neighbors.search` is the door that checks its arguments."""
        n = len(vectors)
        exponent = 0 if metric == "cosine" else _exponent(vectors)
        index, squared = self._found(vectors, vectors, np.arange(n), np.full(n, np.inf), k, metric, exponent, progress)
        distance = squared / 2 if metric == "cosine" else np.ldexp(np.sqrt(squared), exponent)
        return Neighbors(index, distance, metric, includes_self=False)

    def search_among(
        self,
        items: Float[ndarray, "n d"],
        queries: Float[ndarray, "m d"],
        k: int,
        *,
        own: Int[ndarray, " m"],
        within: Float[ndarray, " m"],
        metric: Metric,
        progress: Progress | None = None,
    ) -> tuple[Int[ndarray, "m k"], Float[ndarray, "m k"]]:
        """Items and squared distances of the k nearest of each query; `NeighborEngine` says what the arguments are."""
        exponent = 0 if metric == "cosine" else max(_exponent(items), _exponent(queries))
        index, squared = self._found(
            items, queries, own, np.ldexp(within, -2 * exponent), k, metric, exponent, progress
        )  # fmt: skip
        return index, np.ldexp(squared, 2 * exponent)

    def _found(
        self,
        items: Float[ndarray, "n d"],
        queries: Float[ndarray, "m d"],
        own: Int[ndarray, " m"],
        within: Float[ndarray, " m"],
        k: int,
        metric: Metric,
        exponent: int,
        progress: Progress | None,
    ) -> tuple[Int[ndarray, "m k"], Float[ndarray, "m k"]]:
        n, m = len(items), len(queries)
        there = _Rows.of(items, metric, exponent, self.memory)
        here = there if queries is items else _Rows.of(queries, metric, exponent, self.memory)
        center, longest = np.zeros(items.shape[1]), 1.0
        if metric == "euclidean":
            # Distances do not change when all rows move together, and rows near 0 lose fewer digits in float32.
            center = there.exact(np.arange(0, n, max(1, n // 1024))).mean(axis=0)
            longest = max(there.farthest(center), here.farthest(center)) or 1.0
        near_there = _Near.of(there, center, longest)
        near_here = near_there if here is there else _Near.of(here, center, longest)
        index, squared_distance = np.full((m, k), -1), np.full((m, k), np.inf)
        step = int(np.clip(self.memory // (_BYTES_A_CANDIDATE * n), 1, 1024))
        for start in range(0, m, step):
            block = np.arange(start, min(start + step, m))
            query, item = near_there.candidates(near_here, block, own, k)
            squared = there.squared_distances(here, query, item)
            near_enough = squared <= within[query]
            query, item, squared = query[near_enough], item[near_enough], squared[near_enough]
            nearest_first = np.lexsort((item, squared, query))
            query, item, squared = query[nearest_first], item[nearest_first], squared[nearest_first]
            rank = np.arange(len(query)) - np.searchsorted(query, query)
            index[query[rank < k], rank[rank < k]] = item[rank < k]
            squared_distance[query[rank < k], rank[rank < k]] = squared[rank < k]
            if progress is not None:
                progress("neighbors", int(block[-1]) + 1, m)
        return index, squared_distance


def _exponent(vectors: Float[ndarray, "n d"]) -> int:
    """That of a power of two above all numbers."""
    return int(np.frexp(max(float(vectors.max()), -float(vectors.min())))[1])


@dataclass(frozen=True, slots=True)
class _Rows:
    """An exact float64 view of every row."""

    source: Float[ndarray, "n d"]
    exponent: Int[ndarray, "n 1"]  # rows are first divided by 2^exponent, which is exact and keeps squares in range
    factor: Float[ndarray, "n 1"]  # then multiplied by 1 / their length under cosine, by 1 under euclidean
    zero: Bool[ndarray, " n"]  # rows without a direction, under cosine
    all_rows: Float[ndarray, "n d"] | None  # all of them in float64, where the memory budget allows to keep them

    @classmethod
    def of(cls, vectors: Float[ndarray, "n d"], metric: Metric, exponent: int, memory: int) -> "_Rows":
        n = len(vectors)
        exponents = np.full((n, 1), exponent, dtype=np.int64)
        factor = np.ones((n, 1))
        zero = np.zeros(n, dtype=bool)
        if metric == "cosine":
            peak = np.maximum(vectors.max(axis=1), -vectors.min(axis=1)).astype(np.float64)
            exponents[:, 0] = np.frexp(peak)[1]
        rows = cls(vectors, exponents, factor, zero, None)
        if metric == "cosine":
            for part in rows.parts():
                factor[part, 0] = np.sqrt(np.sum(rows.exact(part) ** 2, axis=1))
            zero |= factor[:, 0] == 0
            factor[zero] = 1.0
            np.reciprocal(factor, out=factor)
        if 8 * vectors.size > memory:
            return rows
        return cls(vectors, exponents, factor, zero, rows.exact(np.arange(n)))

    def parts(self) -> Iterator[Int[ndarray, " m"]]:
        """Row numbers, a few at a time, so that float64 copies of them stay in the cache."""
        step = max(1, _NUMBERS_AT_ONCE // self.source.shape[1])
        for start in range(0, len(self.source), step):
            yield np.arange(start, min(start + step, len(self.source)))

    def exact(self, row: Int[ndarray, " m"]) -> Float[ndarray, "m d"]:
        """These rows in float64, of unit length under cosine."""
        if self.all_rows is not None:
            return self.all_rows[row]
        return np.ldexp(self.source[row].astype(np.float64), -self.exponent[row]) * self.factor[row]

    def farthest(self, center: Float[ndarray, " d"]) -> float:
        """The largest distance of a row from the center."""
        return max(float(np.linalg.norm(self.exact(part) - center, axis=1).max()) for part in self.parts())

    def squared_distances(
        self, queries: "_Rows", query: Int[ndarray, " c"], item: Int[ndarray, " c"]
    ) -> Float[ndarray, " c"]:
        """Squared distance of each pair in float64; equal rows give equal values, whatever stands around them."""
        squared = np.empty(len(query))
        step = max(1, _NUMBERS_AT_ONCE // self.source.shape[1])
        for start in range(0, len(query), step):
            part = slice(start, start + step)
            difference = queries.exact(query[part]) - self.exact(item[part])
            difference *= difference
            squared[part] = difference.sum(axis=1)
        squared[queries.zero[query] | self.zero[item]] = 2.0
        return squared


@dataclass(frozen=True, slots=True)
class _Near:
    """A float32 copy of rows, moved and scaled so that none is longer than 1."""

    near: Float[ndarray, "n d"]
    square: Float[ndarray, " n"]  # squared lengths

    @classmethod
    def of(cls, rows: _Rows, center: Float[ndarray, " d"], longest: float) -> "_Near":
        near = np.empty(rows.source.shape, dtype=np.float32)
        for part in rows.parts():
            near[part] = (rows.exact(part) - center) / longest
        square = np.einsum("ij,ij->i", near, near)
        square[rows.zero] = 1.0  # with its product of 0, that puts a zero row at 2(1 - 0) from every row of unit length
        return cls(near, square)

    def candidates(
        self, queries: "_Near", block: Int[ndarray, " b"], own: Int[ndarray, " m"], k: int
    ) -> tuple[Int[ndarray, " c"], Int[ndarray, " c"]]:
        """Pairs (query, item) among which the k nearest of every query of the block are certain to be, sorted by query.

        The key of item j for query i is |q_j|^2 - 2 q_i.q_j, the squared distance less a constant of the query. With rows at
        most 1 long and d terms summed in any order, its float32 value is off by at most about d u (1 + 2|q_i|), where u
        is the unit roundoff (Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1); the rounding
        of the copy and of the last two operations is covered by d + 16 in place of d, and 1.1 covers terms in u^2.
        """
        key = queries.near[block] @ self.near.T
        key *= -2
        key += self.square
        itself = own[block]
        key[np.flatnonzero(itself >= 0), itself[itself >= 0]] = np.inf
        length = np.sqrt(queries.square[block].astype(np.float64))
        bound = 1.1 * (self.near.shape[1] + 16) * _ROUNDOFF * (1 + 2 * length)
        kth = np.partition(key, k - 1, axis=1)[:, k - 1] if k < len(self.near) else np.full(len(block), np.inf)
        row, item = np.nonzero(key <= (kth + 2 * bound)[:, None])
        other = item != itself[row]
        return block[row[other]], item[other]
