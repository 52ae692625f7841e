"""Vectors as files, as `isthmus.pairs.write` makes them, but written as they come, for sets larger than memory."""

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float
from isthmus.features._parts import replacing, write_whole

OUTPUTS = (".npz", ".npy")
"""Endings of the files that features can be written to."""


def check_output(path: Path) -> Path:
    """The place of the result, if vectors can be written there.

    Raises:
        DataError: an ending other than .npz and .npy.

    Example:
        >>> check_output(Path("out.npz")).name
        'out.npz'
    """
    if path.suffix.lower() not in OUTPUTS:
        raise DataError(f"out: needed a file ending in {' or '.join(OUTPUTS)}, got {str(path)!r}. Name it out.npz.")
    return path


def check_table(path: Path, known: Iterable[Sequence[str]]) -> None:
    """Refuse to write a table in the place of a file without the columns of one of ours, and so perhaps a user's own.

    Raises:
        DataError: such a file is there.

    Example:
        >>> check_table(Path("not-there.tsv"), [("id", "row")])
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        header = file.readline(1000).decode(errors="replace").rstrip("\n")
    if header not in map("\t".join, known):
        raise DataError(
            f"out: needed room for the table {path}, got a file of other columns. Rename it, or choose another out."
        )


def write_vectors(
    path: Path, blocks: Iterable[Float[ndarray, "_ d"]], shape: tuple[int, int], ids: Sequence[str] | None
) -> None:
    """Rows as float32, block by block, so that they need not fit into memory.

    Args:
        path: ending in .npy, or in .npz for the arrays `values` and, where rows have names, `ids`.
        blocks: of rows, in order; together of the shape.
        shape: rows and columns.
        ids: of the rows, if they have any.

    Raises:
        DataError: a place that cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     out = Path(folder, "out.npz")
        ...     write_vectors(out, [np.eye(2), np.ones((1, 2))], (3, 2), ["dog", "cat", "cow"])
        ...     sorted(np.load(out)), np.load(out)["values"].shape
        (['ids', 'values'], (3, 2))
    """
    with replacing(path) as part:
        if path.suffix.lower() == ".npy":
            with part.open("wb") as file:
                _write_rows(file, blocks, shape)
            return
        with zipfile.ZipFile(part, "w") as archive:
            with archive.open("values.npy", "w", force_zip64=True) as file:
                _write_rows(file, blocks, shape)
            if ids is None:
                return
            with archive.open("ids.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.array(ids, dtype=str), allow_pickle=False)


def _write_rows(file: Any, blocks: Iterable[Float[ndarray, "_ d"]], shape: tuple[int, int]) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    for block in blocks:
        file.write(np.ascontiguousarray(block, dtype="<f4").tobytes())


def write_table(path: Path, columns: dict[str, Sequence[Any]]) -> None:
    """A tab-separated table with a header.

    Raises:
        DataError: a place that cannot be written.
    """
    import polars as pl  # noqa: PLC0415 - polars is heavy

    write_whole(path, pl.DataFrame(columns, strict=False).write_csv(separator="\t").encode())
