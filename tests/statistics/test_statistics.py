"""Intervals and tests against closed forms and full enumerations."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from isthmus import IsthmusError
from isthmus.statistics import (
    Interval,
    at_level,
    bonferroni,
    half_differences,
    half_sample_error,
    halves,
    holm,
    permutation_p,
    rank_sum_p,
    ratio_error,
    sign_flip_p,
    smallest_rank_sum_p,
)


def test_halves_hold_half_of_every_group_and_depend_on_the_seed_only():
    masks = list(halves([6, 9], draws=3, seed=1))
    assert [[int(m.sum()) for m in draw] for draw in masks] == [[3, 4]] * 3
    assert all((one & other).sum() == 0 for one, other in zip(masks[0], masks[1], strict=True))
    again = list(halves([6, 9], draws=3, seed=1))
    assert all((a == b).all() for one, two in zip(masks, again, strict=True) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("n", [40, 41])
def test_for_a_mean_the_differences_of_halves_give_the_standard_error(rng, n):
    values = rng.normal(size=n)
    means = np.array([values[mask].mean() for (mask,) in halves([n], draws=20000)])
    error = half_sample_error(half_differences(means), [n])
    assert error == pytest.approx(values.std(ddof=1) / np.sqrt(n), rel=0.03)


def test_for_a_mean_all_divisions_in_two_give_the_standard_error_exactly(rng):
    values = rng.normal(size=6)
    halved = [(list(taken), [i for i in range(6) if i not in taken]) for taken in combinations(range(6), 3)]
    differences = np.array([values[one].mean() - values[other].mean() for one, other in halved])
    assert half_sample_error(differences, [6]) == pytest.approx(values.std(ddof=1) / np.sqrt(6))


def test_differences_come_to_the_level_of_the_whole():
    replicates = np.array([0.5, 0.3, 0.2, 0.2, 0.1])  # the last has no other half
    assert half_differences(replicates) == pytest.approx([0.2, 0.0])
    expected = 0.2 * np.sqrt(0.1 * 0.9 * 1.9**2 / np.mean([0.4 * 0.6 * 1.6**2, 0.2 * 0.8 * 1.8**2]))
    assert half_differences(replicates, 0.1) == pytest.approx([expected, 0.0])
    assert at_level(np.array([0.2, -0.1]), 0.1, np.array([0.3, 0.5])) == pytest.approx([0.1, -0.05])
    assert at_level(np.array([0.2]), 0.0, np.array([0.3])) == pytest.approx([0.2])
    assert (half_differences(np.zeros(4), 0.1) == 0).all()
    assert np.isnan(half_differences(np.array([np.nan, 0.1]), 0.1)).all()
    assert np.isnan(half_sample_error(np.empty(0), [10]))


def test_the_interval_of_a_fraction_is_even_on_the_scale_of_log_odds():
    one = Interval.around(0.98, 0.01, fraction=True, bounds=(0.0, 1.0))
    logit = [np.log(q / (1 - q)) for q in (one.low, 0.98, one.high)]
    assert np.diff(logit) == pytest.approx([1.959964 * 0.01 / (0.98 * 0.02)] * 2)
    other = Interval.around(0.02, 0.01, fraction=True, bounds=(0.0, 1.0))
    assert (other.low, other.high) == pytest.approx((1 - one.high, 1 - one.low))
    assert Interval.around(1.0, 0.01, fraction=True, bounds=(0.0, 1.0)).low == pytest.approx(1 - 0.01959964)
    assert np.isnan(Interval.around(0.5, float("nan"), fraction=True).low)


def test_the_p_value_of_an_interval():
    assert Interval.around(0.3, 0.1).p_value == pytest.approx(2 * stats.norm.sf(3))
    assert Interval.around(-0.3, 0.1).p_value == Interval.around(0.3, 0.1).p_value
    assert Interval.around(0.0, 0.0).p_value == 1
    assert np.isnan(Interval.around(0.3, float("nan")).p_value)


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


def _enumerated_rank_sum_p(a, b):
    ranks = stats.rankdata([*a, *b])
    sums = np.array([sum(ranks[list(group)]) for group in combinations(range(len(ranks)), len(a))])
    observed = ranks[: len(a)].sum()
    return min(1.0, 2 * min(np.mean(sums <= observed + 1e-9), np.mean(sums >= observed - 1e-9)))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_the_rank_sum_is_that_of_all_divisions_ties_or_not(a, b):
    p = rank_sum_p(np.array(a, float), np.array(b, float))
    assert p == pytest.approx(_enumerated_rank_sum_p(a, b))
    assert p >= smallest_rank_sum_p(len(a), len(b)) - 1e-12


def test_the_rank_sum_of_many_is_scipys(rng):
    a, b = rng.normal(size=40), rng.normal(0.5, size=30)
    assert rank_sum_p(a, b) == pytest.approx(stats.mannwhitneyu(a, b, method="asymptotic").pvalue)


def test_five_against_five_cannot_reach_a_thousandth():
    assert rank_sum_p(np.ones(5), np.zeros(5)) == pytest.approx(smallest_rank_sum_p(5, 5))
    assert smallest_rank_sum_p(5, 5) == pytest.approx(0.0079, abs=1e-4)
    assert smallest_rank_sum_p(1, 1) == 1


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(IsthmusError, match="b: needed one or more finite values"):
        rank_sum_p(np.ones(2), np.array([1.0, np.nan]))
    with pytest.raises(IsthmusError, match="n: needed groups"):
        smallest_rank_sum_p(0, 5)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_a_loop_and_never_above_bonferroni(p):
    ordered = sorted(range(len(p)), key=lambda i: p[i])
    slow, level = [0.0] * len(p), 0.0
    for step, i in enumerate(ordered):
        level = max(level, (len(p) - step) * p[i])
        slow[i] = min(1.0, level)
    assert holm(np.array(p)).tolist() == slow
    assert (holm(np.array(p)) <= bonferroni(np.array(p))).all()
