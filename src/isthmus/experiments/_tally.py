"""What a mapping did to neighborhoods, as numbers alone: they can be stored, and test sets and repetitions pooled.

A `Bridge` holds neighbor tables; a tally holds what is counted in them, for the items and for random halves of them. Sums of
counts over test sets give the pooled values, sums over the same half of every test set their spread, so that an experiment
pools cells that were measured in different processes, or on different days, and gets what one `audit` gets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._shapes import Bool, Float, Int
from isthmus.measures import Counts, Quantity, Spaces, chance, depth_for, differences_of, enough_for_halves
from isthmus.neighbors import Metric, Neighbors, search
from isthmus.statistics import Interval, half_sample_error, halves

HALF_SAMPLES = 400


class Errors(NamedTuple):
    """Sums over test items and dimensions, of which MSE and R2 are made.

    Args:
        squared: of (f(x) - y)^2.
        numbers: how many there were.
        variation: of (y - mean(y))^2, by test set.
        total: of y^2, against which a variation of rounding errors is told from one of the targets.
    """

    squared: float
    numbers: int
    variation: float
    total: float

    @classmethod
    def of(cls, f: Float[ndarray, "n d"], y: Float[ndarray, "n dy"]) -> "Errors | None":
        """The sums of one test set; None where f(x) and y differ in width."""
        if f.shape[1] != y.shape[1]:
            return None
        y = y.astype(np.float64)
        return cls(float(((f - y) ** 2).sum()), y.size, float(((y - y.mean(axis=0)) ** 2).sum()), float((y**2).sum()))

    @classmethod
    def pool(cls, parts: "Sequence[Errors | None]") -> "Errors | None":
        """The sums over several test sets."""
        pooled = cls(0.0, 0, 0.0, 0.0)
        for part in parts:
            if part is None:
                return None
            pooled = cls(
                pooled.squared + part.squared, pooled.numbers + part.numbers, pooled.variation + part.variation,
                pooled.total + part.total,
            )  # fmt: skip
        return pooled

    @property
    def mse(self) -> float:
        """Mean over items and dimensions of (f(x) - y)^2."""
        return self.squared / self.numbers

    @property
    def r2(self) -> float | None:
        """1 - sum |f(x) - y|^2 / sum |y - mean(y)|^2, over all dimensions together; None where the targets do not vary."""
        return 1 - self.squared / self.variation if self.variation > 1e-20 * self.total else None


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Counts at one k, metric and self convention, over one or several test sets and repetitions.

    Args:
        k, metric, include_self: what was counted.
        sets: number and size of each test set, as often as it was mapped.
        items: row of the data of each item tested, test sets one after the other.
        counts: per-item intersections.
        halves: for each draw of halves, the sums of fx, fy, fxy and xy over its items, and their number; no draws where a
            test set is too small for them.
    """

    k: int
    metric: Metric
    include_self: bool
    sets: tuple[tuple[int, int], ...]
    items: Int[ndarray, " n"]
    counts: Counts
    halves: Float[ndarray, "draws 5"]

    @classmethod
    def of(cls, spaces: Spaces, k: int, number: int, masks: Sequence[Bool[ndarray, " n"]]) -> "Tally":
        """The counts of one test set.

        Args:
            spaces: its neighbor tables.
            k: neighbors counted.
            number: of the test set among all.
            masks: halves of it, one a draw, of the same draws as those of the other test sets.
        """
        sums = spaces.half_sums(k, masks).astype(float)
        table = spaces.x
        return cls(
            k, table.metric, table.includes_self, ((number, len(table)),), spaces.items, spaces.counts(k), sums
        )  # fmt: skip

    @classmethod
    def pool(cls, parts: "Sequence[Tally]") -> "Tally":
        """The counts over several test sets and repetitions, at the k, metric and convention of the first."""
        first = parts[0]
        counts = Counts(*(np.concatenate(column) for column in zip(*(part.counts for part in parts), strict=True)))
        drawn = min(len(part.halves) for part in parts)
        return cls(
            first.k, first.metric, first.include_self, tuple(each for part in parts for each in part.sets),
            np.concatenate([part.items for part in parts]), counts, np.sum([part.halves[:drawn] for part in parts], axis=0),
        )  # fmt: skip

    def value(self, of: Quantity) -> float:
        """One of the six quantities of `isthmus.measures.Bridge.value`; nan where there is nothing to bridge."""
        numerator, denominator = (float(part.sum()) for part in self.counts.ratio(of, self.k))
        return numerator / denominator if denominator else float("nan")

    def _replicates(self, of: Quantity) -> Float[ndarray, " draws"]:
        """The quantity on each draw of halves."""
        sums, number = self.halves[:, :4], self.halves[:, 4:]
        with np.errstate(invalid="ignore", divide="ignore"):
            numerator, denominator = Counts(*(sums / number).T).ratio(of, self.k)
            return np.where(denominator != 0, numerator / denominator, np.nan)

    def _differences(self, of: Quantity) -> Float[ndarray, " pairs"]:
        """How much the quantity differs between the two halves of each draw."""
        return differences_of(of, self.value, self._replicates)

    def _around(
        self, estimate: float, differences: Float[ndarray, " pairs"], bounds: tuple[float, float] = (-1.0, 1.0)
    ) -> Interval:
        error = half_sample_error(differences, list(dict(self.sets).values()))
        return Interval.around(estimate, error, bounds=bounds, divisions=len(differences))

    def interval(self, of: Quantity) -> Interval:
        """A quantity with its half-sample interval, within the range that it can have."""
        bounds = (-1.0, 1.0) if of == "index" else (0.0, 1.0)
        return self._around(self.value(of), self._differences(of), bounds)

    def index(self) -> Interval:
        """The bridge index with its half-sample interval."""
        return self.interval("index")

    def gain(self, over: "Tally", of: Quantity = "bridge_rate") -> Interval:
        """This quantity less another mapping's on the same test sets, with the half-sample interval of the difference."""
        mine, other = (tally._differences(of) for tally in (self, over))
        drawn = min(len(mine), len(other))
        return self._around(self.value(of) - over.value(of), mine[:drawn] - other[:drawn])

    def record(self) -> dict[str, Any]:
        """All that is counted, under the names of `AuditRow`."""
        sizes = [size for _, size in self.sets]
        fx, fy, fxy, _ = self.counts
        levels = [chance(self.k, size, include_self=self.include_self) for size in sizes]
        shared, echoed, bridged = (float(part.mean()) for part in (fxy, fx - fxy, fy - fxy))
        index, echo, bridge = self.interval("index"), self.interval("echo_rate"), self.interval("bridge_rate")
        target = self.interval("target_overlap")
        return {
            "n_test": len(np.unique(self.items)), "n_neighborhood": min(sizes), "k": self.k, "metric": self.metric,
            "include_self": self.include_self, "input_overlap": self.value("input_overlap"),
            "target_overlap": target.estimate, "target_overlap_low": target.low, "target_overlap_high": target.high,
            "baseline_overlap": self.value("baseline_overlap"),
            "chance": float(np.average(levels, weights=sizes)), "shared": shared, "echoed": echoed, "bridged": bridged,
            "novel": float((self.k - fx - fy + fxy).mean()),
            "echo_rate": echo.estimate, "echo_rate_low": echo.low, "echo_rate_high": echo.high,
            "bridge_rate": bridge.estimate, "bridge_rate_low": bridge.low, "bridge_rate_high": bridge.high,
            "bridge_index": index.estimate, "bridge_index_low": index.low, "bridge_index_high": index.high,
            "p_value": index.p_value,
        }  # fmt: skip


def neighbor_table(
    vectors: Float[ndarray, "n d"], ks: Sequence[int], metric: Metric, *, include_self: bool, name: str
) -> Neighbors:
    """The neighbors of a test set among themselves, deep enough for every k and for halves."""
    depth = depth_for(max(ks), len(vectors), include_self=include_self)
    return search(vectors, depth, metric, include_self=include_self, name=name)


def half_masks(sizes: Sequence[int], seed: int) -> list[list[Bool[ndarray, " n"]]]:
    """For each test set the halves of all draws; a draw halves all test sets at once, so that they can be pooled."""
    draws = list(halves(sizes, HALF_SAMPLES, seed))
    return [[draw[number] for draw in draws] for number in range(len(sizes))]


def tally(
    spaces: Spaces, ks: Sequence[int], number: int, sizes: Sequence[int], masks: Sequence[Bool[ndarray, " n"]]
) -> list[Tally]:
    """The counts of one test set at each k; halves only where those of all test sets are large enough."""
    return [Tally.of(spaces, k, number, masks if enough_for_halves(k, sizes) else ()) for k in ks]
