"""What the verbs take: two files, columns of one file, word vectors joined by a dictionary; and labels by id."""

import json
import shlex

import numpy as np
import polars as pl
import pytest

import isthmus
from in_process import invoke
from isthmus import Pairs
from isthmus._errors import DataError, IsthmusError, MappingError
from isthmus.cli._sources import labeled
from isthmus.mappings import mapping, save


def records(line):
    out, err = invoke(*shlex.split(line), "--json")
    return json.loads(out), err


@pytest.fixture(scope="module")
def pairs():
    return isthmus.load("imagenet-words").take(np.arange(90))


@pytest.fixture
def folder(pairs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    order = np.random.default_rng(0).permutation(90)
    x, y = pairs.x, pairs.y[:, :20]
    np.save("x.npy", x)
    np.save("y.npy", y)
    columns = {
        "word": [pairs.ids[i] for i in order],
        "kind": [pairs.labels[i] for i in order],
        "text": x[order],
        "image": y[order],
    }
    pl.DataFrame(columns).write_parquet("both.parquet")
    pl.DataFrame(columns).with_columns(third=pl.Series(x[order])).write_parquet("three.parquet")
    pl.DataFrame({name: columns[name] for name in ("word", "text")}).write_parquet("one.parquet")
    np.savez("both.npz", text=x, image=y, ids=np.array(pairs.ids), kind=np.array(pairs.labels))
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_columns_of_one_file_are_two_files():
    expected = records("overlap x.npy y.npy -k 3")[0][0]["mnno"]
    for line in ("both.parquet:text both.parquet:image", "both.parquet", "both.npz", "both.npz:text both.npz:image"):
        (record,), err = records(f"overlap {line} -k 3")
        assert record["mnno"] == expected
        assert ("holds text, image, in this order" in err) == (" " not in line)
    assert len(records("overlap three.parquet -k 3")[0]) == 3
    for verb in (
        "audit both.parquet --mapping ridge -k 3 --folds 2",
        "check both.parquet --min-overlap 0 -k 3",
        "measure both.parquet -k 3",
    ):
        assert records(verb)[0]
    (record,), _ = records("fit both.parquet --out f.safetensors")
    assert (record["inputs"], record["outputs"]) == (100, 20)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "audit three.parquet",
            "needed two sets, got 3 in three.parquet .text, image, third.. Name two: three.parquet:text three.parquet:image",
        ),
        ("audit one.parquet", "needed two files, x and y, got only one.parquet. Add the file of the other space"),
        ("overlap one.parquet", "needed two files, x and y, got only one.parquet"),
        ("audit gone.parquet", "gone.parquet"),
        ("audit emoji --dictionary d.txt", "dictionary: needed two files of word vectors to join, got emoji"),
        ("audit x.npy y.npy --lower-case", "lower_case: needed --dictionary with it"),
        (
            "overlap x.npy y.npy x.npy --dictionary d.txt",
            "needed a dictionary in UTF-8|needed two files of word vectors to join, got 3",
        ),
        ("overlap x.npy y.npy --memory 1GB --dictionary d.txt", "dictionary: needed files that are read whole"),
        ("measure x.npy y.npy -k 3 --groups short.tsv:kind", "groups: needed a label for each of 90 items, got 2"),
    ],
)
def test_what_cannot_be_paired_is_said(folder, line, message):
    (folder / "short.tsv").write_text("kind\na\nb\n")
    with pytest.raises(IsthmusError, match=message):
        invoke(*shlex.split(line))


def test_groups_are_joined_by_id_and_looked_at_before_work(folder, pairs):
    lines = [f"{word}\t{kind}" for word, kind in zip(pairs.ids, pairs.labels, strict=True)]
    (folder / "items.tsv").write_text("\n".join(["id\tkind", *lines]) + "\n")
    (folder / "shuffled.tsv").write_text("\n".join(["id\tkind", *lines[::-1]]) + "\n")
    results = [
        records(f"measure both.npz -k 3 --permutations 19 --groups {each}:kind")[0] for each in ("items.tsv", "shuffled.tsv")
    ]
    assert results[0] == results[1]
    assert records("measure x.npy y.npy -k 3 --permutations 19 --groups both.parquet:kind")[0]


DICTIONARY = """\
dog chien
dog chienne
cat\tchat
tomcat chat
Owl hibou
yak yak
fox renard
hen poule
"""


