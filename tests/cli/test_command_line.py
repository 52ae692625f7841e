"""The command line as a user meets it: real processes on real files."""

import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import isthmus
from isthmus.neighbors import hubness, search

OVERLAP_KEYS = ["a", "b", "n", "k", "metric", "include_self", "mnno", "chance", "adjusted", "ci_low", "ci_high", "p_value"]
AUDIT_KEYS = [
    "pairs", "direction", "mapping", "role", "n_test", "k", "metric", "include_self", "input_overlap", "target_overlap",
    "baseline_overlap", "chance", "shared", "echoed", "bridged", "novel", "echo_rate", "bridge_rate", "bridge_index",
    "bridge_index_low", "bridge_index_high", "p_value", "mse", "r2", "verdict",
]  # fmt: skip


def run(*arguments, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "isthmus", *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, env={**os.environ, **environment}, check=False, timeout=300,
    )  # fmt: skip


def records(*arguments, **options):
    done = run(*arguments, "--json", **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def files(tmp_path):
    pairs = isthmus.load("imagenet-words").take(np.arange(150))
    np.save(tmp_path / "x.npy", pairs.x)
    np.save(tmp_path / "y.npy", pairs.y)
    np.save(tmp_path / "f.npy", isthmus.Ridge().fit(pairs.x, pairs.y).predict(pairs.x))
    return tmp_path


def test_overlap_of_a_named_set():
    (record,) = records("overlap", "imagenet-words")
    assert [key for key in OVERLAP_KEYS if key not in record] == []
    pairs = isthmus.load()
    result = isthmus.overlap(pairs.x, pairs.y)
    assert (record["mnno"], record["chance"], record["n"]) == (result.mnno, result.chance, 989)
    assert record["ci_low"] < record["mnno"] < record["ci_high"]
    assert record["p_value"] == 0.001


def test_overlap_of_three_sets_at_several_k_and_metrics():
    found = records("overlap", "imagenet-words:x", "imagenet-glosses:x", "imagenet-words:y", "-k", "5,10", "--metric",
                    "cosine,euclidean")  # fmt: skip
    assert len(found) == 3 * 2 * 2
    assert {r["n"] for r in found} == {989}


def test_overlap_without_an_interval_is_null(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(12, 3)))
    (record,) = records("overlap", tmp_path / "x.npy", tmp_path / "x.npy", "-k", 11)
    assert record["ci_low"] is record["adjusted"] is None


def test_audit_of_files_with_given_vectors(files):
    found = records("audit", "x.npy", "y.npy", "--mapped", "f.npy", cwd=files)
    assert [key for key in AUDIT_KEYS if key not in found[0]] == []
    assert [r["mapping"] for r in found] == ["identity", "untrained-lin", "untrained-nn", "given"]
    perfect = records("audit", "x.npy", "y.npy", "--mapped", "y.npy", cwd=files)[-1]
    assert (perfect["bridge_index"], perfect["verdict"]) == (1, "carries the target")


