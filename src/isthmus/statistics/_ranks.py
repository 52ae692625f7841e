"""Rank correlation, and how much of it each pair of values is answerable for.

The influence of a pair on Spearman's rho has a closed form: it gives the standard error of rho, of a mean of several rhos
and of the difference of two on the same pairs, without drawing anything.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy import ndarray

from isthmus._errors import IsthmusError
from isthmus._shapes import Float
from isthmus.statistics._intervals import Interval


def _standardized(values: Float[ndarray, " n"]) -> tuple[Float[ndarray, " n"], float]:
    """Ranks (ties have their mean) with mean 0 and standard deviation 1, and the standard deviation before, of rank / n."""
    from scipy.stats import rankdata  # noqa: PLC0415 - takes a second to load

    ranks = rankdata(values) / len(values)
    # Rounding leaves equal ranks a standard deviation of 1e-16 at some n, so equality is asked of the values.
    spread = float(ranks.std()) if (values != values[0]).any() else 0.0
    return (ranks - ranks.mean()) / spread if spread > 0 else np.full(len(values), np.nan), spread


def rank_scores(values: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Ranks, ties with their mean, shifted and scaled to mean 0 and standard deviation 1; nan where all values are equal.

    Example:
        >>> rank_scores(np.array([5.0, 9.0])).tolist()
        [-1.0, 1.0]
    """
    return _standardized(values)[0]


def spearman(a: Float[ndarray, " n"], b: Float[ndarray, " n"]) -> float:
    """Spearman's rank correlation, in [-1, 1]: Pearson's of the ranks, where equal values have their mean rank.

    Args:
        a: one value a pair.
        b: the other; nan comes out where all values of one are equal.

    Raises:
        IsthmusError: different numbers of values, fewer than 2, or values that are not finite.

    References:
        Spearman (1904), "The proof and measurement of association between two things".

    Example:
        >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0])), 3)
        0.5
    """
    _check(a, b)
    return float(np.clip(np.mean(rank_scores(a) * rank_scores(b)), -1, 1))


def spearman_influence(a: Float[ndarray, " n"], b: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """The influence of each pair on Spearman's rho: mean 0, and sd / sqrt(n) is the standard error of rho.

    The Gateaux derivative of Pearson's correlation of the distribution functions F(a), G(b) in the direction of a point
    mass: its own part, z w - rho (z^2 + w^2) / 2 with z, w the standardized ranks, and what the point changes in F and
    in G. Pairs are taken to be drawn independently.

    Args:
        a: one value a pair.
        b: the other.

    Raises:
        IsthmusError: as `spearman`.

    References:
        Croux, Dehon (2010), "Influence functions of the Spearman and Kendall correlation measures", section 2; here for
        samples with ties.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.normal(size=(2, 4000))
        >>> round(float(spearman_influence(x, y).std() / 4000**0.5), 3)  # 1 / sqrt(n) without correlation
        0.016
    """
    _check(a, b)
    (z, s), (w, t) = _standardized(a), _standardized(b)
    if not s or not t:
        return np.full(len(a), np.nan)
    rho = float(np.mean(z * w))
    own = z * w - rho / 2 * (z**2 + w**2)
    influence = own + _above(a, (w - rho * z) / s) + _above(b, (z - rho * w) / t)
    return influence - influence.mean()


def _above(values: Float[ndarray, " n"], weight: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """For each value the mean over all of weight_j [values_j > value], equal ones counting half."""
    _, group = np.unique(values, return_inverse=True)
    sums = np.bincount(group, weights=weight)
    above = sums[::-1].cumsum()[::-1] - sums
    return (above + sums / 2)[group] / len(values)


def correlation_interval(rho: float, standard_error: float, *, level: float = 0.95) -> Interval:
    """An interval for a correlation about new pairs drawn like these, on Fisher's scale, so that it stays in [-1, 1].

    tanh(atanh(rho) -/+ z se / (1 - rho^2)).

    Example:
        >>> interval = correlation_interval(0.5, 0.1)
        >>> round(interval.low, 3), round(interval.high, 3)
        (0.28, 0.67)
    """
    if math.isnan(rho) or math.isnan(standard_error) or abs(rho) >= 1 - 1e-12:
        end = rho if standard_error == 0 else math.nan
        return Interval(rho, end, end, standard_error, level, "pairs")
    reach = NormalDist().inv_cdf(0.5 + level / 2) * standard_error / (1 - rho**2)
    middle = math.atanh(rho)
    return Interval(rho, math.tanh(middle - reach), math.tanh(middle + reach), standard_error, level, "pairs")


def _check(a: Float[ndarray, " n"], b: Float[ndarray, " n"]) -> None:
    if len(a) != len(b) or len(a) < 2:
        raise IsthmusError(f"a, b: needed as many values in both, 2 or more, got {len(a)} and {len(b)}. Pair them first.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise IsthmusError("a, b: needed finite values, got others. Leave those pairs out.")
