"""Benchmarks in the formats that they are distributed in, and their traps."""

from pathlib import Path

import numpy as np
import pytest

from isthmus import IsthmusError
from isthmus.concepts import RatedPairs, benchmark_name, read_ratings

FORMATS = {
    "combined.csv": ("Word 1,Word 2,Human (mean)\nlove,sex,6.77\ntiger,cat,7.35\n", "wordsim353"),
    "combined.tab": ("Word 1\tWord 2\tHuman (mean)\nlove\tsex\t6.77\ntiger\tcat\t7.35\n", "wordsim353"),
    "wordsim353.tsv": ("# Word 1\tWord 2\tHuman (mean)\nlove\tsex\t6.77\ntiger\tcat\t7.35\n", "wordsim353"),
    "set1.csv": ("Word 1,Word 2,Human (mean),1,2\nlove,sex,6.77,9,6\ntiger,cat,7.35,9,7\n", "set1"),
    "MEN_dataset_natural_form_full": ("love sex 6.770000\ntiger cat 7.350000\n", "men"),
    "MEN_dataset_lemma_form_full": ("love-v sex-n 6.770000\ntiger-n cat-n 7.350000\n", "men"),
    "SimLex-999.txt": (
        "word1\tword2\tPOS\tSimLex999\tconc(w1)\tconc(w2)\tconcQ\tAssoc(USF)\tSimAssoc333\tSD(SimLex)\r\n"
        "love\tsex\tN\t6.77\t2.72\t2.81\t2\t7.25\t1\t0.41\r\ntiger\tcat\tN\t7.35\t1.75\t2.46\t1\t7.11\t1\t0.67\r\n", "simlex999",
    ),
    "SimVerb-3500.txt": ("love\tsex\tV\t6.77\tSYNONYMS\ntiger\tcat\tV\t7.35\tNONE\n", "simverb3500"),
    "plain.tsv": ("word1\tword2\trating\nlove\tsex\t6.77\ntiger\tcat\t7.35\n", "plain"),
    "plain.csv": ("rating,word2,word1\n6.77,sex,love\n7.35,cat,tiger\n", "plain"),
    "bare.txt": ("\ufefflove sex 6.77\n\ntiger cat 7.35", "bare"),
    "VisSim.tsv": ("pair\tvisual\nlove#sex\t6.77\ntiger#cat\t7.35\n", "vissim"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_every_format(tmp_path, name):
    content, benchmark = FORMATS[name]
    (tmp_path / name).write_bytes(content.encode())
    (found,) = read_ratings(tmp_path / name)
    assert (found.name, found.first, found.second) == (benchmark, ("love", "tiger"), ("sex", "cat"))
    assert found.rating.tolist() == [6.77, 7.35]
    lines = content.replace("\ufeff", "").split("\n")
    assert all("love" in lines[line - 1] or "tiger" in lines[line - 1] for line in found.lines)


def test_a_comment_stands_at_the_head_and_nothing_is_dropped_below(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text("# of mine\n# in 2026\nword1\tword2\trating\na\tb\t1\n#tag\tword\t2\n")
    (found,) = read_ratings(path)
    assert (found.first, found.lines) == (("a", "#tag"), (4, 5))
    path.write_text("word1\tword2\trating\na\tb\t1\n# the end\n")
    with pytest.raises(IsthmusError, match="needed 3 fields or more, got 1 in line 3"):
        read_ratings(path)


@pytest.mark.parametrize("header", ["WORDS\tSEMANTIC\tVISUAL\n", "first#second\tsem\tvis\n", ""])
def test_semsim_and_vissim_in_one_file_with_their_senses(tmp_path, header):
    path = tmp_path / "similarity_judgements.txt"
    path.write_text(f"{header}bow_(weapon)#arrow\t4.2\t2.5\nbow_(weapon)#bow_(ribbon)\t1.2\t1.4\n\n")
    semantic, visual = read_ratings(path)
    assert (semantic.name, visual.name) == ("semsim", "vissim")
    assert (semantic.first, semantic.second) == (("bow", "bow"), ("arrow", "bow"))
    assert (semantic.rating.tolist(), visual.rating.tolist()) == ([4.2, 1.2], [2.5, 1.4])
    assert (semantic.identical, visual.repeated) == (1, 0)


def test_a_folder_holds_what_is_no_readme(tmp_path):
    for name in ("men.tsv", "simlex999.tsv"):
        (tmp_path / name).write_text(FORMATS["plain.tsv"][0])
    for name in ("README.txt", "LICENSE", "notes.md", ".hidden.tsv"):
        (tmp_path / name).write_text("nothing to rate")
    assert [each.name for each in read_ratings(tmp_path)] == ["men", "simlex999"]
    (tmp_path / "sub").mkdir()
    with pytest.raises(IsthmusError, match="needed rating files in .*, found none"):
        read_ratings(tmp_path / "sub")


BAD = [
    ("x.tsv", "word1\tword2\tother\na\tb\t1\n", "x.tsv: needed a column rating, got word1, word2, other"),
    ("x.tsv", "word1\trating\na\t1\n", "needed a column word2, got word1, rating"),
    ("x.csv", "one,two,rating\na,b,1\n", "needed a column word1, got one, two, rating"),
    ("x.tsv", "word1\tword2\trating\na\tb\t1\na\tb\n", "needed 3 fields or more, got 2 in line 3"),
    ("x.tsv", "word1\tword2\trating\na\tb\thigh\n", "needed a finite rating, got 'high' in line 2"),
    ("x.tsv", "word1\tword2\trating\na\tb\tnan\n", "needed a finite rating, got 'nan' in line 2"),
    ("x.tsv", "word1\tword2\trating\na\t\t2\n", "needed two words, got 'a#' in line 2"),
    ("x.tsv", "word1\tword2\trating\n", "needed rated word pairs below its header"),
    ("x.tsv", "a\t1\t2\n", "needed two words before a rating, got 3 fields in its first line"),
    ("x.tsv", "", "needed rated word pairs, got an empty file"),
    ("x.tsv", "# only a comment\n", "needed rated word pairs, got an empty file"),
    ("x.tsv", b"word1\tword2\trating\nc\xe9t\tb\t1\n", "needed UTF-8 text"),
    ("x.csv", 'word1,word2,rating\na,"b\nc",1\n', "needed fields between ',', got what is none in line 2 "),
    ("x.csv", "word1,word2,rating\na,b,1\na," + "b" * 140_000 + ",1\n", "got what is none in line 3 .field larger than"),
    ("x.csv", "word1,word2,rating\na,b,1\na,b,1,9\n", "needed 3 fields, as the first line has, got 4 in line 3"),
    ("x.txt", "a b 1\na b c 1\n", "needed 3 fields, as the first line has, got 4 in line 2"),
    ("x.tsv", "just words\nand words\n", "needed a column rating, got just, words"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "match"), BAD, ids=range(len(BAD)))
def test_refuses(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(IsthmusError, match=match) as caught:
        read_ratings(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_refuses_what_is_not_there(tmp_path):
    with pytest.raises(IsthmusError, match="needed a file or a folder, found no"):
        read_ratings(tmp_path / "nothing.tsv")


def pairs(*rows):
    first, second, ratings = zip(*rows, strict=True)
    return RatedPairs("mine", first, second, np.array(ratings, dtype=float), tuple(range(2, 2 + len(rows))))


def test_repeated_and_identical_pairs():
    found = pairs(("a", "b", 1), ("B", "a", 4), ("mink", "mink", 2), ("c", "d", 9), ("a", "b", 4), ("Mink", "mink", 4))
    assert (found.repeated, found.identical) == (3, 2)
    merged = found.merged()
    assert (merged.first, merged.second) == (("a", "mink", "c"), ("b", "mink", "d"))
    assert merged.rating.tolist() == [3.0, 3.0, 9.0]
    assert merged.lines == (2, 4, 5)
    assert found.distinct().first == ("a", "B", "c", "a")
    assert found.words == ("a", "b", "B", "mink", "c", "d", "Mink")


def test_a_real_word_keeps_its_ending_below_a_header(tmp_path):
    (tmp_path / "x.tsv").write_text("word1\tword2\trating\nvitamin-a\thepatitis-a\t3\n")
    (found,) = read_ratings(tmp_path / "x.tsv")
    assert found.words == ("vitamin-a", "hepatitis-a")


def test_names_of_a_widespread_collection():
    names = ("EN-WS-353-ALL.txt", "EN-MEN-TR-3k.txt", "en-simlex-999.txt", "EN-SimVerb-3500.txt")
    assert [benchmark_name(Path(name)) for name in names] == ["wordsim353", "men", "simlex999", "simverb3500"]


def test_names():
    assert [benchmark_name(tmp) for tmp in map(Path, ("SimVerb-3500.txt", "MEN.tsv", "a.b.tsv"))] == [
        "simverb3500", "men", "a.b",
    ]  # fmt: skip


TRAPS = {  # pairs, repeated, identical
    "wordsim353": (353, 2, 1), "men": (3000, 0, 0), "semsim": (7576, 39, 3), "vissim": (7576, 39, 3), "simlex999": (999, 1, 0),
    "simverb3500": (3500, 1, 0),
}  # fmt: skip


def test_the_six_benchmarks_hold_the_traps_that_are_known(data_folder):
    found = {each.name: each for each in read_ratings(data_folder / "word_similarity")}
    assert {name: (len(each), each.repeated, each.identical) for name, each in found.items()} == TRAPS
