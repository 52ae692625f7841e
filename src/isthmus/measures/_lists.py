"""Arithmetic on neighbor lists: where the entries of one list stand in another, and the lists of a half of the items.

Measures are sums over such tables, so one search at depth serves every k, every half-sample and every relabelling.
"""

from collections.abc import Iterable, Sequence
from operator import index

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Int
from isthmus.neighbors import Neighbors

_ENTRIES_AT_ONCE = 1 << 20


def depth_for(k: int, n: int, *, include_self: bool) -> int:
    """How deep to search so that a random half of the items still holds k of every item's neighbors.

    5k + 20, or all there are: the chance that fewer than k of them fall into a half is below 1e-7 for every k.

    Example:
        >>> depth_for(10, 1000, include_self=False), depth_for(10, 30, include_self=False)
        (70, 29)
    """
    return min(5 * k + 20, n if include_self else n - 1)


def as_list(k: int | Sequence[int]) -> list[int]:
    """The numbers of neighbors asked for, each once.

    Raises:
        NeighborError: none, or something that is no whole number.

    Example:
        >>> as_list(10), as_list([5, 10, 5])
        ([10], [5, 10])
    """
    try:
        found = [index(each) for each in (k if isinstance(k, Iterable) else (k,))]
    except TypeError:
        raise NeighborError(f"k: needed whole numbers, got {k!r}. Use k=10.") from None
    if not found:
        raise NeighborError("k: needed at least one number of neighbors, got none. Use k=10.")
    return list(dict.fromkeys(found))


def enough_for_halves(k: int, sizes: Iterable[int]) -> bool:
    """Whether halves of these sets are large enough for their spread to mean anything: 2k items or more.

    In a half of k + 1 items every list holds all others, and all overlaps are 1, whatever the spaces.

    Example:
        >>> enough_for_halves(10, [40, 50]), enough_for_halves(10, [39])
        (True, False)
    """
    return min(sizes) // 2 >= 2 * k


def check_same_items(a: Neighbors, b: Neighbors) -> None:
    """Two tables can be compared only if they list the same items at the same depth under the same convention.

    Raises:
        NeighborError: other items, another depth, or self included in one of them only.

    Example:
        >>> table = Neighbors(np.array([[1], [0]]), np.zeros((2, 1)), "cosine", False)
        >>> check_same_items(table, table)
    """
    if a.items != b.items or not np.array_equal(row_numbers(a), row_numbers(b)):
        raise NeighborError(
            f"a, b: needed neighbor tables of the same items, got {len(a)} of {a.items} and {len(b)} of {b.items}. "
            "Search both sets with the same rows."
        )
    if a.index.shape != b.index.shape or a.includes_self != b.includes_self:
        described = [
            f"{t.index.shape[0]}x{t.index.shape[1]} {'with' if t.includes_self else 'without'} self" for t in (a, b)
        ]
        raise NeighborError(
            f"a, b: needed neighbor tables of the same items, depth and self convention, got {' and '.join(described)}. "
            "Search both sets with the same k and include_self."
        )


def row_numbers(table: Neighbors) -> Int[ndarray, " n"]:
    """Which items the rows of a table are.

    Example:
        >>> row_numbers(Neighbors(np.array([[1], [0]]), np.zeros((2, 1)), "cosine", False))
        array([0, 1])
    """
    return np.arange(len(table)) if table.rows is None else table.rows


def positions(a: Int[ndarray, "n p"], b: Int[ndarray, "n q"]) -> Int[ndarray, "n p"]:
    """Where each entry of a row of `a` stands in the same row of `b`; q where it does not stand there.

    An entry at position u of a and v of b is in both k-lists exactly if u < k and v < k.

    Example:
        >>> positions(np.array([[3, 1]]), np.array([[1, 2]]))
        array([[2, 0]])
    """
    width = b.shape[1]
    result = np.empty(a.shape, dtype=np.int64)
    step = max(1, _ENTRIES_AT_ONCE // max(a.shape[1], width))
    for start in range(0, len(a), step):
        part = slice(start, start + step)
        rows = np.arange(len(a[part]))[:, None] * (1 + max(int(a[part].max()), int(b[part].max())))
        wanted, there = (a[part] + rows).ravel(), (b[part] + rows).ravel()
        order = np.argsort(there)
        place = np.minimum(np.searchsorted(there, wanted, sorter=order), len(there) - 1)
        found = order[place]
        result[part] = np.where(there[found] == wanted, found % width, width).reshape(-1, a.shape[1])
    return result
