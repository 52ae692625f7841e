"""How many neighbors two spaces share under random pairings, from their neighbor tables.

Pairing item i of one space with item pi(i) of the other needs no new search: the neighbors of i stay, and are looked up
under their new names. In C++ where the engine was built, else in numpy with the same numbers; neither makes anything of
size n x n.
"""

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Int
from isthmus.neighbors._native import available, cores, native_shared_entries

_WIDE = 64  # from this length on, lists are sorted rather than compared entry by entry


def shared_entries(
    a: Int[ndarray, "n p"],
    b: Int[ndarray, "n q"],
    permutations: Int[ndarray, "draws n"],
    *,
    threads: int | None = None,
    native: bool | None = None,
) -> Int[ndarray, " draws"]:
    """Total overlap of two neighbor tables under each pairing of item i of the first with item pi(i) of the second.

    sum_i |{j in a_i : pi(j) in b_pi(i)}|; its mean over all permutations is n p q / (n - 1) for lists without the item
    itself.

    Args:
        a: index table of the first space, every item once a row.
        b: that of the second.
        permutations: of 0..n-1, one a row.
        threads: how many to use; all cores, if left out. They do not show in the result.
        native: whether the compiled routine is used; where it was built, if left out.

    Raises:
        NeighborError: tables or permutations of different numbers of items.

    Example:
        >>> table = np.array([[1], [0], [3], [2]])
        >>> shared_entries(table, table, np.array([[0, 1, 2, 3], [2, 3, 0, 1], [0, 2, 1, 3]]))
        array([4, 4, 0])
    """
    n = len(a)
    if len(b) != n or permutations.shape[1] != n:
        raise NeighborError(
            f"a, b, permutations: needed as many items in all, got {n}, {len(b)} and {permutations.shape[1]}. "
            "Pair them first."
        )
    if native if native is not None else available():
        return native_shared_entries(a, b, permutations, threads or cores())
    return np.array([_shared(image[a], b[image]) for image in permutations], dtype=np.int64)


def _shared(a: Int[ndarray, "n p"], b: Int[ndarray, "n q"]) -> int:
    if b.shape[1] < _WIDE:
        return int(sum(np.count_nonzero(a == column[:, None]) for column in b.T))
    start = np.arange(len(a))[:, None] * len(a)
    return len(np.intersect1d(a + start, b + start, assume_unique=True))
