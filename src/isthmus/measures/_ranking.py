"""Where the relevant items stand when all candidates are sorted by distance from a query.

A whole ranking is needed, not only its top, so each block of queries is one float64 product and one sort. The last twelve
bits of a distance are rounded away and the very last one then says whether the item is relevant: the sort moves relevance
along, nothing is gathered, and distances that agree to twelve digits are ties. Items in a tie have no order of their own:
what is reported is the mean over all orders of them, in closed form (McSherry & Najork 2008). So the order of the rows does
not show, and the arithmetic hardly: equal distances that it computes apart may still fall on either side of an edge of the
grid to which they are rounded. Chance is the case in which all candidates tie.

A product loses the digits of distances that are small beside the vectors. So where a relevant candidate much nearer to the
query than the length of the query seems to tie with another one, or nearly so, both are measured again from the difference
of the vectors itself, and their order and ties follow from that. Few rows need it, but for clusters that are far apart.

Blocks depend on the number of candidates alone, and each is computed by one thread with one BLAS thread: the same bits on
any number of cores.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy import ndarray

from isthmus._shapes import Bool, Float, Int, Progress
from isthmus.neighbors import Metric, cores

_PAIRS_AT_ONCE = 1 << 21  # query-candidate pairs of a block: 16 MB an array of float64, a handful of them a thread
_RELEVANT = np.uint64(1)
_KEPT = ~np.uint64(0xFFF)  # 40 of the 52 bits of a fraction
_HALF = np.uint64(0x800)
_STEP = 0x1000  # of the grid
_FEW = 6  # where less than a sixth of the candidates are relevant, most need not be sorted
_NOWHERE = np.float64(np.inf)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """Where the relevant candidates of each query stand.

    Args:
        precisions: expected sum, over the relevant candidates, of the share of relevant ones down to each.
        relevant: how many candidates are relevant.
        before: how many candidates are surely nearer than the first relevant one.
        tied: how many candidates share the distance of the first relevant one, itself among them.
        tied_relevant: how many of these are relevant; 0 where nothing is.
    """

    precisions: Float[ndarray, " n"]
    relevant: Int[ndarray, " n"]
    before: Int[ndarray, " n"]
    tied: Int[ndarray, " n"]
    tied_relevant: Int[ndarray, " n"]


@dataclass(frozen=True, slots=True, eq=False)
class Relevance:
    """Which candidates answer a query: those that share a class with it, or else the one of the same row.

    Args:
        queries: of each query its class, one a row, or its classes as a table of rows by classes; None for the same row.
        items: the same of the candidates.
    """

    queries: ndarray | None
    items: ndarray | None

    def of(self, rows: slice, n: int) -> Bool[ndarray, "m n"]:
        """Table of some queries by all n candidates."""
        if self.queries is None or self.items is None:
            return np.arange(n) == np.arange(n)[rows, None]
        if self.queries.ndim == 1:
            return self.queries[rows, None] == self.items
        return self.queries[rows] @ self.items.T > 0


def rank(
    queries: Float[ndarray, "m d"],
    items: Float[ndarray, "n d"],
    relevance: Relevance,
    *,
    metric: Metric,
    own: bool,
    first: bool,
    progress: Progress | None = None,
) -> Ranks:
    """Rank all items for each query.

    Args:
        queries: what is asked with.
        items: the candidates.
        relevance: which candidates are relevant.
        metric: "cosine" or "euclidean".
        own: the item of a query's own row is a candidate; otherwise it is left out.
        first: every query has a first hit, itself, before the candidates.
        progress: called with the queries done and in all.
    """
    space = _Space.of(queries, items, metric)
    n = len(items)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 2))])

    def work(rows: slice) -> Ranks:
        keys = space.distances(rows)
        relevant = relevance.of(rows, n)
        if not own:
            here = np.arange(rows.start, rows.stop)
            keys[here - rows.start, here] = _NOWHERE
            relevant[here - rows.start, here] = False
        keys = _rounded(keys)
        order = _measured_again(_sorted_keys(keys, relevant), keys, relevant, space, rows)
        return _ranks(order, len(keys), int(first), harmonic)

    parts = _in_blocks(work, len(queries), n, progress)
    return Ranks(*(np.concatenate([getattr(part, name) for part in parts]) for name in Ranks.__dataclass_fields__))


def partner_ranks(
    queries: Float[ndarray, "n d"], items: Float[ndarray, "n d"], orders: Int[ndarray, "some n"], *, metric: Metric
) -> tuple[Int[ndarray, "some n"], Int[ndarray, "some n"]]:
    """Where item orders[p, i] stands for query i: how many are surely nearer, and how many share its distance, itself too.

    Args:
        queries: what is asked with.
        items: the candidates.
        orders: the right item of each query, one pairing a row.
        metric: "cosine" or "euclidean".

    Example:
        >>> x = np.array([[0.0], [2.0], [3.0]])
        >>> partner_ranks(x, x, np.array([[0, 2, 0]]), metric="euclidean")
        (array([[0, 1, 2]]), array([[1, 1, 1]]))
    """
    space = _Space.of(queries, items, metric)

    def work(rows: slice) -> tuple[Int[ndarray, "m some"], Int[ndarray, "m some"]]:
        keys = _rounded(space.distances(rows)).view(np.int64)
        partners = np.take_along_axis(keys, orders.T[rows].astype(np.intp), axis=1)
        ordered = np.sort(keys, axis=1)
        before, through = (
            np.array([key.searchsorted(own, side) for key, own in zip(ordered, partners, strict=True)])
            for side in ("left", "right")
        )
        tied = through - before
        # Near the query the product cannot tell all distances apart; those that it cannot are measured again.
        limits = _rounded(space.limits(rows)).view(np.int64)
        near = np.flatnonzero((partners < limits[:, None]).any(axis=1))
        for row in near:
            for pairing in np.flatnonzero(partners[row] < limits[row]):
                own = partners[row, pairing]
                alike = np.flatnonzero(np.abs(keys[row] - own) <= _STEP)
                if len(alike) == 1:
                    continue
                measured = _rounded(space.measured(rows.start + int(row), alike))
                mine = measured[alike == orders[pairing, rows.start + row]]
                before[row, pairing] = np.count_nonzero(keys[row] < own - _STEP) + np.count_nonzero(measured < mine)
                tied[row, pairing] = np.count_nonzero(measured == mine)
        return before, tied

    before, tied = (np.concatenate(part).T for part in zip(*_in_blocks(work, len(queries), len(items)), strict=True))
    return before, tied


def _in_blocks(work: Callable[[slice], _T], queries: int, items: int, progress: Progress | None = None) -> list[_T]:
    """What is found for some queries after others."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    step = max(1, _PAIRS_AT_ONCE // items)
    blocks = [slice(start, min(start + step, queries)) for start in range(0, queries, step)]
    parts = []
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(cores(), len(blocks))) as pool:
        for rows, part in zip(blocks, pool.map(work, blocks), strict=True):
            parts.append(part)
            if progress is not None:
                progress("retrieval", rows.stop, queries)
    return parts


