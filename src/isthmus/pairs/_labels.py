"""Classes of items from a file: a column of a table, or an array of an npz file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError


def as_classes(labels: Any, name: str = "labels") -> ndarray:
    """Labels in one of two forms: the name of one class a row, or a table of rows by classes, true where a row is in one.

    An array of one column holds one class a row, as MATLAB keeps labels; one of more columns is a table of 0 and 1, a
    column a class. Numbers are the same class whatever their type: 1, 1.0 and True.

    Args:
        labels: of one dimension or two.
        name: of the argument in errors.

    Raises:
        DataError: another number of dimensions, None or nan, or a table of something else than 0 and 1.

    Example:
        >>> as_classes(np.array([[1.0], [2.5]])).tolist(), as_classes([[0, 1], [1, 0]]).tolist()
        (['1', '2.5'], [[False, True], [True, False]])
    """
    found = np.asarray(labels)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim not in (1, 2):
        raise DataError(f"{name}: needed one class a row, or a table of rows by classes, got shape {found.shape}. Check it.")
    if found.ndim == 2 and found.dtype.kind not in "biuf":
        raise DataError(f"{name}: needed a table of numbers or yes and no, got {found.dtype}. Use 0 and 1.")
    if found.dtype.kind not in "biuUS":
        missing = np.array([each is None or each != each for each in found.ravel().tolist()]).reshape(found.shape)  # noqa: PLR0124
        if missing.any():
            row = int(missing.reshape(len(found), -1).any(axis=1).argmax())
            raise DataError(f"{name}: needed a class for every item, got none in row {row}. Label it, or leave it out.")
    if found.ndim == 2 and not ((found == 0) | (found == 1)).all():
        raise DataError(
            f"{name}: needed a table of 0 and 1, a column a class, got other numbers. Use 1 where a row is in a class."
        )
    return found != 0 if found.ndim == 2 else np.array([_class_name(each) for each in found.tolist()], dtype=str)


def _class_name(label: Any) -> str:
    whole = isinstance(label, bool) or (isinstance(label, float) and label.is_integer())
    return label.decode(errors="replace") if isinstance(label, bytes) else str(int(label) if whole else label)


def read_labels(source: str | Path, ids: Sequence[str] | None = None) -> ndarray:
    """One class a row, as text, or a table of rows by classes that is not 0 where a row is in one.

    Args:
        source: `file.tsv:column`, `file.csv:column`, `file.parquet:column`, `file.npz:key` or `file.npy`; an array of one
            dimension, or of one column, holds one class a row, one of more columns several.
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
    classes = as_classes(found, str(source))
    if classes.ndim == 1 and len(blank := np.flatnonzero(classes == "")):
        raise DataError(f"{source}: needed a class for every item, got none in row {blank[0]}. Label it, or leave it out.")
    return classes


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
            raise DataError(
                f"{source}: needed a column or key of the file, got others. Name one as FILE:COLUMN, of {', '.join(found)}."
            )
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
