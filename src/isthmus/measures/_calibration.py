"""Scores against what chance gives: one pair of spaces, the best of many, or two data sets of different size.

A similarity of 0.2 means nothing by itself: it depends on n, k and the number of dimensions, and the best of many layers or
maps is high by selection alone. Random pairings say what would be found without a relation; where the best of many is
reported, each pairing must be shared by all of them and its own best be taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._html import html_table
from isthmus._numbers import check_number
from isthmus._shapes import Float
from isthmus.measures._lists import as_list
from isthmus.measures._measure import MeasureResult, half_sample_interval, measure
from isthmus.measures._overlap import chance, mnno, overlap
from isthmus.measures._paired import Paired, Space
from isthmus.measures._registry import Measure, measures_named
from isthmus.neighbors import Metric, NeighborEngine, Neighbors, check_k, check_metric, k_occurrence
from isthmus.pairs import check_seed, check_vectors
from isthmus.statistics import Interval, calibrated, order_statistic_threshold, permutation_p, permutations


def calibrate(
    X: Any,
    Y: Any,
    name: str = "mutual-knn",
    k: int = 10,
    metric: Metric = "cosine",
    *,
    draws: int = 999,
    alpha: float = 0.05,
    seed: int = 0,
    groups: Sequence[Any] | ndarray | None = None,
    engine: NeighborEngine | None = None,
) -> MeasureResult:
    """A measure with its threshold, p-value and calibrated score from random pairings: `measure` with 999 draws.

    The score is (value - threshold) / (best - threshold), cut to [0, 1]; the threshold is the ceil((1 - alpha)(m + 1))-th
    smallest of the m random values and the observed one, so that an unrelated pair scores above 0 with probability alpha at
    most.

    Args:
        X: n x dx, finite; row i describes item i.
        Y: n x dy, finite; row i describes the same item.
        name: of the measure.
        k: neighbors counted.
        metric: of the distances.
        draws: number of random pairings.
        alpha: level of the threshold.
        seed: of the pairings.
        groups: a label an item; pairings keep to the label, and what labels alone explain counts as chance.
        engine: what searches for neighbors.

    Raises:
        DataError: a space that is not a finite two-dimensional array of numbers.
        NeighborError: as `measure`; or a measure that no pairing changes.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.normal(size=(2, 80, 4))
        >>> calibrate(x, y).calibrated, calibrate(x, x).calibrated
        (0.0, 1.0)
    """
    _check_paired(name)
    check_number("draws", draws, 1.0, np.inf, 999.0, whole=True, error=NeighborError)
    return measure(X, Y, name, k, metric, draws=draws, alpha=alpha, seed=seed, groups=groups, engine=engine)


@dataclass(frozen=True, slots=True, eq=False)
class BestOfMany:
    """The best of several pairs of spaces, against the best under random pairings.

    Args:
        values: the measure, a row for each first space and a column for each second one; nan where it is not defined.
        best: row and column of the pair that is most alike.
        value: of that pair.
        threshold: what the best of all has to exceed.
        p_value: of the best of all.
        p_values: of every pair against the best of all, so that they hold together (Westfall & Young 1993, single
            step); nan where there is no value.
        calibrated: of the best: 0 up to the threshold, 1 at full agreement.
        draws: number of random pairings.
    """

    values: Float[ndarray, "a b"]
    best: tuple[int, int]
    value: float
    threshold: float
    p_value: float
    p_values: Float[ndarray, "a b"]
    calibrated: float
    draws: int

    def _repr_html_(self) -> str:
        shown = {"value": self.value, "threshold": self.threshold, "p": self.p_value, "calibrated": self.calibrated}
        pairs = f"{self.values.shape[0]} x {self.values.shape[1]}"
        note = f"The pair in row {self.best[0]} and column {self.best[1]}; {self.draws} random pairings."
        return html_table(f"The most alike of {pairs} pairs of spaces", [shown], note=note)


def calibrate_best(
    Xs: Sequence[Any],
    Ys: Sequence[Any],
    name: str = "mutual-knn",
    k: int = 10,
    metric: Metric = "cosine",
    *,
    draws: int = 999,
    alpha: float = 0.05,
    seed: int = 0,
    groups: Sequence[Any] | ndarray | None = None,
    engine: NeighborEngine | None = None,
) -> BestOfMany:
    """The most alike of all pairs of layers, or maps, with a p-value that knows how many were looked at.

    Every random pairing is used for all pairs of spaces at once, and the best value under it is kept. A pair without a value
    (a constant layer, for CKA), or without one under a random pairing, is nan and takes no part.

    Args:
        Xs: spaces of the same items, such as the layers of one model.
        Ys: the same of another.
        name: of the measure.
        k: neighbors counted.
        metric: of the distances.
        draws: number of random pairings.
        alpha: level of the threshold.
        seed: of the pairings.
        groups: a label an item; pairings keep to the label.
        engine: what searches for neighbors.

    Raises:
        DataError: a space that is not a finite two-dimensional array of numbers.
        NeighborError: no spaces, different numbers of items, no pair with a value, or what `measure` refuses.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x, y, z = rng.normal(size=(3, 80, 4))
        >>> found = calibrate_best([x, y], [z, x + 0.1 * z])
        >>> found.best, found.p_value
        ((0, 1), 0.001)
    """
    each = _check_paired(name)
    if not len(Xs) or not len(Ys):
        raise NeighborError(f"Xs, Ys: needed one space or more of either, got {len(Xs)} and {len(Ys)}. Add one.")
    metric = check_metric(metric)
    first, second = (
        [Space(check_vectors(v, f"{side}[{i}]"), k, metric, engine) for i, v in enumerate(spaces)]
        for side, spaces in (("Xs", Xs), ("Ys", Ys))
    )
    sizes = {len(space) for space in (*first, *second)}
    if len(sizes) > 1:
        raise NeighborError(f"Xs, Ys: needed as many items in all, got {sorted(sizes)}. Pair them first.")
    n = sizes.pop()
    check_k(k, n, include_self=False, name="Xs")
    pairs = [Paired(x, y, k, metric=metric) for x in first for y in second]
    values = each.sign * np.array([each.value(pair) for pair in pairs])
    blocks = permutations(n, draws, seed, groups)
    nulls = each.sign * np.concatenate([[each.under(pair, block) for pair in pairs] for block in blocks], axis=1)
    defined = np.isfinite(values) & np.isfinite(nulls).all(axis=1)
    if not defined.any():
        raise NeighborError(f"Xs, Ys: needed a pair for which {name} is defined, got none. Leave constant spaces out.")
    values, null = np.where(defined, values, np.nan), nulls[defined].max(axis=0)
    place = int(np.nanargmax(values))
    value, shape = float(values[place]), (len(first), len(second))
    threshold = order_statistic_threshold(value, null, alpha)
    return BestOfMany(
        each.sign * values.reshape(shape), divmod(place, len(second)), each.sign * value, each.sign * threshold,
        permutation_p(value, null), np.array([permutation_p(v, null) for v in values]).reshape(shape),
        calibrated(value, threshold, each.sign * each.best_of(pairs[0])), draws,
    )  # fmt: skip


def _check_paired(name: str) -> Measure:
    if not isinstance(name, str) or name == "all":
        raise NeighborError(f"name: needed one measure, got {name!r}. Use `measure` for several.")
    (each,) = measures_named(name)
    if not each.paired:
        raise NeighborError(
            f"name: needed a measure of paired items, got {name!r}, which no pairing changes. Choose another."
        )
    return each


def hub_expectation(a: Neighbors, b: Neighbors, k: int | None = None) -> float:
    """The mNNO that shared hubs alone give: lists of independent spaces in which every item stands as often as it does here.

    sum_j N_a(j) N_b(j) / (n (n - 1) k), with N(j) the k-occurrence of item j: where j stands in N_a(j) of the n - 1 other
    lists at random, and independently in N_b(j) of those of the other space. It equals k/(n-1), the chance of random
    pairings, where hubs are unrelated, and exceeds it where the two spaces have the same hubs.

    Args:
        a: neighbors of all items in one space.
        b: in the other.
        k: neighbors counted; the depth of the tables, if left out.

    Raises:
        NeighborError: k beyond the depth, or tables of other items.

    Example:
        >>> star = Neighbors(np.array([[1], [0], [0], [0]]), np.zeros((4, 1)), "cosine", False)
        >>> round(hub_expectation(star, star), 3), round(chance(1, 4), 3)
        (0.833, 0.333)
    """
    if others := [type(each).__name__ for each in (a, b) if not isinstance(each, Neighbors)]:
        raise NeighborError(f"a, b: needed neighbor tables, got {', '.join(others)}. Use `isthmus.search(X, k)` first.")
    k = a.depth if k is None else k
    n = a.items
    if b.items != n or a.rows is not None or b.rows is not None:
        raise NeighborError(f"a, b: needed tables of all of the same items, got {len(a)} of {n} and {len(b)} of {b.items}.")
    return float(k_occurrence(a, k) @ k_occurrence(b, k)) / (n * (n - 1) * k)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Mutual k-NN at one number of items and of neighbors.

    Args:
        n: number of items; where fewer than all, `value` is the mean over random parts of them.
        k: neighbors counted.
        value: mNNO.
        chance: k / (n - 1).
        adjusted: (value - chance) / (1 - chance); nan where chance is 1.
        low, high: 95 % interval for new items drawn like these; nan where there are too few for one.
        metric: of the distances; an item is never its own neighbor here.
    """

    n: int
    k: int
    value: float
    chance: float
    adjusted: float
    low: float
    high: float
    metric: Metric


