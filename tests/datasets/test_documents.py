"""Wikipedia and IAPR TC-12 in their published layouts, built from the real numbers where these are at hand."""

import numpy as np
import pytest
from scipy.io import savemat

from isthmus import IsthmusError, retrieval
from isthmus.datasets import read_documents, read_iapr, read_wiki

CATEGORIES = ["art", "biology", "geography", "history", "literature", "media", "music", "royalty", "sport", "warfare"]


def write_wiki(folder, arrays):
    """The layout of wikipedia_dataset from the arrays of the data set at hand."""
    savemat(
        folder / "raw_features.mat",
        {f"{key}_{short}": arrays[f"{name}_{part}"].astype(np.float64)
         for key, name in (("I", "image"), ("T", "text")) for short, part in (("tr", "train"), ("te", "test"))},
    )  # fmt: skip
    (folder / "categories.list").write_text("".join(f"{each}\n" for each in CATEGORIES))
    for part in ("train", "test"):
        rows = zip(arrays[f"text_id_{part}"], arrays[f"image_id_{part}"], arrays[f"label_{part}"], strict=True)
        (folder / f"{part}set_txt_img_cat.list").write_text("".join(f"{a}\t{b}\t{c + 1}\n" for a, b, c in rows))
    return folder


@pytest.fixture
def toy(tmp_path, rng):
    sizes = {"train": 8, "test": 4}
    arrays = {f"image_{part}": rng.random((n, 5)) for part, n in sizes.items()}
    arrays |= {f"text_{part}": rng.random((n, 3)) for part, n in sizes.items()}
    arrays |= {f"label_{part}": rng.integers(0, 10, n) for part, n in sizes.items()}
    arrays |= {
        f"{side}_id_{part}": [f"{part}{i}" for i in range(n)] for side in ("text", "image") for part, n in sizes.items()
    }
    return write_wiki(tmp_path, arrays)


def test_wikipedia_as_described(data_folder, tmp_path):
    arrays = np.load(data_folder / "wiki_rasiwasia/wiki_raw_features.npz")
    assert arrays["categories"].tolist() == CATEGORIES
    found = read_wiki(write_wiki(tmp_path, arrays))
    pairs, split = found.pairs, found.split
    assert (len(split.train), len(split.test), pairs.x.shape[1], pairs.y.shape[1]) == (2173, 693, 128, 10)
    assert len(set(pairs.labels)) == 10
    assert np.allclose(pairs.x.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(pairs.y[split.test], arrays["text_test"])
    test = pairs.take(split.test)
    assert abs(retrieval(test.x, labels=np.array(test.labels)).map - 0.1352) < 0.00006
    assert abs(retrieval(test.y, labels=np.array(test.labels)).map - 0.553) < 0.0006


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        (
            "raw_features.mat",
            lambda b: b[: len(b) // 2],
            "raw_features.mat: needed a whole file, got a damaged or truncated one",
        ),
        ("raw_features.mat", lambda _: b"", "needed vectors, got an empty file"),
        ("raw_features.mat", None, "raw_features.mat: needed a file, found none"),
        ("raw_features.mat", lambda b: b.replace(b"T_te", b"T_xx"), "raw_features.mat:T_te: needed variable of the file"),
        (
            "trainset_txt_img_cat.list",
            lambda b: b[: b.index(b"\n") + 1],
            "needed as many rows of I_tr as lines of trainset_txt_img_cat.list",
        ),
        ("trainset_txt_img_cat.list", lambda b: b.replace(b"\t", b" "), "needed text, picture and a category from 1 to 10"),
        ("testset_txt_img_cat.list", lambda b: b + b"a\tb\t11\n", "got 'a.*b.*11' in line 5"),
        ("categories.list", None, "categories.list: needed a file that can be read"),
    ],
)
def test_damaged_files_of_wikipedia_are_one_line(toy, name, damage, message):
    path = toy / name
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(IsthmusError, match=message) as caught:
        read_wiki(toy)
    assert "\n" not in str(caught.value)


def test_articles_and_pictures(toy):
    listed = [
        line.split("\t")
        for part in ("train", "test")
        for line in (toy / f"{part}set_txt_img_cat.list").read_text().splitlines()
    ]
    (toy / "texts").mkdir()
    for text, image, category in listed:
        (toy / "texts" / f"{text}.xml").write_bytes(
            f"<doc><text>{text} caf\xe9 &amp;\n <b>tea</b></text></doc>".encode("latin-1")
        )
        place = toy / "images" / CATEGORIES[int(category) - 1]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{image}.jpg").write_bytes(b"")
    found = read_documents(toy)
    assert (len(found), found.texts[0], found.images[9].name) == (12, "train0 café & tea", "test1.jpg")
    assert found.labels[3] == {CATEGORIES[int(listed[3][2]) - 1]}
    assert found.split.test.tolist() == [8, 9, 10, 11]
    found.images[5].unlink()
    with pytest.raises(IsthmusError, match=r"train5.jpg: needed a picture, found none"):
        read_documents(toy)


@pytest.fixture
def iapr(tmp_path):
    for folder, number in (("00", 25), ("00", 9), ("01", 1000)):
        for kind in ("annotations_complete_eng", "images"):
            (tmp_path / kind / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / f"images/{folder}/{number}.jpg").write_bytes(b"")
        (tmp_path / f"annotations_complete_eng/{folder}/{number}.eng").write_bytes(
            f"<DOC>\n<DOCNO>annotations/{folder}/{number}.eng</DOCNO>\n<TITLE>Tucum\xe1n</TITLE>\n"
            f"<DESCRIPTION>a grey wall & a man;\n two trees {number};</DESCRIPTION>\n<NOTES></NOTES>\n"
            f"<IMAGE>images/{folder}/{number}.jpg</IMAGE>\n</DOC>\n".encode("latin-1")
        )
    return tmp_path


def test_iapr_in_order_of_numbers(iapr):
    found = read_iapr(iapr)
    assert found.ids == ("00/9", "00/25", "01/1000")
    assert found.texts[1] == "a grey wall & a man; two trees 25;"
    assert found.images[2] == iapr / "images/01/1000.jpg"
    assert (found.split, found.labels) == (None, (frozenset(),) * 3)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[:60], "25.eng: needed <DESCRIPTION>, found none"),
        (lambda text: text.replace("<IMAGE>", "<PICTURE>"), "25.eng: needed <IMAGE>, found none"),
        (lambda text: text.replace("images/00", "../../images/00"), "needed the picture that it names, found no"),
        (lambda text: text.replace("25.jpg", "26.jpg"), "needed the picture that it names, found no"),
    ],
)
def test_damaged_annotations_are_one_line(iapr, damage, message):
    path = iapr / "annotations_complete_eng/00/25.eng"
    path.write_text(damage(path.read_text(encoding="latin-1")), encoding="latin-1")
    with pytest.raises(IsthmusError, match=message):
        read_iapr(iapr)
    with pytest.raises(IsthmusError, match="needed annotations_complete_eng/NN/N.eng, found none"):
        read_iapr(iapr / "images")
