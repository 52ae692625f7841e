"""`isthmus check` as a pipeline meets it: exit codes 0, 1 and 2."""

import json
import subprocess
import sys

import numpy as np
import pytest

import isthmus


def check(folder, *arguments):
    command = [sys.executable, "-m", "isthmus", "check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place, pairs = tmp_path_factory.mktemp("check"), isthmus.load("imagenet-words")
    for name, values in {"x": pairs.x, "y": pairs.y, "f": isthmus.Ridge().fit(pairs.x, pairs.y).predict(pairs.x)}.items():
        np.save(place / f"{name}.npy", values)
    return place


def test_kept_and_not_kept(folder):
    kept = check(folder, "x.npy", "x.npy", "--min-overlap", 1)
    assert (kept.returncode, "isthmus:" in kept.stderr) == (0, False)
    missed = check(folder, "x.npy", "y.npy", "--min-overlap", 0.9, "--json")
    assert missed.returncode == 1
    (record,) = json.loads(missed.stdout)
    x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
    result = isthmus.overlap(x, y)
    assert record == {
        "quantity": "overlap", "bound": "min", "limit": 0.9, "value": result.mnno, "low": result.interval().low,
        "high": result.interval().high, "kept": False, "sure": False, "n": 989, "k": 10, "metric": "cosine",
        "include_self": False, "sample": None,
    }  # fmt: skip


def test_a_reader_that_has_gone_is_no_limit_that_is_not_kept(folder):
    command = f"{sys.executable} -m isthmus check x.npy x.npy --min-overlap 1 --json | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=folder, check=False, timeout=120)
    assert done.stdout.strip() in ("0", "141")


def test_sets_of_equal_rows_are_told(folder):
    np.save(folder / "one.npy", np.ones((40, 3)))
    done = check(folder, "one.npy", "one.npy", "--min-overlap", 0.8)
    assert "one.npy: 40 of 40 items have 10 nearest neighbors at one and the same distance" in done.stderr
    assert "same distance" not in check(folder, "x.npy", "y.npy", "--min-overlap", 0.01).stderr


def test_a_mapped_set_between_two(folder):
    done = check(folder, "x.npy", "f.npy", "y.npy", "--min-index", -1, "--max-echo", 0, "--json")
    assert done.returncode == 1
    assert [(each["quantity"], each["kept"]) for each in json.loads(done.stdout)] == [("echo_rate", False), ("index", True)]
    table = check(folder, "x.npy", "f.npy", "y.npy", "--min-index", -1, "--max-echo", 0)
    assert "NO" in table.stdout
    assert check(folder, "imagenet-words", "--min-overlap", 0.01, "--sure", "--sample", 200).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["x.npy", "y.npy"],
        ["x.npy", "y.npy", "--min-index", 0],
        ["x.npy", "f.npy", "y.npy", "--min-overlap", 0.5],
        ["x.npy", "f.npy", "y.npy", "x.npy", "--min-index", 0],
        ["x.npy", "y.npy", "--min-overlap", 7],
        ["x.npy", "none.npy", "--min-overlap", 0.5],
        ["x.npy", "y.npy", "--min-overlap", 0.5, "--metric", "dot"],
    ],
)
def test_what_cannot_be_found_out_is_exit_code_2(folder, arguments):
    done = check(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("isthmus: ")
