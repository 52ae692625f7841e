"""`isthmus concepts`, `reproduce table2` and `figure1`, as a user runs them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import isthmus
from isthmus import IsthmusError
from isthmus.concepts import images
from isthmus.experiments import (
    SIMILARITY_TABLES,
    mapped_manifold,
    published_similarities,
    reproduce_similarities,
    untrained_overlaps,
)
from isthmus.experiments import figure1 as run_figure1
from isthmus.report import similarity_text, untrained_chart
from oracles import overlap

KEYS = ["vectors", "benchmark", "similarity", "map", "pairs", "covered", "spearman", "ci_low", "ci_high"]


def run(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "isthmus", *map(str, arguments)],
        capture_output=True, text=True, env=dict(os.environ), check=False, timeout=180, cwd=cwd,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("concepts")
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in range(30)]
    values = rng.normal(size=(30, 5)).round(4)
    lines = [f"{word} {' '.join(map(str, row))}" for word, row in zip(words, values.tolist(), strict=True)]
    (folder / "a.txt").write_text("\n".join([*lines, lines[3]]) + "\n")
    (folder / "b.vec").write_text("\n".join(["25 5", *lines[:25]]) + "\n")
    np.savez(folder / "c.npz", x=values)
    (folder / "words.txt").write_text("\n".join(words))
    (folder / "ratings").mkdir()
    for name in ("men", "simlex999"):
        pairs = [(words[i], words[j].upper(), rating) for i, j, rating in rng.integers(0, 30, size=(60, 3))]
        rows = ["word1\tword2\trating", *(f"{a}\t{b}\t{rating}" for a, b, rating in pairs), "w1\tnowhere\t3"]
        (folder / "ratings" / f"{name}.tsv").write_text("\n".join(rows))
    return folder


def test_any_number_of_files_in_one_table(folder):
    how = ("--words", folder / "words.txt", "--draws", 2, "--output", 16, "--hidden", "4,8", "--json")
    done = run("concepts", folder / "a.txt", folder / "b.vec", f"{folder}/c.npz:x", "--ratings", folder / "ratings", *how)
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)
    assert list(records[0])[:9] == KEYS
    assert {(each["vectors"], each["benchmark"]) for each in records} == {
        (vectors, benchmark) for vectors in ("a.txt", "b.vec", "c.npz:x") for benchmark in ("men", "simlex999")
    }
    assert len(records) == 3 * 2 * 2 * 4
    assert {each["covered"] for each in records if each["vectors"] == "a.txt"} == {60}
    assert "a.txt: 1 words occur again, the first vector counts ('w3', ...)" in done.stderr
    assert "a.txt, men: 1 of 61 pairs left out (nowhere)" in done.stderr
    same = [each["spearman"] for each in records if each["vectors"] == "a.txt"]
    assert same == pytest.approx([each["spearman"] for each in records if each["vectors"] == "c.npz:x"], abs=1e-3)
    again = run("concepts", folder / "a.txt", folder / "b.vec", f"{folder}/c.npz:x", "--ratings", folder / "ratings", *how)
    assert again.stdout == done.stdout


def test_table_csv_comparison_and_the_list_of_pairs_left_out(folder, tmp_path):
    what = ("concepts", folder / "a.txt", folder / "b.vec", "--ratings", folder / "ratings/men.tsv")
    table = run(*what, "--map", "none", "--left-out", tmp_path / "out.tsv")
    assert table.returncode == 0, table.stderr
    assert "men: 61 rated pairs" in table.stdout
    assert "a - b" in table.stdout
    lines = (tmp_path / "out.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["vectors", "benchmark", "line", "word1", "word2", "rating", "reason", "missing"]
    assert lines[1].split("\t") == ["a.txt", "men", "62", "w1", "nowhere", "3.0", "missing word", "nowhere"]
    csv = run(*what, "--map", "none", "--similarity", "cosine", "--csv").stdout.splitlines()
    assert (csv[0].split(",")[:9], len(csv)) == (KEYS, 3)
    (record,) = json.loads(run(*what, "--compare", "--similarity", "cosine", "--json").stdout)
    assert (record["a"], record["b"], record["pairs"] < 61) == ("a.txt", "b.vec", True)


def strangers(folder):
    (folder / "half.txt").write_text("w1 1 2\nw2 2 1\nw3 1 1\n")
    (folder / "other.txt").write_text("w7 1 2\nw8 2 1\nw9 1 1\n")
    rows = ("w1\tw2\t1", "w1\tw3\t2", "w2\tw3\t3", "w7\tw8\t1", "w7\tw9\t2", "w8\tw9\t3")
    (folder / "pairs.tsv").write_text("\n".join(["word1\tword2\trating", *rows]))


def test_files_without_a_common_pair_have_a_table_but_no_comparison(tmp_path):
    strangers(tmp_path)
    done = run("concepts", "half.txt", "other.txt", "--ratings", "pairs.tsv", "--map", "none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "half" in done.stdout
    assert "other" in done.stdout
    refused = run("concepts", "half.txt", "other.txt", "--ratings", "pairs.tsv", "--compare", cwd=tmp_path)
    assert refused.returncode == 2
    assert "needed a rated pair that all cover, got none" in refused.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes only there")
def test_a_name_that_is_not_utf8_can_be_written(tmp_path):
    strangers(tmp_path)
    name = os.fsdecode(b"caf\xe9.txt")
    (tmp_path / name).write_text((tmp_path / "half.txt").read_text())
    for form in ("--json", "--csv"):
        done = run("concepts", name, "--ratings", "pairs.tsv", "--map", "none", form, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "caf\ufffd" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["a.txt", "--ratings", "nowhere"], "ratings: needed a file or a folder, found no nowhere"),
        (["c.npz:x", "--ratings", "ratings"], "needed a word for each row, got rows without names. Give --words"),
        (["a.txt", "--ratings", "ratings", "--json", "--csv"], "needed one of --json and --csv"),
        (["a.txt", "--ratings", "ratings", "--compare"], "compare: needed two files of vectors or more, got 1"),
        (["a.txt", "a.txt", "--ratings", "ratings", "--compare"], "compare: needed two files of vectors or more, got 1"),
        (["ragged.txt", "--ratings", "ratings", "--hidden", "0"], "hidden, output, draws: needed 1 or more, got (0, "),
        (["a.txt", "--ratings", "ratings", "--left-out", "ratings/men.tsv"], "left-out: needed a file that is not read"),
        (["a.txt", "--ratings", "bad.tsv", "--left-out", "./bad.tsv"], "left-out: needed a file that is not read"),
        (["b.vec", "--ratings", "ratings", "--map", "deep"], "mapping: needed none, lin, nn, got 'deep'"),
        (["a.txt", "--ratings", "bad.tsv"], "bad.tsv: needed a column rating, got word1, word2"),
        (["a.txt", "--ratings", "foreign.tsv"], "needed vectors for both words of a rated pair, got none"),
        (
            ["a.txt", "b.vec", "--ratings", "ratings", "--words", "nowhere.txt"],
            "words: needed rows without names, got a.txt",
        ),
        (["ragged.txt", "--ratings", "ratings"], "ragged.txt: needed a word and 2 numbers, got 2 fields in line 2"),
        (["cut.bin", "--ratings", "ratings"], "got a file that ends in entry 1"),
    ],
)
def test_bad_input_is_one_line(folder, arguments, match):
    (folder / "bad.tsv").write_text("word1\tword2\na\tb\n")
    (folder / "foreign.tsv").write_text("word1\tword2\trating\nchien\tchat\t3\n")
    (folder / "ragged.txt").write_text("w1 1 2\nw2 1\n")
    (folder / "cut.bin").write_bytes(b"2 3\nw1 1234")
    done = run("concepts", *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert match in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("table", SIMILARITY_TABLES)
def test_without_data_a_table_is_what_the_paper_printed(table):
    rows = reproduce_similarities(table).rows
    assert [row.published for row in rows] == [figure.published for figure in published_similarities(table)]
    assert {row.ours for row in rows} == {None}


def test_table_2_from_files(folder, tmp_path):
    home = tmp_path / "training_data/imagenet"
    home.mkdir(parents=True)
    (home / "lang_glove.csv").write_text((folder / "a.txt").read_text().replace(" ", ",").rsplit("w3", 1)[0])
    (tmp_path / "resnet.vec").write_text((folder / "b.vec").read_text())
    (tmp_path / "deep/er").mkdir(parents=True)
    for file in (folder / "ratings").iterdir():
        (tmp_path / "deep/er" / file.name).write_text(file.read_text())
    done = run("reproduce", "table2", "--data", tmp_path, "--hidden", 8, "--json")
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)
    assert list(records[0])[:9] == [
        "table", "benchmark", "vectors", "map", "similarity", "published", "mark", "ours", "difference",
    ]  # fmt: skip
    ran = [each for each in records if each["ours"] is not None]
    assert {(each["vectors"], each["benchmark"]) for each in ran} == {
        (vectors, name) for vectors in ("glove", "resnet") for name in ("men", "simlex999")
    }
    assert len(ran) == 2 * 2 * 3 * 2
    assert all(each["difference"] == each["ours"] - each["published"] for each in ran)
    assert {each["hidden"] for each in ran} == {None, 8}
    assert "missing, so that not everything was run: ratings of wordsim353" in done.stderr
    direct = json.loads(run("concepts", folder / "b.vec", "--ratings", folder / "ratings", "--hidden", 8, "--json").stdout)
    ours = {
        (each["benchmark"], each["map"], each["similarity"]): each["ours"] for each in ran if each["vectors"] == "resnet"
    }
    for each in direct:
        assert ours[each["benchmark"], each["map"], each["similarity"]] == each["spearman"]


@pytest.mark.parametrize("form", ["markdown", "latex", "csv"])
def test_forms_hold_every_figure(form):
    text = similarity_text(reproduce_similarities(12), form)
    assert all(f"{row.published:.3f}".rstrip("0") in text for row in reproduce_similarities(12).rows)


def test_the_manifold_keeps_its_classes_before_any_map():
    panels, classes = mapped_manifold((0, 2), points=30, k=5)
    assert np.bincount(classes).tolist() == [30, 30, 30]
    assert (panels[0].input_overlap, panels[0].same_class) == (1.0, 1.0)
    for panel in panels[1:]:
        slow = overlap(panels[0].points, panel.points, 5, "euclidean")
        assert panel.input_overlap == pytest.approx(np.mean(slow) / 5)


@pytest.mark.usefixtures("unchecked_shapes")
def test_untrained_overlaps_against_the_slow_way(rng):
    x = rng.normal(size=(50, 6))
    (found,) = untrained_overlaps(
        x, depths=(2,), widths=(16,), activations=("relu",), output=12, draws=2, k=4, metric="euclidean"
    )
    slow = [np.mean(overlap(x, f, 4, "euclidean")) / 4 for f in images(x, (16, 16), activation="relu", output=12, draws=2)]
    assert found.input_overlap == pytest.approx(np.mean(slow))
    assert found.sd == pytest.approx(np.std(slow, ddof=1))
    for bad in ({"depths": (-1,)}, {"depths": ()}, {"widths": (0,)}, {"metric": "dot"}):
        with pytest.raises(IsthmusError):
            untrained_overlaps(x, **bad)


def test_deeper_and_narrower_maps_keep_less_of_real_vectors():
    words = isthmus.load("imagenet-words").x[:400]
    found = untrained_overlaps(words, depths=(0, 1, 3), widths=(32, 256), activations=("tanh",), draws=3)
    kept = {(each.width, each.depth): each.input_overlap for each in found}
    assert kept[256, 0] > kept[256, 1] > kept[256, 3] > 0.05
    assert kept[256, 1] > kept[32, 1]
    assert kept[32, 0] == kept[256, 0]


def test_figure_1_is_drawn(tmp_path, rng):
    np.save(tmp_path / "x.npy", rng.normal(size=(40, 4)))
    done = run("reproduce", "figure1", "--vectors", tmp_path / "x.npy", "-k", 3, "--json", "--chart", tmp_path / "f.svg")
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)
    assert {(each["activation"], each["width"], each["depth"]) for each in records} == {
        (activation, width, depth)
        for activation in ("tanh", "sigmoid", "relu")
        for width in (64, 512)
        for depth in (0, 1, 2, 3, 5)
    }
    assert (tmp_path / "f.svg").read_text().startswith("<svg")
    figure = run_figure1(np.load(tmp_path / "x.npy").astype(np.float32), "x", k=3, draws=1)
    assert len(untrained_chart(figure).to_dict()["vconcat"][0]["concat"]) == 6
    refused = run("reproduce", "table2", "--chart", "x.svg")
    assert (refused.returncode, "chart: needed figure1 or figure2, got table2" in refused.stderr) == (2, True)
