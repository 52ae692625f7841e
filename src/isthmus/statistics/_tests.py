"""Tests by resampling. Every p-value counts the observed value among the draws, so that none is ever 0."""

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float, Int

_SIGNS_AT_ONCE = 1 << 22


def permutation_p(observed: float, null: Float[ndarray, " draws"] | Int[ndarray, " draws"]) -> float:
    """One-sided p-value, (b + 1) / (m + 1), where b of m draws are at least as large as the observed value.

    Phipson & Smyth (2010), "Permutation p-values should never be zero".

    Example:
        >>> permutation_p(2.0, np.array([0.0, 1.0, 2.0]))
        0.5
    """
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
    rng = np.random.default_rng([seed, 0x51F1])
    values = np.asarray(differences, dtype=np.float64)
    observed = abs(values.sum())
    # Sums of the same numbers in another order differ by rounding; they are ties all the same.
    tolerance = 1e-12 * np.abs(values).sum()
    extreme = 0
    step = max(1, _SIGNS_AT_ONCE // max(1, len(values)))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        sign = 1.0 - 2.0 * rng.integers(0, 2, size=(size, len(values)), dtype=np.int8)
        extreme += int(np.count_nonzero(np.abs((sign * values).sum(axis=1)) >= observed - tolerance))
    return (extreme + 1) / (draws + 1)