def curve_over_k(X: Any, Y: Any, ks: Sequence[int], metric: Metric = "cosine", *, seed: int = 0) -> list[CurvePoint]:
    """Mutual k-NN at several k, from one search, with chance and half-sample intervals.

    Raises:
        DataError, NeighborError: as `overlap`.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(60, 3))
        >>> [point.value for point in curve_over_k(x, x, [1, 5])]
        [1.0, 1.0]
    """
    points = []
    for found in overlap(X, Y, as_list(ks), metric):
        interval = found.interval(seed=seed)
        rest = (found.chance, found.adjusted, interval.low, interval.high, found.a.metric)
        points.append(CurvePoint(found.n, found.k, found.mnno, *rest))
    return points


def curve_over_n(
    X: Any, Y: Any, sizes: Sequence[int], k: int = 10, metric: Metric = "cosine", *, draws: int = 20, seed: int = 0
) -> list[CurvePoint]:
    """Mutual k-NN at a fixed k among random parts of the items, since the raw value falls as n grows.

    Args:
        X: n x dx, finite; row i describes item i.
        Y: n x dy, finite; row i describes the same item.
        sizes: numbers of items, up to all.
        k: neighbors counted.
        metric: of the distances.
        draws: random parts for each size.
        seed: of the parts.

    Raises:
        DataError: a space that is not a finite two-dimensional array of numbers.
        NeighborError: a size with too few items for k, or with more than there are.

    Example:
        >>> x, y = np.random.default_rng(0).normal(size=(2, 100, 3))
        >>> [round(point.chance, 2) for point in curve_over_n(x, y, [51, 100], k=5)]
        [0.1, 0.05]
    """
    _check_parts(draws, seed)
    pair = Paired.of(check_vectors(X, "X"), check_vectors(Y, "Y"), k, check_metric(metric))
    points = []
    error = _whole_error(pair, draws, seed)
    for n in as_list(sizes):
        found = _at_size(pair, n, draws, seed, error)
        level = chance(k, n)
        adjusted = (found.estimate - level) / (1 - level) if level < 1 else float("nan")
        points.append(CurvePoint(n, k, found.estimate, level, adjusted, found.low, found.high, pair.metric))
    return points


