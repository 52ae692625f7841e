"""Vectors that stay in their files and are read a block of rows at a time, for sets larger than memory.

npy, safetensors and parquet can be read from the middle; a folder of such files, in the order of the numbers in their
names, is one set. Files are read, not memory-mapped: mapped pages would count as memory of the process.
"""

import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float, Int
from isthmus.pairs._footer import row_groups
from isthmus.pairs._vectors import check_vectors

STREAMED = (".npy", ".parquet", ".safetensors")
"""Endings of the files that can be read in blocks."""

_SAFETENSORS_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_IDS_AT_ONCE = 50_000
_LARGEST_HEADER = 1 << 27  # of a safetensors file, by its specification 100 MB


@dataclass(frozen=True, slots=True)
class BinaryPart:
    """Rows of numbers one after the other, from an offset of the file on (npy, safetensors)."""

    path: Path
    offset: int
    rows: int
    width: int
    dtype: str  # "<u2" stands for bfloat16

    held = 0
    """Bytes that reading takes, beside the rows asked for."""

    def pieces(self, rows: int) -> Iterator[tuple[int, int]]:
        """Where to cut the part so that it is read piece by piece, once in all: at most so many rows in each."""
        return _steps(self.rows, rows)

    def together(self, row: int) -> int:
        """The row up to which single rows are read in one piece with this one."""
        return row + max(1, _BYTES_APART // (4 * self.width))

    def read(self, start: int, stop: int) -> ndarray:
        """Rows start..stop as they are stored; bfloat16 becomes float32."""
        kind = np.dtype(self.dtype)
        values = np.fromfile(
            self.path, kind, (stop - start) * self.width, offset=self.offset + start * self.width * kind.itemsize
        )
        if len(values) < (stop - start) * self.width:
            raise DataError(f"{self.path}: needed {self.rows} rows, got a file that ends before. Write or copy it again.")
        if kind == np.uint16:
            values = (values.astype(np.uint32) << 16).view(np.float32)
        return values.reshape(-1, self.width)


@dataclass(frozen=True, slots=True)
class ParquetPart:
    """The vector column of a parquet file, or all of its numeric columns."""

    path: Path
    column: str | None
    columns: tuple[str, ...]
    rows: int
    width: int
    groups: tuple[int, ...]  # rows of each row group
    itemsize: int  # bytes of a number, once decoded
    id_column: str | None = None
    cast: bool = False  # whole and decimal numbers become float64

    @property
    def held(self) -> int:
        """Bytes that reading takes, beside the rows asked for: a row group as it is stored, decoded, and as an array."""
        return max(self.groups) * self.width * (3 * self.itemsize + 1)

    def pieces(self, rows: int) -> Iterator[tuple[int, int]]:
        """Where to cut the part so that it is read in pieces, once in all: row groups, of at most so many rows or one."""
        start = stop = 0
        for group in self.groups:
            if stop > start and stop + group - start > rows:
                yield start, stop
                start = stop
            stop += group
        if stop > start:
            yield start, stop

    def together(self, row: int) -> int:
        """The row up to which single rows are read in one piece with this one: the end of its row group."""
        ends = list(accumulate(self.groups))
        return ends[bisect_right(ends, row)]

    def ids(self) -> Iterator[str]:
        """The names of the rows, read a piece at a time."""
        import polars as pl  # noqa: PLC0415

        frame = pl.scan_parquet(self.path).select(self.id_column)
        for start in range(0, self.rows, _IDS_AT_ONCE):
            with _readable(self.path):
                ids = frame.slice(start, _IDS_AT_ONCE).collect().to_series()
            yield from map(str, ids)

    def read(self, start: int, stop: int) -> ndarray:
        """Rows start..stop, decoded from the row groups that they lie in."""
        import polars as pl  # noqa: PLC0415 - polars is heavy

        rows = pl.scan_parquet(self.path).select(self.columns).slice(start, stop - start)
        if self.cast:
            rows = rows.cast(pl.Float64 if self.column is None else pl.List(pl.Float64))
        frame = rows.collect()
        if self.column is None:
            return frame.to_numpy()
        lists = frame[self.column]
        if lists.null_count() or (lists.dtype == pl.List and not (lists.list.len() == self.width).all()):
            raise DataError(
                f"{self.path}:{self.column}: needed {self.width} numbers in every row, got another count or nothing in rows "
                f"{start} to {stop - 1}. Repair it."
            )
        if lists.dtype == pl.List:
            return lists.explode().to_numpy().reshape(-1, self.width)
        return lists.to_numpy()


Part = BinaryPart | ParquetPart
"""One file of a set: its rows, of one width, readable from any row on."""


@dataclass(frozen=True, slots=True, eq=False)
class VectorStream:
    """One set of embeddings that stays in its files.

    Args:
        parts: the files, in the order of their rows.
        name: what errors call the set.
    """

    parts: tuple[Part, ...]
    name: str

    def __len__(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return self.parts[0].width

    @property
    def held(self) -> int:
        """Bytes that reading takes, beside the rows asked for."""
        return max(part.held for part in self.parts)

    @property
    def has_ids(self) -> bool:
        """Whether every part names its rows."""
        return all(isinstance(part, ParquetPart) and part.id_column is not None for part in self.parts)

    def ids(self) -> Iterator[str]:
        """The names of the items, in order, where all parts have them."""
        for part in self.parts:
            if isinstance(part, ParquetPart):
                yield from part.ids()

    def blocks(self, rows: int) -> Iterator[tuple[int, Float[ndarray, "n d"]]]:
        """The whole set once, in order: the number of the first row, and at most so many rows, checked to be finite.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     np.save(Path(folder, "x.npy"), np.eye(5))
            ...     [(start, len(block)) for start, block in open_stream(Path(folder, "x.npy")).blocks(2)]
            [(0, 2), (2, 2), (4, 1)]
        """
        first = 0
        for part in self.parts:
            for start, block in read_blocks(part, part.pieces(rows), rows):
                yield first + start, block
                del block  # or it would still be held while the next is read
            first += part.rows

    def rows(self, row: Int[ndarray, " m"]) -> Float[ndarray, "m d"]:
        """These rows, in the order asked for; float64 if any of their parts holds it, else float32.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     np.save(Path(folder, "x.npy"), np.arange(8.0).reshape(4, 2))
            ...     open_stream(Path(folder, "x.npy")).rows(np.array([3, 0]))
            array([[6., 7.],
                   [0., 1.]])
        """
        order = np.argsort(row, kind="stable")
        found: list[ndarray] = []
        first = 0
        for part in self.parts:
            wanted = row[order]
            mine = wanted[(wanted >= first) & (wanted < first + part.rows)] - first
            # Rows that lie close together are read in one piece; a row group is decoded once for all of its rows.
            at = 0
            while at < len(mine):
                start = int(mine[at])
                until = int(np.searchsorted(mine, part.together(start)))
                block = checked_rows(part, start, int(mine[until - 1]) + 1)
                found.append(block[mine[at:until] - start])
                at = until
            first += part.rows
        values = np.concatenate(found)
        result = np.empty_like(values)
        result[order] = values
        return result


def _steps(size: int, rows: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + rows, size)) for start in range(0, size, rows))


