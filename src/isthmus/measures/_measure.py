"""Kindred measures of two spaces, each with chance, interval, p-value and what it does not see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal, overload

import numpy as np
from numpy import ndarray

from isthmus._errors import IsthmusError, NeighborError
from isthmus._html import html_table
from isthmus._numbers import check_number
from isthmus._shapes import Float, Progress
from isthmus.measures._lists import enough_for_halves
from isthmus.measures._paired import Paired
from isthmus.measures._ranks import RankCurves, rank_curves
from isthmus.measures._registry import Invariance, Measure, measures_named
from isthmus.neighbors import Metric, NeighborEngine, check_metric
from isthmus.pairs import check_seed, check_vectors
from isthmus.statistics import (
    Interval,
    at_level,
    calibrated,
    check_level,
    half_differences,
    half_sample_error,
    halves,
    order_statistic_threshold,
    permutation_p,
    permutations,
)


@dataclass(frozen=True, slots=True, eq=False)
class MeasureResult:
    """What a measure says of two spaces, with what is needed to judge it; nan stands for what is not defined.

    Args:
        measure: which one.
        value: of the pairing as given.
        chance: mean over random pairings.
        chance_is_exact: whether that is known in closed form, or the mean of `null`.
        null: the values under random pairings.
        interval: for new items drawn like these, from half-samples; None where none was asked for or there is none.
        threshold: what a value has to exceed (a distance: to fall below) to be above chance.
        n: number of items.
        k: neighbors counted; None where the measure has none.
        metric: of the distances; None where the measure has its own.
        invariances: what may be done to either space without changing the value.
        best: the value of spaces of this size that agree wholly.
        note: why there is no value, or no interval or verdict that was asked for.
    """

    measure: Measure
    value: float
    chance: float
    chance_is_exact: bool
    null: Float[ndarray, " draws"]
    interval: Interval | None
    threshold: float
    n: int
    k: int | None
    metric: Metric | None
    invariances: frozenset[Invariance]
    best: float = float("nan")
    note: str = ""

    @property
    def name(self) -> str:
        """That of the measure."""
        return self.measure.name

    @property
    def p_value(self) -> float:
        """Share of random pairings that are as much alike or more, the observed one counted; nan without any."""
        if not len(self.null) or np.isnan(self.value):
            return float("nan")
        return permutation_p(self.measure.sign * self.value, self.measure.sign * self.null)

    @property
    def calibrated(self) -> float:
        """0 up to the threshold, 1 at full agreement; nan without random pairings."""
        if not len(self.null) or np.isnan(self.value):
            return float("nan")
        return calibrated(self.value, self.threshold, self.best)

    def record(self, a: str = "a", b: str = "b") -> dict[str, Any]:
        """The result as one flat record."""
        low, high = (float("nan"),) * 2 if self.interval is None else (self.interval.low, self.interval.high)
        return {
            "a": a, "b": b, "measure": self.name, "n": self.n, "k": self.k, "metric": self.metric, "value": self.value,
            "chance": self.chance, "chance_is_exact": self.chance_is_exact, "ci_low": low, "ci_high": high,
            "p_value": self.p_value, "threshold": self.threshold, "calibrated": self.calibrated,
            "permutations": len(self.null), "best": self.best, "invariances": " ".join(sorted(self.invariances)),
            "note": self.note,
        }  # fmt: skip

    def _repr_html_(self) -> str:
        shown = {name: value for name, value in self.record().items() if name not in ("a", "b", "best", "note")}
        shown |= {"invariances": ", ".join(shown["invariances"])}
        return html_table(f"How alike the two spaces are: {self.name}", [shown], note=self.note)

    def __str__(self) -> str:
        k = "" if self.k is None else f", K={self.k}"
        metric = "" if self.metric is None else f", {self.metric}"
        return f"{self.name} {self.value:.4f} (chance {self.chance:.4f}, N={self.n}{k}{metric})"


@overload
def measure(
    X: Any, Y: Any, name: Literal["all"], k: int = 10, metric: Metric = "cosine", *, draws: int = 0,
    half_samples: int = 0, alpha: float = 0.05, seed: int = 0,
    groups: Sequence[Any] | ndarray | None = None, engine: NeighborEngine | None = None,
    progress: Progress | None = None, names: tuple[str, str] = ("X", "Y"),
) -> list[MeasureResult]: ...  # fmt: skip
@overload
def measure(
    X: Any, Y: Any, name: str = "mutual-knn", k: int = 10, metric: Metric = "cosine", *, draws: int = 0,
    half_samples: int = 0, alpha: float = 0.05, seed: int = 0,
    groups: Sequence[Any] | ndarray | None = None, engine: NeighborEngine | None = None,
    progress: Progress | None = None, names: tuple[str, str] = ("X", "Y"),
) -> MeasureResult: ...  # fmt: skip
@overload
def measure(
    X: Any, Y: Any, name: Iterable[str], k: int = 10, metric: Metric = "cosine", *, draws: int = 0, half_samples: int = 0,
    alpha: float = 0.05, seed: int = 0, groups: Sequence[Any] | ndarray | None = None, engine: NeighborEngine | None = None,
    progress: Progress | None = None, names: tuple[str, str] = ("X", "Y"),
) -> list[MeasureResult]: ...  # fmt: skip


def measure(
    X: Any,
    Y: Any,
    name: str | Iterable[str] = "mutual-knn",
    k: int = 10,
    metric: Metric = "cosine",
    *,
    draws: int = 0,
    half_samples: int = 0,
    alpha: float = 0.05,
    seed: int = 0,
    groups: Sequence[Any] | ndarray | None = None,
    engine: NeighborEngine | None = None,
    progress: Progress | None = None,
    names: tuple[str, str] = ("X", "Y"),
) -> MeasureResult | list[MeasureResult]:
    """How much two spaces are alike by one of the kindred measures, or by several.

    Args:
        X: n x dx, finite; row i describes item i.
        Y: n x dy, finite; row i describes the same item.
        name: of a measure in `MEASURES`; or several, or "all", which gives a list: there, what cannot be computed of these
            spaces is nan with a note, unless that is so of all of them.
        k: neighbors counted, where the measure counts neighbors.
        metric: of the distances, where the measure has none of its own.
        draws: number of random pairings for threshold, p-value and calibrated score; 0 for none.
        half_samples: number of random halves of the items for the interval; 0 for none.
        alpha: level of the threshold.
        seed: of pairings and halves.
        groups: a label an item; random pairings then keep to the label, and so does chance.
        engine: what searches for neighbors.
        progress: called with the measure, how many are done and how many there are.
        names: what errors call the two spaces.

    Raises:
        DataError: a space that is not a finite two-dimensional array of numbers.
        NeighborError: an unknown measure, different numbers of items, too few for k, or what a measure cannot do with these.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(60, 5))
        >>> print(measure(x, 2 * x[:, ::-1] + 1, "cka"))
        cka 1.0000 (chance 0.0764, N=60)
    """
    chosen = measures_named(name)
    one = isinstance(name, str) and name != "all"
    check_seed(seed)
    check_level(alpha)
    check_number("draws", draws, 0.0, np.inf, 99.0, whole=True, error=NeighborError)
    check_number("half_samples", half_samples, 0.0, np.inf, 50.0, whole=True, error=NeighborError)
    pair = Paired.of(check_vectors(X, names[0]), check_vectors(Y, names[1]), k, check_metric(metric), engine, names)
    if draws:
        next(permutations(pair.n, 1, seed, groups))  # labels that are none are no measure's own lack
    results, errors = [], []
    for number, each in enumerate(chosen):
        if progress is not None:
            progress(each.name, number, len(chosen))
        try:
            results.append(_result(each, pair, draws, half_samples, alpha, seed, groups))
        except IsthmusError as error:
            results.append(_without_value(each, pair, str(error)))
            errors.append(error)
    if errors and len(errors) == len(chosen):
        raise errors[0]
    return results[0] if one else results


def _result(
    each: Measure,
    pair: Paired,
    draws: int,
    half_samples: int,
    alpha: float,
    seed: int,
    groups: Sequence[Any] | ndarray | None,
) -> MeasureResult:
    value = each.value(pair)
    draws = draws if each.paired else 0
    blocks = permutations(pair.n, draws, seed, groups) if draws else ()
    null = np.concatenate([each.under(pair, block) for block in blocks]) if draws else np.empty(0)
    exact = each.paired and each.chance is not None and groups is None
    level = each.chance(pair) if exact and each.chance is not None else float(null.mean()) if draws else float("nan")
    threshold = float("nan")
    if draws and not np.isnan(value):
        threshold = each.sign * order_statistic_threshold(each.sign * value, each.sign * null, alpha)
    interval = half_sample_interval(each, pair, value, half_samples, seed) if half_samples and each.has_interval else None
    notes = []
    if np.isnan(value):
        notes.append(f"no value: not defined for these {pair.n} items; a constant space, say, has no spread to compare")
    elif half_samples and (interval is None or np.isnan(interval.low)):
        notes.append(_why_no_interval(each, pair, half_samples))
    if draws and draws + 1 < 1 / alpha - 1e-9:
        notes.append(f"no value exceeds the threshold at alpha={alpha:g} with fewer than {ceil(1 / alpha - 1e-9) - 1} draws")
    return MeasureResult(
        each, value, level, exact, null, interval, threshold, pair.n, pair.k if each.uses_k else None,
        pair.metric if each.uses_metric else None, each.invariances(pair.metric), each.best_of(pair),
        "; ".join(notes),
    )  # fmt: skip


def _without_value(each: Measure, pair: Paired, note: str) -> MeasureResult:
    nan = float("nan")
    return MeasureResult(
        each, nan, nan, False, np.empty(0), None, nan, pair.n, pair.k if each.uses_k else None,
        pair.metric if each.uses_metric else None, each.invariances(pair.metric), note=note,
    )  # fmt: skip


def _why_no_interval(each: Measure, pair: Paired, half_samples: int) -> str:
    if not each.has_interval:
        return "no interval: its spread among new items is more than halves of these can tell"
    if half_samples < 2:
        return f"no interval: needed 2 half-samples or more, got {half_samples}"
    return f"no interval: half of {pair.n} items are too few" + (f" for k={pair.k}" if each.uses_k else ", or give no value")


def half_sample_interval(each: Measure, pair: Paired, value: float, draws: int, seed: int = 0) -> Interval:
    """An interval for new items drawn like these: by how much the two halves differ, around the value of all.

    nan where half of the items are fewer than 2k (any measure: fewer than 4), or too few for the measure. A share of 0 or 1,
    or items that all have the same, show no spread, but up to about 3/n of further items may differ (the rule of three): the
    interval reaches that far. A
    mean over items, where what they have is `rare`, is no surer than if they had nothing to do with one another.
    """
    if draws < 2 or not enough_for_halves(pair.k if each.uses_k else 2, [pair.n]):
        return Interval.around(value, float("nan"), bounds=each.bounds)
    parts = (pair.part(mask) for (mask,) in halves([pair.n], draws // 2 * 2, seed))
    try:
        return interval_from_halves(each, pair, value, [of_half(each, part) for part in parts])
    except IsthmusError:  # enough items for the measure, but not in a half
        return Interval.around(value, float("nan"), bounds=each.bounds)


def of_half(each: Measure, part: Paired) -> tuple[float, float]:
    """The value of a half, or the share that it is made of; and the variance of what its items have, if anything."""
    if each.items is not None:
        items = each.items(part)
        return float(np.mean(items)), float(np.var(items))
    slope, shift = each.share(part) if each.share is not None else (1.0, 0.0)
    return (each.value(part) - shift) / slope, float("nan")


def interval_from_halves(each: Measure, pair: Paired, value: float, found: Sequence[tuple[float, float]]) -> Interval:
    """The interval from what `of_half` says of one half after the other."""
    replicates, variances = np.array(found).T
    slope, shift = each.share(pair) if each.share is not None else (1.0, 0.0)
    whole, least = (value - shift) / slope, 0.0
    alike = each.share is not None and whole in (0, 1)
    if each.items is not None:
        items = each.items(pair)
        variance, alike = float(np.var(items)), float(np.ptp(items)) < 1e-12
        differences = at_level(half_differences(replicates), variance, variances)
        if min(items.sum(), pair.n - items.sum()) < each.rare:
            least = np.sqrt(variance / pair.n)  # rare misses may be in no half at all
    else:
        differences = half_differences(replicates, None if each.share is None else whole)
    error = float(np.maximum(half_sample_error(differences, [pair.n]), least))
    if alike or (each.fraction and error < 1e-12):
        error = max(error, 3 / pair.n / 1.96)
    return Interval.around(value, abs(slope) * error, bounds=each.bounds, divisions=len(found) // 2, fraction=each.fraction)


def neighborhood_curves(X: Any, Y: Any, metric: Metric = "cosine", *, engine: NeighborEngine | None = None) -> RankCurves:
    """Q_NX, LCMC and R_NX of two spaces at every k, with the area of R_NX over log k; `RankCurves` says what they are.

    Every pair of items is ranked: time n^2 log n, memory that of a block of rows.

    Raises:
        DataError: a space that is not a finite two-dimensional array of numbers.
        NeighborError: different or too few items.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(30, 4))
        >>> neighborhood_curves(x, 2 * x).area
        1.0
    """
    return rank_curves(Paired.of(check_vectors(X, "X"), check_vectors(Y, "Y"), 1, check_metric(metric), engine))
