"""Sets that stay in their files: every format gives, block by block and row by row, what reading it whole gives."""

import json

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

from isthmus import IsthmusError
from isthmus.pairs import open_stream


@pytest.fixture
def values(rng):
    return rng.normal(size=(50, 6)).astype(np.float32)


def npy(folder, values):
    np.save(folder / "x.npy", values)
    return "x.npy"


def double_npy(folder, values):
    np.save(folder / "x.npy", values.astype(np.float64))
    return "x.npy"


def safetensors(folder, values):
    save_file({"other": np.zeros((3, 2), np.float32), "v": values}, folder / "x.safetensors")
    return "x.safetensors:v"


def bfloat16(folder, values):
    values[:] = (values.view(np.uint32) & 0xFFFF0000).view(np.float32)  # what bfloat16 can hold
    header = json.dumps({"v": {"dtype": "BF16", "shape": values.shape, "data_offsets": [0, 2 * values.size]}}).encode()
    numbers = (values.view(np.uint32) >> 16).astype(np.uint16)
    (folder / "x.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + numbers.tobytes())
    return "x.safetensors"


def array_parquet(folder, values):
    pl.DataFrame({"id": [f"i{i}" for i in range(len(values))], "v": values}).write_parquet(
        folder / "x.parquet", row_group_size=7
    )
    return "x.parquet"


def list_parquet(folder, values):
    pl.DataFrame({"v": values.tolist()}, schema={"v": pl.List(pl.Float32)}).write_parquet(folder / "x.parquet")
    return "x.parquet:v"


def numbers_parquet(folder, values):
    pl.DataFrame(values, schema=[f"c{i}" for i in range(values.shape[1])]).write_parquet(folder / "x.parquet")
    return "x.parquet"


def parts(folder, values):
    (folder / "x").mkdir()
    for number, start in enumerate(range(0, 50, 5)):  # ten parts: part-9 before part-10 only by number
        np.save(folder / "x" / f"part-{number + 1}.npy", values[start : start + 5])
    (folder / "x" / "README.md").write_text("not a part")
    return "x"


def whole_numbers_parquet(folder, values):
    values[:] = np.round(values)
    pl.DataFrame({"v": values.astype(np.int64)}).write_parquet(folder / "x.parquet")
    return "x.parquet"


FORMATS = [
    whole_numbers_parquet,
    npy,
    double_npy,
    safetensors,
    bfloat16,
    array_parquet,
    list_parquet,
    numbers_parquet,
    parts,
]


@pytest.mark.parametrize("write", FORMATS)
def test_blocks_and_rows_are_those_of_the_whole(tmp_path, rng, values, write):
    name = write(tmp_path, values)
    stream = open_stream(tmp_path / name)
    assert (len(stream), stream.width) == (50, 6)
    for rows in (1, 7, 50, 1000):
        blocks = list(stream.blocks(rows))
        assert [start for start, _ in blocks] == list(np.cumsum([0, *(len(block) for _, block in blocks)])[:-1])
        np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), values)
    some = rng.permutation(50)[:23]
    np.testing.assert_array_equal(stream.rows(some), values[some])


def test_ids_come_with_parquet_files_that_have_them(tmp_path, values):
    stream = open_stream(tmp_path / array_parquet(tmp_path, values))
    assert stream.has_ids
    assert list(stream.ids()) == [f"i{i}" for i in range(50)]
    assert not open_stream(tmp_path / npy(tmp_path, values)).has_ids


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path, values):
    stream = open_stream(tmp_path / npy(tmp_path, values))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-4])
    with pytest.raises(IsthmusError, match="got a file that ends before"):
        list(stream.blocks(10))


def lists_of_two_lengths(folder):
    pl.DataFrame({"v": [[1.0, 2.0], [3.0]]}).write_parquet(folder / "x.parquet")
    return open_stream(folder / "x.parquet").rows(np.array([0, 1]))


def column_order(folder):
    np.save(folder / "x.npy", np.asfortranarray(np.ones((5, 3))))
    open_stream(folder / "x.npy")


def unknown_key(folder):
    save_file({"a": np.ones((2, 2), np.float32), "b": np.ones((2, 2), np.float32)}, folder / "x.safetensors")
    open_stream(folder / "x.safetensors")


def text_lists(folder):
    pl.DataFrame({"v": [["a", "b"], ["c", "d"]]}).write_parquet(folder / "x.parquet")
    open_stream(folder / "x.parquet")


def header(content):
    def write(folder):
        (folder / "x.safetensors").write_bytes(len(content).to_bytes(8, "little") + content + bytes(160))
        open_stream(folder / "x.safetensors")

    return write


def tensor(shape, offsets):
    return header(json.dumps({"v": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}).encode())


def damaged(name):
    def write(folder):
        (folder / name).write_bytes(b"not what it says it is")
        open_stream(folder / name)

    write.__name__ = f"damaged {name}"
    return write


@pytest.mark.parametrize(
    ("break_it", "match"),
    [
        (lists_of_two_lengths, "needed 2 numbers in every row"),
        (column_order, "needed rows that lie together"),
        (unknown_key, "needed one key of a, b"),
        (text_lists, "needed lists of numbers"),
        (header(b"5"), "damaged one"),
        (header(b"[" * 200_000), "damaged one"),
        (tensor([10.5, 4], [0, 160]), "needed"),
        (tensor([-10, -4], [0, 160]), "needed a size of whole numbers"),
        (tensor([10, 4], [-50, 110]), "needed 160 bytes for its shape"),
        (tensor([10, 4], [0, 8]), "needed 160 bytes for its shape"),
        (damaged("x.npy"), "needed a whole file, got a damaged one"),
        (damaged("x.parquet"), "needed a whole parquet file"),
        (damaged("x.safetensors"), "needed a safetensors file, got a header of"),
        (lambda folder: open_stream(folder / "gone.npy"), "found none"),
    ],
)
def test_refuses(tmp_path, break_it, match):
    with pytest.raises(IsthmusError, match=match):
        break_it(tmp_path)


def test_a_parquet_file_damaged_in_the_middle_is_one_error(tmp_path, rng):
    path = tmp_path / "x.parquet"
    pl.DataFrame({f"c{i}": rng.integers(0, 50, 5000).astype(np.int64) for i in range(4)}).write_parquet(path)
    whole = bytearray(path.read_bytes())
    for place in range(len(whole) // 3, len(whole) // 3 + 400):
        whole[place] ^= 0x5A
    path.write_bytes(whole)
    stream = open_stream(path)
    with pytest.raises(IsthmusError, match=r"x.parquet: needed a whole parquet file"):
        list(stream.blocks(1000))
