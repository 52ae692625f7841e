"""Every format gives back what was written, and everything else gives one clear error."""

import pickle

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file
from scipy.io import savemat

from isthmus import IsthmusError
from isthmus._errors import DataError
from isthmus.pairs import read, whole

X = np.arange(12, dtype=np.float32).reshape(4, 3) / 7


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "one.npz", image=X)
    np.savez(tmp_path / "two.npz", image=X, text=X + 1, ids=np.array(["a", "b", "c", "d"]))
    save_file({"image": X, "text": X + 1}, tmp_path / "two.safetensors")
    savemat(tmp_path / "two.mat", {"image": X, "text": X + 1})
    pl.DataFrame({"id": list("abcd"), "image": X.tolist(), "text": (X + 1).tolist()}).write_parquet(tmp_path / "two.parquet")
    pl.DataFrame({"id": list("abcd"), **{f"d{i}": X[:, i] for i in range(3)}}).write_parquet(tmp_path / "wide.parquet")
    lines = [",".join(map(repr, map(float, row))) for row in X]
    (tmp_path / "bare.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "header.csv").write_text("\n".join(["p,q,r", *lines]))
    named = [f"{name},{line}" for name, line in zip("abcd", lines, strict=True)]
    (tmp_path / "ids.csv").write_text("\n".join(named))
    (tmp_path / "both.tsv").write_text("\n".join(["id,p,q,r", *named]).replace(",", "\t"))
    (tmp_path / "numbered.csv").write_text("\n".join(["index,p,q,r", *(f"{7 + i},{line}" for i, line in enumerate(lines))]))
    (tmp_path / "glove.txt").write_text("\n".join(named).replace(",", " "))
    (tmp_path / "word2vec.vec").write_text("\n".join(["4 3", *named]).replace(",", " "))
    return tmp_path


IDS = tuple("abcd")


@pytest.mark.parametrize(
    ("source", "values", "ids"),
    [
        ("x.npy", X, None),
        ("one.npz", X, None),
        ("two.npz:text", X + 1, IDS),
        ("two.safetensors:image", X, None),
        ("two.mat:text", X + 1, None),
        ("two.parquet:image", X, IDS),
        ("wide.parquet", X, IDS),
        ("bare.csv", X, None),
        ("header.csv", X, None),
        ("ids.csv", X, IDS),
        ("both.tsv", X, IDS),
        ("numbered.csv", X, ("7", "8", "9", "10")),
        ("glove.txt", X, IDS),
        ("word2vec.vec", X, IDS),
    ],
)
def test_reads(folder, source, values, ids):
    found = read(f"{folder}/{source}")
    np.testing.assert_allclose(found.values, values, rtol=1e-7)
    assert found.ids == ids


@pytest.mark.parametrize("header", [",0,1,2", ",p,q,r", "id,0,1,2", "Unnamed: 0,p,q,r", "image_id,p,q,r", "ItemID,p,q,r"])
def test_row_names_of_pandas_are_ids(tmp_path, header):
    (tmp_path / "x.csv").write_text("\n".join([header, *(f"{i},{i}.5,2,3" for i in range(4))]))
    found = read(tmp_path / "x.csv")
    assert found.values.shape == (4, 3)
    assert found.ids == ("0", "1", "2", "3")


@pytest.mark.parametrize("name", ["word", "image_id", "__index_level_0__"])
def test_id_columns_of_parquet_have_the_names_of_csv(tmp_path, name):
    pl.DataFrame({"p": [1.0, 2.0], "q": [3.0, 4.0], name: [5, 6]}).write_parquet(tmp_path / "x.parquet")
    found = read(tmp_path / "x.parquet")
    assert found.ids == ("5", "6")
    assert found.values.tolist() == [[1, 3], [2, 4]]


def test_a_byte_order_mark_is_no_part_of_a_word(tmp_path):
    (tmp_path / "x.txt").write_text("\ufeffdog 1 2\ncat 3 4\n", encoding="utf-8")
    assert read(tmp_path / "x.txt").ids == ("dog", "cat")


def test_counted_columns_are_a_header(tmp_path):
    (tmp_path / "x.csv").write_text("0,1,2\n0.5,2,3\n1.5,2,3\n")
    assert read(tmp_path / "x.csv").values.tolist() == [[0.5, 2, 3], [1.5, 2, 3]]


def test_ids_of_another_length_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", image=X, ids=np.array(["a", "b"]))
    with pytest.raises(IsthmusError, match="needed one id a row, got 2 ids for 4 rows"):
        read(tmp_path / "x.npz")


def test_large_npy_files_are_mapped(folder, monkeypatch):
    monkeypatch.setattr("isthmus.pairs._files._MAP_FROM_BYTES", 1)
    assert isinstance(read(folder / "x.npy").values, np.memmap)


def test_words_such_as_null_are_data_and_words_may_hold_spaces(tmp_path):
    (tmp_path / "x.csv").write_text("null,1,2\nnone,3,4\nNA,5,6\n")
    assert read(tmp_path / "x.csv").ids == ("null", "none", "NA")
    (tmp_path / "x.txt").write_text("dog 1 2\nat name@domain.com 3 4\n")
    assert read(tmp_path / "x.txt").ids == ("dog", "at name@domain.com")


def test_integers_and_half_precision(tmp_path):
    np.save(tmp_path / "i.npy", np.arange(6).reshape(3, 2))
    np.save(tmp_path / "h.npy", X.astype(np.float16))
    assert read(tmp_path / "i.npy").values.dtype == np.float64
    assert read(tmp_path / "h.npy").values.dtype == np.float16


def write(tmp_path, name, content):
    path = tmp_path / name
    if isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=True)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content)
    return path


