"""Experiments: what a spec refuses, and that no accident changes a byte of the results."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

import isthmus
from isthmus import IsthmusError
from isthmus._errors import DataError
from isthmus.experiments import READY, _cell, _store, audit, open_results, plan, read_spec, run
from isthmus.experiments._spec import Entry
from isthmus.mappings import FAMILY
from isthmus.pairs import Pairs

EXPORTS = ("results.json", "results.parquet", "cells.json", "cells.parquet", "plan.json")
TINY = """
name = "tiny"
controls = {controls}
[data]
x = "x.npy"
y = "y.npy"
[protocol]
{protocol}
[measure]
k = [3]
include_self = [false, true]
{measure}
[[mappings]]
name = "ridge"
{more}
"""
LIN = '[[mappings]]\nname = "lin"\nepochs = 5\npatience = 0\n'


@pytest.fixture
def spec_file(tmp_path):
    """Writes a spec over a few real items, and gives its path."""
    pairs = isthmus.load("imagenet-words").take(np.arange(90))
    np.save(tmp_path / "x.npy", pairs.x)
    np.save(tmp_path / "y.npy", pairs.y[:, :40])
    (tmp_path / "labels.tsv").write_text("\n".join(["kind", *pairs.labels]))

    def write(more=LIN, protocol="folds = 3", controls="false", measure="", data=""):
        text = TINY.format(more=more, protocol=protocol, controls=controls, measure=measure)
        path = tmp_path / "tiny.toml"
        path.write_text(text.replace('y = "y.npy"', f'y = "y.npy"\n{data}'))
        return path

    return write


def contents(folder):
    """All files of a folder of results, with their bytes; nothing else may be left there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def started(*arguments, cwd):
    return subprocess.Popen(
        [sys.executable, "-m", "isthmus", "run", *map(str, arguments)], cwd=cwd, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def finished(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_a_summary_shows_what_an_audit_shows(spec_file, tmp_path):
    results = run(read_spec(spec_file(protocol="folds = 3\nseeds = 2", controls="true")), tmp_path / "out")
    pairs = Pairs(np.load(tmp_path / "x.npy"), np.load(tmp_path / "y.npy"), name="tiny")
    recipe = isthmus.training.RECIPES["paper"]
    short = type(recipe)(**{name: getattr(recipe, name) for name in recipe.__slots__} | {"epochs": 5, "patience": 0})
    original, isthmus.training.RECIPES["paper"] = recipe, short
    try:
        rows = [
            row for each in (False, True)
            for row in audit(pairs, ["ridge", "lin"], k=3, include_self=each, folds=3, seeds=2).records()
        ]  # fmt: skip
    finally:
        isthmus.training.RECIPES["paper"] = original
    expected = {(r["direction"], r["mapping"], r["k"], r["include_self"]): r for r in rows}
    found = results.records()
    assert len(found) == len(rows) == 2 * 5 * 2
    for record in found:
        wanted = expected[record["direction"], record["mapping"], record["k"], record["include_self"]]
        del wanted["p_against_lin"], wanted["p_against_nn"]  # tests of an audit only
        for name in ("mse", "r2"):  # an audit adds ridge's errors once a seed, which rounds another way
            assert record[name] == (wanted[name] if wanted[name] is None else pytest.approx(wanted.pop(name), rel=1e-12))
        assert {name: record[name] for name in wanted} == {
            n: None if isinstance(v, float) and np.isnan(v) else v for n, v in wanted.items()
        }


def test_snap_chooses_by_what_is_reported_first_as_in_an_audit(spec_file, tmp_path):
    measure, snap = 'metric = ["euclidean", "cosine"]', '[[mappings]]\nname = "snap"\n'
    found = run(read_spec(spec_file(snap, "folds = 2\nseed = 3", measure=measure)), tmp_path / "out").records()
    pairs = Pairs(np.load(tmp_path / "x.npy"), np.load(tmp_path / "y.npy"), name="tiny")
    rows = audit(pairs, ["snap"], k=3, metric=["euclidean", "cosine"], folds=2, seed=3).records()
    for row in rows:
        same = {name: row[name] for name in ("direction", "mapping", "metric", "include_self")}
        if row["mapping"] == "snap":
            (record,) = (each for each in found if same.items() <= each.items())
            assert record["target_overlap"] == row["target_overlap"]


def test_cells_parts_and_tests(spec_file, tmp_path):
    results = run(read_spec(spec_file(controls="true")), tmp_path / "out")
    cells = results.records("cells")
    for record in results.records():
        own = [c for c in cells if all(c[n] == record[n] for n in ("direction", "mapping", "k", "include_self"))]
        assert len(own) == record["cells"] == {"identity": 3, "ridge": 3, "lin": 3}.get(record["mapping"], 9)
        assert record["input_sd"] == pytest.approx(np.std([c["input_overlap"] for c in own], ddof=1))
        assert record["input_overlap"] == pytest.approx(np.mean([c["input_overlap"] for c in own]))
        if record["role"] == "mapping":
            assert record["smallest_p"] == 0.1 <= record["rank_sum_p"]
            assert record["rank_sum_p_bonferroni"] == min(1, 4 * record["rank_sum_p"])
            assert record["paired_p"] == record["p_value"] <= record["paired_p_holm"]
        else:
            assert record["rank_sum_p"] is None
    lin = [c for c in cells if c["mapping"] == "lin"]
    assert {(c["part"], c["epochs"], c["steady"], c["diverged"]) for c in lin} == {(p, 5, True, False) for p in range(3)}
    assert json.loads((tmp_path / "out/results.json").read_text()) == results.records()
    assert pl.read_parquet(tmp_path / "out/results.parquet").rows(named=True) == results.records()
    assert pl.read_json(tmp_path / "out/cells.json").height == len(cells)
    assert open_results(tmp_path / "out").records("cells") == cells


def test_one_and_two_processes_and_another_folder_give_the_same_bytes(spec_file, tmp_path):
    spec = read_spec(spec_file(measure="epochs = [1, 4]"))
    run(spec, tmp_path / "one")
    run(spec, tmp_path / "two", processes=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    curves = [path for path in contents(tmp_path / "one") if path.endswith("curves.json")]
    assert len(curves) == 6
    records = json.loads((tmp_path / "one" / curves[0]).read_bytes())
    assert [(r["epoch"], r["include_self"]) for r in records] == [(e, own) for own in (False, True) for e in (1, 4, 5)]
    done = next(each for each in open_results(tmp_path / "one").cells if each.curves)
    cells = [r for r in open_results(tmp_path / "one").records("cells") if r["mapping"] == "lin"][:2]
    for curve, cell in zip(done.curves, cells, strict=True):
        chosen = curve.at(curve.chosen)
        for name in ("input_overlap", "target_overlap", "echo_rate", "bridge_rate", "bridge_index", "mse"):
            assert getattr(chosen, name) == pytest.approx(cell[name])


def test_some_of_the_folds(spec_file, tmp_path):
    cells = run(read_spec(spec_file(protocol="folds = 3\nparts = 2")), tmp_path / "out").cells
    assert {done.cell.part for done in cells} == {0, 1}


def test_what_is_there_is_not_done_again_and_a_change_repeats_what_it_touches(spec_file, tmp_path):
    seen = []
    run(read_spec(spec_file()), tmp_path / "out", progress=lambda *step: seen.append(step))
    assert (seen[0], seen[-1]) == (("12 cells left", 0, 12), ("0 cells left", 12, 12))
    seen.clear()
    run(read_spec(spec_file()), tmp_path / "out", progress=lambda *step: seen.append(step))
    assert {done == total for _, done, total in seen} == {True}
    seen.clear()
    run(read_spec(spec_file(more=LIN.replace("5", "6"))), tmp_path / "out", progress=lambda *step: seen.append(step))
    assert seen[0][0] == "6 cells left"
    x = np.load(tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", x * 1.001)
    seen.clear()
    run(read_spec(spec_file()), tmp_path / "out", progress=lambda *step: seen.append(step))
    assert seen[0][1] == 0


GRID = """[[mappings]]
name = "nn"
grid_folds = 2
[mappings.grid]
learning_rate = [0.01, 0.001]
hidden = [4]
dropout = [0.0]
epochs = 3
"""
TRAINED = {"more": LIN + GRID, "protocol": "folds = 2", "measure": "epochs = [1, 3]"}


@pytest.fixture
def undisturbed(spec_file, tmp_path):
    """A spec whose cells are trained, with a grid and curves; its results; and the names of the cells that JAX does."""
    path = spec_file(**TRAINED)
    results = run(read_spec(path), tmp_path / "whole")
    return path, {done.folder.name for done in results.cells if done.cell.entry.trains}


def at_work(folder, among, process):
    """Cells of these that a run is at, once it is; none if it ends before."""
    while process.poll() is None:
        there = {lock.name[1:-5] for lock in folder.glob("cells/.*.lock")} & among
        if there:
            return there
        time.sleep(0.005)
    return set()


@pytest.mark.skipif(_store.fcntl is None, reason="what a run is at shows in its claims")
@pytest.mark.filterwarnings("ignore::isthmus.training.TrainingWarning")
def test_killed_ten_times_amid_trainings_the_results_are_the_same_bytes(undisturbed, tmp_path):
    path, trained = undisturbed
    draw, met = random.Random(0), []
    folder = tmp_path / "killed"
    while len(met) < 10:
        process = started(path, "--out", folder, "--processes", 1 + len(met) % 2, cwd=tmp_path)
        claimed = at_work(folder, trained, process)
        time.sleep(draw.uniform(0, 1.5))  # a cell of these takes about a second, most of it to compile
        meant = {name for name in claimed if (folder / f"cells/.{name}.lock").exists()}
        os.killpg(process.pid, signal.SIGKILL) if len(met) % 3 else process.kill()
        process.communicate(timeout=60)  # no process of a killed run goes on
        met += [meant] * bool(meant)
        if all((folder / "cells" / name).is_dir() for name in trained):  # all were done in spite of it: begin anew
            assert finished(started(path, "--out", folder, cwd=tmp_path))[0] == 0
            assert contents(folder) == contents(tmp_path / "whole")
            shutil.rmtree(folder)
    assert finished(started(path, "--out", folder, cwd=tmp_path))[0] == 0
    assert contents(folder) == contents(tmp_path / "whole")
    assert {name.rpartition("/")[2] for name in contents(folder)} > {"curves.json", "grid.json", "items.parquet"}


@pytest.mark.skipif(_store.fcntl is None or not shutil.which("ps"), reason="workers are found with ps")
@pytest.mark.filterwarnings("ignore::isthmus.training.TrainingWarning")
def test_a_worker_that_is_killed_is_one_line_and_the_run_goes_on(undisturbed, tmp_path):
    path, trained = undisturbed
    process = started(path, "--out", "hurt", "--processes", 2, cwd=tmp_path)
    assert at_work(tmp_path / "hurt", trained, process)
    shown = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    children = [line.split(None, 2) for line in shown.splitlines() if line.split(None, 2)[1] == str(process.pid)]
    workers = [int(pid) for pid, _, what in children if "Loky" in what]
    assert len(workers) == 2, shown
    os.kill(workers[0], signal.SIGKILL)
    code, out, err = finished(process)
    assert (code, out) == (2, ""), err
    assert "Traceback" not in err
    assert re.search(
        r"\nisthmus: processes: needed 2 that live .* killed, for want of memory perhaps\. Run .* stay\.\n$", err
    ), err
    assert finished(started(path, "--out", "hurt", "--processes", 1, cwd=tmp_path))[0] == 0
    assert contents(tmp_path / "hurt") == contents(tmp_path / "whole")


def test_two_runs_on_one_folder_share_the_work(spec_file, tmp_path):
    path = spec_file()
    both = [started(path, "--out", "shared", "--processes", 1, "--json", cwd=tmp_path) for _ in range(2)]
    ended = [finished(each) for each in both]
    assert [code for code, _, _ in ended] == [0, 0], ended
    assert ended[0][1] == ended[1][1]
    run(read_spec(path), tmp_path / "alone")
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone")


def test_labels_are_part_of_the_key_of_the_cells_that_look_at_them(spec_file, tmp_path):
    (tmp_path / "other.tsv").write_text("\n".join(["kind", *(str(row % 4) for row in range(90))]))
    entry = (
        '[[mappings]]\nname = "lin"\ntitle = "{0}"\nloss = "max-margin"\nepochs = 3\npatience = 0\nlabels = "{1}.tsv:kind"\n'
    )

    def keys(more):
        run(read_spec(spec_file(more=more)), tmp_path / "out")
        return {(each["cell"]["entry"].get("title"), each["cell"]["direction"], each["cell"]["part"]): each["key"]
                for each in json.loads((tmp_path / "out/plan.json").read_text())}  # fmt: skip

    first = keys(entry.format("one", "labels") + entry.format("two", "other"))
    second = keys(entry.format("one", "other") + entry.format("two", "labels"))
    assert {name for name in first if first[name] == second[name]} == {name for name in first if name[0] is None}
    alone = keys(entry.format("one", "other"))
    assert alone.items() <= second.items()


def test_files_of_the_user_in_the_folder_of_results_stay(spec_file, tmp_path):
    folder = tmp_path / "out"
    (folder / ".movie.part1.part").mkdir(parents=True)
    for name in (".mine.lock", ".film.mkv.part", ".movie.part1.part/data"):
        (folder / name).write_text("mine")
    run(read_spec(spec_file(more="")), folder)
    assert (folder / ".movie.part1.part/data").read_text() == (folder / ".mine.lock").read_text() == "mine"
    assert (folder / ".film.mkv.part").exists()


@pytest.mark.skipif(_store.fcntl is None, reason="claims need flock")
def test_a_run_that_starts_leaves_files_alone_that_another_is_writing(tmp_path, monkeypatch):
    write = _store._write

    def meanwhile(path, content):
        write(path, content)
        code = "import sys; from pathlib import Path; from isthmus.experiments._store import prepare; prepare(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, tmp_path], check=True, timeout=60)

    _store.prepare(tmp_path)
    monkeypatch.setattr(_store, "_write", meanwhile)
    _store.write_file(tmp_path, "cells.json", b"whole")
    assert (tmp_path / "cells.json").read_bytes() == b"whole"


@pytest.mark.parametrize("file", ["items.parquet", "cell.json"])
def test_a_damaged_cell_is_named(spec_file, tmp_path, file):
    run(read_spec(spec_file(more="")), tmp_path / "out")
    [broken, *_] = sorted((tmp_path / "out/cells").iterdir())
    (broken / file).write_bytes((broken / file).read_bytes()[:60])
    with pytest.raises(DataError, match=f"{broken.name}: needed a whole cell"):
        open_results(tmp_path / "out")


@pytest.mark.skipif(_store.fcntl is None, reason="claims need flock")
def test_a_claim_is_one_process_s_and_dies_with_it(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from isthmus.experiments._store import claim\n"
        "with claim(Path(sys.argv[1]), 'a', wait=False) as mine:\n    print(mine, flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "True\n"
    (tmp_path / ".a.123.part").mkdir()
    with _store.claim(tmp_path, "a", wait=False) as mine:
        assert not mine
    assert (tmp_path / ".a.123.part").exists()
    holder.kill()
    holder.communicate(timeout=60)
    with _store.claim(tmp_path, "a", wait=False) as mine:
        assert mine
        assert not (tmp_path / ".a.123.part").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_the_run_goes_on_when_there_is_room(spec_file, tmp_path):
    path = spec_file(more="", controls="true")
    (tmp_path / "small").mkdir()
    mount = "mount -t tmpfs -o size=60k none small"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], cwd=tmp_path, capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here")
    script = f"""
{mount} || exit 77
'{sys.executable}' -m isthmus run '{path}' --out small --processes 2 --json > first.out 2> first.err; echo $? > first.code
ls -A small/cells | grep -c '^\\.' > left
ls small/cells | wc -l > done
mount -o remount,size=20m small
'{sys.executable}' -m isthmus run '{path}' --out small --processes 2 --json > second.out 2> second.err; echo $? > second.code
cp -r small saved
"""
    subprocess.run(["unshare", "-rm", "sh", "-c", script], cwd=tmp_path, check=True, timeout=120)
    text = {
        name: (tmp_path / name).read_text()
        for name in ("first.code", "first.out", "first.err", "done", "left", "second.code")
    }
    assert (text["first.code"], text["first.out"]) == ("2\n", "")
    last = text["first.err"].splitlines()[-1]
    assert re.fullmatch(r"isthmus: small: needed room to write results, got a full disk .*Free some.*stay\.", last), text
    assert 0 < int(text["done"]) < 30
    assert text["second.code"] == "0\n", (tmp_path / "second.err").read_text()
    run(read_spec(path), tmp_path / "roomy")
    assert contents(tmp_path / "saved") == contents(tmp_path / "roomy")


def test_a_cell_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    _store.prepare(tmp_path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_store.os, "fsync", full)
    for act in (lambda: _store.write_cell(tmp_path, "key", {"a": b"1"}), lambda: _store.write_file(tmp_path, "a", b"1")):
        with pytest.raises(DataError, match=r"needed room to write results, got a full disk"):
            act()
    assert contents(tmp_path) == {}


def test_a_training_that_diverges_is_recorded_and_the_rest_goes_on(spec_file, tmp_path):
    wild = '[[mappings]]\nname = "nn-3"\ntitle = "wild"\nlearning_rate = 1e6\nhidden = 8\nepochs = 3\npatience = 0\n'
    with pytest.warns(isthmus.training.TrainingWarning, match=r"6 of 12 trainings that diverged"):
        results = run(read_spec(spec_file(more=LIN + wild + 'activation = "relu"\n')), tmp_path / "out")
    for record in results.records():
        if record["mapping"] == "wild":
            assert (record["diverged"], record["input_overlap"], record["verdict"]) == (3, None, None)
        else:
            assert record["diverged"] == 0
            assert record["input_overlap"] is not None
    assert pl.read_parquet(tmp_path / "out/results.parquet").height == len(results.records())


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_an_epoch_whose_image_overflows_is_left_out_of_the_curve(spec_file, tmp_path, monkeypatch):
    mapped = _cell._mapped

    def broken(learned, *rest):
        f = mapped(learned, *rest)
        if isinstance(learned, isthmus.mappings.MLP):
            [layer] = learned.checkpoints_[1]
            learned.checkpoints_[1] = (layer._replace(weight=np.full_like(layer.weight, 3e38)),)  # finite, but no sum of it
        return f

    monkeypatch.setattr(_cell, "_mapped", broken)
    spec = read_spec(spec_file(measure="epochs = [0, 1, 2]", protocol="folds = 2"))
    results = run(spec, tmp_path / "out")
    curves = [curve for done in results.cells for curve in done.curves]
    assert {tuple(point.epoch for point in curve.points) for curve in curves} == {(0, 2, 5)}
    assert all(record["input_overlap"] is not None for record in results.records())


@pytest.mark.filterwarnings("ignore::isthmus.training.TrainingWarning")
def test_max_margin_takes_labels_of_a_file_or_ids(spec_file, tmp_path):
    margin = LIN + 'loss = "max-margin"\n'
    with pytest.raises(IsthmusError, match=r"spec.mappings\[1\].labels: needed classes for the max-margin loss, got none"):
        run(read_spec(spec_file(more=margin)), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    one = run(read_spec(spec_file(more=margin, data='labels = "labels.tsv:kind"', controls="false")), tmp_path / "a")
    two = run(read_spec(spec_file(more=margin + 'labels = "ids"\n', controls="false")), tmp_path / "b")
    values = [[r["input_overlap"] for r in each.records() if r["loss"] == "max-margin"] for each in (one, two)]
    assert values[0] != values[1]


@pytest.mark.filterwarnings("ignore::isthmus.training.TrainingWarning")
def test_a_grid_is_searched_within_the_training_part(spec_file, tmp_path):
    grid = '[[mappings]]\nname = "nn"\ngrid_folds = 2\n[mappings.grid]\nlearning_rate = [0.01, 0.001]\nhidden = [4]\n'
    grid += "dropout = [0.0]\nepochs = 3\n"
    spec = read_spec(spec_file(more=grid, controls="false", protocol='folds = 2\ndirections = ["x->y"]'))
    run(spec, tmp_path / "out")
    found = next((tmp_path / "out").rglob("grid.json"))
    assert len(json.loads(found.read_bytes())) == 4
    about = json.loads((found.parent / "cell.json").read_bytes())
    assert about["hidden"] == [4]
    assert about["learning_rate"] in (0.01, 0.001)


def test_a_set_with_a_test_part_of_its_own_takes_five_seeds(spec_file, tmp_path):
    for name in ("x", "y"):
        whole = np.load(tmp_path / f"{name}.npy")
        np.save(tmp_path / f"{name}.npy", whole[:60])
        np.save(tmp_path / f"{name}_test.npy", whole[60:])
    path = spec_file(data='x_test = "x_test.npy"\ny_test = "y_test.npy"', protocol='directions = ["x->y"]')
    records = run(read_spec(path), tmp_path / "out").records()
    assert {(r["mapping"], r["cells"], r["n_test"]) for r in records if r["role"] == "mapping"} == {
        ("ridge", 1, 30),
        ("lin", 5, 30),
    }
    (tmp_path / "split.tsv").write_text(
        "index\tpart\n" + "\n".join(f"{i}\t{'train' if i < 60 else 'test'}" for i in range(90))
    )
    for name in ("x", "y"):
        np.save(tmp_path / f"{name}.npy", np.concatenate([np.load(tmp_path / f"{n}.npy") for n in (name, f"{name}_test")]))
    path = spec_file(protocol='split = "split.tsv"\ndirections = ["x->y"]')
    assert run(read_spec(path), tmp_path / "other").records() == records


BAD = [
    ("unknown key", 'k = [5]\nkk = 3', "spec.measure.kk: needed one of k, metric, include_self, epochs, got an unknown key. Did you mean 'k'"),
    ("type", 'k = ["a"]', r"spec.measure.k\[0\]: needed int, got str"),
    ("metric", 'metric = ["manhattan"]', r"spec.measure.metric\[0\]: .*manhattan"),
    ("none", "k = []", "spec.measure.k: needed a list of length >= 1"),
    ("twice", "k = [5, 5]", "spec.measure.k: needed each value once"),
    ("mapping", '[[mappings]]\nname = "magic"', r"spec.mappings\[1\].name: needed one of lin, nn, ridge"),
    ("key of a mapping", '[[mappings]]\nname = "nn"\nepochz = 3', r"spec.mappings\[1\].epochz: .*Did you mean 'epochs'"),
    ("loss", '[[mappings]]\nname = "nn"\nloss = "hinge"', r"spec.mappings\[1\].loss: needed one of cosine, max-margin, mse"),
    ("recipe", '[[mappings]]\nname = "nn"\nrecipe = "cake"', r"spec.mappings\[1\].recipe: needed one of"),
    ("rate", '[[mappings]]\nname = "nn"\nlearning_rate = -1.0', r"spec.mappings\[1\].learning_rate: needed a positive number"),
    ("empty grid", '[[mappings]]\nname = "nn"\n[mappings.grid]\nhidden = []', r"spec.mappings\[1\].grid.hidden: needed one value"),
    ("key of a grid", '[[mappings]]\nname = "nn"\n[mappings.grid]\nhiden = [3]', r"spec.mappings\[1\].grid.hiden: .*'hidden'"),
    ("folds of no grid", '[[mappings]]\nname = "nn"\ngrid_folds = 3', r"spec.mappings\[1\].grid_folds: needed only with a grid"),
    ("beside a grid", '[[mappings]]\nname = "nn"\ngrid = "paper"\npatience = 3', r"\[1\].patience: needed none beside a grid"),
    ("margin", '[[mappings]]\nname = "nn"\nmargin = 0.3', r"spec.mappings\[1\].margin: needed only for the loss max-margin"),
    ("ridge with epochs", '[[mappings]]\nname = "ridge"\ntitle = "r"\nepochs = 3', r"spec.mappings\[1\].epochs: needed none for ridge"),
    ("same twice", '[[mappings]]\nname = "ridge"', r"spec.mappings\[1\].title: needed another"),
    ("table", "[training]\nepochz = 3", "spec.training: needed one of name, data"),
    ("seed", "[protocol]\nseed = -1", "spec.protocol.seed: needed a whole number from 0"),
    ("folds and split", '[protocol]\nfolds = 3\nsplit = "x.npy"', "spec.protocol: needed folds, or a split"),
    ("direction", '[protocol]\ndirections = ["y->y"]', r"spec.protocol.directions\[0\]"),
    ("no axis", '[[mappings]]\nname = "nn"\n[mappings.grid]', r"spec.mappings\[1\].grid: needed one axis or more"),
    ("activation", '[[mappings]]\nname = "nn"\nactivation = "foo"', r"activation: needed one of relu, tanh, sigmoid, got 'foo'"),
    ("no toml", "[[[", "needed TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "match"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_a_spec_refuses(tmp_path, text, match):
    measure, rest = (text, "") if not text.startswith("[") else ("", text)
    base = f'name = "bad"\n[data]\nname = "emoji"\n[measure]\n{measure}\n[[mappings]]\nname = "ridge"\n{rest}\n'
    (tmp_path / "bad.toml").write_text(base)
    with pytest.raises(IsthmusError, match=match) as caught:
        read_spec(tmp_path / "bad.toml")
    assert re.search(r"\. [A-Z`].*[.?]$", str(caught.value)), "the next step is missing"


SETTINGS = {
    "loss": "cosine", "recipe": "authors-code", "grid": "paper", "activation": "tanh", "optimizer": "adam",
    "learning_rate": 0.5, "batch": 7, "epochs": 5, "patience": 3, "held_out": 0.5, "shuffle": False,
    "initialization": "truncated-normal", "bias": 0.5, "scaling": "standardize", "hidden": 3, "dropout": 0.5,
    "weight_decay": 0.5,
}  # fmt: skip
NEVER_ALONE = {"name", "title", "labels", "grid_folds", "margin"}  # which need a loss or a grid beside them


def entry_spec(tmp_path, name, text=""):
    (tmp_path / "one.toml").write_text(f'name = "one"\n[data]\nname = "emoji"\n[[mappings]]\nname = "{name}"\n{text}\n')
    return read_spec(tmp_path / "one.toml")


@pytest.mark.parametrize("name", [*FAMILY, "nn-3"])
def test_a_mapping_takes_what_changes_it_and_refuses_the_rest(tmp_path, name):
    assert SETTINGS.keys() | NEVER_ALONE == set(Entry.__struct_fields__)
    plain = entry_spec(tmp_path, name).mappings[0]
    taken = set()
    for key, value in SETTINGS.items():
        try:
            [entry] = entry_spec(tmp_path, name, f"{key} = {json.dumps(value)}").mappings
        except IsthmusError as error:
            message = str(error)
        else:
            message = ""
            taken.add(key)
            assert entry.make(0).get_params() != plain.make(0).get_params(), key
        assert key in taken or re.fullmatch(
            rf"spec\.mappings\[0\]\.{key}: needed none for {name}, .* Leave it out\.", message
        )
    untouched = {
        "lin": {"activation", "hidden", "dropout"}, "nn": set(), "nn-3": set(),
        "contrastive": {"loss", "grid"}, "relational": {"loss", "grid"},
        "rcsls": {"loss", "grid", "activation", "hidden", "dropout"},
    }  # fmt: skip
    assert taken == SETTINGS.keys() - untouched.get(name, SETTINGS.keys())


@pytest.mark.parametrize("name", [*FAMILY, "nn-3"])
def test_a_mapping_is_repeated_only_where_its_seed_changes_it(spec_file, tmp_path, name):
    """Five copies of one training would give the rank-sum test its smallest p."""
    (tmp_path / "split.tsv").write_text(
        "index\tpart\n" + "\n".join(f"{i}\t{'train' if i < 60 else 'test'}" for i in range(90))
    )
    more = f'[[mappings]]\nname = "{name}"\ntitle = "one"\n'
    cells = plan(read_spec(spec_file(more=more, protocol='split = "split.tsv"\ndirections = ["x->y"]')))
    made = [repr(cell.entry.make(cell.seed).get_params()) for cell in cells if cell.title == "one"]
    assert len(made) == len(set(made)) == (5 if name in ("lin", "nn", "nn-3", "contrastive", "relational", "rcsls") else 1)


def test_a_mapping_without_a_loss_of_the_spec_has_none_on_record(spec_file, tmp_path):
    more = '[[mappings]]\nname = "rcsls"\nepochs = 2\n[[mappings]]\nname = "procrustes"\n'
    more = more.replace("epochs = 2", "epochs = 2\npatience = 0")
    results = run(read_spec(spec_file(more=more, measure="epochs = [1]", protocol="folds = 2")), tmp_path / "out")
    assert {(r["mapping"], r["loss"], r["recipe"]) for r in results.records()} == {
        ("ridge", None, None), ("procrustes", None, None), ("rcsls", None, "paper"),
    }  # fmt: skip
    assert {(curve.mapping, curve.loss) for done in results.cells for curve in done.curves} == {("rcsls", "rcsls")}


def test_missing_files_are_all_named(tmp_path):
    with pytest.raises(DataError, match=r"needed the folder that holds wiki_rasiwasia/wiki_raw_features.npz, got none"):
        read_spec("wiki")
    with pytest.raises(DataError, match=r"needed openclipart/text_features.npz, .*openclipart/items.tsv in .*, found none"):
        read_spec("openclipart", tmp_path)
    with pytest.raises(DataError, match=r"Did you mean 'iapr'"):
        read_spec("iaprr")
    with pytest.raises(DataError, match=r"found no plan.json"):
        open_results(tmp_path)


def test_specs_in_the_package_fit_their_data(data_folder):
    from isthmus.experiments._items import open_items

    sizes = {"imagenet-words": (989, 5), "emoji": (1911, 5), "iapr": (1962, 5), "wiki": (2866, 1), "openclipart": (3346, 1)}
    assert set(sizes) == set(READY)
    for name, (n, parts) in sizes.items():
        spec = read_spec(name, data_folder)
        items = open_items(spec)
        assert (len(items.pairs), len(items.splits)) == (n, parts)
        assert len(items.labels[None]) == n
        assert len({cell.key(items.digest) for cell in plan(spec)}) == len(plan(spec))
        if parts == 1:
            train, test = {"wiki": (2173, 693), "openclipart": (2678, 668)}[name]
            assert (len(items.splits[0].train), len(items.splits[0].test)) == (train, test)