def read_blocks(part: Part, pieces: Iterable[tuple[int, int]], rows: int) -> Iterator[tuple[int, Float[ndarray, "n d"]]]:
    """The rows of these pieces of a part, each read once: the number of the first row, and at most so many rows."""
    for first, last in pieces:
        piece = checked_rows(part, first, last)
        for start, stop in _steps(len(piece), rows):
            yield first + start, piece[start:stop]
        del piece


def checked_rows(part: Part, start: int, stop: int) -> Float[ndarray, "n d"]:
    """Rows of a part as float32 or float64, finite.

    Raises:
        DataError: a file that cannot be read, or numbers that are not finite.
    """
    with _readable(part.path):
        block = part.read(start, stop)
    finite = np.isfinite(block)
    if not finite.all():
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        raise DataError(
            f"{part.path}: needed finite numbers, got {block[row, column]} in row {start + row}, column {column} "
            "(counted from 0). Drop or repair that row in all sets."
        )
    block = check_vectors(block, str(part.path))
    return block.astype(np.float32) if block.dtype == np.float16 else block


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What goes wrong while a file is read, in one line."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: needed a readable file, got {error}. Check it.") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "polars":  # not imported only to be compared with
            raise
        raise DataError(f"{path}: needed a whole parquet file, got {error}. Write it again.") from error


