"""Search of some rows, of foreign queries, in files and on a cluster: always the table that a search of everything gives."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import isthmus
from in_process import invoke
from isthmus import IsthmusError
from isthmus.neighbors import BlockedEngine, Cluster, NativeEngine, hubness, k_occurrence, search, search_among
from isthmus.neighbors._streamed import lot_of_queries, resident_bytes, search_stream
from isthmus.pairs import open_stream
from isthmus.pairs._streams import ParquetPart
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
    monkeypatch.setattr("isthmus.neighbors._search.block_rows", lambda *_: rows_of_a_block)
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


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The same 240 MB in every format that can be read in blocks."""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("this system has no /proc")
    folder = tmp_path_factory.mktemp("large")
    script = """
        import numpy as np, polars as pl
        from safetensors.numpy import save_file
        values = np.random.default_rng(0).standard_normal((120_000, 500), dtype=np.float32)
        np.save("x.npy", values)
        save_file({"v": values}, "x.safetensors")
        table = pl.DataFrame({"v": values})
        table.write_parquet("x.parquet", row_group_size=20_000, compression="uncompressed")
        table.write_parquet("few.parquet", row_group_size=60_000, compression="uncompressed")
        """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, cwd=folder)
    return folder


PEAK = """
import sys
def peak():
    return 1024 * int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def peak_of(script, folder):
    """Peak memory of a process that runs the script, measured by the operating system."""
    script = f"{PEAK}\n{textwrap.dedent(script)}\nprint(peak())"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=folder)
    return int(done.stdout.split()[-1])


@pytest.mark.parametrize(("name", "budget"), [("x.npy", 180e6), ("x.safetensors", 180e6), ("x.parquet", 400e6)])
def test_the_budget_is_kept(large, name, budget):
    script = f"""
        import numpy as np
        from isthmus.neighbors import search
        from isthmus.pairs import open_stream
        search(open_stream({name!r}), 10, rows=np.arange(0, 120_000, 1_200), memory={budget:.0f})
        """
    assert peak_of(script, large) < budget


def test_the_budget_is_kept_by_the_command_line_on_two_sets(large):
    script = """
        from isthmus.cli import main
        sys.argv[1:] = "overlap x.npy x.parquet:v --sample 200 --memory 440MB --json".split()
        try:
            main()
        except SystemExit as done:
            assert not done.code
        """
    assert peak_of(script, large) < 440e6


def test_a_row_group_that_does_not_fit_is_refused_with_what_to_do(large):
    with pytest.raises(IsthmusError, match=r"memory: needed \d+ MB more .* for its largest row group.*row_group_size="):
        search(open_stream(large / "few.parquet"), 10, rows=np.arange(9), memory=resident_bytes() + 300_000_000)


@pytest.mark.parametrize("rows", [7, 100, 250, 10_000])
def test_a_row_group_is_decoded_once_whatever_the_blocks(hostile, tmp_path, monkeypatch, rows):
    pl.DataFrame({"v": hostile}).write_parquet(tmp_path / "x.parquet", row_group_size=100)
    stream = open_stream(tmp_path / "x.parquet")
    read, decoded = ParquetPart.read, []
    monkeypatch.setattr(ParquetPart, "read", lambda part, a, b: decoded.extend(range(a, b, 100)) or read(part, a, b))
    blocks = [block for _, block in stream.blocks(rows)]
    assert decoded == [0, 100, 200, 300, 400, 500]
    assert max(map(len, blocks)) <= rows
    assert np.concatenate(blocks).tobytes() == hostile.tobytes()
    decoded.clear()
    assert stream.rows(np.arange(0, 600, 7)).tobytes() == hostile[::7].tobytes()
    assert len(decoded) == 6


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
def test_lots_of_queries_and_row_groups_do_not_show_on_a_cluster(cluster, hostile, tmp_path, monkeypatch):
    (tmp_path / "x").mkdir()
    for number, part in enumerate(np.array_split(hostile, 2)):
        pl.DataFrame({"v": part}).write_parquet(tmp_path / "x" / f"{number}.parquet", row_group_size=70)
    monkeypatch.setattr("isthmus.neighbors._cluster.lot_of_queries", lambda *_: 250)
    monkeypatch.setattr("isthmus.neighbors._cluster.block_rows", lambda *_: 30)
    calls = []
    found = cluster.search(open_stream(tmp_path / "x"), 20, progress=lambda *c: calls.append(c))
    expected = search(hostile, 20)
    assert found.index.tobytes() == expected.index.tobytes()
    assert found.distance.tobytes() == expected.distance.tobytes()
    assert [done for _, done, _ in calls] == list(range(1, calls[-1][2] + 1))


@pytest.mark.enable_socket
def test_a_budget_that_is_too_small_for_a_worker_is_refused_before_any_task(cluster, hostile, tmp_path):
    stream = save_parts(tmp_path / "x", hostile, 3)
    with pytest.raises(IsthmusError, match=r"memory: needed \d+ MB more for \d+ of the queries"):
        replace(cluster, memory=1_000).search(stream, 9)


@pytest.mark.enable_socket
def test_the_command_line_on_a_cluster_gives_what_it_gives_without(hostile, rng, tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    monkeypatch.chdir(tmp_path)
    save_parts(tmp_path / "a", hostile, 3)
    save_parts(tmp_path / "b", hostile + 0.1 * rng.normal(size=hostile.shape).astype(np.float32), 4)
    left = []
    close = Cluster.close
    monkeypatch.setattr(Cluster, "close", lambda there: left.append(there) or close(there))
    asked = ("overlap", "a", "b", "--sample", "100", "--json")
    outputs = [invoke(*asked, *more)[0] for more in ([], ["--cluster", "2"])]
    assert outputs[0] == outputs[1]
    assert json.loads(outputs[0])[0]["sample"] == 100
    assert len(left) == 1


@pytest.mark.enable_socket
def test_workers_that_die_again_and_again_are_an_error_with_the_text_of_dask(cluster, hostile, tmp_path, monkeypatch):
    from distributed import KilledWorker

    def dies(_):
        raise KilledWorker("task", SimpleNamespace(address="tcp://there"), 4)

    monkeypatch.setattr("distributed.as_completed", dies)
    with pytest.raises(IsthmusError, match="cluster: needed workers that stay, got Attempted to run task"):
        cluster.search(save_parts(tmp_path / "x", hostile, 3), 9)


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
