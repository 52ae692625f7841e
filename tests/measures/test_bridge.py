"""Laws of the four parts, the rates and the index."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from isthmus import IsthmusError
from isthmus.measures import Bridge, Spaces, bridge, overlap, verdict
from isthmus.neighbors import search
from isthmus.statistics import Interval
from oracles import four_parts

METRICS = ("cosine", "euclidean")
seeds = st.integers(0, 2**32 - 1)


def three_spaces(seed, n=40):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 5)), rng.normal(size=(n, 4))
    return x, x[:, :4] + y + 0.5 * rng.normal(size=(n, 4)), y


@given(seeds, st.sampled_from(METRICS), st.integers(1, 20))
def test_the_parts_agree_with_python_sets_and_sum_to_k(seed, metric, k):
    x, f, y = three_spaces(seed)
    result = bridge(x, f, y, k, metric)
    slow = four_parts(x, f, y, k, metric)
    found = np.stack([result.shared, result.echoed, result.bridged, result.novel], axis=1)
    assert (found == slow[:, :4]).all()
    assert (found.sum(axis=1) == k).all()
    assert result.echo_rate == pytest.approx(slow[:, 1].sum() / (k - slow[:, 4]).sum())
    assert result.bridge_rate == pytest.approx(slow[:, 2].sum() / (k - slow[:, 4]).sum())


@given(seeds, st.sampled_from(METRICS), st.integers(1, 20), st.booleans())
def test_the_index_identity(seed, metric, k, include_self):
    x, f, y = three_spaces(seed)
    result = bridge(x, f, y, k, metric, include_self=include_self)
    assume(result.baseline_overlap < 1)
    by_overlaps = (result.target_overlap - result.input_overlap) / (1 - result.baseline_overlap)
    assert result.index == pytest.approx(result.bridge_rate - result.echo_rate, abs=1e-12)
    assert result.index == pytest.approx(by_overlaps, abs=1e-12)


@given(seeds)
def test_overlaps_are_those_of_the_pairs_of_spaces(seed):
    x, f, y = three_spaces(seed)
    result = bridge(x, f, y, 7)
    assert result.input_overlap == pytest.approx(overlap(x, f, 7).mnno)
    assert result.target_overlap == pytest.approx(overlap(f, y, 7).mnno)
    assert result.baseline_overlap == pytest.approx(overlap(x, y, 7).mnno)


@given(seeds, st.sampled_from(METRICS))
def test_the_identity_is_minus_one_and_the_target_itself_plus_one_exactly(seed, metric):
    x, _, y = three_spaces(seed)
    identity, perfect = bridge(x, x, y, 5, metric), bridge(x, y, y, 5, metric)
    assert (identity.index, identity.echo_rate, identity.bridge_rate) == (-1, 1, 0)
    assert (perfect.index, perfect.echo_rate, perfect.bridge_rate) == (1, 0, 1)


def test_noise_scores_zero_with_both_rates_at_chance():
    rng = np.random.default_rng(1)
    x, f, y = rng.normal(size=(3, 1500, 8))
    result = bridge(x, f, y)
    assert result.index == pytest.approx(0, abs=0.005)
    assert result.echo_rate == pytest.approx(result.chance, abs=0.003)
    assert result.bridge_rate == pytest.approx(result.chance, abs=0.003)


def test_nothing_to_bridge_is_undefined():
    x, f, _ = three_spaces(0)
    assert np.isnan(bridge(x, f, x).index)
    assert bridge(x, f, x).input_overlap == bridge(x, f, x).target_overlap


def test_several_test_sets_are_pooled():
    parts = [three_spaces(seed, n) for seed, n in ((0, 40), (1, 50))]
    spaces, offset = [], 0
    for x, f, y in parts:
        spaces.append(Spaces.of(search(x, 30), search(f, 30), search(y, 30), offset + np.arange(len(x))))
        offset += len(x)
    pooled = Bridge.of(spaces, 5)
    singles = [bridge(*part, 5) for part in parts]
    assert pooled.n == 90
    assert pooled.shared.tolist() == [*singles[0].shared, *singles[1].shared]
    missing = [(5 - s.counts.xy).sum() for s in singles]
    assert pooled.bridge_rate == pytest.approx(np.average([s.bridge_rate for s in singles], weights=missing))


def test_half_samples_equal_a_direct_search():
    x, f, y = three_spaces(3, n=60)
    half = np.zeros(60, dtype=bool)
    half[np.random.default_rng([4, 0x4A1F]).permutation(60)[:30]] = True
    direct = bridge(x[half], f[half], y[half], 4)
    sample = bridge(x, f, y, 4).half_samples(draws=1, seed=4)[0]
    for of in ("input_overlap", "target_overlap", "baseline_overlap", "echo_rate", "bridge_rate", "index"):
        numerator, denominator = sample.ratio(of, 4)
        assert float(numerator[0] / denominator[0]) == pytest.approx(direct.value(of), abs=1e-12)


def test_repeating_a_run_does_not_narrow_the_intervals_or_the_test():
    """The same items measured twice (two seeds) are no new evidence."""
    x, f, y = three_spaces(5, n=80)
    spaces = Spaces.of(search(x, 45), search(f, 45), search(y, 45))
    once, twice = Bridge.of([spaces], 5), Bridge.of([spaces, spaces], 5)
    assert twice.n == once.n == 80
    for kind in ("half-sample", "fixed-graph"):
        assert twice.interval("index", kind).standard_error == pytest.approx(once.interval("index", kind).standard_error)
    assert twice.test() == once.test()


def test_gain_over_itself_is_nothing_and_over_noise_is_something():
    x, _, y = three_spaces(6, n=200)
    result, noise = bridge(x, x[:, :4] + 3 * y, y, 5), bridge(x, np.random.default_rng(0).normal(size=(200, 4)), y, 5)
    assert result.gain(result).low == result.gain(result).high == 0
    assert result.gain(noise).low > 0


def test_too_few_items_for_halves_give_no_interval():
    assert np.isnan(bridge(*three_spaces(0, n=38), 10).interval().low)


def test_the_paired_test():
    x, f, y = three_spaces(0, n=100)
    assert np.isnan(bridge(x, x, y).test())  # -1 whatever the items
    assert bridge(x, x + 0.1 * f[:, :1], y).test() < 1e-6
    assert bridge(x, np.random.default_rng(0).normal(size=(100, 3)), y).test() > 0.01
    result = bridge(x, f, y)
    assert result.test() == result.interval("index").p_value
    assert np.isnan(bridge(x[:30], f[:30], y[:30]).test())


def around(estimate, error):
    return Interval.around(estimate, error)


@pytest.mark.parametrize(
    ("index", "gain", "words"),
    [
        (around(-0.4, 0.01), around(0.1, 0.01), "echoes the input"),
        (around(0.4, 0.01), around(0.1, 0.01), "carries the target"),
        (around(0.01, 0.1), around(0.1, 0.01), "undecided"),
        (around(0.4, 0.01), around(0.01, 0.1), "no better than untrained"),
        (around(-1.0, 0.0), None, "echoes the input"),
        (around(0.4, float("nan")), around(0.1, float("nan")), "undecided"),
    ],
)
def test_verdict(index, gain, words):
    assert verdict(index, gain) == words


@pytest.mark.parametrize(
    ("sizes", "match"),
    [((30, 29, 30), "X, F, Y: needed as many items in all, got 30, 29 and 30"), ((8, 8, 8), "more than 10 items for k=10")],
)
def test_refuses(sizes, match):
    with pytest.raises(IsthmusError, match=match):
        bridge(*(np.random.default_rng(0).normal(size=(n, 3)) for n in sizes))
