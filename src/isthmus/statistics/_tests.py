"""Tests by resampling or enumeration, and corrections for several of them.

Every p-value counts the observed value among the draws, so that none is ever 0.
"""

from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy import ndarray

from isthmus._errors import IsthmusError
from isthmus._shapes import Float, Int

_SIGNS_AT_ONCE = 1 << 22
_ENUMERATED = 200_000  # divisions into two groups; 10 against 10 have 184,756


def permutation_p(observed: float, null: Float[ndarray, " draws"] | Int[ndarray, " draws"]) -> float:
    """One-sided p-value, (b + 1) / (m + 1), where b of m draws are at least as large as the observed value.

    Phipson & Smyth (2010), "Permutation p-values should never be zero". nan where the observed value or a draw is nan.

    Example:
        >>> permutation_p(2.0, np.array([0.0, 1.0, 2.0]))
        0.5
    """
    if np.isnan(observed) or np.isnan(null).any():
        return float("nan")
    return float((np.count_nonzero(null >= observed) + 1) / (len(null) + 1))


def sign_flip_p(differences: Float[ndarray, " n"] | Int[ndarray, " n"], draws: int = 9999, seed: int = 0) -> float:
    """Two-sided paired test that the differences are symmetric about 0.

    Each draw flips every sign with probability 1/2; b counts the draws whose absolute sum is at least the observed one;
    p = (b + 1) / (m + 1).

    Args:
        differences: one paired difference an item.
        draws: number of random sign vectors m; the smallest p is 1/(m + 1).
        seed: of the draws.

    Example:
        >>> sign_flip_p(np.zeros(5), draws=99)
        1.0
    """
    return float(sign_flip_ps(np.asarray(differences)[:, None], draws, seed)[0])


