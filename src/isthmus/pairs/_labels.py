"""Classes of items from a file: a column of a table, or an array of an npz file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError


def read_labels(source: str | Path, ids: Sequence[str] | None = None) -> ndarray:
    """One class a row, as text, or a table of rows by classes that is not 0 where a row is in one.

    Args:
        source: `file.tsv:column`, `file.csv:column`, `file.parquet:column`, `file.npz:key` or `file.npy`; an array of one
            dimension holds one class a row, one of two dimensions several.
        ids: of the items to label, in order. Where the file has ids too (a column `id`, an array `ids`), labels are joined
            by them; else they are taken row by row.

    Raises:
        DataError: no such file, column or key, an array of objects or of another number of dimensions, a label that is nan
            or empty, an item that the file does not name, or the same id twice.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "items.tsv").write_text("word\\tkind\\ndog\\tanimal\\ncar\\tthing\\n")
        ...     read_labels(f"{folder}/items.tsv:kind").tolist()
        ['animal', 'thing']
    """
    found, named = _load(source)
    if ids is not None and named is not None:
        found = found[_rows_of(ids, named, source)]
    if found.ndim == 1:
        labels = found.astype(str)
        blank = np.flatnonzero(np.isin(labels, ["", "nan"] if found.dtype.kind == "f" else [""]))
        if len(blank):
            raise DataError(f"{source}: needed a label for every item, got none in row {blank[0]}. Label or drop it.")
        return labels
    if found.ndim != 2 or found.dtype.kind not in "biuf":
        raise DataError(f"{source}: needed one class a row, or a table of rows by classes, got {found.shape}. Check it.")
    if found.dtype.kind == "f" and np.isnan(found).any():
        row = int(np.isnan(found).any(1).argmax())
        raise DataError(f"{source}: needed a label for every item, got nan in row {row}. Write 0 or 1, or drop it.")
    return found != 0


def labels_have_ids(source: str | Path) -> bool:
    """Whether a file of labels names its rows, so that `read_labels` can join them by id.

    Raises:
        DataError: as `read_labels`.
    """
    return _load(source)[1] is not None


def _load(source: str | Path) -> tuple[ndarray, list[str] | None]:
    """The labels as they lie there, and the ids beside them if there are any."""
    name, colon, key = str(source).rpartition(":")
    path = Path(name if colon and not Path(source).exists() else source)
    if path.suffix.lower() in (".tsv", ".csv"):
        from isthmus.pairs._tables import read_table  # noqa: PLC0415 - polars is heavy

        found: Any = read_table(path)
    elif path.suffix.lower() == ".parquet" and path.is_file():
        from isthmus.pairs._tables import read_columns  # noqa: PLC0415 - polars is heavy

        found = read_columns(path)
    elif not path.is_file():
        raise DataError(f"{path}: needed a file, found none. Check the path.")
    else:
        try:
            with path.open("rb") as file:
                loaded = np.load(file, allow_pickle=False)
                found = {each: loaded[each] for each in loaded.files} if hasattr(loaded, "files") else loaded
        except (ValueError, EOFError, OSError) as error:
            raise DataError(
                f"{path}: needed labels as npy, npz, tsv, csv or parquet, got {error}. Write them again."
            ) from error
    if isinstance(found, dict):
        if key not in found or str(path) == str(source):
            raise DataError(f"{source}: needed a column or key of the file, got others. It has {', '.join(found)}.")
        named = found.get("id", found.get("ids"))
        labels = np.asarray(found[key])
        same = named is not None and labels.ndim > 0 and len(named) == len(labels)
        return labels, [str(each) for each in np.asarray(named).ravel().tolist()] if same else None
    return found, None


def _rows_of(ids: Sequence[str], named: Sequence[str], source: str | Path) -> list[int]:
    row_of = {name: row for row, name in enumerate(named)}
    if len(row_of) < len(named):
        again = next(name for row, name in enumerate(named) if row_of[name] != row)
        raise DataError(f"{source}: needed every id once, got {again!r} again. Keep one line for each item.")
    missing = [name for name in ids if name not in row_of]
    if missing:
        raise DataError(
            f"{source}: needed a label for each of {len(ids)} items, got none for {len(missing)} ({missing[0]!r} first). "
            "Name its rows like those of the vectors."
        )
    return [row_of[name] for name in ids]
