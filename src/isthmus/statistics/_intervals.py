"""How sure: intervals for means and ratios over items, each naming the population it speaks about.

Items are never drawn with replacement and searched again: copies of an item become its nearest neighbors, and the overlap
doubles. Two honest ways remain, and they answer different questions.

* half-sample: search among random halves of the items, so that the neighbor graph varies as it would with new items. Its
  level is that of fewer items, so only its spread is used, around the full estimate. About *new items drawn like these*.
* fixed-graph: the neighbor lists stay as they are, and only the items that are averaged over vary. About *these items*,
  with their neighbors held fixed; too narrow for anything else.

Where only a random sample of the items was searched (among all of them), the interval is about the value that a search of
all would have given, and needs neither.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy import ndarray

from isthmus._errors import IsthmusError
from isthmus._shapes import Bool, Float, Int

IntervalKind = Literal["half-sample", "fixed-graph", "sample", "pairs"]
"""Which interval: each is about another population."""

POPULATIONS: dict[IntervalKind, str] = {
    "half-sample": "new items drawn like these",
    "fixed-graph": "items like these, among the neighbors that these have",
    "sample": "all items of the set, of which some were drawn",
    "pairs": "new rated pairs drawn like these",
}
"""What each kind of interval is about, in words."""


def check_kind(kind: str) -> None:
    """Refuse a kind of interval that there is not for overlaps.

    Raises:
        IsthmusError: neither half-sample nor fixed-graph nor sample.

    Example:
        >>> check_kind("half-sample")
    """
    of_items = [each for each in POPULATIONS if each != "pairs"]
    if kind not in of_items:
        raise IsthmusError(f"kind: needed {' or '.join(of_items)}, got {kind!r}. Choose one of them.")


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval around an estimate, from a standard error and the normal quantile.

    Where it cannot be computed (too few items for the number of neighbors) low, high and standard_error are nan.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    level: float
    kind: IntervalKind

    @property
    def population(self) -> str:
        """What the interval is about."""
        return POPULATIONS[self.kind]

    @classmethod
    def around(
        cls,
        estimate: float,
        standard_error: float,
        *,
        level: float = 0.95,
        kind: IntervalKind = "half-sample",
        bounds: tuple[float, float] = (-1.0, 1.0),
    ) -> "Interval":
        """Estimate -/+ z standard errors, cut at the bounds of the quantity.

        Example:
            >>> interval = Interval.around(0.5, 0.1)
            >>> round(interval.low, 3), round(interval.high, 3)
            (0.304, 0.696)
        """
        from statistics import NormalDist  # noqa: PLC0415 - the standard library's, lighter than scipy.stats

        z = NormalDist().inv_cdf(0.5 + level / 2)
        low, high = estimate - z * standard_error, estimate + z * standard_error
        # max and min would turn nan into a bound
        low, high = (float(np.clip(end, *bounds)) for end in (low, high))
        return cls(estimate, low, high, standard_error, level, kind)


def halves(sizes: Sequence[int], draws: int, seed: int = 0) -> Iterator[list[Bool[ndarray, " n"]]]:
    """Random halves, without replacement, of several groups of items at once.

    Args:
        sizes: number of items of each group; floor(n/2) of them are in.
        draws: how many times.
        seed: of the draws.

    Yields:
        One mask a group.

    Example:
        >>> [int(mask.sum()) for mask in next(halves([4, 7], draws=1))]
        [2, 3]
    """
    rng = np.random.default_rng([seed, 0x4A1F])
    for _ in range(draws):
        masks = []
        for size in sizes:
            mask = np.zeros(size, dtype=bool)
            mask[rng.permutation(size)[: size // 2]] = True
            masks.append(mask)
        yield masks


def half_sample_error(replicates: Float[ndarray, " draws"], sizes: Sequence[int]) -> float:
    """Standard error of the full estimate from its values on halves.

    For the mean over m of n items drawn without replacement the variance is (1 - m/n) S^2/m; times m/(n-m) that is S^2/n,
    the squared standard error of the full mean. With m = n/2 the factor is 1.

    Args:
        replicates: the estimate on each half; nan where it does not exist.
        sizes: number of items of each group that was halved.

    Example:
        >>> half_sample_error(np.array([0.1, 0.3]), [10]) == np.std([0.1, 0.3], ddof=1)
        np.True_
    """
    total, half = sum(sizes), sum(size // 2 for size in sizes)
    return float(np.std(replicates, ddof=1) * np.sqrt(half / (total - half)))


def ratio_error(
    numerator: Float[ndarray, " n"] | Int[ndarray, " n"],
    denominator: Float[ndarray, " n"] | Int[ndarray, " n"],
    population: int | None = None,
) -> float:
    """Standard error of sum(numerator) / sum(denominator) over items drawn independently (the delta method).

    sd(a_i - r b_i) / (mean(b) sqrt(n)) with r the ratio (Cochran 1977, "Sampling Techniques", eq. 6.13). With a constant
    denominator it is the standard error of a mean. Where the n items were drawn without replacement from a population of N,
    whose ratio is meant, times sqrt(1 - n/N): 0 where all were drawn. Where the n show no spread at all, up to about 3/n of
    the others may still differ (the rule of three), and the error is such that a 95 % interval reaches that far.

    Example:
        >>> ratio_error(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
        1.0
        >>> ratio_error(np.array([1.0, 3.0]), np.array([1.0, 1.0]), population=2)
        0.0
    """
    if len(numerator) < 2 or not denominator.sum():
        return float("nan")
    residual = numerator - numerator.sum() / denominator.sum() * denominator
    unseen = 1.0 if population is None else 1 - len(residual) / population
    # Not by residuals: of whole numbers the products are exact, while 1/49 * 49 is not 1.
    if population is not None and unseen and (numerator * denominator.sum() == denominator * numerator.sum()).all():
        return float(3 / len(residual) / 1.96 * denominator.max() / denominator.mean())
    return float(np.sqrt(unseen) * np.std(residual, ddof=1) / (denominator.mean() * np.sqrt(len(residual))))
