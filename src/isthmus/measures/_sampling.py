"""Measures of millions of items from a random sample of them.

Every measure here is a mean, or a ratio of means, over items. The neighbors of n items drawn at random, sought exactly among
all N, therefore estimate it without bias (a ratio: with a bias that vanishes as 1/n), and the spread over the n gives an
interval for what a search of all N would have given; it shrinks to nothing as n reaches N (Cochran 1977, "Sampling
Techniques", sections 2.5 and 6.4). Where the size is found from a first sample it depends on the data a little, and the
estimate is unbiased but for that.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from numbers import Real
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Int
from isthmus.measures._lists import depth_for, positions
from isthmus.neighbors import Metric, Neighbors, check_k
from isthmus.pairs import VectorStream, check_seed
from isthmus.statistics import ratio_error

_FIRST_DRAW = 4096
_PILOT = 1000  # items searched first when the sample size is to be found
_QUANTILE = 1.959964  # of the normal distribution, for 95 %
_MARGIN = 1.05  # drawn beyond what the spread so far asks for, since it is an estimate itself


def draw(n: int, size: int, seed: int = 0) -> Int[ndarray, " size"]:
    """Row numbers of a random sample of n items, without replacement; a larger one begins with a smaller one.

    Numbers are drawn one after the other, and those drawn before are skipped, so that memory is that of the sample; beyond a
    quarter of the set the rest follows in random order, with 17 bytes an item of the set.

    Raises:
        NeighborError: fewer than 2 or more than n, or a seed below 0.

    Example:
        >>> bool((draw(100, 20)[:10] == draw(100, 10)).all())
        True
    """
    if not isinstance(size, (int, np.integer)) or not 2 <= size <= n:
        raise NeighborError(f"sample: needed 2 to {n}, the number of items, got {size}. Leave it out to search them all.")
    check_seed(seed)
    wanted, drawn = min(size, max(2, n // 4)), _FIRST_DRAW
    while True:
        numbers = np.random.default_rng([seed, 0x5A3F]).integers(0, n, drawn)
        first = np.sort(np.unique(numbers, return_index=True)[1])
        if len(first) >= wanted:
            break
        drawn *= 2
    sample = numbers[first[:wanted]]
    if size == wanted:
        return sample
    left = np.ones(n, dtype=bool)
    left[sample] = False
    rest = np.flatnonzero(left)
    np.random.default_rng([seed, 0x5A40]).shuffle(rest)
    return np.concatenate([sample, rest[: size - wanted]])


def searched(
    spaces: Sequence[Any],
    ks: Sequence[int],
    metric: Metric,
    *,
    find: Callable[..., Neighbors],
    sample: int | None = None,
    precision: float | None = None,
    seed: int = 0,
    include_self: bool = False,
    name: str = "vectors",
    deep: bool = True,
) -> list[Neighbors]:
    """Neighbor tables of all items of every space, deep enough for half-samples, or of the same sample in each.

    Of samples, and of sets that stay in their files, no more than the largest k is kept.

    Args:
        spaces: as many items in each.
        ks: numbers of neighbors that will be counted.
        metric: "cosine" or "euclidean".
        find: what searches, called as find(space, k, metric, rows=..., include_self=...).
        sample: number of items to draw; or
        precision: half width of the 95 % interval that every overlap between two of the spaces is to have at most.
        seed: of the sample.
        include_self: whether an item counts as its own neighbor.
        name: what errors call the spaces.
        deep: whether all items are searched deep enough for half-samples.

    Raises:
        NeighborError: too few items for a k, or a sample that cannot be drawn.
    """
    n = len(spaces[0])
    for k in ks:
        check_k(k, n, include_self=include_self, name=name)
    if sample is not None or precision is not None:
        return _sampled(spaces, ks, metric, find, sample, precision, seed, include_self)
    shallow = not deep or any(isinstance(space, VectorStream) for space in spaces)
    depth = max(ks) if shallow else depth_for(max(ks), n, include_self=include_self)
    return [find(space, depth, metric, include_self=include_self) for space in spaces]


def _sampled(
    spaces: Sequence[Any],
    ks: Sequence[int],
    metric: Metric,
    find: Callable[..., Neighbors],
    sample: int | None,
    precision: float | None,
    seed: int,
    include_self: bool,
) -> list[Neighbors]:
    n = len(spaces[0])
    if sample is not None and precision is not None:
        raise NeighborError("sample, precision: needed one of the two, got both. Give a number of items or a half width.")
    precision = None if precision is None else _half_width(precision)

    def search(rows: Int[ndarray, " m"]) -> list[Neighbors]:
        return [find(space, max(ks), metric, rows=rows, include_self=include_self) for space in spaces]

    size = sample if sample is not None else min(_PILOT, n)
    tables = search(draw(n, size, seed))
    while precision is not None and size < n:
        needed = min(n, max((_size_for(a, b, k, precision) for a, b in combinations(tables, 2) for k in ks), default=0))
        if needed <= size:
            break
        tables = [_joined(*both) for both in zip(tables, search(draw(n, needed, seed)[size:]), strict=True)]
        size = needed
    return tables


def _half_width(precision: Any) -> float:
    if not (isinstance(precision, Real) and 0 < float(precision) < 1):
        raise NeighborError(f"precision: needed a half width between 0 and 1, got {precision}. Use 0.01.")
    return float(precision)


def _size_for(a: Neighbors, b: Neighbors, k: int, precision: float) -> int:
    """How many items the interval of an overlap needs to be so narrow: n = s^2 / (e^2 + s^2/N), with e the error allowed."""
    counts = np.count_nonzero(positions(a.index[:, :k], b.index[:, :k]) < k, axis=1)
    spread = float(np.var(counts, ddof=1)) / k**2  # exactly 0 for equal whole numbers, which it may not be for equal shares
    if not spread:
        # The rule of three, as `ratio_error` has it.
        return a.items if precision * a.items <= 3 else math.ceil(3 / precision)
    error = precision / _QUANTILE
    if ratio_error(counts, np.full(len(counts), k), a.items) <= error:
        return len(counts)
    return int(np.ceil(_MARGIN * spread / (error**2 + spread / a.items)))


def _joined(a: Neighbors, b: Neighbors) -> Neighbors:
    """The rows of one table, then those of another over the same items."""
    index, distance, rows = (
        np.concatenate([getattr(table, part) for table in (a, b)]) for part in ("index", "distance", "rows")
    )
    return replace(a, index=index, distance=distance, rows=rows)
