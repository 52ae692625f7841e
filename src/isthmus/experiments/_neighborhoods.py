"""The neighbor lists behind the counts, for whoever wants to see an item's neighbors and not only how many they share.

Only the lists at one k are kept, of the first repetition of each mapping: that is what a reader can look through. They are
rows of the data, not of a test set, so that folds stand one after the other and names are found at once.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy import ndarray

from isthmus._shapes import Bool, Int
from isthmus.measures import Spaces, positions
from isthmus.neighbors import Metric, Neighbors

_SIDES = ("x", "f", "y")


@dataclass(frozen=True, slots=True, eq=False)
class Neighborhoods:
    """The k nearest neighbors of every tested item in the input, under one mapping and in the target.

    Args:
        direction: "x->y" or "y->x".
        mapping: whose image f is.
        metric, include_self: how they were sought.
        items: rows of the data, test sets one after the other.
        x, f, y: rows of the data of their neighbors in the input, under the mapping and in the target, nearest first; each
            item's neighbors are of its own test set.
    """

    direction: Literal["x->y", "y->x"]
    mapping: str
    metric: Metric
    include_self: bool
    items: Int[ndarray, " n"]
    x: Int[ndarray, "n k"]
    f: Int[ndarray, "n k"]
    y: Int[ndarray, "n k"]

    @classmethod
    def of(cls, spaces: Spaces, k: int, direction: Literal["x->y", "y->x"], mapping: str) -> "Neighborhoods":
        """The lists of the searched tables of one test set, whose `items` are rows of the data.

        Example:
            >>> from isthmus.neighbors import search
            >>> x, y = np.random.default_rng(0).normal(size=(2, 9, 3))
            >>> found = Neighborhoods.of(Spaces.of(search(x, 2), search(y, 2), search(y, 2)), 2, "x->y", "given")
            >>> bool((found.bridged() == found.to_bridge()).all())
            True
        """
        tables = {"x": spaces.x, "f": spaces.f, "y": spaces.y}
        lists = {side: _rows(spaces, table, k) for side, table in tables.items()}
        items = spaces.items.astype(np.int32)
        return cls(direction, mapping, spaces.x.metric, spaces.x.includes_self, items, **lists)

    @classmethod
    def pool(cls, parts: "Sequence[Neighborhoods]") -> "Neighborhoods":
        """Several test sets one after the other."""
        first = parts[0]
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("items", *_SIDES)}
        return cls(first.direction, first.mapping, first.metric, first.include_self, **joined)

    @property
    def k(self) -> int:
        """Length of the lists."""
        return int(self.f.shape[1])

    def in_x(self) -> Bool[ndarray, "n k"]:
        """Which mapped neighbors the input has too."""
        return positions(self.f, self.x) < self.k

    def in_y(self) -> Bool[ndarray, "n k"]:
        """Which mapped neighbors the target has too."""
        return positions(self.f, self.y) < self.k

    def bridged(self) -> Int[ndarray, " n"]:
        """Number of an item's mapped neighbors that only the target has."""
        return np.count_nonzero(self.in_y() & ~self.in_x(), axis=1)

    def to_bridge(self) -> Int[ndarray, " n"]:
        """Number of an item's target neighbors that the input does not have: what there was to bridge."""
        return np.count_nonzero(positions(self.y, self.x) == self.k, axis=1)

    def encode(self) -> bytes:
        """The lists as parquet, for a cell's folder; the rest a cell says of itself."""
        import polars as pl  # noqa: PLC0415 - heavy

        frame = pl.DataFrame({"item": self.items, **{side: getattr(self, side) for side in _SIDES}})
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        return buffer.getvalue()

    @classmethod
    def decode(
        cls, content: bytes, direction: Literal["x->y", "y->x"], mapping: str, metric: Metric, include_self: bool
    ) -> "Neighborhoods":
        """What `encode` wrote."""
        import polars as pl  # noqa: PLC0415

        frame = pl.read_parquet(io.BytesIO(content))
        lists = {side: frame[side].to_numpy() for side in _SIDES}
        return cls(direction, mapping, metric, include_self, frame["item"].to_numpy(), **lists)


def _rows(spaces: Spaces, table: Neighbors, k: int) -> Int[ndarray, "n k"]:
    """Rows of the data of the first neighbors: tables of a test set number its own, those of a sample all items."""
    near = table.index[:, :k]
    return (near if table.rows is not None else spaces.items[near]).astype(np.int32)
