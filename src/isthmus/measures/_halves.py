"""Neighbors among random halves of the items, for all draws at once, from lists that were searched once.

A half's k nearest are the first k of an item's list that are in the half. Which draws an item or an entry belongs to is a
row of bits, 64 draws to a word: they are counted with the logic of adders, one word operation for 64 draws, which is some
ten times as fast as numbers would be. Items are taken some at a time, so that memory stays small.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._shapes import Bool, Int, UInt64

_WORDS_AT_ONCE = 1 << 20  # items x entries of a list x words


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
) -> Iterator[tuple[list[UInt64[ndarray, "p m words"]], UInt64[ndarray, "m words"]]]:
    """Which entries both tables of a meeting have among their k nearest in a half; for some items after others.

    Args:
        tables: neighbor lists, by row number.
        meetings: of these tables.
        masks: which items are in the half, one column a draw.
        k: neighbors counted.
        depth: entries of the lists to look at.

    Yields:
        For each meeting, the entries of its first table that both have; and which items count: those of the half whose lists
        all hold k of it (all but very few). A bit a draw, for `sums_over`.
    """
    members = _packed(masks)
    step = max(1, _WORDS_AT_ONCE // (depth * members.shape[1]))
    for start in range(0, len(masks), step):
        rows = slice(start, start + step)
        whole = members[rows].copy()
        near = []
        for table in tables:
            inside, full = _first_k(members, table[rows, :depth], k)
            near.append(inside)
            whole &= full
        item = np.arange(len(whole))
        both = [
            near[first][:-1] & near[second][np.minimum(place[rows, :depth], depth).T, item]
            for first, second, place in meetings
        ]
        yield both, whole


def sums_over(both: UInt64[ndarray, "p m words"], whole: UInt64[ndarray, "m words"], draws: int) -> Int[ndarray, " draws"]:
    """How many entries there are in each draw, over the items that count."""
    return count_by_draw((both & whole).reshape(-1, whole.shape[1]), draws)


def count_by_draw(bits: UInt64[ndarray, "m words"], draws: int) -> Int[ndarray, " draws"]:
    """How many rows have the bit of each draw.

    A full adder turns three rows of one weight into their sum and a carry of twice the weight, until two are left of each.
    """
    total = np.zeros(draws, dtype=np.int64)
    weight = 1
    while len(bits):
        carries = []
        while len(bits) > 2:
            third = len(bits) // 3
            a, b, c = bits[:third], bits[third : 2 * third], bits[2 * third : 3 * third]
            either = a ^ b
            carries.append((a & b) | (either & c))
            bits = np.concatenate([either ^ c, bits[3 * third :]])
        total += weight * np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little").sum(axis=0, dtype=np.int64)[:draws]
        bits = np.concatenate(carries) if carries else bits[:0]
        weight *= 2
    return total


def _packed(masks: Bool[ndarray, "n draws"]) -> UInt64[ndarray, "n words"]:
    found = np.packbits(masks, axis=1, bitorder="little")
    room = np.zeros((len(masks), -(-found.shape[1] // 8) * 8), dtype=np.uint8)
    room[:, : found.shape[1]] = found
    return room.view(np.uint64)


def _first_k(
    members: UInt64[ndarray, "n words"], table: Int[ndarray, "m p"], k: int
) -> tuple[UInt64[ndarray, "q m words"], UInt64[ndarray, "m words"]]:
    """Which entries are among the first k that are in the half, with one more, never in; and which lists hold k."""
    shape = (len(table), members.shape[1])
    inside = np.zeros((table.shape[1] + 1, *shape), dtype=np.uint64)
    digits = [np.zeros(shape, dtype=np.uint64) for _ in range(k.bit_length())]  # of the number found so far, lowest first
    full = np.zeros(shape, dtype=np.uint64)
    for position, entries in enumerate(table.T):
        carry = inside[position] = members[entries] & ~full
        for number, digit in enumerate(digits):
            digits[number], carry = digit ^ carry, digit & carry
        full = np.bitwise_and.reduce([digit if k >> number & 1 else ~digit for number, digit in enumerate(digits)])
    return inside, full