def test_an_audit_takes_classes_of_ones_own_items(folder, pairs):
    order = np.random.default_rng(1).permutation(90)
    named = {"ids": np.array(pairs.ids)[order], "kind": np.array(pairs.labels)[order]}
    np.savez("kinds.npz", **named, several=np.ones((90, 2)))
    plain = Pairs(pairs.x, pairs.y)
    assert labeled(pairs, "kinds.npz:kind").labels == pairs.labels  # by id
    assert labeled(plain, "kinds.npz:kind").labels == tuple(named["kind"])  # row by row
    for wrong, source in ((pairs.take(np.arange(5)), "both.npz:text"), (plain.take(np.arange(5)), "kinds.npz:kind")):
        with pytest.raises(DataError, match="needed one class for each item, got|needed a table of 0 and 1"):
            labeled(wrong, source)
    with pytest.raises(DataError, match="Give --labels FILE:COLUMN"):
        invoke("audit", "x.npy", "y.npy", "--loss", "max-margin")
    invoke(*shlex.split("audit x.npy y.npy --labels kinds.npz:kind --mapping ridge -k 3 --folds 3 --report out.html"))
    page = (folder / "out.html").read_text(encoding="utf-8")
    assert "<summary>By label</summary>" in page
    assert f'<th scope="row" dir="auto">{pairs.labels[0]}</th>' in page


def test_word_vectors_joined_by_a_dictionary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)

    def write(name, words):
        rows = [f"{word} {' '.join(f'{value:.4f}' for value in rng.normal(size=4))}" for word in words]
        (tmp_path / name).write_text(f"{len(rows)} 4\n" + "\n".join(rows) + "\n")

    write("en.vec", ["the", "dog", "cat", "tomcat", "owl", "fox", "hen", "extra"])
    write("fr.vec", ["chien", "chienne", "chat", "hibou", "renard", "autre"])
    (tmp_path / "en-fr.txt").write_text(DICTIONARY)
    (record,), err = records("overlap en.vec fr.vec --dictionary en-fr.txt -k 1")
    assert record["n"] == 3
    assert err.splitlines()[0] == (
        "dictionary: 3 pairs of 8 entries; 2 name a word that is paired already; 2 have no vector in en.vec (Owl, yak); "
        "1 have no vector in fr.vec (poule); 1 words have a vector in lower case only: --lower-case takes it"
    )
    (record,), err = records("overlap en.vec fr.vec --dictionary en-fr.txt -k 1 --lower-case")
    assert record["n"] == 4
    assert "1 words were found in lower case" in err
    (tmp_path / "fr-en.txt").write_text("chien dog\nchat cat\n")
    with pytest.raises(DataError, match="0 pairs of 2 entries; .* Check that the dictionary leads from en.vec to fr.vec"):
        invoke("overlap", "en.vec", "fr.vec", "--dictionary", "fr-en.txt")


def test_a_rotated_language_is_carried_over_by_a_rotation(data_folder, tmp_path, monkeypatch):
    source = data_folder / "glove_subset"
    if not source.is_dir():
        pytest.skip(f"no {source}")
    monkeypatch.chdir(tmp_path)
    with np.load(source / "glove6b_subset.npz") as arrays:
        vectors = next(arrays[name] for name in arrays.files if arrays[name].ndim == 2)[:400, :50].astype(float)
    words = (source / "words.txt").read_text(encoding="utf-8").split("\n")[:400]
    turned = vectors @ np.linalg.qr(np.random.default_rng(0).normal(size=(50, 50)))[0]
    for name, rows, of in (("en.vec", vectors, str), ("ne.vec", turned, lambda word: word[::-1] + "_")):
        lines = [f"{of(word)} {' '.join(map(repr, row.tolist()))}" for word, row in zip(words, rows, strict=True)]
        (tmp_path / name).write_text(f"{len(lines)} 50\n" + "\n".join(lines) + "\n", encoding="utf-8")
    order = np.random.default_rng(1).permutation(400)[:300]
    (tmp_path / "d.txt").write_text("".join(f"{words[i]}\t{words[i][::-1]}_\n" for i in order) + "\n", encoding="utf-8")
    found, err = records("audit en.vec ne.vec --dictionary d.txt --mapping procrustes -k 5 --folds 2")
    assert err.startswith("dictionary: 300 pairs of 300 entries")
    best = {record["mapping"]: record for record in found if record["direction"] == "x->y"}
    assert best["procrustes"]["n_test"] == 300
    assert best["procrustes"]["input_overlap"] > 0.99  # the two spaces have the same neighbors, and so has a rotation
    assert best["procrustes"]["r2"] > 0.99
    (record,), _ = records("fit en.vec ne.vec --dictionary d.txt --mapping procrustes --out turn.safetensors")
    assert record["items"] == 300


def test_a_mapping_file_whose_arrays_do_not_fit_is_refused(tmp_path, monkeypatch, pairs):
    monkeypatch.chdir(tmp_path)
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    np.save("x.npy", pairs.x)
    save(mapping("ridge").fit(pairs.x, pairs.y[:, :20]), "f.safetensors")
    with safe_open("f.safetensors", framework="numpy") as file:
        about = file.metadata()
    arrays = load_file("f.safetensors")
    wide = next(name for name, array in arrays.items() if array.ndim == 2)
    save_file(arrays | {wide: np.ascontiguousarray(arrays[wide][:7, :5])}, "g.safetensors", metadata=about)
    with pytest.raises(MappingError, match="g.safetensors: needed a mapping saved by isthmus"):
        invoke("apply", "g.safetensors", "x.npy", "--out", "m.npy")