_BYTES_APART = 1 << 16


def open_stream(source: str | Path) -> VectorStream:
    """A set that stays in its files: an npy, safetensors or parquet file, with `:key` where needed, or a folder.

    The files of a folder follow each other by the numbers in their names: part-2 before part-10.

    Raises:
        DataError: no such file or folder, a format that cannot be read from the middle, a truncated file, or parts of
            different widths.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for number in (10, 2):
        ...         np.save(Path(folder, f"part-{number}.npy"), np.full((2, 3), number))
        ...     open_stream(folder).rows(np.array([0, 3]))[:, 0]
        array([ 2., 10.])
    """
    path, colon, key = str(source).rpartition(":")
    if not colon or Path(source).exists() or len(path) < 2 or "/" in key:
        path, key = str(source), ""
    root = Path(path)
    if root.is_dir():
        files = sorted((p for p in root.iterdir() if p.suffix.lower() in STREAMED), key=_by_number)
        if not files:
            raise DataError(f"{root}: needed a folder of {', '.join(STREAMED)} files, found none. Check the path.")
    elif root.is_file():
        files = [root]
    else:
        raise DataError(f"{root}: needed a file or a folder of parts, found none. Check the path.")
    parts = tuple(_part(file, key or None) for file in files)
    for part in parts:
        if part.width != parts[0].width:
            raise DataError(
                f"{root}: needed parts of one width, got {parts[0].width} in {parts[0].path.name} and {part.width} in "
                f"{part.path.name}. Remove what does not belong to the set."
            )
    return VectorStream(parts, root.name + (f":{key}" if key else ""))


def _by_number(path: Path) -> list[tuple[int, str]]:
    pieces = re.split(r"([0-9]+)", path.name)
    return [*((int(piece), "") if i % 2 else (-1, piece) for i, piece in enumerate(pieces)), (-1, path.name)]


def _part(path: Path, key: str | None) -> Part:
    readers = {".npy": _npy, ".parquet": _parquet, ".safetensors": _safetensors}
    if path.suffix.lower() not in readers:
        raise DataError(
            f"{path}: needed {', '.join(STREAMED)} to be read in blocks, got {path.suffix or 'no ending'!r}. "
            "Convert it to .npy, or leave --memory out to read it whole."
        )
    try:
        part = readers[path.suffix.lower()](path, key)
    except PermissionError as error:
        raise DataError(f"{path}: needed a readable file, got {error.strerror}. Check its permissions.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, TokenError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: needed a whole file, got a damaged one ({error}). Write or copy it again.") from error
    if not part.rows or not part.width:
        raise DataError(f"{path}: needed at least one row and one column, got {part.rows}x{part.width}. Write it again.")
    return part


def _binary(path: Path, offset: int, shape: tuple[int, ...], dtype: str) -> BinaryPart:
    if len(shape) != 2:
        raise DataError(f"{path}: needed two dimensions (items, numbers), got {len(shape)}. Store one row an item.")
    if not all(type(size) is int and size >= 0 for size in shape):
        raise DataError(f"{path}: needed a size of whole numbers, got {shape}. Write it again.")
    needed = offset + shape[0] * shape[1] * np.dtype(dtype).itemsize
    if path.stat().st_size < needed:
        raise DataError(
            f"{path}: needed {needed} bytes for {shape[0]}x{shape[1]}, got {path.stat().st_size}. Write or copy it again."
        )
    return BinaryPart(path, offset, shape[0], shape[1], dtype)


