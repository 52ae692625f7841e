"""Intervals and tests against closed forms and full enumerations."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from isthmus.statistics import Interval, half_sample_error, halves, permutation_p, ratio_error, sign_flip_p


def test_halves_hold_half_of_every_group_and_depend_on_the_seed_only():
    masks = list(halves([6, 9], draws=3, seed=1))
    assert [[int(m.sum()) for m in draw] for draw in masks] == [[3, 4]] * 3
    again = list(halves([6, 9], draws=3, seed=1))
    assert all((a == b).all() for one, two in zip(masks, again, strict=True) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("n", [40, 41])
def test_for_a_mean_the_spread_over_halves_is_the_standard_error(rng, n):
    values = rng.normal(size=n)
    means = np.array([values[mask].mean() for (mask,) in halves([n], draws=20000)])
    assert half_sample_error(means, [n]) == pytest.approx(values.std(ddof=1) / np.sqrt(n), rel=0.03)


def test_the_error_of_a_ratio(rng):
    assert ratio_error(a := rng.normal(size=50), np.ones(50)) == pytest.approx(stats.sem(a))
    errors, ratios = [], []
    for _ in range(2000):
        b = rng.uniform(1, 3, size=80)
        a = 0.5 * b + rng.normal(0, 0.3, size=80)
        errors.append(ratio_error(a, b))
        ratios.append(a.sum() / b.sum())
    assert np.mean(errors) == pytest.approx(np.std(ratios), rel=0.05)
    assert np.isnan(ratio_error(np.ones(3), np.zeros(3)))


def test_an_interval_is_normal_and_cut_at_its_bounds():
    interval = Interval.around(0.5, 0.1, level=0.9)
    assert interval.high - 0.5 == pytest.approx(0.1 * stats.norm.ppf(0.95))
    assert Interval.around(0.99, 0.1, bounds=(0.0, 1.0)).high == 1
    assert np.isnan(Interval.around(0.5, float("nan")).low)


def test_permutation_p_counts_the_observed_value():
    assert permutation_p(5.0, np.zeros(99)) == 0.01
    assert permutation_p(0.0, np.zeros(99)) == 1


def test_sign_flips_agree_with_all_of_them(rng):
    values = rng.normal(0.4, 1, size=10)
    signs = np.array(list(product([-1, 1], repeat=10)))
    exact = np.mean(np.abs((signs * values).sum(axis=1)) >= abs(values.sum()) - 1e-12)
    assert sign_flip_p(values, draws=40000) == pytest.approx(exact, abs=0.01)


def test_sign_flips_of_symmetric_differences_are_uniform(rng):
    p = [sign_flip_p(rng.integers(-3, 4, size=30), draws=199, seed=i) for i in range(300)]
    assert np.mean(np.array(p) <= 0.05) <= 0.09
    assert np.mean(p) == pytest.approx(0.5, abs=0.07)