def test_audit_gives_the_same_bytes_twice_and_with_one_or_two_threads(files):
    arguments = ("audit", "x.npy", "y.npy", "--mapping", "ridge,lin,nn", "--folds", "3", "--json")
    ways = [{}, {}, {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "2", "NPROC": "2"}]
    outputs = [run(*arguments, cwd=files, **way).stdout for way in ways]
    assert len(outputs[0]) > 1000
    assert len(set(outputs)) == 1
    if hasattr(os, "sched_setaffinity"):
        pinned = subprocess.run(
            ["taskset", "-c", "0", sys.executable, "-m", "isthmus", *arguments], cwd=files, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert pinned.stdout == outputs[0]


def test_audit_as_a_table_and_a_page(files):
    done = run("audit", "x.npy", "y.npy", "--mapping", "ridge", "--report", "out.html", cwd=files)
    assert done.returncode == 0
    assert "bridge index" in done.stdout
    assert re.search(r"x\.npy -> y\.npy: the mapping that bridges most, ridge,", done.stdout)
    page = (files / "out.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "://" not in re.sub(r"http://www\.w3\.org/\S+", "", page)
    assert not (files / "out.html.part").exists()


def test_a_page_is_written_through_a_link_and_names_are_no_markup(files):
    (files / "target.html").write_text("old")
    (files / "link.html").symlink_to("target.html")
    np.save(files / "[red]y.npy", np.load(files / "y.npy"))
    done = run("audit", "x.npy", "[red]y.npy", "--mapping", "ridge", "--report", "link.html", cwd=files)
    assert (files / "link.html").is_symlink()
    assert "<svg" in (files / "target.html").read_text(encoding="utf-8")
    assert "x.npy -> [red]y.npy" in done.stdout


def test_a_closed_or_full_output_is_one_line(files):
    for shell in ("{} >&-", "{} --json >&-"):
        command = shell.format(f"{sys.executable} -m isthmus overlap x.npy y.npy -k 3")
        done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=files, check=False)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert done.stderr.splitlines()[-1].startswith("isthmus: ")


def test_labels_and_names_are_text_in_the_page(tmp_path):
    pairs = isthmus.Pairs(*np.random.default_rng(0).normal(size=(2, 40, 3)), name="<script>alert(1)</script>")
    from isthmus.report import write_page

    write_page(isthmus.audit(pairs, ["ridge"], k=3, folds=2), tmp_path / "out.html")
    assert "<script>" not in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_given_vectors_are_joined_by_id_whatever_the_ids(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 60, 3))
    for ids in (range(60), [f"w{i}" for i in range(60)]):
        for name, values, order in (("x", x, range(60)), ("y", y, range(60)), ("f", y, rng.permutation(60))):
            lines = [f"{ids[i]},{','.join(map(str, values[i]))}" for i in order]
            (tmp_path / f"{name}.csv").write_text("\n".join(["id,a,b,c", *lines]))
        given = records("audit", "x.csv", "y.csv", "--mapped", "f.csv", "-k", "5", cwd=tmp_path)[-1]
        assert given["bridge_index"] == 1


def test_audit_with_a_split(files):
    parts = "\n".join(f"{i}\t{'test' if i % 3 == 0 else 'train'}" for i in range(150))
    (files / "split.tsv").write_text(f"index\tpart\n{parts}\n")
    found = records("audit", "x.npy", "y.npy", "--mapping", "ridge", "--split", "split.tsv", cwd=files)
    assert {r["n_test"] for r in found} == {50}


def test_two_files_with_ids_are_joined_and_the_rest_is_reported(tmp_path):
    rng = np.random.default_rng(0)
    for name, ids in (("x.csv", range(30)), ("y.csv", range(5, 40))):
        lines = [f"item{i},{','.join(map(str, rng.normal(size=3)))}" for i in ids]
        (tmp_path / name).write_text("\n".join(lines))
    done = run("overlap", "x.csv", "y.csv", "-k", "3", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)[0]["n"] == 25
    assert "25 pairs; 5 only in x (item0, item1, item2, …); 10 only in y (item30" in done.stderr


def test_data_list():
    here = {r["name"] for r in records("data", "list") if r["place"] == "package"}
    assert here == {"imagenet-words", "imagenet-glosses", "emoji"}
    assert "imagenet-words" in run("data", "list").stdout


def nan_file(folder):
    x = np.ones((150, 3))
    x[[7, 9], 1] = np.nan
    np.save(folder / "bad.npy", x)


def infinite(folder):
    x = np.ones((150, 3))
    x[4, 2] = np.inf
    np.save(folder / "bad.npy", x)


def truncated(folder):
    (folder / "bad.npy").write_bytes((folder / "x.npy").read_bytes()[:900])


def pickled(folder):
    np.save(folder / "bad.npy", np.array([{"a": 1}, {}]), allow_pickle=True)


def text(name, content):
    def write(folder):
        (folder / name).write_text(content)

    return write


def archive(folder):
    np.savez(folder / "bad.npz", image=np.eye(3), text=np.eye(3))


def short(folder):
    np.save(folder / "bad.npy", np.ones((149, 3)))


def narrow(folder):
    np.save(folder / "bad.npy", np.ones((150, 3)))


def both(folder):
    text("a.csv", "a,1,2\nb,3,4\n")(folder)
    text("b.csv", "c,1,2\nd,3,4\n")(folder)


def nothing(folder):
    del folder


