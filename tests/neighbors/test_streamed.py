"""Search of some rows, of foreign queries, in files and on a cluster: always the table that a search of everything gives."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import isthmus
from isthmus import IsthmusError
from isthmus.neighbors import BlockedEngine, Cluster, NativeEngine, hubness, k_occurrence, search, search_among
from isthmus.neighbors._streamed import lot_of_queries, search_stream
from isthmus.pairs import open_stream
from oracles import neighbor_lists, squared_distances

METRICS = ("cosine", "euclidean")


@pytest.fixture(params=["numpy", "native"])
def engine(request):
    if request.param == "numpy":
        return BlockedEngine(memory=1 << 20)
    pytest.importorskip("isthmus.neighbors._kernel", reason="installed without the compiled engine")
    return NativeEngine()


@pytest.fixture
def hostile():
    """Real vectors with exact duplicates, zero rows, and a few rows very far out."""
    vectors = isthmus.load("emoji").y[:600].copy()
    vectors[[3, 77, 400]] = 0
    vectors[200:230] = vectors[199]
    vectors[500] *= 1e4
    return vectors


def save_parts(folder, vectors, count):
    folder.mkdir()
    for number, part in enumerate(np.array_split(vectors, count)):
        np.save(folder / f"{number}.npy", part)
    return open_stream(folder)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("include_self", [False, True])
def test_some_rows_are_those_rows_of_the_whole_table(engine, hostile, rng, metric, include_self):
    whole = search(hostile, 20, metric, include_self=include_self, engine=engine)
    rows = np.append(rng.permutation(600)[:50], [3, 200, 500])
    some = search(hostile, 20, metric, rows=rows, include_self=include_self, engine=engine)
    assert some.index.tobytes() == whole.index[rows].tobytes()
    assert some.distance.tobytes() == whole.distance[rows].tobytes()
    assert (some.items, len(some), list(some.rows)) == (600, 53, list(rows))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("scale", [2.0**-110, 2.0**-20, 2.0**20, 2.0**110])
def test_units_do_not_show(engine, hostile, metric, scale, kind):
    """Numbers far from 1, where what float32 can tell apart must be judged in the units of the data."""
    vectors = (hostile[:200].astype(np.float64) * scale).astype(kind)
    rows = np.arange(0, 200, 3)
    expected = search(hostile[:200], 20, metric, rows=rows, engine=BlockedEngine())
    found = search(vectors, 20, metric, rows=rows, engine=engine)
    assert found.index.tobytes() == expected.index.tobytes()
    np.testing.assert_array_equal(found.distance, expected.distance * (scale if metric == "euclidean" else 1))


def test_near_ties_far_from_the_origin_are_told_apart(engine, rng):
    """Large numbers that differ in their last digits only: the look in float32 cannot tell, and must not decide."""
    vectors = (1000 + np.round(rng.normal(size=(400, 60)) * 64) / 64 / 16).astype(np.float32)
    rows = np.arange(400)
    found = search(vectors, 15, "euclidean", rows=rows, engine=engine)
    assert found.index.tolist() == neighbor_lists(vectors, 15, "euclidean")


@pytest.mark.parametrize("metric", METRICS)
def test_foreign_queries_find_what_a_full_sort_finds(engine, hostile, rng, metric):
    queries = np.concatenate([rng.normal(size=(5, hostile.shape[1])), hostile[[3, 200]]]).astype(np.float32)
    table = search_among(queries, hostile, 600, metric, engine=engine)
    squared = squared_distances(np.concatenate([queries, hostile]), metric)[:7, 7:]
    assert table.index.tolist() == [sorted(range(600), key=lambda j: (row[j], j)) for row in squared]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("rows_of_a_block", [1, 13, 256, 10_000])
def test_blocks_of_files_do_not_show(engine, hostile, rng, tmp_path, monkeypatch, metric, rows_of_a_block, kind):
    hostile = hostile.astype(kind)
    if kind is np.float64:
        hostile[:100] = 1 + 1e-9 * rng.normal(size=(100, hostile.shape[1]))  # what float32 cannot hold
    monkeypatch.setattr("isthmus.neighbors._streamed.block_rows", lambda *_: rows_of_a_block)
    stream = save_parts(tmp_path / "x", hostile, 7)
    rows = np.append(rng.permutation(600)[:30], [3, 200, 500])
    found = search(stream, 20, metric, rows=rows, engine=engine)
    expected = search(hostile, 20, metric, rows=rows, engine=engine)
    assert found.index.tobytes() == expected.index.tobytes()
    assert found.distance.tobytes() == expected.distance.tobytes()


def test_all_rows_of_a_file_are_searched_in_as_many_passes_as_memory_asks_for(hostile, tmp_path, monkeypatch):
    stream = save_parts(tmp_path / "x", hostile, 3)
    passes = []
    monkeypatch.setattr("isthmus.neighbors._search.lot_of_queries", lambda *_: 250)
    monkeypatch.setattr(
        "isthmus.neighbors._search.search_stream", lambda *a, **b: passes.append(len(a[1])) or search_stream(*a, **b)
    )
    assert search(stream, 9).index.tobytes() == search(hostile, 9).index.tobytes()
    assert passes == [250, 250, 100]


def test_a_budget_that_is_too_small_is_refused_before_any_search(hostile, tmp_path):
    stream = save_parts(tmp_path / "x", hostile, 3)
    with pytest.raises(IsthmusError, match=r"memory: needed \d+ MB more for \d+ of the queries"):
        search(stream, 9, memory=1 << 20)


def test_results_that_do_not_fit_are_refused_before_the_files_are_read_a_million_times(tmp_path):
    array = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", dtype=np.float32, shape=(1_000_000, 4))
    array.flush()
    stream = open_stream(tmp_path / "x.npy")
    with pytest.raises(IsthmusError, match=r"memory: needed \d+ MB more"):
        lot_of_queries(900_000_000, stream, 1_000_000, 60)
    assert 10_000 < lot_of_queries(1_500_000_000, stream, 1_000_000, 60) < 1_000_000


def test_the_budget_is_kept(tmp_path):
    """Peak memory of a process that searches a 240 MB file under 200 MB, measured by the operating system."""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("this system has no /proc")
    script = f"""
        import numpy as np
        from isthmus.neighbors import search
        from isthmus.pairs import open_stream
        array = np.lib.format.open_memmap(r"{tmp_path / "x.npy"}", "w+", dtype=np.float32, shape=(240_000, 250))
        rng = np.random.default_rng(0)
        for start in range(0, 240_000, 8_000):
            array[start : start + 8_000] = rng.standard_normal((8_000, 250), dtype=np.float32)
        """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
    script = f"""
        import numpy as np
        from isthmus.neighbors import search
        from isthmus.pairs import open_stream
        search(open_stream(r"{tmp_path / "x.npy"}"), 10, rows=np.arange(100), memory=200_000_000)
        print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, capture_output=True, text=True)
    assert int(done.stdout) * 1024 < 200_000_000


