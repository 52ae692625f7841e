"""ImageNet word by word: the rules of the paper, against loops; WordNet's own files, in a few lines and whole where it is installed."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from isthmus import IsthmusError
from isthmus.datasets import imagenet_pairs, read_wordnet
from isthmus.pairs import Vectors

NOUNS = """\
  1 This software and database is being provided to you, the LICENSEE, by
00001740 03 n 01 entity 0 003 ~ 00001930 n 0000 | that which is perceived
02395406 05 n 03 hog 0 pig 0 grunter 0 006 @ 02394477 n 0000 | domestic swine
02012849 05 n 01 crane 4 010 @ 02000954 n 0000 | large long-necked wading bird
03126707 06 n 01 crane 0 009 @ 03490119 n 0000 | lifts and moves heavy objects
01440764 05 n 02 tench 0 Tinca_tinca 0 002 @ 01439121 n 0000 | freshwater dace-like game fish
02747177 06 n 0a ashcan 0 trash_can 0 garbage_can 0 wastebin 0 ash_bin 0 ash-bin 0 ashbin 0 dustbin 0 trash_barrel 0 trash_bin 0 003 @ 02946921 n 0000 | a bin
"""
COUNTS = """\
garbage_can%1:06:00:: 1 3
hog%1:05:00:: 3 1
pig%1:05:00:: 1 8
pig%2:35:00:: 1 99
trash_can%1:06:00:: 1 3
"""


@pytest.fixture
def wordnet(tmp_path):
    (tmp_path / "data.noun").write_text(NOUNS)
    (tmp_path / "cntlist.rev").write_text(COUNTS)
    return tmp_path


def test_the_most_relevant_word_is_the_one_tagged_most_or_else_the_first(wordnet):
    found = read_wordnet(wordnet)
    assert found == {
        "n00001740": "entity", "n02395406": "pig", "n02012849": "crane", "n03126707": "crane", "n01440764": "tench",
        "n02747177": "trash_can",
    }  # fmt: skip
    (wordnet / "cntlist.rev").unlink()
    assert read_wordnet(wordnet)["n02395406"] == "hog"


def test_damaged_wordnet_files_are_one_line(wordnet):
    for damaged in (NOUNS[:-60], NOUNS.replace("n 0a", "n 0b"), NOUNS.replace("02395406", "2395406")):
        (wordnet / "data.noun").write_text(damaged)
        with pytest.raises(IsthmusError, match="data.noun: needed a whole synset in line [0-9]"):
            read_wordnet(wordnet)
    with pytest.raises(IsthmusError, match="needed WordNet's noun file"):
        read_wordnet(wordnet / "nowhere")


def test_words_of_all_imagenet_classes(data_folder):
    home = Path(os.environ.get("WNSEARCHDIR", "/usr/share/wordnet"))
    if not (home / "data.noun").is_file():
        pytest.skip(f"no WordNet in {home}; set WNSEARCHDIR, or install wordnet-base")
    words = read_wordnet(home)
    assert len(words) == 82115
    classes = pl.read_csv(data_folder / "imagenet1k_words/classes.tsv", separator="\t", infer_schema=False)
    found = [words[each].replace("_", " ") for each in classes["wnid"]]
    assert all(word in lemmas.split(", ") for word, lemmas in zip(found, classes["lemmas"], strict=True))
    assert sum(word == lemmas.split(", ")[0] for word, lemmas in zip(found, classes["lemmas"], strict=True)) == 968


def test_pictures_of_all_synsets_of_a_word_count_together(rng):
    n = 60
    synsets = tuple(f"n{i:08}" for i in range(n))
    pictures = rng.integers(20, 200, n)
    pictures[7] = 99
    features = [rng.normal(size=(count, 4)) for count in pictures]
    words = {each: f"word_{i % 25}" for i, each in enumerate(synsets) if i != 7}
    known = tuple(f"word {i}" for i in range(20))
    centroids = Vectors.of(np.stack([each.mean(axis=0) for each in features]), synsets, "centroids")
    text = Vectors.of(rng.normal(size=(20, 3)), known, "text")
    found = imagenet_pairs(centroids, pictures.tolist(), words, text)
    assert set(found.few) == {each for each, count in zip(synsets, pictures, strict=True) if count <= 50}
    assert found.without_word == (synsets[7],)
    assert set(found.without_vector) <= {f"word_{i}" for i in range(20, 25)}
    for word, x, y, count in zip(found.pairs.ids, found.pairs.x, found.pairs.y, found.pictures, strict=True):
        rows = [i for i in range(n) if words.get(synsets[i]) == word and pictures[i] > 50]
        assert np.allclose(y, np.concatenate([features[i] for i in rows]).mean(axis=0))
        assert np.array_equal(x, text.values[known.index(word.replace("_", " "))])
        assert count == pictures[rows].sum()
    assert "left out" in str(found)


def test_the_real_classes_as_synsets(data_folder):
    folder = data_folder / "imagenet1k_words"
    classes = pl.read_csv(folder / "classes.tsv", separator="\t", infer_schema=False)
    weight, glove = np.load(folder / "visual_lite0_1280.npz")["weight"], np.load(folder / "text_glove.npz")["glove100"]
    synsets = tuple(classes["wnid"])
    words = dict(zip(synsets, classes["word"], strict=True))
    usable = ~np.isnan(glove).any(axis=1)
    first = {word: row for row, word in reversed(list(enumerate(classes["word"]))) if usable[row]}
    text = Vectors.of(glove[list(first.values())], tuple(first), "glove")
    found = imagenet_pairs(Vectors.of(weight, synsets, "lite0"), dict.fromkeys(synsets, 1300), words, text)
    assert sum(map(len, found.synsets)) + len([each for each in synsets if words[each] in found.without_vector]) == 1000
    assert len(found.pairs) == len(set(classes["word"].to_numpy()[usable]))
    assert [len(each) for each in found.synsets if len(each) > 1][:1] == [2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"centroids": Vectors.of([[1.0]], None, "c")}, "centroids: needed ids, the synsets, got none"),
        ({"text": Vectors.of([[1.0]], None, "t")}, "text: needed ids, the words, got none"),
        ({"pictures": {"n2": 3}}, "pictures: needed a count for each of 1 synsets, got none for n1"),
        ({"pictures": [1, 2]}, "pictures: needed a count for each of 1 synsets, got 2"),
        ({"pictures": [-1]}, "pictures: needed a count for each of 1 synsets, got none for n1"),
        ({"text": Vectors.of([[1.0]], ("n1",), "t")}, "text: needed vectors of the 1 words, found none"),
    ],
)
def test_what_cannot_be_joined_is_one_line(change, message):
    arguments = {
        "centroids": Vectors.of([[1.0]], ("n1",), "c"), "pictures": [99], "words": {"n1": "dog"},
        "text": Vectors.of([[1.0]], ("dog",), "t"),
    }  # fmt: skip
    assert imagenet_pairs(**arguments).pairs.ids == ("dog",)
    with pytest.raises(IsthmusError, match=message):
        imagenet_pairs(**(arguments | change))