BAD = [
    ("nan", nan_file, ["overlap", "x.npy", "bad.npy"], r"bad\.npy: needed finite numbers, got nan in row 7, column 1"),
    ("inf", infinite, ["overlap", "x.npy", "bad.npy"], r"bad\.npy: needed finite numbers, got inf in row 4, column 2"),
    ("unequal lengths", short, ["audit", "x.npy", "bad.npy"], "x.npy, bad.npy: needed as many rows in both, got 150 and 149"),
    ("wrong dimensions", narrow, ["audit", "x.npy", "y.npy", "--mapped", "bad.npy"], "mapped: needed .* 150x1280, got 150x3"),
    ("three dimensions", lambda f: np.save(f / "bad.npy", np.ones((2, 2, 2))), ["overlap", "bad.npy", "x.npy"], "two dimensions"),
    ("n <= k", nothing, ["overlap", "x.npy", "y.npy", "-k", "150"], "needed more than 150 items for k=150, got 150 items"),
    ("n <= k in a fold", nothing, ["audit", "x.npy", "y.npy", "-k", "30"], "k: needed 1 to 29"),
    ("no common ids", both, ["overlap", "a.csv", "b.csv", "-k", "1"], "a.csv, b.csv: needed ids in common, got none"),
    ("duplicate ids", text("a.csv", "a,1,2\na,3,4\n"), ["overlap", "a.csv", "x.npy"], "needed unique ids, got 'a' in rows 0 and 1"),
    ("unknown key", archive, ["overlap", "bad.npz:picture", "x.npy"], "got 'picture'. It has image, text"),
    ("truncated", truncated, ["overlap", "bad.npy", "x.npy"], "damaged or truncated"),
    ("empty csv", text("bad.csv", ""), ["overlap", "bad.csv", "x.npy"], "bad.csv: needed vectors, got an empty file"),
    ("text", text("bad.csv", "1,2\n3,dog\n"), ["overlap", "bad.csv", "x.npy"], "got 'dog' in line 2, column 2"),
    ("pickled", pickled, ["overlap", "bad.npy", "x.npy"], "pickled objects, which can run code and are refused"),
    ("missing", nothing, ["overlap", "gone.npy", "x.npy"], "gone.npy: needed a file, found none"),
    ("folder", nothing, ["audit", ".", "x.npy"], "needed a file, got a folder"),
    ("folder of other things", lambda f: (f / "sub").mkdir(), ["overlap", "sub", "x.npy"], "needed a folder of .npy, .parquet, .safetensors"),
    ("parts of two widths", nothing, ["overlap", ".", "x.npy"], "needed parts of one width, got"),
    ("stream of another length", lambda f: np.save(f / "short.npy", np.ones((7, 3))), ["overlap", "x.npy", "short.npy", "--memory", "1GB"], "short.npy: needed .* items, as x.npy has, got 7"),
    ("stream of text", text("a.csv", "a,1,2\nb,3,4\n"), ["overlap", "x.npy", "a.csv", "--memory", "1GB"], "needed .npy, .parquet, .safetensors to be read in blocks"),
    ("stream cut short", truncated, ["overlap", "bad.npy", "x.npy", "--memory", "1GB"], "bad.npy: needed .* bytes for"),
    ("stream of pickles", pickled, ["overlap", "bad.npy", "x.npy", "--memory", "1GB"], "pickled objects, which can run code and are refused|two dimensions"),
    ("stream with nan", nan_file, ["overlap", "bad.npy", "x.npy", "--memory", "1GB"], "bad.npy: needed finite numbers, got nan in row"),
    ("amount of memory", nothing, ["overlap", "x.npy", "y.npy", "--memory", "much"], "memory: needed an amount such as 1GB"),
    ("too little memory", nothing, ["overlap", "x.npy", "y.npy", "--memory", "1MB"], "memory: needed .* MB more"),
    ("sample of all and more", nothing, ["overlap", "x.npy", "y.npy", "--sample", "100000"], "sample: needed 2 to"),
    ("sample and precision", nothing, ["overlap", "x.npy", "y.npy", "--sample", "5", "--precision", "0.1"], "sample, precision: needed one of the two"),
    ("precision", nothing, ["overlap", "x.npy", "y.npy", "--precision", "7"], "precision: needed a half width between 0 and 1, got 7"),
    ("method", nothing, ["overlap", "x.npy", "y.npy", "--approximate", "lsh"], "approximate: needed hnsw, ivf, pynndescent, got 'lsh'"),
    ("approximate with self", nothing, ["overlap", "x.npy", "y.npy", "--approximate", "hnsw", "--include-self"], "approximate: needed none of"),
    ("approximate sample", nothing, ["overlap", "x.npy", "y.npy", "--approximate", "hnsw", "--sample", "0"], "sample: needed 2 to"),
    ("memory beyond all", nothing, ["overlap", "x.npy", "y.npy", "--memory", "1" + "0" * 400 + "TB"], "memory: needed an amount"),
    ("hubs of a sample", nothing, ["overlap", "x.npy", "y.npy", "--hubs", "--sample", "50"], "hubs: needed the lists of all items"),
    ("unknown set", nothing, ["audit", "emojy"], "got 'emojy'. Did you mean 'emoji'?"),
    ("unknown set of several", nothing, ["overlap", "emojy", "x.npy"], "got 'emojy'. Did you mean 'emoji'?"),
    ("unknown side", nothing, ["overlap", "emoji:z", "x.npy"], "needed emoji:x or emoji:y, got 'emoji:z'"),
    ("loss", nothing, ["audit", "emoji", "--mapping", "ridge", "--loss", "hinge"], "loss: needed one of cosine, max-margin, mse"),
    ("one file", nothing, ["audit", "x.npy"], "needed two files, x and y, got only x.npy"),
    ("metric", nothing, ["overlap", "emoji", "--metric", "manhattan"], "metric: needed cosine or euclidean or csls, got 'manhattan'"),
    ("k", nothing, ["overlap", "emoji", "-k", "ten"], "k: needed whole numbers as in 5,10,30, got 'ten'"),
    ("mapping", nothing, ["audit", "emoji", "--mapping", "magic"], "mapping: needed one of lin, nn, ridge"),
    ("seeds", nothing, ["audit", "emoji", "--seeds", "0"], "seeds: needed at least 1 repetition, got 0"),
    ("seed", nothing, ["audit", "emoji", "--seed", "-1"], "seed: needed a whole number from 0"),
    ("seed of overlap", nothing, ["overlap", "emoji", "--seed", "-1"], "seed: needed a whole number from 0"),
    ("report on input", nothing, ["audit", "x.npy", "y.npy", "--report", "x.npy"], "report: needed a file ending in .html, got 'x.npy'"),
    ("report on a pipe", lambda f: os.mkfifo(f / "pipe.html"), ["audit", "x.npy", "y.npy", "--report", "pipe.html"], "report: needed a regular file"),
    ("label column", text("a.csv", "id,label,p\na,1,2\nb,0,4\n"), ["overlap", "a.csv", "x.npy"], "got 'label' in column 2"),
    ("row numbers", text("a.csv", "0,1.5\n1,2.5\n2,0.5\n"), ["overlap", "a.csv", "x.npy"], "whether the first column is ids"),
    ("report", nothing, ["audit", "emoji", "--report", "no/where.html"], "report: needed a folder that can be written to"),
]  # fmt: skip


