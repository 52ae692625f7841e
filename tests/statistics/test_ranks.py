"""Spearman's rho and its standard error: against scipy, against loops, and against what samples really vary by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from isthmus import IsthmusError
from isthmus.statistics import correlation_interval, rank_scores, spearman, spearman_influence

PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=3, max_size=30)


@given(PAIRS)
def test_spearman_is_scipys(pairs):
    a, b = np.array(pairs, dtype=float).T
    if len(set(a)) > 1 and len(set(b)) > 1:
        assert spearman(a, b) == pytest.approx(spearmanr(a, b)[0])
        assert spearman(a, b) == spearman(np.exp(a), b)
        assert spearman(a, -b) == pytest.approx(-spearman(a, b))
    else:
        assert np.isnan(spearman(a, b))
        assert np.isnan(spearman_influence(a, b)).all()


@given(PAIRS)
def test_influence_is_the_derivative_of_rho_in_the_weight_of_a_pair(pairs):
    a, b = np.array(pairs, dtype=float).T
    if min(len(set(a)), len(set(b))) < 2:
        return

    def weighted(weight):  # Pearson of mid-distribution functions where pairs have weights
        w = weight / weight.sum()
        f, g = ([(w * ((v < x) + 0.5 * (v == x))).sum() for x in v] for v in (a, b))
        f, g = f - np.dot(w, f), g - np.dot(w, g)
        return np.dot(w, f * g) / np.sqrt(np.dot(w, f * f) * np.dot(w, g * g))

    n, step = len(a), 1e-6
    slopes = [
        (weighted(np.ones(n) / n * (1 - step) + step * (np.arange(n) == i)) - weighted(np.ones(n) / n)) / step
        for i in range(n)
    ]
    assert spearman_influence(a, b) == pytest.approx(slopes, abs=2e-3)


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("r", [0.0, 0.7])
def test_standard_errors_are_what_samples_vary_by(rng, rounded, r):
    rhos, errors, inside = [], [], 0
    truth = 6 / np.pi * np.arcsin(r / 2)
    for _ in range(400):
        a = rng.normal(size=150)
        b = r * a + np.sqrt(1 - r * r) * rng.normal(size=150)
        a = np.round(a, 1) if rounded else a
        rhos.append(spearman(a, b))
        errors.append(spearman_influence(a, b).std(ddof=1) / 150**0.5)
        interval = correlation_interval(rhos[-1], errors[-1])
        inside += interval.low <= truth <= interval.high
    assert np.mean(errors) == pytest.approx(np.std(rhos), rel=0.12)
    assert inside / 400 == pytest.approx(0.95, abs=0.035)


def test_ends_and_refusals():
    assert correlation_interval(1.0, 0.0).low == 1.0
    assert np.isnan(correlation_interval(float("nan"), 0.1).low)
    assert correlation_interval(0.99, 0.2).high <= 1
    assert rank_scores(np.array([3.0, 3.0, 9.0])).round(3).tolist() == [-0.707, -0.707, 1.414]
    with pytest.raises(IsthmusError, match="needed as many values in both, 2 or more, got 1 and 1"):
        spearman(np.ones(1), np.ones(1))
    with pytest.raises(IsthmusError, match="needed finite values"):
        spearman(np.array([1.0, np.nan]), np.ones(2))


@pytest.mark.parametrize("n", [2, 7, 11, 100])  # at 7 and 11 the standard deviation of equal ranks is not quite 0
def test_equal_values_have_no_correlation(n, rng):
    constant, other = np.full(n, 0.3), rng.normal(size=n)
    assert np.isnan(spearman(constant, other))
    assert np.isnan(spearman(other, constant))
    assert np.isnan(spearman_influence(constant, other)).all()
    assert np.isnan(rank_scores(constant)).all()
