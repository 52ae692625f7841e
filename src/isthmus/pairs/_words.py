"""Word vectors as text: one word and its numbers a line, as GloVe and word2vec write them.

word2vec and fastText put a first line `count dimension` before them; GloVe does not. A word may itself hold spaces (GloVe
840B has such), so the numbers are counted from the right.
"""

from pathlib import Path

import numpy as np

from isthmus._errors import DataError
from isthmus.pairs._vectors import Vectors


def read_words(path: Path) -> Vectors:
    """Words and their vectors (float32) from a GloVe or word2vec text file.

    Raises:
        DataError: a line with another number of values, text where a number should be (line and column are named), fewer
            lines than the header promises, a word that occurs twice, or bytes that are not UTF-8.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "words.txt")
        ...     _ = path.write_text("2 2\\ndog 1 0\\ncat 0.5 2\\n")
        ...     read_words(path).ids
        ('dog', 'cat')
    """
    words: list[str] = []
    rows: list[np.ndarray] = []
    promised: int | None = None
    width = 0
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                fields = line.rstrip().split(" ")
                if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
                    promised, width = int(fields[0]), int(fields[1])
                    continue
                if fields == [""]:
                    continue
                width = width or len(fields) - 1
                if len(fields) <= width or width < 1:
                    raise DataError(
                        f"{path}: needed a word and {max(width, 1)} numbers, got {len(fields)} fields in line {number}. "
                        "Check that the file is whole and separated by single spaces."
                    )
                words.append(" ".join(fields[:-width]))
                rows.append(_numbers(fields[-width:], path, number, len(fields) - width))
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: needed UTF-8 text, got other bytes ({error.reason}). Convert it first.") from error
    if not rows or (promised is not None and promised != len(rows)):
        wanted = "at least one" if promised is None else str(promised)
        raise DataError(f"{path}: needed {wanted} word vectors, got {len(rows)}. Check that the file is whole.")
    if all(_is_number(word) for word in words):
        raise DataError(
            f"{path}: needed a word before the numbers of each line, got only numbers. "
            "Save an array as .npy or .csv; a .txt file holds word vectors."
        )
    return Vectors.of(np.stack(rows), tuple(words), path.name)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _numbers(fields: list[str], path: Path, line: int, before: int) -> np.ndarray:
    try:
        return np.array(fields, dtype=np.float32)
    except ValueError:
        for column, field in enumerate(fields, start=before + 1):
            try:
                float(field)
            except ValueError as error:
                raise DataError(
                    f"{path}: needed a number, got {field!r} in line {line}, column {column}. Repair that line."
                ) from error
        raise