@pytest.mark.parametrize(("prepare", "arguments", "match"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_one_line_and_exit_code_two(files, prepare, arguments, match):
    prepare(files)
    before = sorted(files.iterdir())
    done = run(*arguments, cwd=files)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.search(match, done.stderr), done.stderr
    assert done.stderr.startswith("isthmus: ")
    assert done.stderr.count("\n") == 1
    assert re.search(r"\. [A-Z`].*[.?]$", done.stderr.strip()), "the next step is missing"
    assert sorted(files.iterdir()) == before


def test_a_zero_row_and_a_constant_column_are_measured(files):
    x = np.load(files / "x.npy")
    x[3] = 0
    x[:, 5] = 1.5
    x[3, 5] = 0
    np.save(files / "x.npy", x)
    found = records("audit", "x.npy", "y.npy", "--mapping", "ridge,lin", cwd=files)
    assert all(np.isfinite(r["bridge_index"]) for r in found)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a process on Windows")
def test_ctrl_c_stops_in_one_line_and_leaves_nothing(tmp_path):
    running = subprocess.Popen(
        [sys.executable, "-m", "isthmus", "audit", "--report", "out.html"], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    first = running.stderr.readline()  # the first line of progress: work has begun
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert "part 1 of 5" in first
    assert (running.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "isthmus: stopped"
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_usage_errors_leave_with_two():
    assert run("audit", "--nonsense").returncode == 2
    assert run("nonsense").returncode == 2


def test_import_is_light_and_help_is_quick():
    heavy = "jax sklearn scipy.stats altair polars"
    code = f"import isthmus, sys; sys.exit(' '.join(m for m in {heavy.split()} if m in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code = f"import sys, isthmus.cli; sys.exit(' '.join(m for m in {[*heavy.split(), 'numpy']} if m in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Commands" in run("--help").stdout
    assert run("--version").stdout == f"isthmus {isthmus.__version__}\n"


def test_overlap_of_files_in_blocks_on_a_sample_and_whole(files):
    whole = json.loads(run("overlap", "x.npy", "y.npy", "--json", cwd=files).stdout)
    in_blocks = json.loads(run("overlap", "x.npy", "y.npy", "--memory", "1GB", "--json", cwd=files).stdout)
    assert in_blocks[0]["mnno"] == whole[0]["mnno"]
    arguments = ["x.npy", "y.npy", "--sample", "60", "-k", "5,10", "--metric", "cosine,euclidean", "--json"]
    sampled = json.loads(run("overlap", *arguments, cwd=files).stdout)
    assert json.loads(run("overlap", *arguments, "--memory", "1GB", cwd=files).stdout) == sampled
    assert [(record["sample"], record["k"]) for record in sampled] == [(60, 5), (60, 10)] * 2
    assert sampled[0]["ci_population"] == "all items of the set, of which some were drawn"
    everything = json.loads(run("overlap", "x.npy", "x.npy", "--precision", "1e-310", "--json", cwd=files).stdout)
    assert everything[0]["sample"] == everything[0]["n"]
    table = run("overlap", "x.npy", "y.npy", "--precision", "0.2", cwd=files).stdout
    assert "sampled" in table
    assert "interval about all items of the set" in " ".join(table.split())


def test_folders_of_parts_are_sets(files):
    for name in ("x", "y"):
        (files / name).mkdir()
        for number, part in enumerate(np.array_split(np.load(files / f"{name}.npy"), 11)):
            np.save(files / name / f"{number}.npy", part)
    parts = json.loads(run("overlap", "x", "y", "--json", cwd=files).stdout)
    assert parts[0]["mnno"] == json.loads(run("overlap", "x.npy", "y.npy", "--json", cwd=files).stdout)[0]["mnno"]


def test_streamed_files_with_ids_in_another_order_are_refused(files):
    x = np.load(files / "x.npy")
    ids = [f"i{i}" for i in range(len(x))]
    pl.DataFrame({"id": ids, "v": x}).write_parquet(files / "a.parquet")
    pl.DataFrame({"id": [*ids[1:], ids[0]], "v": x}).write_parquet(files / "b.parquet")
    done = run("overlap", "a.parquet", "b.parquet", "--memory", "1GB", cwd=files)
    assert done.returncode == 2
    assert "b.parquet: needed the ids of a.parquet in the same order, got 'i1' for 'i0' in row 0" in done.stderr


def test_hubs_stand_beside_the_overlap(files):
    record = json.loads(run("overlap", "x.npy", "y.npy", "--hubs", "--json", cwd=files).stdout)[0]
    found = hubness(search(np.load(files / "x.npy"), 10))
    assert (record["skewness_a"], record["antihubs_a"]) == (found.skewness, found.antihubs)
    assert "antihubs" in run("overlap", "x.npy", "y.npy", "--hubs", cwd=files).stdout


def test_hubs_of_a_set_that_pairs_with_more_or_fewer_items_are_all_shown(tmp_path, rng):
    for name, first, stop in (("a", 0, 120), ("b", 0, 60), ("c", 30, 120)):
        ids = [f"i{row}" for row in range(first, stop)]
        frame = pl.DataFrame({"id": ids} | {f"c{c}": rng.normal(size=len(ids)) for c in range(4)})
        frame.write_csv(tmp_path / f"{name}.csv")
    asked = ("overlap", "a.csv", "b.csv", "c.csv", "--hubs", "-k", "5")
    table = run(*asked, cwd=tmp_path).stdout
    for record in json.loads(run(*asked, "--json", cwd=tmp_path).stdout):
        for space in "ab":
            assert f"{record[f'skewness_{space}']:.2f}" in table[table.index("hubs") :]


def test_approximate_neighbors_have_a_table_of_their_own(files):
    pytest.importorskip("faiss", reason="the extra `ann` is not installed")
    table = run("overlap", "x.npy", "y.npy", "--approximate", "ivf", "--sample", "100", cwd=files).stdout
    assert "approximate neighbors (ivf)" in " ".join(table.split())
    record = json.loads(run("overlap", "x.npy", "y.npy", "--approximate", "ivf", "--json", cwd=files).stdout)[0]
    assert record["mnno_corrected"] == pytest.approx(record["mnno"] - record["bias"])
    assert 0 < record["recall_a"] <= 1
