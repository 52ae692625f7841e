"""The authors' files: read like the slow, plain reader below; whatever is out of order is one line that names it."""

import numpy as np
import pytest

import isthmus
from isthmus import IsthmusError
from isthmus.datasets import _authors, paper_files, read_paper_set


def write(path, names, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (",".join([name, *map(str, row)]) for name, row in zip(names, values.tolist(), strict=True))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_plainly(path):
    lines = [line.strip().split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    return [line[0] for line in lines], np.array([[float(field) for field in line[1:]] for line in lines])


@pytest.fixture
def imagenet(tmp_path):
    pairs = isthmus.load().take(np.arange(60))
    write(tmp_path / "training_data/imagenet/vis_resnet.csv", pairs.ids, pairs.y[:, :9])
    write(tmp_path / "training_data/imagenet/lang_glove.csv", pairs.ids, pairs.x[:, :7])
    return tmp_path


@pytest.fixture
def wiki(tmp_path, rng):
    for part, n in (("TR", 30), ("TS", 12)):
        names = [str(label) for label in rng.integers(0, 5, n)]
        write(tmp_path / f"training_data/wiki/{part}_vis_vgg128.csv", names, rng.normal(size=(n, 4)))
        write(tmp_path / f"training_data/wiki/{part}_lang_biGRU.csv", names, rng.normal(size=(n, 3)))
    return tmp_path


def test_the_authors_own_features(data_folder, tmp_path):
    with np.load(data_folder / "iapr_tc12_test/iapr_tc12_test.npz") as known:
        names, image, text = list(known["label_ids"]), known["image_vgg128"], known["text_bigru64"]
    for part in ("TR", "TS"):
        write(tmp_path / f"iaprtc/{part}_vis_vgg128.csv", names, image)
        write(tmp_path / f"iaprtc/{part}_lang_biGRU.csv", names, text)
    found = read_paper_set(tmp_path, "iapr", "vgg128", "bigru")
    assert np.array_equal(found.pairs.x, np.vstack([image, image]))
    assert np.array_equal(found.pairs.y, np.vstack([text, text]))
    assert found.pairs.x.dtype == np.float32
    assert (len(found.split.train), len(found.split.test), found.split.test[0]) == (1962, 1962, 1962)
    assert found.classes[0] == set(names[0].split())
    assert len(frozenset.union(*found.classes)) == 291


@pytest.mark.parametrize("block", [1, 100, 1 << 24])
def test_blocks_of_any_size_give_what_a_plain_reader_gives(wiki, monkeypatch, block):
    monkeypatch.setattr(_authors, "_BLOCK", block)
    home = (wiki / "training_data/wiki").rename(wiki / "training_data/iaprtc")
    found = read_paper_set(wiki, "iapr", "vgg128", "bigru")
    (train_names, train), (names, test) = (read_plainly(home / f"{part}_vis_vgg128.csv") for part in ("TR", "TS"))
    assert np.array_equal(found.pairs.x, np.vstack([train, test]).astype(np.float32))
    assert found.classes == tuple(frozenset([name]) for name in train_names + names)
    alone = read_paper_set(wiki, "iapr", "vgg128", "bigru", parts=("TS",))
    assert alone.split is None
    assert np.array_equal(alone.pairs.x, test.astype(np.float32))


def test_words_are_joined_by_name_and_are_their_own_classes(imagenet):
    home = imagenet / "training_data/imagenet"
    as_written = read_paper_set(imagenet, "imagenet", "resnet", "glove")
    (home / "lang_glove.csv").rename(home / "LANG_GloVe.csv")
    lines = (home / "LANG_GloVe.csv").read_text().splitlines(keepends=True)
    (home / "LANG_GloVe.csv").write_text("".join(reversed(lines)))
    found = read_paper_set(imagenet / "training_data", "imagenet", "resnet", "glove")
    assert found.pairs.ids == as_written.pairs.ids
    assert np.array_equal(found.pairs.y, as_written.pairs.y)
    assert found.split is None
    assert found.classes[3] == {found.pairs.ids[3]}


def test_quotes_blank_lines_spaces_and_carriage_returns_are_taken_as_they_are(tmp_path):
    home = tmp_path / "imagenet"
    home.mkdir()
    (home / "vis_resnet.csv").write_bytes(b'"dog,1,2\r\ncaf\xe9, 3,4 \r\n\r\n')
    (home / "lang_glove.csv").write_bytes(b'"dog,1,2\n\ncaf\xe9,3,4')
    found = read_paper_set(tmp_path, "imagenet", "resnet", "glove")
    assert found.pairs.ids == ('"dog', "café")
    assert found.pairs.x.tolist() == found.pairs.y.tolist() == [[1, 2], [3, 4]]


def test_words_in_latin_1_stay_apart_and_others_of_their_block_stay_utf_8(tmp_path):
    home = tmp_path / "imagenet"
    home.mkdir()
    lines = [b"p\xe9ch\xe9,1,2\n", b"p\xeach\xea,3,4\n", "señor,5,6\n".encode()]
    (home / "vis_resnet.csv").write_bytes(b"".join(lines))
    (home / "lang_glove.csv").write_bytes(b"".join(reversed(lines)))
    found = read_paper_set(tmp_path, "imagenet", "resnet", "glove")
    assert found.pairs.ids == ("péché", "pêchê", "señor")
    assert np.array_equal(found.pairs.x, found.pairs.y)
    assert len(set(found.classes)) == 3


def test_what_names_are_is_a_matter_of_the_set(wiki):
    assert read_paper_set(wiki, "wiki", "vgg128", "bigru").classes is None  # though they repeat
    home = (wiki / "training_data/wiki").rename(wiki / "training_data/iaprtc")
    for part, start in (("TR", 0), ("TS", 30)):
        for file in home.glob(f"{part}_*.csv"):
            lines = file.read_text().splitlines()
            file.write_text("".join(f"{start + i} 7,{line.partition(',')[2]}\n" for i, line in enumerate(lines)))
    found = read_paper_set(wiki, "iapr", "vgg128", "bigru")  # labels, though no two items share all of theirs
    assert found.classes == tuple(frozenset([str(item), "7"]) for item in range(42))


def test_a_label_file_serves_where_names_are_no_labels(wiki, rng):
    home = wiki / "training_data/wiki"
    for part, n in (("TR", 30), ("TS", 12)):
        names = [f"{part}{row}" for row in range(n)]
        write(home / f"{part}_vis_vgg128.csv", names, rng.normal(size=(n, 4)))
        write(home / f"{part}_lang_biGRU.csv", names, rng.normal(size=(n, 3)))
    assert read_paper_set(wiki, "wiki", "vgg128", "bigru").classes is None
    (home / "TR_labels.csv").write_text("".join(f"TR{row},{row % 3} {row % 5}\n" for row in range(30)))
    classes = read_paper_set(wiki, "wiki", "vgg128", "bigru").classes
    assert classes[7] == {"1", "2"}
    assert classes[30] == frozenset()
    (home / "TR_labels.csv").write_text("TR0,1\n")
    with pytest.raises(IsthmusError, match=r"TR_labels.csv: needed a line `name,labels` for each of the 30 items"):
        read_paper_set(wiki, "wiki", "vgg128", "bigru")


def test_missing_files_are_named_as_the_authors_name_them(wiki):
    (wiki / "training_data/wiki/TR_lang_biGRU.csv").unlink()
    files = paper_files(wiki, "wiki", "vgg128", "bigru")
    assert [name for name, path in files.items() if path is None] == ["training_data/wiki/TR_lang_biGRU.csv"]
    assert set(paper_files(wiki, "iapr", "resnet", "bigru").values()) == {None}
    with pytest.raises(IsthmusError, match=r"data: needed training_data/wiki/TR_lang_biGRU.csv, found none in"):
        read_paper_set(wiki, "wiki", "vgg128", "bigru")
    with pytest.raises(IsthmusError, match="data: needed the folder"):
        paper_files(wiki / "nowhere", "wiki", "vgg128", "bigru")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: "", "needed a name and numbers in every line, got an empty first line"),
        (lambda _: "\n\n", "got an empty first line"),
        (lambda _: "hello\n", "needed a name and numbers with commas between them, got 'hello'"),
        (lambda text: text[: text.rindex(",")], "needed 4 numbers in line 12, as in line 1, got 3"),
        (lambda text: text.rstrip("\n").rpartition("\n")[0], "needed 12 items, as its partner has, got 11"),
        (lambda text: text.rstrip("\n") + ",1\n", "needed 4 numbers in line 12, as in line 1, got 5"),
        (lambda text: text.replace(text.splitlines()[4], "3,0,1,x,2"), "a finite number in line 5, field 4, got 'x'"),
        (lambda text: text.replace(text.splitlines()[4], "3,0,1,nan,2"), "a finite number in line 5, field 4, got 'nan'"),
        (lambda text: text.replace(text.splitlines()[4], "3,0,1,,1e99"), "a finite number in line 5, field 4, got ''"),
        (lambda text: "\n".join(text.splitlines()[::-1]), "in the same order, since names repeat"),
        (lambda text: "x" + text, "got none named 'x"),
        (lambda text: "".join(line + ",1\n" for line in text.splitlines()), "needed 4 numbers a line, as TR_vis_vgg128.csv"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_one_line(wiki, damage, message):
    path = wiki / "training_data/wiki/TS_vis_vgg128.csv"
    path.write_text(damage(path.read_text()))
    with pytest.raises(IsthmusError) as caught:
        read_paper_set(wiki, "wiki", "vgg128", "bigru")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