def _check_parts(draws: int, seed: int) -> None:
    check_number("draws", draws, 2.0, np.inf, 20.0, whole=True, error=NeighborError)
    check_seed(seed)


def _whole_error(pair: Paired, draws: int, seed: int) -> float:
    """Standard error of mNNO among all items, for new items drawn like these."""
    (knn,) = measures_named("mutual-knn")
    return half_sample_interval(knn, pair, knn.value(pair), draws, seed).standard_error


def _at_size(pair: Paired, n: int, draws: int, seed: int, whole_error: float) -> Interval:
    """Mean mNNO of random parts of n items, about that of n new items drawn like these.

    Parts of n items share more neighbors than all N, but the mean over parts still says what all N items say: its standard
    error is about that of the whole (measured, from n = N/6 on), and what the number of parts adds.
    """
    check_k(pair.k, n, include_self=False, name="sizes")
    if n > pair.n:
        raise NeighborError(f"sizes: needed at most {pair.n}, the number of items, got {n}. Leave larger ones out.")
    values = _parts(pair, n, draws if n < pair.n else 1, seed)
    noise = float(np.std(values, ddof=1) / np.sqrt(draws)) if len(values) > 1 else 0.0
    return Interval.around(
        float(values.mean()), float(np.hypot(whole_error, noise)), bounds=(0.0, 1.0), divisions=draws // 2
    )


