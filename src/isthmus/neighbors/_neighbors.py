"""The table every measure stands on: who is near whom, one row an item, nearest first."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, cast, get_args, runtime_checkable

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._html import html_table
from isthmus._numbers import is_number
from isthmus._shapes import Float, Int, Progress

Metric = Literal["cosine", "euclidean", "csls"]
"""How near is measured: cosine, Euclidean distance, or cosine corrected for crowded surroundings."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """The k nearest neighbors of every item within its own set.

    Args:
        index: row numbers of the neighbors, nearest first; equal distances stand in order of the row number. With self
            included, the item itself comes before all others, its exact duplicates too.
        distance: their distances, float64: 1 - cos in [0, 2], Euclidean in the units of the vectors, or under csls
            r(i) + r(j) - 2 cos, which may be negative.
        metric: the distance that was searched with.
        includes_self: whether an item counts as its own neighbor (the paper's published code does so).
        rows: which items the rows of the table are, where only some were asked for; None for all, in order.
        among: the number of items that were searched; as many as the table has rows, if left out.
    """

    index: Int[ndarray, "n k"]
    distance: Float[ndarray, "n k"]
    metric: Metric
    includes_self: bool
    rows: Int[ndarray, " n"] | None = None
    among: int | None = None

    def __len__(self) -> int:
        return len(self.index)

    def _repr_html_(self) -> str:
        own = range(len(self)) if self.rows is None else self.rows
        records = [
            {"item": str(row), "neighbors, nearest first": ", ".join(map(str, found[:10]))}
            for row, found in zip(own, self.index[:5], strict=False)
        ]
        convention = "included" if self.includes_self else "excluded"
        title = f"The {self.depth} nearest neighbors of {len(self)} items among {self.items}; the first"
        return html_table(title, records, note=f"{self.metric}, self {convention}.")

    @property
    def items(self) -> int:
        """The number of items that were searched."""
        return len(self.index) if self.among is None else self.among

    @property
    def depth(self) -> int:
        """The number of neighbors in each row."""
        return int(self.index.shape[1])

    def first(self, k: int) -> "Neighbors":
        """The k nearest of these neighbors: a search at depth serves every smaller k.

        Raises:
            NeighborError: k is not in 1..depth.

        Example:
            >>> import numpy as np
            >>> table = Neighbors(np.array([[1, 2]]), np.array([[0.1, 0.4]]), "cosine", False)
            >>> table.first(1).index
            array([[1]])
        """
        if not 1 <= k <= self.depth:
            raise NeighborError(f"k: needed 1 to {self.depth}, the depth searched, got {k}. Search again, deeper.")
        return replace(self, index=self.index[:, :k], distance=self.distance[:, :k])


@runtime_checkable
class NeighborEngine(Protocol):
    """What searches. Every engine is exact and returns the same table for the same vectors, bit for bit.

    Vectors arrive finite and two-dimensional, k within 1..n-1; an item is never its own neighbor here.
    """

    @property
    def name(self) -> str:
        """What results call the engine."""
        ...

    def search(
        self,
        vectors: Float[ndarray, "n d"],
        k: int,
        *,
        metric: Metric,
        progress: Progress | None = None,
    ) -> Neighbors:
        """The k nearest neighbors of every row among the other rows."""
        ...

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
        """Row numbers and squared distances (of rows at unit length under cosine) of the k nearest items of every query.

        Args:
            items: what is searched.
            queries: what neighbors are sought of, of the type of the items.
            k: neighbors of a query.
            own: for each query the item that it is itself and that does not count, or -1.
            within: for each query the largest squared distance that counts; where fewer than k items lie within it, the row
                ends in -1 at infinity.
            metric: "cosine" or "euclidean".
            progress: called with what is being done, the queries done and the queries in all.
        """
        ...


def check_metric(metric: str) -> Metric:
    """The metric, if engines know it.

    Raises:
        NeighborError: neither cosine nor euclidean nor csls.

    Example:
        >>> check_metric("cosine")
        'cosine'
    """
    for known in get_args(Metric):
        if metric == known:
            return cast("Metric", known)
    raise NeighborError(f"metric: needed {' or '.join(get_args(Metric))}, got {metric!r}. Choose one of them.")


def check_distance(metric: str, what: str) -> None:
    """Refuse csls where it has no meaning, or where items are not seen all at once: it needs the surroundings of each.

    Raises:
        NeighborError: csls.

    Example:
        >>> check_distance("cosine", "sets in files")
    """
    if metric == "csls":
        raise NeighborError(f"metric: needed cosine or euclidean for {what}, got 'csls'. Choose one of them.")


def check_range(vectors: Float[ndarray, "n d"], name: str) -> None:
    """Refuse rows whose scales lie so far apart that the squared distances among the small ones vanish beside the large.

    Raises:
        NeighborError: a nonzero row more than 1e140 times smaller than the largest one.

    Example:
        >>> check_range(np.array([[1.0], [1e30]]), "vectors")
    """
    peak = np.maximum(vectors.max(axis=1), -vectors.min(axis=1))
    small = peak[peak > 0].min(initial=np.inf)
    if small < peak.max() * 1e-140:
        row = int(np.argmax(peak))
        raise NeighborError(
            f"{name}: needed rows within a factor of 1e140 of each other under euclidean, got {small:g} and {peak.max():g} "
            f"(row {row}). Drop or repair that row in both sets."
        )


def check_scale(vectors: Float[ndarray, "n d"], metric: Metric, name: str) -> None:
    """Refuse numbers whose squares leave float64, in a set that is not seen whole and hence cannot be scaled.

    Raises:
        NeighborError: under euclidean, a row whose largest number is nonzero and outside 1e-70..1e70.

    Example:
        >>> check_scale(np.array([[1e30]]), "euclidean", "vectors")
    """
    if metric == "cosine" or vectors.dtype != np.float64:
        return
    peak = np.maximum(vectors.max(axis=1), -vectors.min(axis=1))
    outside = (peak > 1e70) | ((peak > 0) & (peak < 1e-70))
    if outside.any():
        raise NeighborError(
            f"{name}: needed rows between 1e-70 and 1e70 under euclidean, got {peak[outside][0]:g}. Rescale the set."
        )


def check_rows(rows: Any, n: int) -> Int[ndarray, " m"]:
    """Row numbers of items, as int64.

    Raises:
        NeighborError: none, or something else than row numbers of the n items.

    Example:
        >>> check_rows([2, 0], 3)
        array([2, 0])
    """
    found = np.asarray(rows)
    if not (found.ndim == 1 and found.dtype.kind in "iu" and len(found) and found.min() >= 0 and found.max() < n):
        raise NeighborError(f"rows: needed row numbers in 0..{n - 1}, got {rows!r}. Count them from 0.")
    return found.astype(np.int64)


def check_k(k: int, n: int, *, include_self: bool, name: str = "vectors") -> int:
    """The number of neighbors, if n items can all have so many.

    Raises:
        NeighborError: no whole number, k below 1, or more neighbors than there are (other) items.

    Example:
        >>> check_k(10, 11, include_self=False)
        10
    """
    if not is_number(k, whole=True):
        raise NeighborError(f"k: needed a whole number, got {k!r}. Use k=10.")
    k = int(k)
    most = n if include_self else n - 1
    if not 1 <= k <= most:
        if most < 1:
            raise NeighborError(f"{name}: needed two items or more, got {n}. An item alone has no neighbors.")
        if k < 1:
            raise NeighborError(f"k, {name}: needed 1 to {most}, as there are {n} items, got {k}. Use 10, say.")
        need = f"more than {k - include_self} items"
        raise NeighborError(f"k, {name}: needed {need} for k={k}, got {n} items. Use k <= {most}, or more items.")
    return k
