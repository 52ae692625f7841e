"""How far two neighbor lists agree: as sets, by order, and by what one needs to become the other.

All take index tables that exist already, item by item; mutual k-NN is mNNO under its other name. Under a random pairing the
second list of an item is a uniformly random arrangement of k of the n - 1 others, whatever the hubs: what depends on the
number of shared entries only has an exact chance level (hypergeometric).
"""

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float, Int
from isthmus.measures._lists import positions

_LISTS_AT_ONCE = 4096


def jaccard(a: Int[ndarray, "n k"], b: Int[ndarray, "n k"]) -> Float[ndarray, " n"]:
    """Shared entries over all entries of two lists, |A & B| / |A | B|, item by item, in [0, 1].

    Jaccard (1912); with lists of k entries, s / (2k - s) for s shared ones.

    Example:
        >>> jaccard(np.array([[1, 2]]), np.array([[2, 3]])).round(3)
        array([0.333])
    """
    shared = np.count_nonzero(positions(a, b) < b.shape[1], axis=1)
    return shared / (a.shape[1] + b.shape[1] - shared)


def rank_biased_overlap(a: Int[ndarray, "n k"], b: Int[ndarray, "n k"], p: float = 0.9) -> Float[ndarray, " n"]:
    """Agreement of two lists at every depth, nearer depths weighing more, item by item, in [0, 1].

    RBO_ext = A_k p^k + (1 - p)/p sum_{d=1..k} A_d p^d, where A_d is the share of entries that the first d have in common:
    the agreement at k is taken to go on for ever (Webber, Moffat, Zobel 2010, "A similarity measure for indefinite
    rankings", eq. 30).

    Args:
        a: lists, nearest first.
        b: lists of the same items.
        p: how much each further depth weighs, in (0, 1).

    Example:
        >>> rank_biased_overlap(np.array([[1, 2], [1, 2]]), np.array([[1, 2], [3, 1]])).round(3)
        array([1.  , 0.45])
    """
    k = a.shape[1]
    place = positions(a, b)
    reached = np.maximum(place, np.arange(k))  # both lists hold the entry from this depth on
    common = np.stack([np.bincount(row[row < k], minlength=k) for row in reached]).cumsum(axis=1)
    depth = np.arange(1, k + 1)
    agreement = common / depth
    return agreement[:, -1] * p**k + (1 - p) / p * (agreement * p**depth).sum(axis=1)


def cycle(a: Int[ndarray, "n k"], b: Int[ndarray, "n k"]) -> Float[ndarray, " n"]:
    """Whether the way to a neighbor in b, then to a neighbor in a, can lead back: 1 or 0 an item.

    i counts if some j in b_i has i in a_j (cycle-kNN of Huh et al. 2024, "The Platonic Representation Hypothesis").

    Example:
        >>> cycle(np.array([[1], [0], [1]]), np.array([[1], [2], [0]]))
        array([1., 1., 0.])
    """
    found = np.empty(len(a))
    for start in range(0, len(a), _LISTS_AT_ONCE):
        part = slice(start, start + _LISTS_AT_ONCE)
        item = np.arange(len(a))[part, None, None]
        found[part] = (a[b[part]] == item).any(axis=(1, 2))
    return found


def longest_common(a: Int[ndarray, "n k"], b: Int[ndarray, "n k"]) -> Int[ndarray, " n"]:
    """Length of the longest common subsequence of two lists, item by item, 0..k (LCS-kNN of Huh et al. 2024).

    Entries of a list differ, so this is the longest increasing run, with gaps, of their places in the other.

    Example:
        >>> longest_common(np.array([[1, 2, 3]]), np.array([[2, 1, 3]]))
        array([2])
    """
    return _grid(a, b, edits=False)


def edit_distance(a: Int[ndarray, "n k"], b: Int[ndarray, "n k"]) -> Int[ndarray, " n"]:
    """Fewest insertions, deletions and replacements that turn one list into the other, item by item, 0..k.

    Levenshtein (1966). Huh et al. (2024) report 1 - distance/k.

    Example:
        >>> edit_distance(np.array([[1, 2, 3]]), np.array([[2, 1, 3]]))
        array([2])
    """
    return _grid(a, b, edits=True)


def _grid(a: Int[ndarray, "n k"], b: Int[ndarray, "n q"], *, edits: bool) -> Int[ndarray, " n"]:
    """The table of dynamic programming over prefixes of both lists, for all items at once."""
    n, q = len(a), b.shape[1]
    row = np.tile(np.arange(q + 1) if edits else np.zeros(q + 1, dtype=np.int64), (n, 1))
    for u in range(a.shape[1]):
        above, row = row, np.empty_like(row)
        row[:, 0] = u + 1 if edits else 0
        same = a[:, u, None] == b
        for v in range(q):
            if edits:
                change = above[:, v] + ~same[:, v]
                row[:, v + 1] = np.minimum(np.minimum(above[:, v + 1], row[:, v]) + 1, change)
            else:
                longer = np.maximum(above[:, v + 1], row[:, v])
                row[:, v + 1] = np.where(same[:, v], above[:, v] + 1, longer)
    return row[:, -1]


def hypergeometric_mean(k: int, n: int, of: Float[ndarray, " sizes"]) -> float:
    """Mean of a function of the number of shared entries, 0..k, under a random pairing of n items; `of` are its values.

    Example:
        >>> round(hypergeometric_mean(10, 101, np.arange(11) / 10), 6)
        0.1
    """
    from scipy import stats  # noqa: PLC0415 - takes a second to load

    return float(stats.hypergeom(n - 1, k, k).pmf(np.arange(k + 1)) @ of)