BAD = [
    ("x.npy", np.array([[1.0, 2], [np.nan, 1], [np.inf, 2]]), "x.npy: needed finite numbers, got nan in row 1, column 0"),
    ("x.npy", np.array([[1.0, 2], [3, -np.inf]]), "got -inf in row 1, column 1"),
    ("x.npy", np.ones((2, 2, 2)), r"needed two dimensions \(items, numbers\), got 3 \(2x2x2\)"),
    ("x.npy", np.ones((0, 3)), "needed at least one row and one column, got 0x3"),
    ("x.npy", np.ones((2, 2), dtype=complex), "needed real numbers, got complex128"),
    ("x.npy", np.array([[1, "a"]], dtype=object), "got pickled objects, which can run code"),
    ("x.npy", pickle.dumps([1, 2]), "got pickled objects|damaged or truncated"),
    ("x.npy", b"", "got an empty file"),
    ("x.npy", b"garbage", "damaged or truncated|pickled"),
    ("x.npz", b"PK\x03\x04garbage", "damaged or truncated"),
    ("x.csv", "", "got an empty file"),
    ("x.csv", "a,b,c\n", "got only a header"),
    ("x.csv", "1,2\n3,dog\n", "needed a number, got 'dog' in line 2, column 2"),
    ("x.csv", "abc,2\n3,4\n5,6\n", "needed a number, got 'abc' in line 1, column 1"),
    ("x.csv", "p,q,id\n1,2,3\n", "got 'id' in column 3"),
    ("x.csv", "id,p,q\na,1,2\nb,3,\n", "needed a number, got '' in line 3, column 3"),
    ("x.csv", "1,2\n3,4,5\n", "equally long lines"),
    ("x.csv", "1,2\n3,nan\n", "got nan in row 1, column 1"),
    ("x.csv", "a,1\na,2\n", "needed unique ids, got 'a' in rows 0 and 1"),
    ("x.txt", "dog 1 2\ncat 3 four\n", "needed a number, got 'four' in line 2, column 3"),
    ("x.txt", "dog 1 2\ncat 3\n", "needed a word and 2 numbers, got 2 fields in line 2"),
    ("x.txt", "1 2 3\n4 5 6\n", "needed a word before the numbers of each line, got only numbers"),
    ("x.txt", "3 2\ndog 1 2\n", "needed 3 word vectors, got 1"),
    ("x.txt", b"\xff\xfe dog 1 2", "needed UTF-8 text"),
    ("x.mat", b"MATLAB 7.3 garbage", "damaged or truncated|7.3"),
    ("x.safetensors", b"12345678garbage", "damaged or truncated"),
    ("x.parquet", b"PAR1garbage", "damaged one"),
    ("x.xyz", "1", "needed a file ending in .*, got '.xyz'"),
]