def test_progress_counts_the_rows_read(hostile, tmp_path):
    calls = []
    search(save_parts(tmp_path / "x", hostile, 4), 3, rows=np.arange(9), progress=lambda *c: calls.append(c))
    assert calls[-1] == ("neighbors in x", 600, 600)
    assert len(calls) == 4


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda x: search(x, 3, rows=np.array([0, 600])), "rows: needed row numbers in 0..599"),
        (lambda x: search(x, 3, rows=np.array([0.5])), "rows: needed row numbers"),
        (lambda x: hubness(search(x, 3), 0), "k: needed 1 to 3"),
        (lambda x: search_among(x[:, :5], x, 3), r"queries: needed \d+ numbers a row, as the items have, got 5"),
        (lambda x: search_among(x[:5], x, 601), "needed more than 600 items for k=601"),
        (
            lambda x: search(x.astype(float) * 1e150, 3, "euclidean", rows=np.arange(3)),
            "needed rows between 1e-70 and 1e70",
        ),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_refuses(hostile, ask, match):
    with pytest.raises(IsthmusError, match=match):
        ask(hostile)


def test_hubs_are_counted_as_a_loop_counts_them(hostile):
    lists = neighbor_lists(hostile, 6, "cosine")
    table = search(hostile, 20)
    counted = np.array([sum(i in row for row in lists) for i in range(600)])
    assert (k_occurrence(table, 6) == counted).all()
    found = hubness(table, 6)
    assert found.skewness == pytest.approx(np.mean(((counted - 6) / counted.std()) ** 3))
    assert (found.antihubs, found.largest) == (np.mean(counted == 0), counted.max())
    assert list(counted[list(found.hubs)]) == sorted(counted, reverse=True)[:10]
    with pytest.raises(IsthmusError, match="needed the neighbors of all items, self excluded, got a sample"):
        hubness(search(hostile, 6, rows=np.arange(9)))


@pytest.fixture(scope="module")
def cluster():
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    there = Cluster.connect("2")
    yield there
    there.close()


@pytest.mark.enable_socket
@pytest.mark.parametrize("metric", METRICS)
def test_two_workers_give_the_bytes_of_one_process(cluster, hostile, rng, tmp_path, metric):
    stream = save_parts(tmp_path / "x", hostile, 7)
    for rows in (rng.permutation(600)[:40], None):
        found = cluster.search(stream, 20, metric, rows=rows, include_self=rows is None)
        expected = search(hostile, 20, metric, rows=rows, include_self=rows is None)
        assert found.index.tobytes() == expected.index.tobytes()
        assert found.distance.tobytes() == expected.distance.tobytes()


@pytest.mark.enable_socket
def test_a_worker_that_is_killed_changes_nothing(cluster, rng, tmp_path):
    vectors = rng.normal(size=(6000, 300)).astype(np.float32)
    stream = save_parts(tmp_path / "x", vectors, 60)
    killed = []

    def kill(_what, done, _total):
        if done == 5:
            pid = next(iter(cluster.client.run(os.getpid).values()))
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    found = cluster.search(stream, 10, rows=np.arange(500), progress=kill)
    assert killed
    assert found.index.tobytes() == search(vectors, 10, rows=np.arange(500)).index.tobytes()


def test_a_cluster_without_the_extra_names_the_pip_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(IsthmusError, match=r"pip install 'isthmus\[cluster\]'"):
        Cluster.connect("2")
