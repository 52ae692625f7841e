"""Laws of neighbor search: what must hold for any vectors, and what real data show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

import isthmus
from isthmus import IsthmusError
from isthmus.neighbors import BlockedEngine, check_metric, search
from oracles import neighbor_lists, squared_distances

METRICS = ("cosine", "euclidean")
grids = arrays(
    np.float32, st.tuples(st.integers(3, 25), st.integers(1, 4)), elements=st.integers(-2, 2).map(float)
)  # integer grids: ties, duplicates and zero rows everywhere


@given(grids, st.sampled_from(METRICS), st.booleans(), st.integers(1, 24))
def test_agrees_with_a_full_sort_on_integer_grids(vectors, metric, include_self, k):
    k = min(k, len(vectors) - (not include_self))
    assert search(vectors, k, metric, include_self=include_self).index.tolist() == neighbor_lists(
        vectors, k, metric, include_self
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("side", ["x", "y"])
def test_agrees_with_a_full_sort_on_real_vectors(metric, side):
    pairs = isthmus.load("emoji")
    vectors = getattr(pairs, side)[:700]  # holds exact duplicates
    table = search(vectors, 40, metric)
    assert table.index.tolist() == neighbor_lists(vectors, 40, metric)
    squared = np.take_along_axis(squared_distances(vectors, metric), table.index, axis=1)
    expected = squared / 2 if metric == "cosine" else np.sqrt(squared)
    np.testing.assert_allclose(table.distance, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("metric", METRICS)
def test_agrees_with_scikit_learn(rng, metric):
    vectors = rng.normal(size=(300, 20))
    theirs = NearestNeighbors(metric=metric, algorithm="brute").fit(vectors).kneighbors(n_neighbors=15)
    table = search(vectors, 15, metric)
    assert (table.index == theirs[1]).all()
    np.testing.assert_allclose(table.distance, theirs[0], rtol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_block_size_threads_and_precision_of_the_product_do_not_show(metric):
    vectors = isthmus.load("imagenet-words").x
    whole = search(vectors, 30, metric)
    tiny = search(vectors, 30, metric, engine=BlockedEngine(memory=1 << 16))
    with threadpool_limits(1):
        alone = search(vectors, 30, metric)
    for other in (tiny, alone):
        assert other.index.tobytes() == whole.index.tobytes()
        assert other.distance.tobytes() == whole.distance.tobytes()


@pytest.mark.parametrize("metric", METRICS)
def test_a_permutation_of_the_items_permutes_the_neighbors(rng, metric):
    vectors = rng.normal(size=(80, 6)).astype(np.float32)
    order = rng.permutation(80)
    there = search(vectors[order], 9, metric).index
    assert (order[there] == search(vectors, 9, metric).index[order]).all()


@pytest.mark.parametrize("metric", METRICS)
def test_rotation_scale_and_for_euclidean_translation_keep_neighbors(rng, metric):
    vectors = rng.normal(size=(80, 6))
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    expected = search(vectors, 9, metric).index
    assert (search(vectors @ rotation, 9, metric).index == expected).all()
    assert (search(vectors * 7, 9, metric).index == expected).all()
    if metric == "euclidean":
        assert (search(vectors + 1000, 9, metric).index == expected).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_extreme_scales(rng, metric, scale):
    vectors = rng.normal(size=(40, 5))
    table = search(vectors * scale, 7, metric)
    assert (table.index == search(vectors, 7, metric).index).all()
    assert np.isfinite(table.distance).all()


def test_far_cluster_costs_no_digits(rng):
    vectors = np.concatenate([rng.normal(size=(50, 3)) * 1e-6, rng.normal(size=(3, 3)) * 1e6])
    assert search(vectors, 5, "euclidean").index.tolist() == neighbor_lists(vectors, 5, "euclidean")


@pytest.mark.parametrize("shape", [(2, 1), (5, 1), (40, 5000)])
def test_shapes_at_the_edge(rng, shape):
    vectors = rng.normal(size=shape)
    k = shape[0] - 1
    assert search(vectors, k, "euclidean").index.tolist() == neighbor_lists(vectors, k, "euclidean")


def test_all_rows_equal_are_ordered_by_row_number():
    assert search(np.ones((6, 3)), 3).index.tolist()[5] == [0, 1, 2]
    assert search(np.ones((6, 3)), 3).index.tolist()[1] == [0, 2, 3]


def test_a_zero_row_has_cosine_zero_with_everything():
    table = search(np.array([[1.0, 0], [0, 0], [1, 0.1], [0, 0]]), 3)
    assert table.index.tolist() == [[2, 1, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
    assert table.distance[1].tolist() == [1, 1, 1]


def test_with_self_the_item_comes_first_even_before_its_duplicates():
    table = search(np.array([[1.0, 2], [3, 1], [1, 2]]), 2, include_self=True)
    assert table.index.tolist() == [[0, 2], [1, 0], [2, 0]]
    assert (table.distance[:, 0] == 0).all()
    assert search(np.eye(3), 1, include_self=True).index.ravel().tolist() == [0, 1, 2]


def test_a_search_at_depth_serves_every_smaller_k(rng):
    vectors = rng.normal(size=(60, 4))
    deep = search(vectors, 50)
    assert (deep.first(7).index == search(vectors, 7).index).all()
    with pytest.raises(IsthmusError, match="k: needed 1 to 50"):
        deep.first(51)


@pytest.mark.parametrize(
    ("vectors", "k", "match"),
    [
        (np.ones((5, 2)), 5, "needed more than 5 items for k=5, got 5 items"),
        (np.ones((5, 2)), 0, "needed at least 1 for k=0"),
        (np.array([[1.0, np.nan], [1, 2], [3, 4]]), 1, "got nan in row 0, column 1"),
        (np.ones(5), 1, "needed two dimensions"),
        (np.array([["a", "b"]]), 1, "needed real numbers"),
    ],
)
def test_refuses(vectors, k, match):
    with pytest.raises(IsthmusError, match=match):
        search(vectors, k)


def test_refuses_an_unknown_metric():
    with pytest.raises(IsthmusError, match="metric: needed cosine or euclidean, got 'manhattan'"):
        check_metric("manhattan")


def test_reports_progress(rng):
    calls = []
    search(rng.normal(size=(50, 3)), 2, engine=BlockedEngine(memory=1 << 15), progress=lambda *c: calls.append(c))
    assert calls[-1][1:] == (50, 50)
    assert len(calls) > 1