class _Order(NamedTuple):
    """Candidates in the order of distance, row after row: at least those that are relevant or tie with one that is."""

    row: Int[ndarray, " p"]
    place: Int[ndarray, " p"]  # candidates before it in its row
    key: ndarray  # distance, or the number of its group in the row, and relevance in the last bit


def _rounded(distances: Float[ndarray, "*shape"]) -> ndarray:
    """Distances to the nearest of the grid, in place, as bits."""
    keys = distances.view(np.uint64)
    keys += _HALF
    keys &= _KEPT
    return keys


def _sorted_keys(keys: ndarray, relevant: Bool[ndarray, "m n"]) -> _Order:
    """Candidates in order; where few are relevant, only those near them are sorted, and the others are counted."""
    rows, n = keys.shape
    if np.count_nonzero(relevant) * _FEW > relevant.size:
        key = keys | relevant
        key.sort(axis=1)
        return _Order(np.repeat(np.arange(rows), n), np.tile(np.arange(n), rows), key.ravel())
    found = [_near_relevant(key, hit) for key, hit in zip(keys, relevant, strict=True)]
    place, key = (np.concatenate(column) for column in zip(*found, strict=True))
    return _Order(np.repeat(np.arange(rows), [len(each) for each, _ in found]), place, key)


def _near_relevant(keys: ndarray, relevant: Bool[ndarray, " n"]) -> tuple[Int[ndarray, " p"], ndarray]:
    """Places and keys of the candidates in the bins of distances of the relevant ones, or of one step of the grid beside."""
    distance = keys.view(np.float64)
    high = distance.max(where=distance < _NOWHERE, initial=0.0)
    low = min(distance.min(), high)  # a row may hold nothing but the item that is left out
    scale = len(keys) / (high - low) if high > low else 1.0

    def bins(of: Float[ndarray, " p"]) -> Int[ndarray, " p"]:
        return np.minimum((of - low) * scale, len(keys)).astype(np.intp)

    every = bins(distance)
    wanted = np.zeros(len(keys) + 1, dtype=bool)
    for beside in (1 - 2.0**-39, 1 + 2.0**-39):
        wanted[bins(np.clip(distance[relevant] * beside, low, high))] = True
    some = np.flatnonzero(wanted[every])
    key = np.sort(keys[some] | relevant[some])
    count = np.bincount(every, minlength=len(keys) + 1)
    own = bins((key & _KEPT).view(np.float64))
    opening = np.flatnonzero(np.diff(own, prepend=-1))
    within = np.arange(len(key)) - np.repeat(opening, np.diff(np.append(opening, len(key))))
    return (np.cumsum(count) - count)[own] + within, key


