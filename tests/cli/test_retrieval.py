"""`isthmus retrieval` on real files."""

import json
import subprocess
import sys

import numpy as np
import pytest

import isthmus


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "isthmus", "retrieval", *map(str, arguments)], capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip


@pytest.fixture
def files(tmp_path):
    pairs = isthmus.load("emoji").take(np.arange(0, 1911, 10))
    mapped = isthmus.Ridge().fit(pairs.x, pairs.y).predict(pairs.x)
    np.save(tmp_path / "f.npy", mapped)
    np.savez(tmp_path / "y.npz", vectors=pairs.y, labels=np.array(pairs.labels))
    return tmp_path


def test_pairs_both_ways_and_classes_across(files):
    f, y = files / "f.npy", f"{files / 'y.npz'}:vectors"
    found = json.loads(run(f, y, "-k", 3, "--metric", "cosine,euclidean", "--json").stdout)
    assert [each["measure"] for each in found] == ["map", "mrr", "recall@3", "foscttm"] * 4
    values, labels = np.load(files / "y.npz")["vectors"], np.load(files / "y.npz")["labels"]
    assert found[-1]["value"] == isthmus.retrieval(values, np.load(f), metric="euclidean").foscttm
    assert [found[-1][key] for key in ("queries", "n", "candidates", "relevant")] == [y, 192, 192, "pair"]
    across = json.loads(run(f, y, "--labels", f"{files / 'y.npz'}:labels", "--across", "--json").stdout)
    assert across[0]["value"] == isthmus.retrieval(np.load(f), values, labels).map
    within = json.loads(run(y, "--labels", f"{files / 'y.npz'}:labels", "--include-self", "--json").stdout)
    assert within[0]["value"] == isthmus.retrieval(values, labels=labels, include_self=True).map
    assert within[0]["ci_low"] < within[0]["value"] < within[0]["ci_high"]


def test_a_named_set_has_its_classes():
    done = run("emoji:y")
    assert done.returncode == 0
    assert "0.4238" in done.stdout
    assert "foscttm" not in done.stdout.lower()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["f.npy"], "sets: needed two sets that ask each other, got 1 sets"),
        (["f.npy", "f.npy", "--include-self"], "sets: needed two sets that ask each other, got --include-self"),
        (["emoji:x", "emoji:y", "--across"], "emoji:x, emoji:y: needed the same width"),
        (["f.npy", "--labels", "y.npz:nothing"], "needed a column or key of the file"),
        (["f.npy", "f.npy", "-k", "1,1000"], "k: needed at most 192, the candidates of a query, got 1000"),
        (["f.npy", "f.npy", "--metric", "dot"], "metric: needed cosine or euclidean"),
    ],
)
def test_what_cannot_be_asked_is_one_line(files, arguments, message):
    done = run(*(files / each if each[:2] in ("f.", "y.") else each for each in arguments))
    assert done.returncode == 2
    assert done.stderr.startswith("isthmus: ")
    assert message in done.stderr.splitlines()[-1]


def test_labels_by_row_are_said_where_one_side_has_ids(files):
    labels = np.load(files / "y.npz")["labels"]
    (files / "l.tsv").write_text("id\tkind\n" + "".join(f"i{row}\t{each}\n" for row, each in enumerate(labels)))
    done = run(files / "f.npy", "--labels", f"{files / 'l.tsv'}:kind", "--json")
    assert done.returncode == 0
    assert "labels taken row by row: the data has no ids to join by" in done.stderr


def test_only_the_items_that_a_column_marks(files, rng):
    values, labels = np.load(files / "y.npz")["vectors"], np.load(files / "y.npz")["labels"]
    marks = rng.choice(["train", "test", "none"], len(labels))
    values[marks == "none"] = np.nan
    np.savez(files / "z.npz", vectors=values, ids=np.arange(len(labels)))
    np.savez(files / "w.npz", vectors=values[:, ::-1])
    lines = [f"{row}\t{mark}\t{kind}\n" for row, (mark, kind) in enumerate(zip(marks, labels, strict=True))]
    rng.shuffle(lines)
    (files / "items.tsv").write_text("id\tpart\tkind\n" + "".join(lines))
    np.savez(files / "marks.npz", part=marks, kind=labels)
    for asked in ("test", "train,test"):
        rows = np.isin(marks, asked.split(","))
        expected = isthmus.retrieval(values[rows], labels=labels[rows])
        for name, table in (("z", "items.tsv"), ("w", "marks.npz")):
            what = (
                f"{files}/{name}.npz:vectors",
                "--labels",
                f"{files}/{table}:kind",
                "--only",
                f"{files}/{table}:part={asked}",
            )
            found = json.loads(run(*what, "--json").stdout)
            assert (found[0]["n"], round(found[0]["value"] - expected.map, 9)) == (rows.sum(), 0)
    pairs = json.loads(run(files / "w.npz", files / "w.npz", "--only", f"{files}/marks.npz:part=test", "--json").stdout)
    assert (pairs[0]["n"], pairs[0]["value"]) == ((marks == "test").sum(), 1)
    for only, message in (
        ("part", "only: needed a column and its values"),
        (f"{files}/marks.npz:part=x", "It has none, test, train"),
    ):
        done = run(files / "w.npz", "--only", only, "--labels", f"{files}/marks.npz:kind")
        assert (done.returncode, message in done.stderr) == (2, True)
