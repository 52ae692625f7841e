"""Texts from a file, and the words of a text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isthmus._errors import DataError
from isthmus.pairs import check_ids

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts in order, with ids if their file names them."""

    values: tuple[str, ...]
    ids: tuple[str, ...] | None
    name: str


def read_texts(source: str | Path, id_column: str | None = None) -> Texts:
    """Texts of `file.tsv:column` or `file.csv:column`, or of `file.txt`, one a line.

    Args:
        source: the column may be left out if it is called text.
        id_column: of a table, that names its lines; `id` if there is one of that name.

    Raises:
        DataError: no such file or column, another ending, bytes that are not UTF-8, no text, or an id that occurs twice.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "items.tsv").write_text("id\\ttext\\n7\\ta dog\\n9\\ta cat\\n")
        ...     read_texts(f"{folder}/items.tsv").values
        ('a dog', 'a cat')
    """
    name, colon, column = str(source).rpartition(":")
    path, column = (Path(name), column) if colon and not Path(source).exists() else (Path(source), "text")
    if path.suffix.lower() == ".txt":
        return Texts(_lines(path), None, path.name)
    if path.suffix.lower() not in (".csv", ".tsv"):
        raise DataError(f"{path}: needed texts as .tsv, .csv or .txt, got {path.suffix or 'no ending'!r}. Convert them.")
    from isthmus.pairs._tables import read_table  # noqa: PLC0415 - polars is heavy

    table = read_table(path)
    for needed in (column, id_column or column):
        if needed not in table:
            raise DataError(f"{path}: needed the column {needed}, got {', '.join(table)}. Name one: {path.name}:COLUMN.")
    texts = tuple(table[column])
    if not texts:
        raise DataError(f"{path}: needed at least one text, got a header alone. Check that the file is whole.")
    ids = table.get(id_column or "id")
    if ids is not None:
        check_ids(tuple(ids), len(texts), str(path))
    return Texts(texts, None if ids is None else tuple(ids), f"{path.name}:{column}")


def _lines(path: Path) -> tuple[str, ...]:
    try:
        lines = tuple(path.read_text(encoding="utf-8-sig").splitlines())
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: needed UTF-8 text, got other bytes ({error.reason}). Convert it first.") from error
    except OSError as error:
        raise DataError(f"{path}: needed a readable file, got {error.strerror}. Check the path.") from error
    if not lines:
        raise DataError(f"{path}: needed at least one text, got an empty file. Check that it is whole.")
    return lines


def tokens(text: str) -> list[str]:
    """The words of a text, lower case: runs of letters and digits.

    Example:
        >>> tokens("A dog's life, no. 7")
        ['a', 'dog', 's', 'life', 'no', '7']
    """
    return _WORD.findall(text.lower())


def vocabulary(texts: Sequence[str]) -> list[str]:
    """Every word of the texts once, sorted."""
    return sorted({word for text in texts for word in tokens(text)})
