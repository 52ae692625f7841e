"""Laws of neighbor search: what must hold for any vectors, and what real data show."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

import isthmus
from isthmus import IsthmusError
from isthmus.neighbors import BlockedEngine, NativeEngine, check_metric, default_engine, describe_engine, search
from oracles import neighbor_lists, squared_distances

METRICS = ("cosine", "euclidean")
NUMPY = BlockedEngine()
KERNELS = ("avx512vnni", "avx512", "avx2", "baseline")


@pytest.fixture(params=["numpy", *KERNELS])
def engine(request, monkeypatch):
    """Every engine, the compiled one with every instruction set that this processor has."""
    if request.param == "numpy":
        return NUMPY
    native = pytest.importorskip("isthmus.neighbors._kernel", reason="installed without the compiled engine")
    monkeypatch.setenv("ISTHMUS_KERNEL", request.param)
    if native.instruction_set() != request.param:
        pytest.skip(f"this processor has no {request.param}")
    return NativeEngine()


grids = arrays(
    np.float32, st.tuples(st.integers(3, 25), st.integers(1, 4)), elements=st.integers(-2, 2).map(float)
)  # integer grids: ties, duplicates and zero rows everywhere


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grids, st.sampled_from(METRICS), st.booleans(), st.integers(1, 24))
def test_agrees_with_a_full_sort_on_integer_grids(engine, vectors, metric, include_self, k):
    k = min(k, len(vectors) - (not include_self))
    found = search(vectors, k, metric, include_self=include_self, engine=engine).index.tolist()
    assert found == neighbor_lists(vectors, k, metric, include_self)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("side", ["x", "y"])
def test_agrees_with_a_full_sort_on_real_vectors(engine, metric, side):
    pairs = isthmus.load("emoji")
    vectors = getattr(pairs, side)[:700]  # holds exact duplicates
    table = search(vectors, 40, metric, engine=engine)
    assert table.index.tolist() == neighbor_lists(vectors, 40, metric)
    squared = np.take_along_axis(squared_distances(vectors, metric), table.index, axis=1)
    expected = squared / 2 if metric == "cosine" else np.sqrt(squared)
    np.testing.assert_allclose(table.distance, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("metric", METRICS)
def test_agrees_with_scikit_learn(engine, rng, metric):
    vectors = rng.normal(size=(300, 20))
    theirs = NearestNeighbors(metric=metric, algorithm="brute").fit(vectors).kneighbors(n_neighbors=15)
    table = search(vectors, 15, metric, engine=engine)
    assert (table.index == theirs[1]).all()
    np.testing.assert_allclose(table.distance, theirs[0], rtol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_block_size_threads_and_precision_of_the_product_do_not_show(metric):
    vectors = isthmus.load("imagenet-words").x
    whole = search(vectors, 30, metric, engine=NUMPY)
    tiny = search(vectors, 30, metric, engine=BlockedEngine(memory=1 << 16))
    with threadpool_limits(1):
        alone = search(vectors, 30, metric, engine=NUMPY)
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
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_extreme_scales(engine, rng, metric, scale, kind):
    if kind is np.float32 and not 1e-40 < scale < 1e40:
        pytest.skip("float32 does not reach so far")
    vectors = rng.normal(size=(40, 5)).astype(kind)
    scale = kind(2.0) ** round(np.log2(scale))  # a power of two, so that no digit is lost
    table = search(vectors * scale, 7, metric, engine=engine)
    assert (table.index == search(vectors, 7, metric, engine=engine).index).all()
    assert np.isfinite(table.distance).all()


def test_far_cluster_costs_no_digits(engine, rng):
    vectors = np.concatenate([rng.normal(size=(50, 3)) * 1e-6, rng.normal(size=(3, 3)) * 1e6])
    assert search(vectors, 5, "euclidean", engine=engine).index.tolist() == neighbor_lists(vectors, 5, "euclidean")


@pytest.mark.parametrize("shape", [(2, 1), (5, 1), (40, 5000), (12, 16384)])
def test_shapes_at_the_edge(engine, rng, shape):
    vectors = rng.normal(size=shape)
    k = shape[0] - 1
    assert search(vectors, k, "euclidean", engine=engine).index.tolist() == neighbor_lists(vectors, k, "euclidean")


def test_scales_too_far_apart_are_refused_under_euclidean(rng):
    vectors = np.concatenate([rng.normal(size=(20, 3)), np.full((1, 3), 1e200)])
    with pytest.raises(IsthmusError, match=r"needed rows within a factor of 1e140.*\(row 20\)"):
        search(vectors, 3, "euclidean")
    same_directions = np.concatenate([vectors[:-1], np.ones((1, 3))])
    assert search(vectors, 3).index.tolist() == neighbor_lists(same_directions, 3, "cosine")


def test_all_rows_equal_are_ordered_by_row_number(engine):
    assert search(np.ones((6, 3)), 3, engine=engine).index.tolist()[5] == [0, 1, 2]
    assert search(np.ones((6, 3)), 3, engine=engine).index.tolist()[1] == [0, 2, 3]


def test_a_zero_row_has_cosine_zero_with_everything(engine):
    table = search(np.array([[1.0, 0], [0, 0], [1, 0.1], [0, 0]]), 3, engine=engine)
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
        (np.ones((5, 2)), 0, "needed 1 to 4, as there are 5 items"),
        (np.ones((5, 2)), 3.0, "k: needed a whole number, got 3.0"),
        (np.ones((5, 2)), "3", "k: needed a whole number, got '3'"),
        (np.array([[1.0, np.nan], [1, 2], [3, 4]]), 1, "got nan in row 0, column 1"),
        (np.ones(5), 1, "needed two dimensions"),
        (np.array([["a", "b"]]), 1, "needed real numbers"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_refuses(vectors, k, match):
    with pytest.raises(IsthmusError, match=match):
        search(vectors, k)


@pytest.mark.parametrize("threads", [0, -4])
def test_refuses_fewer_than_one_thread(threads):
    with pytest.raises(IsthmusError, match=f"threads: needed 1 or more, got {threads}"):
        NativeEngine(threads)


def test_an_instruction_set_that_there_is_not_is_refused_everywhere(monkeypatch):
    pytest.importorskip("isthmus.neighbors._kernel", reason="installed without the compiled engine")
    monkeypatch.setenv("ISTHMUS_KERNEL", "avx9")
    for ask in (describe_engine, NativeEngine):
        with pytest.raises(IsthmusError, match="ISTHMUS_KERNEL: needed one of .*, got 'avx9'"):
            ask()


def test_an_instruction_set_that_the_processor_lacks_gives_the_next_narrower(monkeypatch):
    native = pytest.importorskip("isthmus.neighbors._kernel", reason="installed without the compiled engine")
    given = []
    for name in reversed(KERNELS):
        monkeypatch.setenv("ISTHMUS_KERNEL", name)
        given.append(native.instruction_set())
        there = given[-1] == name
        assert there or given[-1] == given[-2]


def test_refuses_an_unknown_metric():
    with pytest.raises(IsthmusError, match="metric: needed cosine or euclidean or csls, got 'manhattan'"):
        check_metric("manhattan")


def test_reports_progress(rng):
    calls = []
    search(rng.normal(size=(50, 3)), 2, engine=BlockedEngine(memory=1 << 15), progress=lambda *c: calls.append(c))
    assert calls[-1][1:] == (50, 50)
    assert len(calls) > 1


def test_the_engine_reports_rising_shares_and_passes_on_what_the_callback_raises(rng):
    pytest.importorskip("isthmus.neighbors._kernel", reason="installed without the compiled engine")
    vectors = rng.normal(size=(40_000, 300)).astype(np.float32)
    calls = []
    search(vectors, 10, engine=NativeEngine(1), progress=lambda *call: calls.append(call))
    done = [call[1] for call in calls]
    assert len(set(done)) > 2
    assert done == sorted(done)
    assert all(call[0] == "neighbors" and 0 <= call[1] <= call[2] == 40_000 for call in calls)

    def stop(*_):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        search(vectors, 10, engine=NativeEngine(2), progress=stop)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a process on Windows")
@pytest.mark.parametrize("shape", ["(100_000, 1000), 10", "(6_000, 4_096), 3_000"], ids=["many rows", "many neighbors"])
def test_ctrl_c_stops_the_engine(shape):
    """The search takes many times as long as it is given to stop, on any machine."""
    pytest.importorskip("isthmus.neighbors._kernel", reason="installed without the compiled engine")
    script = f"""
        import time
        import numpy as np
        from isthmus.neighbors import NativeEngine, search
        def find(shape, k):
            vectors = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
            print("started", flush=True)
            try:
                search(vectors, k, engine=NativeEngine(2))
            except KeyboardInterrupt:
                print("stopped", flush=True)
        find({shape})
        """
    environment = {**os.environ, "ISTHMUS_KERNEL": "baseline"}
    searching = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert searching.stdout.readline() == "started\n"
    time.sleep(1)
    start = time.monotonic()
    searching.send_signal(signal.SIGINT)
    assert searching.communicate(timeout=60)[0] == "stopped\n"
    assert time.monotonic() - start < 8


def same_bytes_sets():
    rng = np.random.default_rng(0)
    clusters = np.repeat(rng.normal(size=(12, 30)), 40, axis=0) + 1e-4 * rng.normal(size=(480, 30))
    return {
        "emoji images, with duplicates": isthmus.load("emoji").y[:900],
        "glosses, half precision": isthmus.load("imagenet-glosses").x.astype(np.float16),
        "clusters": clusters.astype(np.float32),
        "far clusters, double": clusters + 1e3 * rng.normal(size=(480, 1)),
        "integer grid": rng.integers(-2, 3, size=(700, 3)).astype(np.float32),
        "all rows equal": np.ones((300, 4), np.float32),
        "repeated rows": np.repeat(rng.normal(size=(5, 7)), 200, axis=0),
        "half of the rows equal": np.where(rng.random((900, 1)) < 0.5, 1.0, rng.normal(size=(900, 40))).astype(np.float32),
        "all but equal": (np.repeat(rng.normal(size=(9, 40)), 70, axis=0) + 1e-7 * rng.normal(size=(630, 40))).astype(
            np.float32
        ),
        "zero rows": np.where(rng.random((400, 1)) < 0.2, 0, rng.normal(size=(400, 9))),
        "zero rows, single": np.where(rng.random((400, 1)) < 0.2, 0, rng.normal(size=(400, 9))).astype(np.float32),
        "one far row": np.concatenate([rng.normal(size=(400, 20)), np.full((1, 20), 1e6)]).astype(np.float32),
        "denormal": rng.normal(size=(90, 5)) * 1e-310,
    }


SETS = same_bytes_sets()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", SETS)
def test_every_engine_and_thread_count_gives_the_same_bytes(engine, name, metric):
    if engine is NUMPY:
        pytest.skip("what the others are compared with")
    for k in (1, 10, 60):
        expected = search(SETS[name], k, metric, engine=NUMPY)
        for one in (engine, NativeEngine(threads=1), NativeEngine(threads=3)):
            table = search(SETS[name], k, metric, engine=one)
            assert table.index.tobytes() == expected.index.tobytes()
            assert table.distance.tobytes() == expected.distance.tobytes()


@pytest.mark.parametrize("metric", METRICS)
def test_both_engines_give_the_same_bytes_on_the_paper_s_features(metric, data_folder):
    pytest.importorskip("isthmus.neighbors._kernel", reason="installed without the compiled engine")
    with np.load(data_folder / "iapr_tc12_test" / "iapr_tc12_test.npz") as arrays:
        sets = [values for values in arrays.values() if values.dtype.kind == "f" and values.ndim == 2]
    assert len(sets) == 2
    for vectors in sets:
        ours, slow = (search(vectors, 10, metric, engine=one) for one in (NativeEngine(2), NUMPY))
        assert ours.index.tobytes() == slow.index.tobytes()
        assert ours.distance.tobytes() == slow.distance.tobytes()


@pytest.mark.parametrize("metric", METRICS)
def test_blocks_of_several_pieces_give_what_queries_give(rng, metric):
    """More items than a piece of work has columns, against the rows of some of them."""
    pytest.importorskip("isthmus.neighbors._kernel", reason="installed without the compiled engine")
    vectors = rng.normal(size=(40_000, 8)).astype(np.float32)
    vectors[rng.permutation(40_000)[:9_000]] = vectors[0]
    table = search(vectors, 5, metric, engine=NativeEngine(2))
    rows = np.append(rng.permutation(40_000)[:100], [0, 16_383, 16_384, 32_768, 39_999])
    some = search(vectors, 5, metric, rows=rows, engine=NUMPY)
    assert table.index[rows].tobytes() == some.index.tobytes()
    assert table.distance[rows].tobytes() == some.distance.tobytes()


@pytest.mark.parametrize("metric", METRICS)
def test_the_order_of_the_rows_does_not_show(engine, rng, metric):
    check_order_of_rows(engine, isthmus.load("emoji").y[:900], rng, metric)


@pytest.mark.parametrize("metric", METRICS)
def test_the_order_of_the_rows_of_the_paper_s_features_does_not_show(engine, rng, metric, data_folder):
    with np.load(data_folder / "iapr_tc12_test" / "iapr_tc12_test.npz") as arrays:
        sets = [values for values in arrays.values() if values.dtype.kind == "f" and values.ndim == 2]
    assert len(sets) == 2
    for vectors in sets:
        check_order_of_rows(engine, vectors, rng, metric)


def check_order_of_rows(engine, vectors, rng, metric):
    """Distances are the same bytes; items are the same up to those at equal distance, which follow the row number anew."""
    order = rng.permutation(len(vectors))
    here, there = search(vectors, 10, metric, engine=engine), search(vectors[order], 10, metric, engine=engine)
    assert there.distance.tobytes() == here.distance[order].tobytes()
    for row, item in enumerate(order):
        distance, mine, theirs = here.distance[item], here.index[item], order[there.index[row]]
        for value in np.unique(distance[distance < distance[-1]]):
            assert set(mine[distance == value]) == set(theirs[distance == value])
        assert (np.sort(mine[distance == distance[0]]) == mine[distance == distance[0]]).all()


def test_the_default_engine_says_what_it_is():
    assert describe_engine().split()[0] == default_engine().name


def test_without_the_compiled_engine_numpy_serves_with_one_warning(monkeypatch, rng):
    monkeypatch.setattr("isthmus.neighbors._search.available", lambda: False)
    default_engine.cache_clear()
    vectors = rng.normal(size=(20, 3))
    with pytest.warns(RuntimeWarning, match="installed without its compiled neighbor engine"):
        search(vectors, 3)
    search(vectors, 3)  # a second warning would be an error here
    assert describe_engine() == "numpy"
    default_engine.cache_clear()