@pytest.mark.parametrize(("name", "content", "match"), BAD, ids=[f"{i}-{case[0]}" for i, case in enumerate(BAD)])
def test_refuses(tmp_path, name, content, match):
    path = write(tmp_path, name, content)
    with pytest.raises(IsthmusError, match=match) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_refuses_every_truncation_of_an_npy(tmp_path, monkeypatch):
    path = write(tmp_path, "x.npy", X)
    whole = path.read_bytes()
    for mapped_from in (1 << 26, 1):
        monkeypatch.setattr("isthmus.pairs._files._MAP_FROM_BYTES", mapped_from)
        for size in (1, 5, 60, 100, 129, len(whole) - 1):
            path.write_bytes(whole[:size])
            with pytest.raises(IsthmusError, match="damaged or truncated|pickled"):
                read(path)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("two.npz", r"needed one key, got 2 \(image, text\). Name it after a colon"),
        ("two.npz:picture", "two.npz:picture: needed key of the file, got 'picture'. It has image, text"),
        ("two.safetensors:picture", "It has image, text"),
        ("two.mat:picture", "It has image, text"),
        ("two.parquet", "needed one vector column, got id, image, text"),
        ("two.parquet:picture", "needed a column of the file"),
        ("two.parquet:id", "needed a column of lists"),
        ("x.npy:key", "needed a path without a key"),
        ("nothing.npy", "needed a file, found none"),
        ("", "needed a file, got a folder"),
    ],
)
def test_refuses_keys_and_places(folder, source, match):
    with pytest.raises(IsthmusError, match=match):
        read(f"{folder}/{source}")


def test_ragged_lists_in_parquet_are_refused(tmp_path):
    pl.DataFrame({"v": [[1.0, 2.0], [3.0]]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(IsthmusError, match="needed 2 numbers a row, got 1 numbers in row 1"):
        read(tmp_path / "x.parquet")


def test_pt_files_need_torch_or_are_read_safely(tmp_path):
    path = tmp_path / "x.pt"
    try:
        import torch
    except ImportError:
        path.write_bytes(b"anything")
        with pytest.raises(IsthmusError, match=r"pip install 'isthmus\[features\]'"):
            read(path)
        return
    torch.save({"image": torch.tensor(X), "text": torch.tensor(X).bfloat16()}, path)
    np.testing.assert_array_equal(read(f"{path}:image").values, X)
    assert read(f"{path}:text").values.dtype == np.float32
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(IsthmusError, match="refused|damaged"):
        read(path)


def test_a_file_is_written_beside_what_else_is_there(tmp_path):
    mine, target = tmp_path / "x.npy.part", tmp_path / "x.npy"
    mine.write_text("of the user")
    with whole(target) as one, whole(target) as other:  # two writers of one place
        one.write_text("one")
        other.write_text("other, longer")
        assert one != other
    assert target.read_text() == "one"
    with pytest.raises(DataError, match="needed a file that can be written"), whole(tmp_path / "no" / "x.npy") as part:
        part.write_text("x")
    assert (mine.read_text(), sorted(path.name for path in tmp_path.iterdir())) == ("of the user", ["x.npy", "x.npy.part"])


def test_ids_that_are_missing_are_not_one_item(tmp_path):
    (tmp_path / "x.csv").write_text("id,a,b\np,1,2\n,3,4\n")
    pl.DataFrame({"id": ["p", None], "v": [[1.0, 2.0], [3.0, 4.0]]}).write_parquet(tmp_path / "x.parquet")
    np.savez(tmp_path / "x.npz", v=np.eye(2), ids=np.array([7.0, np.nan]))
    np.savez(tmp_path / "y.npz", v=np.eye(2), ids=np.array(["p", ""]))
    for name in ("x.csv", "x.parquet", "x.npz", "y.npz"):
        with pytest.raises(DataError, match="needed an id in every row, got none in row 1"):
            read(tmp_path / name)