def _measured_again(order: _Order, keys: ndarray, relevant: Bool[ndarray, "m n"], space: "_Space", rows: slice) -> _Order:
    """The order, with the rows replaced in which the product cannot tell relevant candidates from others near the query."""
    limits = _rounded(space.limits(rows)).view(np.int64)
    key = (order.key & _KEPT).view(np.int64)
    hit = np.flatnonzero((order.key & _RELEVANT).view(np.int64))
    hit = hit[key[hit] < limits[order.row[hit]]]
    doubtful = np.zeros(len(keys), dtype=bool)
    for step in (-1, 1):
        other = np.clip(hit + step, 0, len(key) - 1)
        mixed = (order.row[other] == order.row[hit]) & ((order.key[other] & _RELEVANT) == 0)
        doubtful[order.row[hit[mixed & (np.abs(key[other] - key[hit]) <= _STEP)]]] = True
    if not doubtful.any():
        return order
    kept = ~doubtful[order.row]
    parts = [_Order(*(column[kept] for column in order))]
    for row in np.flatnonzero(doubtful):
        found = _row_again(keys[row].view(np.int64), relevant[row], int(limits[row]), space, rows.start + int(row))
        parts.append(_Order(np.full(len(found), row), np.arange(len(found)), found))
    return _Order(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _row_again(keys: Int[ndarray, " n"], relevant: Bool[ndarray, " n"], limit: int, space: "_Space", query: int) -> ndarray:
    """All keys of a row in order: the numbers of the groups that tie, those near the query by their own distances."""
    order = np.argsort(keys, kind="stable")
    key, hit = keys[order], relevant[order]
    near = key < limit
    run = np.cumsum(np.diff(key, prepend=-2 * _STEP) > np.where(near, _STEP, 0)) - 1
    hits, size = np.bincount(run, hit), np.bincount(run)
    again = np.flatnonzero(near & ((hits > 0) & (hits < size))[run])
    distance = np.zeros(len(key))
    distance[again] = space.measured(query, order[again])
    fine = _rounded(distance)
    order = np.lexsort((hit, fine, run))
    run, fine, hit = run[order], fine[order], hit[order]
    group = np.cumsum((np.diff(run, prepend=-1) != 0) | np.append(True, fine[1:] != fine[:-1]))
    return (group.astype(np.uint64) << np.uint64(12)) | hit


def _ranks(order: _Order, rows: int, first: int, harmonic: Float[ndarray, " n"]) -> Ranks:
    """Ranks from an order; a relevant item that ties with others is one of a group, any other a group of its own."""
    hit = np.flatnonzero((order.key & _RELEVANT).view(np.int64))
    row = order.row[hit]
    ranks = Ranks(np.zeros(rows), np.bincount(row, minlength=rows), *(np.zeros(rows, dtype=np.int64) for _ in range(3)))
    # Within a distance the others stand before the relevant items, one below them in the last bit.
    tied = (order.row[hit - 1] == row) & (order.key[hit - 1] == order.key[hit] - _RELEVANT)
    with_others = np.bincount(row[tied], minlength=rows) > 0
    alone = ~with_others[row]
    ones = np.ones(np.count_nonzero(alone), dtype=np.int64)
    _add(ranks, row[alone], order.place[hit[alone]], ones, ones, first, harmonic)
    if with_others.any():
        some = with_others[order.row]
        _add(ranks, *_groups(_Order(*(column[some] for column in order))), first, harmonic)
    return ranks


def _add(
    ranks: Ranks, row: ndarray, place: ndarray, size: ndarray, hits: ndarray, first: int, harmonic: Float[ndarray, " n"]
) -> None:
    """Enter the groups of some rows, in order: the items before each, its size, its relevant items."""
    opening = np.flatnonzero(np.diff(row, prepend=-1))
    counted = np.cumsum(hits) - hits
    counted -= np.repeat(counted[opening], np.diff(np.append(opening, len(row))))
    sums = _precisions(place + first, counted + first, size, hits, harmonic)
    ranks.precisions[:] += np.bincount(row, sums, minlength=len(ranks.precisions))
    found = row[opening]
    ranks.before[found], ranks.tied[found], ranks.tied_relevant[found] = place[opening], size[opening], hits[opening]


def _groups(order: _Order) -> tuple[ndarray, ndarray, ndarray, ndarray]:
    """Groups of equal distance that hold a relevant item: row, items before, size, relevant items."""
    distance = order.key & _KEPT
    start = np.flatnonzero((np.diff(order.row, prepend=-1) != 0) | np.append(True, distance[1:] != distance[:-1]))
    size = np.diff(np.append(start, len(distance)))
    hits = np.add.reduceat((order.key & _RELEVANT).view(np.int64), start)
    some = hits > 0
    return order.row[start[some]], order.place[start[some]], size[some], hits[some]


def _precisions(before: ndarray, counted: ndarray, size: ndarray, hits: ndarray, harmonic: ndarray) -> ndarray:
    """Expected sum of the precisions at the relevant items of a group whose order is random.

    With a items and b relevant ones before t items of which r are relevant, the item at place i of the group is relevant
    with probability r/t, and then (i-1)(r-1)/(t-1) relevant ones of the group stand before it on average, so

        sum_i r/t (b + 1 + (i-1) p)/(a + i) = r/t ((b + 1 - p (a+1)) (H(a+t) - H(a)) + p t),   p = (r-1)/(t-1)
    """
    p = (hits - 1) / np.maximum(size - 1, 1)
    return hits / size * ((counted + 1 - p * (before + 1)) * (harmonic[before + size] - harmonic[before]) + p * size)


def chance_precision(candidates: int, relevant: Int[ndarray, " n"], *, first: bool) -> Float[ndarray, " n"]:
    """Expected sum of precisions where all candidates are in random order; 0 where nothing is relevant.

    Example:
        >>> chance_precision(2, np.array([1]), first=False)
        array([0.75])
    """
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, candidates + 2))])
    start, size = np.full(len(relevant), int(first)), np.full(len(relevant), max(candidates, 1))
    return np.where(relevant > 0, _precisions(start, start, size, np.maximum(relevant, 1), harmonic), 0.0)