def sign_flip_ps(
    differences: Float[ndarray, "n tests"] | Int[ndarray, "n tests"], draws: int = 9999, seed: int = 0
) -> Float[ndarray, " tests"]:
    """`sign_flip_p` of each column, with the same signs for all, drawn once.

    Example:
        >>> sign_flip_ps(np.array([[0, 1], [0, 1], [0, 1]]), draws=999).round(1)
        array([1. , 0.2])
    """
    rng = np.random.default_rng([seed, 0x51F1])
    values = np.asarray(differences, dtype=np.float64)
    observed = np.abs(values.sum(axis=0))
    # Sums of the same numbers in another order differ by rounding; they are ties all the same.
    tolerance = 1e-12 * np.abs(values).sum(axis=0)
    extreme = np.zeros(values.shape[1], dtype=np.int64)
    step = max(1, _SIGNS_AT_ONCE // max(1, len(values)))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        sign = 1.0 - 2.0 * rng.integers(0, 2, size=(size, len(values)), dtype=np.int8)
        extreme += np.count_nonzero(np.abs(sign @ values) >= observed - tolerance, axis=0)
    return (extreme + 1) / (draws + 1)


def rank_sum_p(a: Float[ndarray, " n"], b: Float[ndarray, " m"]) -> float:
    """Two-sided Wilcoxon rank-sum test that two groups of values come from one distribution (Mann-Whitney U).

    Up to about 10 values against 10, the share of all divisions of the values into groups of these sizes whose rank sum lies
    as far out, twice the smaller tail; equal values have their mean rank, and the p-value stays exact. For more, the normal
    approximation with the corrections for ties and continuity, which for few would fall below the smallest exact p.

    Args:
        a: one value a fold, or a seed.
        b: the same of the other group.

    Raises:
        IsthmusError: a group without values, or a value that is not finite.

    References:
        Wilcoxon (1945), "Individual comparisons by ranking methods"; Mann, Whitney (1947).

    Example:
        >>> a = np.array([0.68, 0.67, 0.69, 0.66, 0.70])
        >>> round(rank_sum_p(a, a - 0.4), 4)
        0.0079
    """
    for name, values in (("a", a), ("b", b)):
        if not len(values) or not np.isfinite(values).all():
            got = np.asarray(values).tolist()
            raise IsthmusError(f"{name}: needed one or more finite values, got {got}. Leave out what diverged.")
    from scipy import stats  # noqa: PLC0415 - takes a second to load

    if comb(len(a) + len(b), len(a)) > _ENUMERATED:
        return float(stats.mannwhitneyu(a, b, alternative="two-sided", method="asymptotic").pvalue)
    doubled = np.rint(2 * stats.rankdata(np.concatenate([a, b]))).astype(np.int64)  # mean ranks are halves; whole, sums tie
    sums = doubled[_choices(len(doubled), len(a))].sum(axis=1)
    observed = sums[0]  # the first combination is 0..n-1, which is a itself
    return float(min(1.0, 2 * min(np.mean(sums <= observed), np.mean(sums >= observed))))


@lru_cache(maxsize=4)
def _choices(n: int, m: int) -> Int[ndarray, "choices m"]:
    return np.array(list(combinations(range(n), m)))


def smallest_rank_sum_p(n: int, m: int) -> float:
    """The smallest p-value that the two-sided rank-sum test of n values against m can reach, 2 / C(n + m, n).

    Args:
        n: number of values in one group, 1 or more.
        m: in the other.

    Raises:
        IsthmusError: an empty group.

    Example:
        >>> round(smallest_rank_sum_p(5, 5), 4)
        0.0079
    """
    if n < 1 or m < 1:
        raise IsthmusError(f"n: needed groups of 1 or more values, got {n} and {m}. A test needs two groups.")
    return min(1.0, 2 / comb(n + m, n))


def bonferroni(p: Float[ndarray, " tests"]) -> Float[ndarray, " tests"]:
    """p-values corrected for their number by Bonferroni: m p, at most 1.

    Args:
        p: of all tests that belong together, in [0, 1].

    Example:
        >>> bonferroni(np.array([0.01, 0.5])).tolist()
        [0.02, 1.0]
    """
    return np.minimum(1.0, np.asarray(p, dtype=np.float64) * len(p))


def holm(p: Float[ndarray, " tests"]) -> Float[ndarray, " tests"]:
    """p-values corrected by Holm's step-down, which is never larger than Bonferroni's and controls the same error.

    With p sorted upwards, the i-th (from 1) becomes the largest of (m - j + 1) p_j over j <= i, at most 1.

    Args:
        p: of all tests that belong together, in [0, 1].

    Raises:
        IsthmusError: anything else, nan too: leave tests without a p-value out.

    References:
        Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.

    Example:
        >>> holm(np.array([0.5, 0.01, 0.02])).tolist()
        [0.5, 0.03, 0.04]
    """
    values = _checked(p)
    order = np.argsort(values, kind="stable")
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)))
    return corrected


def benjamini_hochberg(p: Float[ndarray, " tests"]) -> Float[ndarray, " tests"]:
    """p-values corrected so that at most a share alpha of those found at or below alpha is false on average.

    With p sorted upwards, the i-th of m (from 1) becomes the smallest of m p_j / j over j >= i. For independent tests, or
    such that go together (positive regression dependence).

    Args:
        p: of all tests that belong together, in [0, 1].

    Raises:
        IsthmusError: anything else, nan too: leave tests without a p-value out.

    References:
        Benjamini, Hochberg (1995), "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57.

    Example:
        >>> benjamini_hochberg(np.array([0.5, 0.01, 0.02])).tolist()
        [0.5, 0.03, 0.03]
    """
    values = _checked(p)
    order = np.argsort(-values, kind="stable")
    corrected = np.empty_like(values)
    share = values[order] * len(values) / np.arange(len(values), 0, -1)
    corrected[order] = np.minimum.accumulate(np.minimum(1.0, share))
    return corrected


def _checked(p: Float[ndarray, " tests"]) -> Float[ndarray, " tests"]:
    try:
        values = np.asarray(p, dtype=np.float64)
    except (TypeError, ValueError):
        raise IsthmusError(f"p: needed p-values, got {p!r}. Pass numbers from 0 to 1.") from None
    wrong = ~((values >= 0) & (values <= 1))
    if values.ndim != 1 or wrong.any():
        got = f"{values.ndim} dimensions" if values.ndim != 1 else f"{values[wrong][0]}"
        raise IsthmusError(f"p: needed a list of p-values from 0 to 1, got {got}. Leave tests without one out.")
    return values
