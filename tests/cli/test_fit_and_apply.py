"""`isthmus fit` and `isthmus apply`: what is saved maps as the mapping in memory does, and bad input costs nothing."""

import json
import subprocess
import sys

import numpy as np
import pytest

import isthmus
from isthmus.pairs import read


def run(folder, *arguments):
    command = [sys.executable, "-m", "isthmus", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=120)


@pytest.fixture
def folder(tmp_path):
    pairs = isthmus.load("imagenet-words")
    np.save(tmp_path / "x.npy", pairs.x)
    np.save(tmp_path / "y.npy", pairs.y)
    np.savez(tmp_path / "new.npz", values=pairs.x[:7], ids=np.array(pairs.ids[:7]))
    part = ["train" if row % 2 else "test" for row in range(len(pairs))]
    (tmp_path / "split.tsv").write_text("\n".join(["index\tpart", *(f"{row}\t{each}" for row, each in enumerate(part))]))
    return tmp_path


def test_fit_on_a_training_part_then_apply(folder):
    done = run(folder, "fit", "x.npy", "y.npy", "--split", "split.tsv", "--out", "f.safetensors", "--json")
    assert done.returncode == 0, done.stderr
    (about,) = json.loads(done.stdout)
    assert about == {"mapping": "ridge", "items": 494, "inputs": 100, "outputs": 1280, "file": "f.safetensors"}
    assert run(folder, "apply", "f.safetensors", "new.npz", "--out", "mapped.npz").returncode == 0
    x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
    found = read(folder / "mapped.npz")
    assert np.array_equal(found.values, isthmus.Ridge().fit(x[1::2], y[1::2]).predict(x[:7]))
    assert found.ids == isthmus.load("imagenet-words").ids[:7]
    assert run(folder, "apply", "f.safetensors", "x.npy", "--out", "mapped.npy").returncode == 0
    assert np.array_equal(np.load(folder / "mapped.npy")[:7], found.values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "x.npy", "y.npy", "--out", "f.bin"], "out: needed a file ending in .safetensors"),
        (["fit", "x.npy", "y.npy", "--mapping", "magic", "--out", "f.safetensors"], "mapping: needed one of"),
        (["fit", "x.npy", "y.npy", "--mapping", "nn", "--loss", "max-margin", "--out", "f.safetensors"], "labels: needed"),
        (
            ["fit", "x.npy", "y.npy", "--learning-rate", "0.1", "--mapping", "ridge", "--out", "f.safetensors"],
            "learning_rate: ",
        ),
        (["apply", "none.safetensors", "x.npy", "--out", "a.npy"], "none.safetensors: needed a saved mapping"),
        (["apply", "x.npy", "x.npy", "--out", "a.npy"], "x.npy: needed a mapping saved by isthmus"),
    ],
)
def test_what_is_refused(folder, arguments, message):
    before = set(folder.iterdir())
    done = run(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(f"isthmus: {message}")
    assert set(folder.iterdir()) == before


def test_vectors_of_another_width(folder):
    assert run(folder, "fit", "x.npy", "y.npy", "--out", "f.safetensors").returncode == 0
    done = run(folder, "apply", "f.safetensors", "y.npy", "--out", "a.npy")
    assert done.returncode == 2
    assert "needed 100 numbers a row" in done.stderr
    assert not (folder / "a.npy").exists()
