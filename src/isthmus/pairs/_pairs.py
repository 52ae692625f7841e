"""Two spaces, one item per row, and how they came to stand side by side.

Pairing is where silent mistakes are born, so it happens in one place and leaves a record: which items of either side
found no partner.
"""

from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._html import html_table
from isthmus._shapes import Float, Int
from isthmus.pairs._vectors import Vectors, check_ids, check_vectors


@dataclass(frozen=True, slots=True)
class Alignment:
    """What a join by id kept and what fell out: kept pairs, and the ids of either side without a partner."""

    kept: int
    only_x: tuple[str, ...] = ()
    only_y: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"{self.kept} pairs"]
        for side, ids in (("x", self.only_x), ("y", self.only_y)):
            if ids:
                some = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
                parts.append(f"{len(ids)} only in {side} ({some})")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Paired embeddings: row i of x and row i of y describe the same item.

    Args:
        x: the input space, finite, n x dx.
        y: the target space, finite, n x dy, of the same length.
        ids: one unique name an item; "0", "1", ... if left out.
        labels: one class an item, for losses, retrieval and drill-down that need classes.
        name: what reports call this set of pairs.
        x_space, y_space: what reports call the two spaces.
        alignment: the record of a join, where there was one.

    Raises:
        DataError: the lengths differ, ids repeat, or a space is not a finite two-dimensional array.

    Example:
        >>> pairs = Pairs(np.eye(3), np.ones((3, 2)), ids=("dog", "cat", "owl"))
        >>> len(pairs), pairs.swap().x.shape
        (3, (3, 2))
        >>> pairs
        Pairs('pairs': 3 items, x 3, y 2)
    """

    x: Float[ndarray, "n dx"]
    y: Float[ndarray, "n dy"]
    ids: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    name: str = "pairs"
    x_space: str = "x"
    y_space: str = "y"
    alignment: Alignment | None = None

    def __post_init__(self) -> None:
        x, y = check_vectors(self.x, self.x_space), check_vectors(self.y, self.y_space)
        if len(x) != len(y):
            raise DataError(
                f"{self.x_space}, {self.y_space}: needed as many rows in both, got {len(x)} and {len(y)}. "
                "Give both files ids to join them by, or cut them to the same items in the same order."
            )
        ids = tuple(self.ids) or tuple(map(str, range(len(x))))
        check_ids(ids, len(x), "ids")
        if self.labels is not None and len(self.labels) != len(x):
            raise DataError(f"labels: needed one label a row ({len(x)}), got {len(self.labels)}. Give every row one.")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)
        object.__setattr__(self, "ids", ids)

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        widths = f"{self.x_space} {self.x.shape[1]}, {self.y_space} {self.y.shape[1]}"
        return f"Pairs({self.name!r}: {len(self)} items, {widths})"

    def _repr_html_(self) -> str:
        labels = self.labels or ("",) * len(self)
        records = [{"row": row, "id": self.ids[row], "label": labels[row]} for row in range(min(5, len(self)))]
        widths = f"{self.x_space} ({self.x.shape[1]} dimensions) and {self.y_space} ({self.y.shape[1]})"
        left_out = "" if self.alignment is None else f"Joined by id: {self.alignment}."
        return html_table(f"{self.name}: {len(self)} pairs of {widths}; the first", records, note=left_out)

    def swap(self) -> "Pairs":
        """The same pairs read in the other direction: y as the input, x as the target."""
        return Pairs(self.y, self.x, self.ids, self.labels, self.name, self.y_space, self.x_space, self.alignment)

    def take(self, rows: Int[ndarray, " m"]) -> "Pairs":
        """The pairs at these rows, in this order."""
        labels = None if self.labels is None else tuple(self.labels[i] for i in rows)
        ids = tuple(self.ids[i] for i in rows)
        return Pairs(self.x[rows], self.y[rows], ids, labels, self.name, self.x_space, self.y_space, self.alignment)


def align(x: Vectors, y: Vectors, *, labels: dict[str, str] | None = None, name: str | None = None) -> Pairs:
    """Pairs from two sets: joined by id where both have ids, else row by row.

    The order is that of x. Items without a partner are left out and named in the result's `alignment`.

    Args:
        x: the input space.
        y: the target space.
        labels: class of each id, used where all joined ids have one.
        name: what reports call the pairs; made of the two names if left out.

    Raises:
        DataError: no id in common, or no ids to join by and different lengths.

    Example:
        >>> dogs = Vectors(np.eye(2), ("dog", "cat"), "words")
        >>> owls = Vectors(np.ones((2, 3)), ("cat", "owl"), "images")
        >>> print(align(dogs, owls).alignment)
        1 pairs; 1 only in x (dog); 1 only in y (owl)
    """
    name = name or f"{x.name} ~ {y.name}"
    x_space, y_space = (x.name, y.name) if x.name != y.name else ("x", "y")
    if x.ids is None or y.ids is None:
        if len(x.values) != len(y.values):
            missing = " and ".join(v.name for v in (x, y) if v.ids is None)
            raise DataError(
                f"{x.name}, {y.name}: needed as many rows in both, got {len(x.values)} and {len(y.values)}. "
                f"There are no ids in {missing} to join by: add an id column, or cut both to the same items."
            )
        return Pairs(x.values, y.values, x.ids or y.ids or (), None, name, x_space, y_space)
    row_of = {item: row for row, item in enumerate(y.ids)}
    rows_x = np.array([row for row, item in enumerate(x.ids) if item in row_of], dtype=np.intp)
    if not len(rows_x):
        raise DataError(
            f"{x.name}, {y.name}: needed ids in common, got none among {len(x.ids)} and {len(y.ids)} "
            f"({x.ids[0]!r} … against {y.ids[0]!r} …). Check that both files name their items alike."
        )
    ids = tuple(x.ids[row] for row in rows_x)
    rows_y = np.array([row_of[item] for item in ids], dtype=np.intp)
    kept = set(ids)
    alignment = Alignment(len(ids), tuple(i for i in x.ids if i not in kept), tuple(i for i in y.ids if i not in kept))
    classes = tuple(labels[i] for i in ids) if labels is not None and all(i in labels for i in ids) else None
    whole_x, whole_y = len(ids) == len(x.ids), bool(np.array_equal(rows_y, np.arange(len(y.ids))))
    return Pairs(
        x.values if whole_x else x.values[rows_x],
        y.values if whole_y else y.values[rows_y],
        ids, classes, name, x_space, y_space, alignment,
    )  # fmt: skip