def expected_hits(before: ndarray, tied: ndarray, relevant: ndarray, k: int) -> Float[ndarray, " n"]:
    """Probability that a relevant item is among the first k, where the first of them are tied with others.

    1 - C(t - r, k - a)/C(t, k - a) for a < k; 0 where nothing is relevant.

    Example:
        >>> expected_hits(np.array([1]), np.array([4]), np.array([1]), k=3)
        array([0.5])
    """
    from scipy.special import gammaln  # noqa: PLC0415 - takes a while to load

    drawn = np.clip(k - before, 0, tied)
    others = tied - relevant
    with np.errstate(invalid="ignore"):
        missed = gammaln(others + 1) - gammaln(np.maximum(others - drawn, 0) + 1)
        missed = np.exp(missed - gammaln(tied + 1) + gammaln(tied - drawn + 1))
    chance = np.where(relevant == 1, drawn / np.maximum(tied, 1), 1 - np.where(drawn > others, 0.0, missed))
    return np.where(relevant > 0, np.where(drawn == 0, 0.0, chance), 0.0)


def expected_reciprocal(before: ndarray, tied: ndarray, relevant: ndarray) -> Float[ndarray, " n"]:
    """Expected 1/rank of the first relevant item, where it is tied with others; 0 where nothing is relevant.

    Example:
        >>> expected_reciprocal(np.array([0, 1]), np.array([2, 1]), np.array([1, 1]))
        array([0.75, 0.5 ])
    """
    cases, which = np.unique(np.stack([before, tied, relevant]), axis=1, return_inverse=True)
    a, t, r = cases
    found, missed = np.zeros(len(a)), (r > 0).astype(float)
    for place in range(int((t - r).max(initial=0)) + 1):
        share = np.divide(r, t - place, out=np.ones(len(a)), where=t - place > r)
        found += missed * share / (a + place + 1)
        missed *= 1 - share
        if not missed.any():
            break
    return found[which.ravel()]


