"""Small things that a user stumbles over: names in errors, typing errors, encodings, passes of progress, split and labels of runs."""

import os
import subprocess
import sys

import numpy as np
import pytest

import isthmus
from in_process import invoke
from isthmus._errors import DataError, NeighborError
from isthmus.cli import _output
from isthmus.experiments import audit, open_results, read_spec, run
from isthmus.pairs import Pairs, read


def isthmus_run(*arguments, **more):
    command = [sys.executable, "-m", "isthmus", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=os.environ | more)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("x", "y"):
        np.save(f"{name}.npy", rng.normal(size=(60, 4)))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audti"], "No such command 'audti'. Did you mean 'audit'? See `isthmus --help`."),
        (["help", "audti"], "No such command 'audti'. Did you mean 'audit'? See `isthmus --help`."),
        (["help", "data", "lst"], "No such command 'lst'. Did you mean 'list'? See `isthmus data --help`."),
        (
            ["audit", "--maping", "nn"],
            "No such option: --maping (Possible options: --images, --mapped, --mapping). See `isthmus audit --help`.",
        ),
    ],
)
def test_typing_errors_are_one_line_with_what_was_meant(arguments, message):
    done = isthmus_run(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"isthmus: {message}\n")


def test_help_is_a_verb_too_and_nothing_is_help():
    assert invoke("help") == invoke("--help")
    assert invoke("help", "audit") == invoke("audit", "--help")
    assert invoke("help", "data", "fetch") == invoke("data", "fetch", "--help")
    assert "..." not in invoke("help")[0].split("Commands:")[1].replace("RSA, ...", "")
    done = isthmus_run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: isthmus ")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("verb", "message"),
    [
        ("measure x.npy y.npy -k 60", r"k, x\.npy: needed more than 60 items"),
        ("check x.npy y.npy --min-overlap 0 -k 60", r"k, x\.npy: needed more than 60 items"),
        (
            "audit x.npy y.npy --select bridge",
            "select: needed one of target-overlap, bridge-rate, index, loss, got 'bridge'",
        ),
    ],
)
def test_errors_use_the_names_that_were_given(verb, message):
    with pytest.raises(isthmus._errors.IsthmusError, match=message):
        invoke(*verb.split())


@pytest.mark.usefixtures("folder")
def test_an_unknown_instruction_set_is_refused():
    done = isthmus_run("overlap", "x.npy", "y.npy", "-k", "3", ISTHMUS_KERNEL="sse")
    if "needed a kernel" in done.stderr or "without its compiled" in done.stderr:
        pytest.skip("no compiled engine")
    assert done.returncode == 2
    assert done.stderr == "isthmus: ISTHMUS_KERNEL: needed one of baseline, avx2, avx512, avx512vnni, got 'sse'. Unset it.\n"
    assert isthmus_run("overlap", "x.npy", "y.npy", "-k", "3", ISTHMUS_KERNEL="baseline").returncode == 0


def test_a_table_in_another_encoding_is_said_to_be_that(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("id,a,b\nowl,1,2\ncafé,1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match="needed text in UTF-8, got the byte 0xe9 in line 3"):
        read(path)


def test_passes_under_one_name_are_numbered():
    seen = []
    counted = _output._counting_passes(lambda what, done, total: seen.append((what, done, total)))
    for done in (0, 5, 9, 0, 4, 9, 2):
        counted("neighbors", done, 9)
    counted("training", 0, 2)
    assert [what for what, _, _ in seen] == ["neighbors"] * 3 + ["neighbors, pass 2"] * 3 + ["neighbors, pass 3", "training"]


SPEC = """
name = "small"
controls = false
[data]
x = "x.csv"
y = "y.csv"
{labels}
[protocol]
directions = ["x->y"]
{split}
[measure]
k = [3]
[[mappings]]
name = "lin"
loss = "max-margin"
recipe = "authors-code"
"""


def test_a_run_joins_labels_by_id_and_tells_of_items_in_no_part(tmp_path):
    rng = np.random.default_rng(0)
    ids = [f"i{row}" for row in range(48)]
    for name in ("x", "y"):
        rows = [f"{each},{','.join(map(str, rng.normal(size=3)))}" for each in ids]
        (tmp_path / f"{name}.csv").write_text("\n".join(["id,a,b,c", *rows]))
    kinds = [f"{each}\t{row % 4}" for row, each in enumerate(ids)]
    (tmp_path / "kinds.tsv").write_text("\n".join(["id\tkind", *kinds]))
    (tmp_path / "shuffled.tsv").write_text("\n".join(["id\tkind", *kinds[::-1]]))
    (tmp_path / "split.tsv").write_text(
        "\n".join(["id\tpart", *(f"{each}\t{'test' if row % 3 else 'train'}" for row, each in enumerate(ids[:40]))])
    )
    spec = tmp_path / "small.toml"
    outcomes = []
    for labels in ("kinds.tsv", "shuffled.tsv"):
        spec.write_text(SPEC.format(labels=f'labels = "{labels}:kind"', split='split = "split.tsv"'))
        with pytest.warns(UserWarning, match="split: 8 of 48 items are in no part"):
            outcomes.append(run(read_spec(spec), tmp_path / labels.removesuffix(".tsv")).records())
    assert outcomes[0] == outcomes[1]
    assert len(open_results(tmp_path / "kinds").records()) == 1


def test_trainings_that_do_not_go_down_steadily_are_on_record():
    x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
    found = audit(Pairs(x, y), ["nn"], k=3, folds=2, learning_rate=0.3)
    assert found.settings["unsteady"]["x->y"] == {"nn": 2}
    calm = audit(Pairs(x, x), ["ridge"], k=3, folds=2)
    assert calm.settings["unsteady"] == {"x->y": {}, "y->x": {}}


def test_k_of_a_measure_keeps_its_python_name():
    with pytest.raises(NeighborError, match="k, X: needed more than"):
        isthmus.measures.measure(np.eye(4), np.eye(4), k=9)
