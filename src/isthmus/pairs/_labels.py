"""Classes of items from a file: a column of a text table, or an array of an npz file."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError


def read_labels(source: str | Path) -> ndarray:
    """One class a row, as text, or a table of rows by classes that is not 0 where a row is in one.

    Args:
        source: `file.tsv:column`, `file.csv:column`, `file.npz:key` or `file.npy`; an array of one dimension holds one class
            a row, one of two dimensions several.

    Raises:
        DataError: no such file, column or key, or an array of objects or of another number of dimensions.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "items.tsv").write_text("word\\tkind\\ndog\\tanimal\\ncar\\tthing\\n")
        ...     read_labels(f"{folder}/items.tsv:kind").tolist()
        ['animal', 'thing']
    """
    name, colon, key = str(source).rpartition(":")
    path = Path(name if colon and not Path(source).exists() else source)
    if path.suffix.lower() in (".tsv", ".csv"):
        from isthmus.pairs._tables import read_table  # noqa: PLC0415 - polars is heavy

        found: Any = read_table(path)
    elif not path.is_file():
        raise DataError(f"{path}: needed a file, found none. Check the path.")
    else:
        try:
            with path.open("rb") as file:
                loaded = np.load(file, allow_pickle=False)
                found = {each: loaded[each] for each in loaded.files} if hasattr(loaded, "files") else loaded
        except (ValueError, EOFError, OSError) as error:
            raise DataError(f"{path}: needed labels as npy, npz, tsv or csv, got {error}. Write them again.") from error
    if isinstance(found, dict):
        if key not in found or str(path) == str(source):
            raise DataError(f"{source}: needed a column or key of the file, got others. It has {', '.join(found)}.")
        found = np.asarray(found[key])
    if found.ndim == 1:
        return found.astype(str)
    if found.ndim != 2 or found.dtype.kind not in "biuf":
        raise DataError(f"{source}: needed one class a row, or a table of rows by classes, got {found.shape}. Check it.")
    return found != 0