def _parts(pair: Paired, m: int, draws: int, seed: int) -> Float[ndarray, " draws"]:
    rng = np.random.default_rng([seed, m, 0x5173])
    values = np.empty(draws)
    for draw in range(draws):
        mask = np.zeros(pair.n, dtype=bool)
        mask[rng.permutation(pair.n)[:m]] = True
        part = pair.part(mask)
        values[draw] = mnno(part.first.table, part.second.table)
    return values


@dataclass(frozen=True, slots=True)
class MatchedComparison:
    """Mutual k-NN of two data sets at the same number of items.

    Args:
        n: number of items at which both are compared.
        k: neighbors counted.
        chance: k / (n - 1), of both.
        first, second: mNNO of the two sets among n items, with intervals for new items drawn like theirs.
        difference: first - second, with its interval; the two sets are independent.
    """

    n: int
    k: int
    chance: float
    first: Interval
    second: Interval
    difference: Interval

    def _repr_html_(self) -> str:
        named = (("first", self.first), ("second", self.second), ("difference", self.difference))
        records = [{"": name, "mNNO": each.estimate, "low": each.low, "high": each.high} for name, each in named]
        return html_table(f"Two data sets at N={self.n}, K={self.k}, chance {self.chance:.3g}", records)


def compare_matched(
    first: tuple[Any, Any],
    second: tuple[Any, Any],
    k: int = 10,
    metric: Metric = "cosine",
    *,
    n: int | None = None,
    draws: int = 100,
    seed: int = 0,
) -> MatchedComparison:
    """Which of two data sets has the more alike spaces, at the same number of items.

    Raw values at different n do not compare.

    Args:
        first: X and Y of one data set.
        second: X and Y of another.
        k: neighbors counted.
        metric: of the distances.
        n: number of items; that of the smaller set, if left out.
        draws: random parts of each set.
        seed: of the parts.

    Raises:
        DataError: a space that is not a finite two-dimensional array of numbers.
        NeighborError: more items asked for than the smaller set has, or too few for k.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.normal(size=(80, 4)), rng.normal(size=(200, 4))
        >>> found = compare_matched((x, x), (y, y + rng.normal(size=(200, 4))))
        >>> found.n, found.difference.low > 0
        (80, True)
    """
    _check_parts(draws, seed)
    for name, spaces in (("first", first), ("second", second)):
        if not isinstance(spaces, tuple | list) or len(spaces) != 2:
            raise NeighborError(f"{name}: needed X and Y, got {type(spaces).__name__}. Pass them as a pair, (X, Y).")
    one, other = (
        Paired.of(check_vectors(X, f"{name}[0]"), check_vectors(Y, f"{name}[1]"), k, check_metric(metric))
        for name, (X, Y) in (("first", first), ("second", second))
    )
    n = min(one.n, other.n) if n is None else n
    check_number("n", n, 2.0, np.inf, float(min(one.n, other.n)), whole=True, error=NeighborError)
    a, b = (
        _at_size(pair, n, draws, seed + number, _whole_error(pair, draws, seed + number))
        for number, pair in enumerate((one, other))
    )
    difference = Interval.around(
        a.estimate - b.estimate, float(np.hypot(a.standard_error, b.standard_error)), divisions=draws // 2
    )
    return MatchedComparison(n, k, chance(k, n), a, b, difference)
