"""Limits on a result: the estimate or the whole interval keeps them, and limits that make no sense are refused."""

import numpy as np
import pytest

from isthmus import IsthmusError, bridge, overlap
from isthmus.measures import keeps

RNG = np.random.default_rng(3)
X = RNG.normal(size=(300, 6))
Y = X + RNG.normal(size=X.shape)
PAIR, TRIPLE = overlap(X, Y), bridge(X, X @ RNG.normal(size=(6, 5)), Y)


def test_the_estimate_or_the_whole_interval():
    interval = PAIR.interval()
    between = (interval.low + interval.estimate) / 2
    assert [each.kept for each in keeps(PAIR, {("overlap", "min"): between})] == [True]
    assert [each.kept for each in keeps(PAIR, {("overlap", "min"): between}, sure=True)] == [False]
    assert [each.kept for each in keeps(PAIR, {("overlap", "min"): interval.low - 0.01}, sure=True)] == [True]


def test_each_quantity_of_a_bridge_in_both_bounds():
    for quantity in ("input_overlap", "target_overlap", "baseline_overlap", "echo_rate", "bridge_rate", "index"):
        value, interval = TRIPLE.value(quantity), TRIPLE.interval(quantity)
        (at,) = keeps(TRIPLE, {(quantity, "min"): value})
        assert (at.value, at.low, at.high, at.kept) == (value, interval.low, interval.high, True)
        assert [each.kept for each in keeps(TRIPLE, {(quantity, "max"): value - 1e-9, (quantity, "min"): value + 1e-9})] == [
            False,
            False,
        ]


def test_without_an_interval_nothing_is_sure():
    few = overlap(X[:30], X[:30])
    (kept,) = keeps(few, {("overlap", "min"): 0.5})
    assert kept.kept
    with pytest.raises(IsthmusError, match="sure: needed an interval, got none from 30 items"):
        keeps(few, {("overlap", "min"): 0.5}, sure=True)


@pytest.mark.parametrize(
    ("result", "limits"),
    [
        (PAIR, {("overlap", "min"): 1.2}),
        (PAIR, {("overlap", "min"): float("nan")}),
        (PAIR, {("index", "min"): 0.0}),
        (TRIPLE, {("overlap", "min"): 0.5}),
        (TRIPLE, {("echo_rate", "max"): -0.1}),
    ],
)
def test_what_is_refused(result, limits):
    with pytest.raises(IsthmusError, match="needed a"):
        keeps(result, limits)
