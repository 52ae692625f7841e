"""CSLS neighbors against the plain formula in float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from isthmus import IsthmusError, overlap
from isthmus.neighbors import BlockedEngine, hubness, search, search_among, search_approximately
from isthmus.pairs import open_stream
from oracles import squared_distances

seeds = st.integers(0, 2**32 - 1)


def oracle(v, k, crowd=10):
    squared = squared_distances(v, "cosine")
    np.fill_diagonal(squared, np.inf)
    near = np.sort(squared, axis=1)[:, : min(crowd, len(v) - 1)]
    mean = (near / 2).mean(axis=1)
    value = squared - mean
    lists = np.array([sorted(range(len(v)), key=lambda j, row=row: (row[j], j))[:k] for row in value])
    return lists, np.take_along_axis(value, lists, axis=1) - mean[:, None]


@given(seeds, st.integers(1, 24))
def test_agrees_with_the_formula(seed, k):
    v = np.random.default_rng(seed).normal(size=(25, 4)) + 0.5
    index, distance = oracle(v, k)
    for engine in (None, BlockedEngine()):
        table = search(v, k, "csls", engine=engine)
        assert table.index.tolist() == index.tolist()
        assert table.distance == pytest.approx(distance, abs=1e-14)


@given(arrays(np.float64, (20, 2), elements=st.integers(-1, 1).map(float)), st.integers(1, 19))
def test_ties_and_rows_without_a_direction_go_to_the_lower_number(v, k):
    assert search(v, k, "csls").index.tolist() == oracle(v, k)[0].tolist()


def test_many_equal_rows():
    v = np.repeat(np.random.default_rng(0).normal(size=(4, 3)), 30, axis=0)
    assert search(v, 7, "csls").index.tolist() == oracle(v, 7)[0].tolist()


def test_float32_thousands_of_rows_and_threads():
    from isthmus.neighbors import NativeEngine

    v = np.random.default_rng(1).normal(size=(1500, 24)).astype(np.float32)
    table = search(v, 10, "csls", engine=NativeEngine(1))
    assert (table.index == search(v, 10, "csls", engine=NativeEngine(2)).index).all()
    assert (table.index == search(v, 10, "csls", engine=BlockedEngine()).index).all()
    assert (table.index[:50] == oracle(v, 10)[0][:50]).all()


def test_some_rows_and_self():
    v = np.random.default_rng(2).normal(size=(60, 4))
    whole = search(v, 5, "csls")
    assert (search(v, 5, "csls", rows=np.array([7, 3])).index == whole.index[[7, 3]]).all()
    included = search(v, 5, "csls", include_self=True)
    assert (included.index == np.column_stack([np.arange(60), whole.index[:, :4]])).all()


def test_queries_among_items_as_in_the_source():
    rng = np.random.default_rng(3)
    queries, items = rng.normal(size=(30, 4)), rng.normal(size=(40, 4))
    q, v = (w / np.linalg.norm(w, axis=1, keepdims=True) for w in (queries, items))
    cosine = q @ v.T
    r_query, r_item = (np.sort(c, axis=1)[:, -10:].mean(axis=1) for c in (cosine, cosine.T))
    score = 2 * cosine - r_query[:, None] - r_item
    table = search_among(queries, items, 6, "csls")
    assert (table.index == np.argsort(-score, axis=1)[:, :6]).all()
    assert table.distance == pytest.approx(-np.take_along_axis(score, table.index, axis=1))


def test_hubs_lose():
    v = np.random.default_rng(4).normal(size=(1000, 64)) + 0.3
    assert hubness(search(v, 10, "csls")).skewness < 0.6 * hubness(search(v, 10)).skewness


def test_it_is_a_metric_of_the_measures_and_refused_where_it_cannot_be(tmp_path):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(100, 6))
    assert overlap(x, 2 * x, 5, "csls").mnno == 1
    assert overlap(x, rng.normal(size=(100, 6)), 5, "csls").test(99) > 0.01
    np.save(tmp_path / "x.npy", x)
    for call in (
        lambda: search(open_stream(str(tmp_path / "x.npy")), 5, "csls"),
        lambda: search_approximately(x, 5, "csls", "hnsw"),
    ):
        with pytest.raises(IsthmusError, match="metric: needed cosine or euclidean for"):
            call()
