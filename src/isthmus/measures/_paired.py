"""Two spaces of the same items, as measures ask for them: vectors, neighbor tables, ranks, each made once and only if asked.

A random pairing of the items is the same two spaces read in another order, so nothing is made again for it: neighbor lists
get new names, ranks and vectors are looked up in other rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Bool, Float, Int
from isthmus.neighbors import Metric, NeighborEngine, Neighbors, check_k, search

_RANKS_KEPT = 4096  # up to so many items all ranks are kept (64 MB a space); beyond, a few rows at a time are made
_RANKS_AT_ONCE = 1 << 22


class Space:
    """One space with its metric, and what has been found out about it."""

    def __init__(self, vectors: Float[ndarray, "n d"], k: int, metric: Metric, engine: NeighborEngine | None) -> None:
        self.vectors, self.k, self.metric, self.engine = vectors, k, metric, engine

    def __len__(self) -> int:
        return len(self.vectors)

    @cached_property
    def table(self) -> Neighbors:
        """The k nearest neighbors of every item, itself left out."""
        return search(self.vectors, self.k, self.metric, engine=self.engine)

    @cached_property
    def centered(self) -> Float[ndarray, "n w"]:
        """Rows around 0 in float64; where there are more dimensions than items, in coordinates of their own span.

        Inner products, and so all that linear kernels and rotations can see, stay what they are.
        """
        rows = self.vectors.astype(np.float64)
        rows = np.ldexp(rows, -int(np.frexp(np.abs(rows).max(initial=0.0))[1]))  # squares stay in range
        rows -= rows.mean(axis=0)
        return rows if rows.shape[1] <= len(rows) else np.asarray(np.linalg.qr(rows.T, mode="r")).T

    @cached_property
    def rows(self) -> Float[ndarray, "n d"]:
        """Rows in float64, at unit length under cosine (zero rows stay)."""
        rows = self.vectors.astype(np.float64)
        if self.metric == "euclidean":
            return np.ldexp(rows, -int(np.frexp(np.abs(rows).max(initial=0.0))[1]))
        rows = np.ldexp(rows, -np.frexp(np.abs(rows).max(axis=1))[1][:, None])
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(length == 0, 1, length)

    def ranks(self, rows: Int[ndarray, " m"]) -> Int[ndarray, "m n"]:
        """Rank of every item among the neighbors of these: 1 for the nearest, n - 1 for the farthest, 0 for itself."""
        return self._all_ranks[rows] if len(self) <= _RANKS_KEPT else self._ranks(rows)

    @cached_property
    def _all_ranks(self) -> Int[ndarray, "n n"]:
        return self._ranks(None)

    def _ranks(self, rows: Int[ndarray, " m"] | None) -> Int[ndarray, "m n"]:
        n = len(self)
        order = search(self.vectors, n - 1, self.metric, rows=rows, engine=self.engine).index
        found = np.zeros((len(order), n), dtype=np.int32)
        np.put_along_axis(found, order, np.arange(1, n, dtype=np.int32)[None], axis=1)
        return found


@dataclass(frozen=True, slots=True)
class Paired:
    """Item i of one space beside item order[i] of the other.

    Args:
        first, second: the two spaces, of as many items.
        k: neighbors counted.
        order: the pairing; item i with item i, if left out.
    """

    first: Space
    second: Space
    k: int
    order: Int[ndarray, " n"] | None = None
    metric: Metric = field(default="cosine")

    @classmethod
    def of(
        cls,
        X: Float[ndarray, "n dx"],
        Y: Float[ndarray, "n dy"],
        k: int,
        metric: Metric = "cosine",
        engine: NeighborEngine | None = None,
        names: tuple[str, str] = ("X", "Y"),
    ) -> "Paired":
        """Two spaces as they came.

        Raises:
            NeighborError: different numbers of items, or too few of them for k.
        """
        if len(X) != len(Y):
            raise NeighborError(
                f"{names[0]}, {names[1]}: needed as many items in both, got {len(X)} and {len(Y)}. Pair them first."
            )
        check_k(k, len(X), include_self=False, name=names[0])
        return cls(Space(X, k, metric, engine), Space(Y, k, metric, engine), k, metric=metric)

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.first)

    def reordered(self, order: Int[ndarray, " n"]) -> "Paired":
        """The same spaces, item i of the first beside item order[i] of the second."""
        return replace(self, order=order)

    def part(self, mask: Bool[ndarray, " n"]) -> "Paired":
        """Some of the items alone, with neighbors among them."""
        one, other = (Space(s.vectors[mask], s.k, s.metric, s.engine) for s in (self.first, self.second))
        return replace(self, first=one, second=other)

    @property
    def lists(self) -> tuple[Int[ndarray, "n k"], Int[ndarray, "n k"]]:
        """Neighbor lists of both spaces, in the names of the first."""
        a, b = self.first.table.index, self.second.table.index
        return (a, b) if self.order is None else (a, np.argsort(self.order)[b[self.order]])

    def take(self, of_second: Float[ndarray, "n w"]) -> Float[ndarray, "n w"]:
        """Rows of the second space, in the order of the first."""
        return of_second if self.order is None else of_second[self.order]

    def rank_blocks(self) -> Iterator[tuple[Int[ndarray, " m"], Int[ndarray, "m n"], Int[ndarray, "m n"]]]:
        """Some rows after others: which, the ranks of all items in the first space, and those in the second."""
        step = max(1, _RANKS_AT_ONCE // self.n)
        for start in range(0, self.n, step):
            rows = np.arange(start, min(start + step, self.n))
            there = rows if self.order is None else self.order[rows]
            second = self.second.ranks(there)
            yield rows, self.first.ranks(rows), second if self.order is None else second[:, self.order]

    def swapped(self) -> "Paired":
        """The second space first."""
        order = None if self.order is None else np.argsort(self.order)
        return replace(self, first=self.second, second=self.first, order=order)
