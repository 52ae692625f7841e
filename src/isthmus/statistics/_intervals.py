"""How sure: intervals for means and ratios over items, each naming the population it speaks about.

Items are never drawn with replacement and searched again: copies of an item become its nearest neighbors, and the overlap
doubles. Two honest ways remain, and they answer different questions.

* half-sample: search among random halves of the items, so that the neighbor graph varies as it would with new items. Their
  level is that of fewer items, so only how much the two halves differ is used, around the full estimate. About *new items
  drawn like these*.
* fixed-graph: the neighbor lists stay as they are, and only the items that are averaged over vary. About *these items*,
  with their neighbors held fixed; too narrow for anything else.

Where only a random sample of the items was searched (among all of them), the interval is about the value that a search of
all would have given, and needs neither.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
    """A two-sided interval around an estimate, from a standard error.

    Where it cannot be computed (too few items for the number of neighbors) low, high and standard_error are nan. Where the
    standard error comes from divisions in halves, their number is that of the degrees of freedom of Student's t.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    level: float
    kind: IntervalKind
    divisions: int | None = None

    @property
    def population(self) -> str:
        """What the interval is about."""
        return POPULATIONS[self.kind]

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the estimate against 0, from the same standard error and distribution as the interval.

        nan where there is no standard error, or 0 of it about another estimate than 0: nothing varies there, as in the
        index of the identity.

        Example:
            >>> round(Interval.around(0.196, 0.1).p_value, 3)
            0.05
        """
        if np.isnan(self.standard_error):
            return float("nan")
        if self.standard_error == 0:
            return 1.0 if self.estimate == 0 else float("nan")
        z = abs(self.estimate) / self.standard_error
        if not self.divisions:
            return math.erfc(z / math.sqrt(2))
        from scipy.special import stdtr  # noqa: PLC0415

        return 2 * float(stdtr(self.divisions, -z))

    @classmethod
    def around(
        cls,
        estimate: float,
        standard_error: float,
        *,
        level: float = 0.95,
        kind: IntervalKind = "half-sample",
        bounds: tuple[float, float] = (-1.0, 1.0),
        divisions: int | None = None,
        fraction: bool = False,
    ) -> "Interval":
        """Estimate -/+ z standard errors, cut at the bounds of the quantity.

        z is the normal quantile; where the standard error comes from so many divisions in halves, Student's t with as many
        degrees of freedom, since few of them leave it uncertain. Of a fraction in (0, 1) both ends are found on the scale of
        log odds: near 0 and 1 estimates lie askew around what they estimate.

        Example:
            >>> interval = Interval.around(0.5, 0.1)
            >>> round(interval.low, 3), round(interval.high, 3)
            (0.304, 0.696)
        """
        from statistics import NormalDist  # noqa: PLC0415 - the standard library's, lighter than scipy.stats

        z = NormalDist().inv_cdf(0.5 + level / 2)
        if divisions:
            from scipy.special import stdtrit  # noqa: PLC0415

            z = float(stdtrit(divisions, 0.5 + level / 2))
        low, high = estimate - z * standard_error, estimate + z * standard_error
        if fraction and 0 < estimate < 1:
            odds, reach = math.log(estimate / (1 - estimate)), z * standard_error / (estimate * (1 - estimate))
            low, high = (0.5 + 0.5 * math.tanh(end / 2) for end in (odds - reach, odds + reach))
        # max and min would turn nan into a bound
        low, high = (float(np.clip(end, *bounds)) for end in (low, high))
        return cls(estimate, low, high, standard_error, level, kind, divisions)


def halves(sizes: Sequence[int], draws: int, seed: int = 0) -> Iterator[list[Bool[ndarray, " n"]]]:
    """Random halves, without replacement, of several groups of items at once; every second one is the other half.

    Args:
        sizes: number of items of each group; floor(n/2) of them are in, so that an odd one out is in neither half.
        draws: how many halves.
        seed: of the draws.

    Yields:
        One mask a group.

    Example:
        >>> one, other = halves([4, 7], draws=2)
        >>> [int(mask.sum()) for mask in one], [bool((a & b).any()) for a, b in zip(one, other)]
        ([2, 3], [False, False])
    """
    rng = np.random.default_rng([seed, 0x4A1F])
    orders: list[Int[ndarray, " n"]] = []
    for draw in range(draws):
        first = draw % 2 == 0
        if first:
            orders = [rng.permutation(size) for size in sizes]
        masks = []
        for order in orders:
            half = len(order) // 2
            mask = np.zeros(len(order), dtype=bool)
            mask[order[:half] if first else order[half : 2 * half]] = True
            masks.append(mask)
        yield masks


def half_differences(replicates: Float[ndarray, " draws"], share: float | None = None) -> Float[ndarray, " pairs"]:
    """How much the two halves of each draw differ.

    Args:
        replicates: the estimate on each half, a half and the other one in turn, as `halves` draws them; a half without the
            other is left out.
        share: the full estimate, where it is a share of neighbors: differences are brought to its level (`at_level`). Where
            two lists share q of their entries, both have J = q/(2 - q) of the entries that either has. J varies as
            J(1 - J), hence q as q(1 - q)(2 - q)^2. (By q(1 - q) alone, as if the entries of one list were drawn
            independently, the interval is too narrow where much is shared.)

    Example:
        >>> half_differences(np.array([0.5, 0.3])), half_differences(np.array([0.5, 0.3]), share=0.1).round(4)
        (array([0.2]), array([0.1454]))
    """
    pairs = replicates[: len(replicates) // 2 * 2].reshape(-1, 2)
    differences: Float[ndarray, " pairs"] = pairs[:, 0] - pairs[:, 1]
    if share is None:
        return differences
    return at_level(differences, _spread_of_share(share), _spread_of_share(pairs.mean(axis=1)))


def _spread_of_share(share: Any) -> Any:
    return share * (1 - share) * (2 - share) ** 2


def at_level(
    differences: Float[ndarray, " pairs"], whole: float, halved: Float[ndarray, " some"]
) -> Float[ndarray, " pairs"]:
    """Differences between halves, brought to the level of the whole.

    Among fewer items more neighbors are shared, so lists agree more in a half than in the whole, and vary otherwise.

    Args:
        differences: between the two halves of each draw.
        whole: how much single items vary (a variance, up to a factor) among all items.
        halved: the same among halves. Its mean counts: by their own, draws in which few halves miss any neighbor would
            count for nothing.

    Example:
        >>> at_level(np.array([0.2]), 0.1, np.array([0.3, 0.5]))
        array([0.1])
    """
    spread = float(np.mean(halved)) if len(halved) else 0.0
    return differences * np.sqrt(whole / spread) if whole > 0 and spread > 0 else differences


def half_sample_error(differences: Float[ndarray, " pairs"], sizes: Sequence[int]) -> float:
    """Standard error of the full estimate, from the differences between halves.

    Two halves have no item in common, so half the mean square of their difference is the variance of the estimate on m = n/2
    new items, whatever their neighbors do to one another. The variance of a mean over items whose lists depend on the items
    around them falls as 1/n: times m/n that is the variance on n. (The spread among overlapping halves, a usual choice,
    counts all that comes from several items together up to twice.)

    Args:
        differences: of `half_differences`; nan where one does not exist.
        sizes: number of items of each group that was halved.

    Example:
        >>> half_sample_error(np.array([0.2, -0.2]), [10])
        0.1
    """
    if not len(differences):
        return float("nan")
    half = sum(size // 2 for size in sizes)
    return float(np.sqrt((differences**2).mean() / 2 * half / sum(sizes)))


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
