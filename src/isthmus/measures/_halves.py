"""Neighbors among random halves of the items, for all draws at once, from lists that were searched once.

A half's k nearest are the first k of an item's list that are in the half. Draws stand along the last axis, so that every
step runs over memory in order, and items are taken a few at a time, so that memory stays small.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._shapes import Bool, Int

_ENTRIES_AT_ONCE = 1 << 23  # items x entries of a list x draws


class Meeting(NamedTuple):
    """Two tables that are compared: the entries of the first, and where they stand in the second.

    Args:
        first, second: numbers of the tables.
        place: positions of the entries of the first in the second; its width where they do not stand there.
    """

    first: int
    second: int
    place: Int[ndarray, "n p"]


def meet_in_halves(
    tables: Sequence[Int[ndarray, "n p"]], meetings: Sequence[Meeting], masks: Bool[ndarray, "n draws"], k: int, depth: int
) -> Iterator[tuple[list[Bool[ndarray, "m p draws"]], Bool[ndarray, "m draws"]]]:
    """Which entries both tables of a meeting have among their k nearest in a half; for some items after others.

    Args:
        tables: neighbor lists, by row number.
        meetings: of these tables.
        masks: which items are in the half, one column a draw.
        k: neighbors counted.
        depth: entries of the lists to look at.

    Yields:
        For each meeting, the entries of its first table that both have; and which items count: those of the half whose lists
        all hold k of it (all but very few).
    """
    step = max(1, _ENTRIES_AT_ONCE // (depth * masks.shape[1]))
    kind = np.int16 if depth < np.iinfo(np.int16).max else np.int32
    for start in range(0, len(masks), step):
        rows = slice(start, start + step)
        whole = masks[rows].copy()
        near = []
        for table in tables:
            inside = masks[table[rows, :depth]]
            order: Int[ndarray, "m p draws"] = np.cumsum(inside, axis=1, dtype=kind)
            whole &= order[:, -1] >= k
            inside &= order <= k
            # One more entry, never in, for those that stand in no list.
            near.append(np.concatenate([inside, np.zeros((len(inside), 1, masks.shape[1]), dtype=bool)], axis=1))
        item = np.arange(len(whole))[:, None]
        both = [
            near[first][:, :-1] & near[second][item, np.minimum(place[rows, :depth], depth)]
            for first, second, place in meetings
        ]
        yield both, whole


def sums_over(both: Bool[ndarray, "m p draws"], whole: Bool[ndarray, "m draws"]) -> Int[ndarray, " draws"]:
    """How many entries there are in each draw, over the items that count."""
    return (both.sum(axis=1, dtype=np.int32) * whole).sum(axis=0, dtype=np.int64)
