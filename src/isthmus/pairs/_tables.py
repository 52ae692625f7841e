"""Tables of numbers: csv, tsv and parquet, read with polars.

Text tables are read as text first and turned into numbers afterwards, so that a word in a column of numbers is reported
with its line and column, and "null" or "none" stay the words they are.
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy import ndarray
from polars.exceptions import PolarsError

from isthmus._errors import DataError
from isthmus._shapes import Float
from isthmus.pairs._vectors import Vectors, as_ids
from isthmus.words import is_number

# "" and "Unnamed: 0" head the row names that pandas writes.
_ID_NAMES = {"", "__index_level_0__", "id", "ids", "index", "item", "key", "name", "token", "unnamed: 0", "word"}
_LABEL_NAMES = {"category", "class", "group", "label", "labels"}


def names_ids(column: str) -> bool:
    """Whether a column of this name holds ids: one of the usual names, or one that ends in id (image_id, ItemID).

    Example:
        >>> names_ids("image_id"), names_ids("x0")
        (True, False)
    """
    name = column.strip()
    return name.lower() in _ID_NAMES or re.search(r"(?i:[\W_]ids?)$|[a-z]I[Dd]s?$", name) is not None


def read_table(path: Path) -> dict[str, list[str]]:
    """A text table with a header line, every field as text.

    Raises:
        DataError: no such file, an empty file, or lines of different lengths.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "split.tsv")
        ...     _ = path.write_text("id\\tpart\\nnull\\ttest\\n")
        ...     read_table(path)
        {'id': ['null'], 'part': ['test']}
    """
    if not path.is_file():
        raise DataError(f"{path}: needed a file, found {'a folder' if path.is_dir() else 'none'}. Check the path.")
    frame = _text(path, header=True)
    return {name: frame[name].to_list() for name in frame.columns}


def read_numbers(path: Path) -> Vectors:
    """Vectors from a csv or tsv file: one item a line, an optional header line and an optional id column.

    The first line is a header if none of its fields is a number, if its first field is empty or a name for ids (id, index,
    item, key, name, token, word, ..._id), or if it counts columns, 0, 1, 2, ... The first column holds ids if the header
    calls it so, or if its values are not numbers. What could be either is refused, not guessed.

    Raises:
        DataError: an empty file, lines of different lengths, text where a number should be (line and column are named,
            counted from 1), a column of ids or labels among the numbers, or a first column that may be ids and has no name.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "vectors.csv")
        ...     _ = path.write_text("dog,1,2\\ncat,3,4\\n")
        ...     read_numbers(path).ids
        ('dog', 'cat')
    """
    frame = _text(path, header=False)
    first = list(frame.row(0))
    named = names_ids(first[0])
    counted = first == [str(i) for i in range(len(first))]
    header = frame.height > 1 and (named or counted or not any(is_number(field) for field in first))
    body = frame.slice(1) if header else frame
    if not header and not any(is_number(field) for field in first):
        raise DataError(f"{path}: needed lines of numbers, got only a header. Check that the file is whole.")
    if header:
        for position, name in enumerate(first[1:], start=2):
            if name.strip() and (names_ids(name) or name.strip().lower() in _LABEL_NAMES):
                raise DataError(
                    f"{path}: needed numbers in every column after the first, got {name!r} in column {position}. "
                    "Put ids first, and drop what is no part of the vectors."
                )
    leading = body[:, 0].to_list()
    words = sum(not is_number(field) for field in leading)
    if not header and words == 0 and body.width > 1 and _counts_rows(leading):
        raise DataError(
            f"{path}: needed to know whether the first column is ids, got distinct whole numbers in order and no header. "
            "Add a header line: id,... if it is, a name such as x0,... if it is not."
        )
    named = (header and named) or words > len(leading) / 2
    columns = body.columns[1:] if named and body.width > 1 else body.columns
    numbers = body.select(pl.col(name).str.strip_chars().cast(pl.Float64, strict=False) for name in columns)
    values: Float[ndarray, "n d"] = np.empty((body.height, len(columns)))
    for position, name in enumerate(columns):
        column = numbers[name]
        if column.null_count():
            row = int(column.is_null().arg_max() or 0)
            raise DataError(
                f"{path}: needed a number, got {body[name][row]!r} in line {row + 1 + header}, "
                f"column {body.columns.index(name) + 1}. Repair that field, or drop the line in both sets."
            )
        values[:, position] = column.to_numpy()
    ids = as_ids(body[:, 0].to_list()) if len(columns) < body.width else None
    return Vectors.of(values, ids, path.name)


def read_parquet(path: Path, column: str | None) -> Vectors:
    """Vectors from a parquet file: one list or array column, or all numeric columns.

    Ids come from a column with a name for ids (id, word, ..._id, or the index that pandas writes), if there is one.

    Raises:
        DataError: a damaged file, an unknown column, several vector columns and none named, lists of different lengths,
            or missing values.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "vectors.parquet")
        ...     pl.DataFrame({"id": ["dog", "cat"], "image": [[1.0, 2.0], [3.0, 4.0]]}).write_parquet(path)
        ...     read_parquet(path, "image").values
        array([[1., 2.], [3., 4.]])
    """
    try:
        schema = dict(pl.read_parquet_schema(path))
        id_column = next((name for name in schema if names_ids(name) and name != column), None)
        column, columns = vector_columns(path, schema, column)
        frame = pl.read_parquet(path, columns=[*columns, *([] if id_column is None else [id_column])])
    except (PolarsError, OSError) as error:
        raise DataError(_broken_parquet(path, error)) from error
    ids = None if id_column is None else as_ids(frame[id_column].to_list())
    if column is None:
        return Vectors.of(frame.select(pl.col(name).cast(pl.Float64) for name in columns).to_numpy(), ids, path.name)
    rows = frame[column].to_list()
    for row, value in enumerate(rows):
        if value is None or len(value) != len(rows[0]):
            got = "nothing" if value is None else f"{len(value)} numbers"
            raise DataError(
                f"{path}:{column}: needed {len(rows[0] or ())} numbers a row, got {got} in row {row}. Repair it."
            )
    try:
        values = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{path}:{column}: needed lists of numbers, got {frame.schema[column]}. Name another column."
        ) from error
    return Vectors.of(values, ids, f"{path.name}:{column}")


def read_columns(path: Path) -> dict[str, list[Any]]:
    """The columns of a parquet file that hold no lists.

    Values are text, missing ones empty.

    Raises:
        DataError: a damaged file.
    """
    try:
        flat = [name for name, kind in pl.read_parquet_schema(path).items() if not kind.is_nested()]
        frame = pl.read_parquet(path, columns=flat)
    except (PolarsError, OSError) as error:
        raise DataError(_broken_parquet(path, error)) from error
    return {name: frame[name].cast(pl.String).fill_null("").to_list() for name in flat}


def nested_columns(path: Path) -> list[str]:
    """The columns of lists or arrays of numbers of a parquet file, in its order.

    Raises:
        DataError: a damaged file.
    """
    try:
        schema = pl.read_parquet_schema(path)
    except (PolarsError, OSError) as error:
        raise DataError(_broken_parquet(path, error)) from error
    return [name for name, kind in schema.items() if isinstance(kind, pl.List | pl.Array) and kind.inner.is_numeric()]


def _broken_parquet(path: Path, error: BaseException) -> str:
    return f"{path}: needed a whole parquet file, got a damaged one ({_first_line(error)}). Write it again."


def vector_columns(path: Path, schema: Mapping[str, Any], column: str | None) -> tuple[str | None, tuple[str, ...]]:
    """The column of lists that holds the vectors, or None and the numeric columns that do together.

    Raises:
        DataError: an unknown column, one that holds no lists, or several that might be meant.

    Example:
        >>> vector_columns(Path("x.parquet"), {"id": pl.String(), "image": pl.List(pl.Float32)}, None)
        ('image', ('image',))
    """
    listed = ", ".join(schema)
    lists = [name for name in schema if schema[name].is_nested()]
    if column is None and len(lists) == 1:
        column = lists[0]
    if column is None:
        ids = next((name for name in schema if names_ids(name)), None)
        numeric = tuple(name for name in schema if schema[name].is_numeric() and name != ids)
        if lists or not numeric:
            raise DataError(f"{path}: needed one vector column, got {listed}. Name it after a colon: {path.name}:column.")
        return None, numeric
    if column not in schema:
        raise DataError(f"{path}:{column}: needed a column of the file, got {column!r}. It has {listed}.")
    if not schema[column].is_nested():
        raise DataError(f"{path}:{column}: needed a column of lists, got {schema[column]}. Name another column.")
    return column, (column,)


def _counts_rows(fields: list[str]) -> bool:
    """Whether a column numbers the rows: whole numbers, each one more than the one before."""
    if len(fields) < 3 or not all(field.strip().isdigit() for field in fields):
        return False
    return all(int(b) - int(a) == 1 for a, b in pairwise(fields))


def _text(path: Path, *, header: bool) -> pl.DataFrame:
    if not path.stat().st_size:
        raise DataError(f"{path}: needed a table, got an empty file. Write it again.")
    try:
        separator = "," if path.suffix.lower() == ".csv" else "\t"
        return pl.read_csv(path, separator=separator, has_header=header, infer_schema=False).fill_null("")
    except (PolarsError, OSError) as error:
        _check_encoding(path)
        raise DataError(
            f"{path}: needed a table with equally long lines, got a damaged one ({_first_line(error)}). "
            "Check the separator (.csv: comma, .tsv: tab) and that the file is whole."
        ) from error


def _check_encoding(path: Path) -> None:
    """Refuse a text that is not UTF-8, by the line of its first wrong byte."""
    content = path.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}: needed text in UTF-8, got the byte 0x{content[error.start]:02x} in line {line}. "
            "Save it in UTF-8, as with: iconv -f LATIN1 -t UTF-8."
        ) from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:160]
