"""`isthmus measure` as a user meets it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from isthmus.measures import MEASURES, measure


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "isthmus", "measure", *map(str, arguments)],
        capture_output=True, text=True, env=dict(os.environ), check=False, timeout=300,
    )  # fmt: skip


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", x[:, :3] + rng.normal(size=(60, 3)))
    np.save(tmp_path / "wide.npy", rng.normal(size=(60, 80)))
    (tmp_path / "items.tsv").write_text("id\tkind\n" + "".join(f"i{i}\t{i % 3}\n" for i in range(60)))
    return tmp_path


def test_all_measures_as_flat_records_that_name_what_cannot_be(files):
    done = run(
        files / "x.npy",
        files / "wide.npy",
        "--measure",
        "all",
        "-k",
        "5",
        "--permutations",
        9,
        "--half-samples",
        3,
        "--json",
    )
    assert done.returncode == 0, done.stderr
    found = {record["measure"]: record for record in json.loads(done.stdout)}
    assert list(found) == list(MEASURES)
    assert found["cca"]["value"] is None
    assert "59 dimensions of 60 items" in found["cca"]["note"]
    expected = measure(np.load(files / "x.npy"), np.load(files / "wide.npy"), "jaccard", 5, draws=9)
    assert (found["jaccard"]["value"], found["jaccard"]["p_value"]) == (expected.value, expected.p_value)
    assert found["rsa"]["n"] == 60


def test_table_several_k_and_groups(files):
    done = run(
        files / "x.npy", files / "y.npy", "--measure", "mutual-knn,cka", "-k", "3,5", "--groups", f"{files}/items.tsv:kind"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("mutual-knn") == 2
    assert done.stdout.count("cka") == 1  # it knows no k


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--measure", "cosines"], "isthmus: measure: needed one of mutual-knn"),
        (["-k", "60"], "x.npy: needed more than 60 items"),
        (["--measure", "trustworthiness", "-k", "30"], "isthmus: k: needed less than 30"),
        (["--permutations", "-1"], "isthmus: permutations: needed a whole number of 0 or more, got -1"),
        (["--metric", "hamming"], "isthmus: metric: needed cosine or euclidean or csls"),
    ],
)
def test_bad_input_is_one_line(files, more, message):
    done = run(files / "x.npy", files / "y.npy", *more)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1], done.stderr
    assert done.stderr.splitlines()[-1].startswith("isthmus: ")
    assert "Traceback" not in done.stderr
