"""One space: vectors, one row an item, with ids where the source has them.

Everything downstream relies on what is checked here once: two dimensions, real numbers, no NaN and no infinity.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._html import html_table
from isthmus._shapes import Float

_ROWS_AT_ONCE = 1 << 24  # numbers looked at in one step of the finiteness check: 128 MB of float64


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """One set of embeddings as read: values (n x d, finite), ids if the source names its items, and the source's name."""

    values: Float[ndarray, "n d"]
    ids: tuple[str, ...] | None
    name: str

    @classmethod
    def of(cls, values: Any, ids: tuple[str, ...] | None, name: str) -> "Vectors":
        """Vectors from whatever a source held, checked and made floats.

        Raises:
            DataError: see `check_vectors` and `check_ids`.

        Example:
            >>> Vectors.of([[1, 2], [3, 4]], ("dog", "cat"), "x").values.dtype
            dtype('float64')
        """
        array = check_vectors(values, name)
        if ids is not None:
            check_ids(ids, len(array), name)
        return cls(array, ids, name)

    def _repr_html_(self) -> str:
        n, d = self.values.shape
        ids = self.ids or tuple(map(str, range(min(5, n))))
        return html_table(
            f"{self.name}: {n} vectors of {d} dimensions; the first", [{"row": i, "id": ids[i]} for i in range(min(5, n))]
        )


def check_vectors(values: Any, name: str) -> Float[ndarray, "n d"]:
    """The values as a finite two-dimensional float array; integers and booleans become float64.

    Floats keep their precision, and a memory-mapped array stays mapped: it is scanned in pieces, not copied.

    Raises:
        DataError: not two-dimensional, no numbers, no rows or columns, or NaN or infinity (the first row is named).

    Example:
        >>> check_vectors([[1, 2], [3, 4]], "x").dtype
        dtype('float64')
    """
    array = np.asanyarray(values)
    shape = "x".join(map(str, array.shape)) or "a single value"
    if array.ndim != 2:
        raise DataError(
            f"{name}: needed two dimensions (items, numbers), got {array.ndim} ({shape}). "
            "Store one row an item; array.reshape(len(array), -1) flattens the rest."
        )
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise DataError(f"{name}: needed real numbers, got {array.dtype} ({shape}). Convert it to float32 first.")
    if array.dtype.itemsize > 8 or not array.dtype.isnative:
        array = array.astype(np.float64)
    if 0 in array.shape:
        raise DataError(f"{name}: needed at least one row and one column, got {shape}. Check that the file is whole.")
    step = max(1, _ROWS_AT_ONCE // array.shape[1])
    for start in range(0, len(array), step):
        finite = np.isfinite(array[start : start + step])
        if not finite.all():
            row, column = (int(i) for i in np.argwhere(~finite)[0])
            raise DataError(
                f"{name}: needed finite numbers, got {array[start + row, column]} in row {start + row}, "
                f"column {column} (counted from 0; {shape}). Drop or repair that row in both sets."
            )
    return array


def as_ids(found: Iterable[Any]) -> tuple[str, ...]:
    """Ids as a source holds them, as text; empty where one is missing: two that are missing are not one item.

    Example:
        >>> as_ids([7, "cat", None, float("nan")])
        ('7', 'cat', '', '')
    """
    return tuple("" if each is None or each != each else str(each) for each in found)  # noqa: PLR0124 - nan


def check_ids(ids: tuple[str, ...], size: int, name: str) -> None:
    """Ids must be as many as there are rows, none of them empty, and each must occur once.

    Raises:
        DataError: another number of ids, an empty one, or one that occurs twice (the first is named with its rows).

    Example:
        >>> check_ids(("dog", "cat"), 2, "x")
    """
    if len(ids) != size:
        raise DataError(f"{name}: needed one id a row, got {len(ids)} ids for {size} rows. Give every row one id.")
    if "" in ids:
        raise DataError(
            f"{name}: needed an id in every row, got none in row {ids.index('')} (counted from 0). "
            "Name that item, or leave it out."
        )
    if len(set(ids)) < len(ids):
        seen: dict[str, int] = {}
        for row, item in enumerate(ids):
            if item in seen:
                raise DataError(
                    f"{name}: needed unique ids, got {item!r} in rows {seen[item]} and {row} (counted from 0). "
                    "Merge or rename the repeated item."
                )
            seen[item] = row