@dataclass(frozen=True, slots=True, eq=False)
class _Space:
    """Queries and candidates, ready for one product: of unit rows under cosine, else of rows around the candidates' mean.

    Equal candidates are multiplied once, so that they tie to the last bit. `given` are queries and candidates as they came,
    and the exponent of the power of two by which they were divided.
    """

    given: tuple[Float[ndarray, "m d"], Float[ndarray, "n d"], int]
    queries: Float[ndarray, "m d"]
    items: Float[ndarray, "p d"]
    place: Int[ndarray, " n"] | None
    metric: Metric

    @classmethod
    def of(cls, queries: Float[ndarray, "m d"], items: Float[ndarray, "n d"], metric: Metric) -> "_Space":
        exponent = max(_exponent(queries), _exponent(items))
        asked, there = (np.ldexp(rows.astype(np.float64), -exponent) for rows in (queries, items))
        if metric == "cosine":
            asked, there = _unit(asked), _unit(there)
        else:
            center = there.mean(axis=0)
            asked, there = asked - center, there - center
        there += 0.0  # -0 becomes 0, which is the same number in other bytes
        distinct, place = np.unique(there, axis=0, return_inverse=True)
        given = (queries, items, exponent)
        if len(distinct) == len(there):
            return cls(given, asked, there, None, metric)
        return cls(given, asked, distinct, place.ravel(), metric)

    def distances(self, rows: slice) -> Float[ndarray, "m n"]:
        """Of some queries to all candidates: 2 - cosine, or the squared Euclidean distance plus that of the query from 0.

        What is added is the same for all candidates of a query, and of the size that the rounding of the product goes by, so
        that distances near 0 tie as well as others.
        """
        asked = self.queries[rows]
        if self.metric == "cosine":
            found = 2 - asked @ self.items.T
        else:
            found = asked @ (-2 * self.items.T)
            found += 2 * (asked * asked).sum(axis=1)[:, None]
            found += (self.items * self.items).sum(axis=1)
            np.maximum(found, 0, out=found)
        return found if self.place is None else np.take(found, self.place, axis=1)

    def limits(self, rows: slice) -> Float[ndarray, " m"]:
        """Of each query the distance, as `distances` gives it, below which digits are lost: half the query's length."""
        if self.metric == "cosine":
            return np.full(rows.stop - rows.start, 1.125)
        asked = self.queries[rows]
        return 1.25 * (asked * asked).sum(axis=1)

    def measured(self, query: int, items: Int[ndarray, " p"]) -> Float[ndarray, " p"]:
        """Of one query to some candidates: |q - i|^2 from the difference itself; under cosine |q - i| of unit rows.

        The latter are rounded themselves, so it counts to twelve digits after the point, and no digits below.
        """
        found = np.empty(len(items))
        step = max(1, _PAIRS_AT_ONCE // self.queries.shape[1])
        for start in range(0, len(items), step):
            some = items[start : start + step]
            if self.metric == "cosine":
                apart = self.items[some if self.place is None else self.place[some]] - self.queries[query]
            else:
                asked, there, exponent = self.given
                asked, there = (np.ldexp(each.astype(np.float64), -exponent) for each in (asked[query], there[some]))
                apart = there - asked
            found[start : start + step] = np.einsum("pd,pd->p", apart, apart)
        return np.rint(np.sqrt(found) * 2.0**40) * 2.0**-40 if self.metric == "cosine" else found


def _exponent(rows: Float[ndarray, "n d"]) -> int:
    """That of a power of two above all numbers: divided by it, exactly, their squares stay in range."""
    return int(np.frexp(max(float(rows.max()), -float(rows.min())))[1])


def _unit(rows: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    """Rows at length 1; a zero row stays, and its cosine with everything is 0."""
    rows = rows / np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return rows / np.where(length == 0, 1, length)
