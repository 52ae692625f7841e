"""Samples and approximations: unbiased, covered by their intervals, and the whole where they are the whole."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare

from isthmus import IsthmusError
from isthmus.measures import approximate_overlap, bridge, draw, overlap, relabeled
from isthmus.measures._sampling import _size_for
from isthmus.neighbors import Neighbors, search, search_approximately
from isthmus.pairs import open_stream
from isthmus.statistics import ratio_error
from oracles import four_parts
from oracles import overlap as overlap_by_sets


@pytest.fixture(scope="module")
def spaces():
    rng = np.random.default_rng(1)
    z = rng.normal(size=(900, 6))
    x, f, y = (z + noise * rng.normal(size=z.shape) for noise in (0.6, 0.4, 0.5))
    return x.astype(np.float32), f.astype(np.float32), y.astype(np.float32)


def test_a_sample_counts_what_python_sets_count_for_its_items(spaces):
    x, _, y = spaces
    result = overlap(x, y, k=7, sample=120, seed=3)
    counts = np.array(overlap_by_sets(x, y, 7, "cosine"))
    assert (result.counts == counts[draw(900, 120, seed=3)]).all()
    assert (result.n, result.sample) == (900, 120)
    assert result.chance == overlap(x, y, k=7).chance


def test_the_mean_over_samples_is_the_value_and_intervals_hold_it(spaces):
    x, _, y = spaces
    whole = overlap(x, y).mnno
    results = [overlap(x, y, sample=150, seed=seed) for seed in range(200)]
    estimates = np.array([result.mnno for result in results])
    assert abs(estimates.mean() - whole) < 4 * estimates.std() / np.sqrt(200)
    covered = np.mean([result.interval().low <= whole <= result.interval().high for result in results])
    assert 0.91 <= covered <= 0.99  # 95 % +- three standard errors of 200 draws
    errors = np.mean([result.interval().standard_error for result in results])
    assert errors == pytest.approx(estimates.std(), rel=0.15)  # the finite population is in it: without, 10 % more


def test_a_sample_of_all_items_is_the_whole_with_no_uncertainty(spaces):
    x, f, y = spaces
    result = overlap(x, y, sample=900)
    assert result.mnno == pytest.approx(overlap(x, y).mnno, abs=1e-15)
    assert result.interval().low == result.interval().high == pytest.approx(result.mnno)
    parts, whole = bridge(x, f, y, sample=900), bridge(x, f, y)
    assert parts.index == pytest.approx(whole.index, abs=1e-12)
    assert parts.interval().standard_error == 0


def test_the_four_parts_of_a_sample_are_those_of_python_sets(spaces):
    x, f, y = spaces
    result = bridge(x, f, y, k=5, sample=60, seed=2)
    parts = four_parts(x, f, y, 5, "cosine")[draw(900, 60, seed=2)]
    for column, name in enumerate(("shared", "echoed", "bridged", "novel")):
        assert (getattr(result, name) == parts[:, column]).all()
    interval = result.interval("bridge_rate")
    assert interval.population == "all items of the set, of which some were drawn"
    assert interval.low < result.bridge_rate < interval.high
    assert result.half_samples() == ()


def test_a_sample_in_which_nothing_is_shared_does_not_claim_to_know(rng):
    x, y = rng.normal(size=(2, 5000, 4))
    whole = overlap(x, y, k=3).mnno
    results = [overlap(x, y, k=3, sample=100, seed=seed) for seed in range(60)]
    none = [result for result in results if not result.counts.any()]
    assert none
    assert [result.interval().high for result in none] == pytest.approx([0.03] * len(none), abs=1e-4)  # three in a hundred
    assert np.mean([result.interval().low <= whole <= result.interval().high for result in results]) > 0.9


@pytest.mark.parametrize("k", [3, 7, 10, 49, 98])
@pytest.mark.parametrize("share", [1, 3])
def test_equal_counts_are_no_spread_whatever_their_share_of_k_rounds_to(k, share):
    counts = np.full(1000, share)
    assert ratio_error(counts, np.full(1000, k), 10**6) == pytest.approx(3 / 1000 / 1.959964, rel=1e-4)
    table = search(np.eye(120), k)
    tables = (
        Neighbors(table.index, table.distance, "cosine", False),
        Neighbors(np.where(np.arange(k) < share, table.index, 120 + table.index), table.distance, "cosine", False),
    )
    assert _size_for(*(replace(t, rows=np.arange(120), among=10**6) for t in tables), k, 0.0005) == 6000


@pytest.mark.parametrize("n", [2, 5, 16, 17, 1000, 30_000])
def test_larger_draws_begin_with_smaller_ones_and_a_full_one_holds_every_item(n):
    full = draw(n, n, seed=4)
    assert (np.sort(full) == np.arange(n)).all()
    for size in {2, max(2, n // 4), max(2, n // 4 + 1), n // 2 + 1}:
        assert (draw(n, size, seed=4) == full[:size]).all()


def test_large_draws_are_uniform():
    where = np.array([draw(40, 30, seed=seed) for seed in range(4000)])
    seen = np.bincount(where[:, 20], minlength=40)  # drawn after the switch to the shuffled rest
    assert chisquare(seen).pvalue > 1e-4


def test_a_draw_of_everything_needs_little_memory():
    tracemalloc.start()
    draw(400_000, 400_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 400_000


def test_precision_draws_as_many_as_it_needs(rng):
    z = rng.normal(size=(4000, 6))
    x, y = z + 0.6 * rng.normal(size=z.shape), z + 0.5 * rng.normal(size=z.shape)
    result = overlap(x, y, precision=0.003)
    interval = result.interval()
    assert 1000 < result.sample < 4000
    assert (interval.high - interval.low) / 2 <= 0.003
    assert overlap(x, y, precision=0.3).sample == 1000  # the pilot is enough
    assert overlap(x, x, precision=0.002).sample == 1500  # no spread: the rule of three
    assert overlap(x[:50], y[:50], precision=0.001).sample == 50
    assert overlap(x, x, precision=1e-310).sample == 4000  # more than any float holds: all
    larger, smaller = draw(4000, 2000), draw(4000, 1000)
    assert (larger[:1000] == smaller).all()


@pytest.mark.usefixtures("unchecked_shapes")
def test_precision_may_be_any_real_number(spaces):
    x, _, y = spaces
    assert overlap(x, y, precision=np.float32(0.3)).sample == overlap(x, y, precision=0.3).sample
    with pytest.raises(IsthmusError, match="precision: needed a half width between 0 and 1, got nan"):
        overlap(x, y, precision=float("nan"))


def test_random_pairings_of_a_sample_have_the_chance_level(spaces):
    x, _, y = spaces
    rows = draw(900, 200)
    a, b = (search(v, 12, rows=rows).index for v in (x, y))
    null = relabeled(a, b, draws=400, rows=rows, n=900)
    assert null.mean() == pytest.approx(200 * 12 * 12 / 899, rel=0.05)
    assert overlap(x, y, sample=200).test() == 0.001


def test_files_give_what_arrays_give(spaces, tmp_path):
    x, f, y = spaces
    for name, space in (("x", x), ("f", f), ("y", y)):
        np.save(tmp_path / f"{name}.npy", space)
    streams = [open_stream(tmp_path / f"{name}.npy") for name in "xfy"]
    assert overlap(streams[0], streams[2], sample=90).record() == overlap(x, y, sample=90).record()
    whole = overlap(streams[0], streams[2])
    assert whole.mnno == overlap(x, y).mnno
    assert whole.interval().kind == "fixed-graph"  # lists no deeper than k: half-samples are not to be had
    assert bridge(*streams, sample=90).interval() == bridge(x, f, y, sample=90).interval()


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda x, y: overlap(x, y, sample=1), "sample: needed 2 to 900"),
        (lambda x, y: overlap(x, y, sample=901), "sample: needed 2 to 900"),
        (lambda x, y: overlap(x, y, sample=9, precision=0.1), "needed one of the two, got both"),
        (lambda x, y: overlap(x, y, precision=0.0), "precision: needed a half width between 0 and 1"),
        (lambda x, y: overlap(x, y, sample=90).interval("half-sample"), "needed one that suits neighbors of a sample"),
        (lambda x, y: overlap(x, y).interval("sample"), "needed one that suits neighbors of all items"),
        (
            lambda x, y: bridge(x, x, y, sample=90).interval(kind="fixed-graph"),
            "needed one that suits neighbors of a sample",
        ),
        (lambda x, y: approximate_overlap(x, y[:-1]), "needed as many items in both"),
        (lambda x, y: approximate_overlap(x, y, method="lsh"), "approximate: needed hnsw, ivf, pynndescent"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_refuses(spaces, ask, match):
    with pytest.raises(IsthmusError, match=match):
        ask(spaces[0], spaces[2])


@pytest.mark.timeout(3600)  # pynndescent compiles itself
@pytest.mark.parametrize(
    ("method", "metric"),
    [("hnsw", "cosine"), ("hnsw", "euclidean"), ("ivf", "cosine"), ("ivf", "euclidean"), ("pynndescent", "cosine")],
)
def test_approximate_overlap_says_what_it_missed(spaces, method, metric):
    pytest.importorskip("pynndescent" if method == "pynndescent" else "faiss", reason="the extra `ann` is not installed")
    x, _, y = spaces
    result = approximate_overlap(x, y, 10, metric, method=method, sample=900)
    exact = overlap(x, y, 10, metric)
    assert result.corrected.estimate == pytest.approx(exact.mnno, abs=1e-12)  # all items were searched exactly
    assert result.bias == pytest.approx(result.mnno - exact.mnno, abs=1e-12)
    near, true = search_approximately(x, 10, metric, method), search(x, 10, metric).index
    shared = sum(len(set(a) & set(b)) for a, b in zip(near.tolist(), true.tolist(), strict=True))
    if method == "ivf":  # the other one is built by threads in an order of their own
        assert result.recall_a == pytest.approx(shared / 9000)
        assert result.recall_a < 1
    assert not (near == np.arange(900)[:, None]).any()
    part = approximate_overlap(x, y, 10, metric, method=method, sample=300)
    assert part.corrected.low <= exact.mnno <= part.corrected.high or method != "ivf"


def test_rows_without_a_direction_have_cosine_zero_with_everything_in_approximate_lists_too(spaces):
    pytest.importorskip("faiss", reason="the extra `ann` is not installed")
    x = spaces[0].copy()
    x[[5, 17, 300]] = 0
    found, exact = search_approximately(x, 10, "cosine", "ivf"), search(x, 10).index
    assert (found[[5, 17, 300]] == exact[[5, 17, 300]]).all()
    assert np.mean(found == exact) > 0.9


def test_lists_that_are_too_short_hold_nothing_more(spaces, monkeypatch):
    """What a method does not find counts as missed, and -1 meets no -1."""
    x = spaces[0]
    short = np.full((900, 10), -1)
    short[:, :3] = search(x, 3).index
    monkeypatch.setattr("isthmus.measures._approximation.search_approximately", lambda *_: short)
    result = approximate_overlap(x, x, sample=900)
    assert result.mnno == pytest.approx(0.3)
    assert result.recall_a == pytest.approx(0.3)
    assert result.corrected.estimate == pytest.approx(1.0)