def _npy(path: Path, key: str | None) -> Part:
    del key  # a folder may hold other formats that need one
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise DataError(f"{path}: needed an npy file of version 1 to 3, got {version}. Write it again.")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(file)
        offset = file.tell()
    if dtype.hasobject:
        raise DataError(
            f"{path}: needed plain numbers, got pickled objects, which can run code and are refused. "
            "Save array.astype('float32') with numpy.save."
        )
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise DataError(f"{path}: needed real numbers, got {dtype}. Convert it to float32 first.")
    if by_columns and min(shape, default=0) > 1:
        raise DataError(f"{path}: needed rows that lie together, got column order. Save numpy.ascontiguousarray(array).")
    if dtype == np.uint16:
        raise DataError(f"{path}: needed floats to be read in blocks, got uint16. Convert it to float32 first.")
    return _binary(path, offset, shape, dtype.str)


def _safetensors(path: Path, key: str | None) -> Part:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LARGEST_HEADER:
            raise DataError(f"{path}: needed a safetensors file, got a header of {length} bytes. Write it again.")
        header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    if (key is not None and key not in header) or (key is None and len(header) != 1):
        raise DataError(f"{path}: needed one key of {', '.join(sorted(header))}, got {key!r}. Write {path.name}:key.")
    tensor = header[key if key is not None else next(iter(header))]
    if tensor["dtype"] not in _SAFETENSORS_TYPES:
        raise DataError(f"{path}: needed {', '.join(_SAFETENSORS_TYPES)}, got {tensor['dtype']}. Convert it to F32.")
    begin, end = tensor["data_offsets"]
    size = math.prod(tensor["shape"]) * np.dtype(_SAFETENSORS_TYPES[tensor["dtype"]]).itemsize
    if type(begin) is not int or begin < 0 or end != begin + size:
        raise DataError(f"{path}: needed {size} bytes for its shape, got them from {begin} to {end}. Write it again.")
    offset = 8 + length + begin
    return _binary(path, offset, tuple(tensor["shape"]), _SAFETENSORS_TYPES[tensor["dtype"]])


def _parquet(path: Path, key: str | None) -> Part:
    import polars as pl  # noqa: PLC0415
    from polars.exceptions import PolarsError  # noqa: PLC0415

    from isthmus.pairs._tables import names_ids, vector_columns  # noqa: PLC0415

    try:
        frame = pl.scan_parquet(path)
        schema = dict(frame.collect_schema())
        column, columns = vector_columns(path, schema, key)
        ids = next((name for name in schema if names_ids(name) and name != column), None)
        kinds = [getattr(schema[name], "inner", schema[name]) for name in columns]
        if not all(kind.is_numeric() for kind in kinds):
            raise DataError(f"{path}: needed lists of numbers, got {schema[columns[0]]}. Name another column.")
        cast = not all(kind in (pl.Float32, pl.Float64) for kind in kinds)
        itemsize = 4 if all(kind == pl.Float32 for kind in kinds) else 8
        found = [(group, numbers) for group, numbers in row_groups(path) if group]
        groups = tuple(group for group, _ in found)
        rows = sum(groups)
        if column is None:
            return ParquetPart(path, None, columns, rows, len(columns), groups, itemsize, ids, cast)
        # Lists of one length have it in the footer; the first of them may cost the whole row group.
        width, left = divmod(found[0][1][column], groups[0]) if found else (0, 0)
        if left:
            width = frame.select(pl.col(column).list.len()).slice(0, 1).collect().item() or 0
    except PolarsError as error:
        raise DataError(f"{path}: needed a whole parquet file, got a damaged one ({error}). Write it again.") from error
    return ParquetPart(path, column, columns, rows, width, groups, itemsize, ids, cast)
