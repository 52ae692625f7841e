"""Word vectors as text: one word and its numbers a line, as GloVe, word2vec and fastText write them.

word2vec and fastText put a first line `count dimension` before them; GloVe does not. A word may itself hold spaces (GloVe
840B has such), so numbers are counted from the right. Lines are taken apart by where their spaces are, all lines of a block
at once; polars only turns text into numbers. They are read as float64 and rounded to float32, as others do.
"""

from collections.abc import Collection, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float, Int
from isthmus.words._batches import BLOCK, Batch, encoded, opened

_BOM = b"\xef\xbb\xbf"
_LONGEST_LINE = 1 << 25  # bytes


class _Lines(NamedTuple):
    """Whole lines without what ends them, and their numbers, counted from 1."""

    text: list[bytes]
    places: Int[ndarray, " n"]


def text_batches(path: Path, only: Collection[str] | None = None) -> Iterator[Batch]:
    """The words of a text file with their vectors, block by block.

    Args:
        path: of the file; unpacked if it ends in .gz.
        only: words to hand over; of others neither the word nor the numbers are looked at, so that bytes which are not UTF-8
            or no number pass there; but their lines must have as many.

    Raises:
        DataError: a line with another number of values, text where a number should be, a number that is not finite, bytes
            that are not UTF-8 (each with its line), no numbers at all, or another number of lines than the first line
            promises.
    """
    wanted = encoded(only)
    with opened(path) as file:
        first, line = _line(file, 1, path).removeprefix(_BOM), 1
        while first and not first.strip():
            first, line = _line(file, line + 1, path), line + 1
        promised, width = _header(first)
        found, rest = 0, first
        if promised is not None:
            rest, line = b"", line + 1
        else:
            width = len(first.split()) - 1 if first.count(b" ") < 1 else first.rstrip().count(b" ")
        if first and (width < 1 or promised == 0):
            raise DataError(
                f"{path}: needed words with one number or more each, got {first[:40].strip().decode(errors='replace')!r} as "
                "its first line. Check that it holds word vectors."
            )
        while block := _block(file, rest, line, path):
            rest = b""
            lines = _lines(block, line)
            line += block.count(b"\n")
            found += len(lines.text)
            if lines.text:
                yield _batch(lines, width, wanted, path)
    if not found or promised not in (None, found):
        needed = "at least one" if promised is None else str(promised)
        raise DataError(f"{path}: needed {needed} word vectors, got {found}. Check that the file is whole.")


def _header(line: bytes) -> tuple[int | None, int]:
    """Number of lines and of values that a first line promises; None if it is no such line."""
    fields = line.split()
    if len(fields) == 2 and len(line) < 100 and all(field.isdigit() for field in fields) and line.rstrip().count(b" ") == 1:
        return int(fields[0]), int(fields[1])
    return None, 0


def _line(file: BufferedIOBase, place: int, path: Path) -> bytes:
    """The rest of a line, in bounded memory.

    Raises:
        DataError: it does not end.
    """
    line = file.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
        raise DataError(
            f"{path}: needed lines of at most {_LONGEST_LINE} bytes, got a longer one in line {place}. Check the file."
        )
    return line


def _block(file: BufferedIOBase, rest: bytes, first: int, path: Path) -> bytes:
    """What is left over and about a block more, to the end of a line."""
    block = rest + file.read(BLOCK)
    return block + _line(file, first + block.count(b"\n"), path)


def _lines(block: bytes, first: int) -> _Lines:
    """The lines of a block that are not empty; spaces at their ends, which some programs write, fall away."""
    text = [line.rstrip() for line in block.split(b"\n")]
    if not text[-1]:
        text.pop()
    kept = [row for row, line in enumerate(text) if line]
    return _Lines([text[row] for row in kept], np.array(kept, dtype=np.int64) + first)


def _batch(lines: _Lines, width: int, wanted: frozenset[bytes] | None, path: Path) -> Batch:
    spaces = np.array([line.count(b" ") for line in lines.text])
    _check_counts(lines, spaces, width, path)
    # Words that hold spaces themselves, and their numbers.
    spaced = {row: lines.text[row].rsplit(b" ", width) for row in np.flatnonzero(spaces > width).tolist()}
    rows = list(range(len(lines.text)))
    if wanted is not None:
        words = [spaced[row][0] if row in spaced else line[: line.index(b" ")] for row, line in enumerate(lines.text)]
        rows = [row for row in rows if words[row] in wanted]
    kept = _Lines([lines.text[row] for row in rows], lines.places[rows])
    if not rows:
        return Batch([], np.empty((0, width), dtype=np.float32), kept.places)
    text = [_in_one(*spaced[row]) if row in spaced else lines.text[row] for row in rows]
    found = _parsed(b"\n".join(text), width)
    if found is None or len(found[0]) != len(text):
        _blame(kept, width, path)
        raise DataError(
            f"{path}: needed a word and {width} numbers a line, got what cannot be read in lines {kept.places[0]} to "
            f"{kept.places[-1]}. Repair or drop that line."
        )
    for place, row in enumerate(rows):
        if row in spaced:
            found[0][place] = spaced[row][0].decode()
    return Batch(*found, kept.places)


def _in_one(word: bytes, *numbers: bytes) -> bytes:
    """A line that has as many spaces as all others; the word is taken from elsewhere."""
    return b" ".join((word.replace(b" ", b"_"), *numbers))


def _check_counts(lines: _Lines, spaces: Int[ndarray, " n"], width: int, path: Path) -> None:
    """Each line must have a word and its numbers; a word of several parts may not end in what reads as one number more."""
    for row in np.flatnonzero(spaces != width):
        line, fields = lines.text[row], int(spaces[row]) + 1
        if width >= 1 and line.rsplit(b" ", width)[0].endswith(b" "):
            raise DataError(
                f"{path}: needed single spaces, got several together after the word in line {lines.places[row]}. Repair it."
            )
        if width < 1 or fields <= width or is_number(line.rsplit(b" ", width)[0].rpartition(b" ")[2]):
            raise DataError(
                f"{path}: needed a word and {max(width, 1)} numbers, got {fields} fields in line {lines.places[row]}. "
                "Check that the file is whole and separated by single spaces."
            )


def _parsed(text: bytes, width: int) -> tuple[list[str], Float[ndarray, "n d"]] | None:
    """Words and numbers of lines that have as many fields each; None where polars finds anything amiss."""
    import polars as pl  # noqa: PLC0415 - heavy
    from polars.exceptions import PolarsError  # noqa: PLC0415

    columns = [str(column) for column in range(width)]
    try:
        frame = pl.read_csv(
            text, separator=" ", has_header=False, quote_char=None,
            schema={"word": pl.String} | dict.fromkeys(columns, pl.Float64),
        )  # fmt: skip
    except PolarsError:
        return None
    if any(frame.null_count().row(0)):
        return None
    values = np.empty((frame.height, width), dtype=np.float32)
    with np.errstate(over="ignore"):
        for column in columns:
            values[:, int(column)] = frame[column].to_numpy()
    if not np.isfinite(values).all():
        return None
    return frame["word"].to_list(), values


def _blame(lines: _Lines, width: int, path: Path) -> None:
    """Say which line is at fault, and why.

    Raises:
        DataError: always, if a line is.
    """
    for line, place in zip(lines.text, lines.places.tolist(), strict=True):
        word, *numbers = line.rsplit(b" ", width)
        if not word.strip():
            raise DataError(f"{path}: needed a word before the numbers, got a space in line {place}. Repair or drop it.")
        try:
            line.decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: needed UTF-8 text, got other bytes ({error.reason}) in line {place}. Convert it first."
            ) from error
        for column, field in enumerate(numbers, start=word.count(b" ") + 2):
            if not is_number(field):
                raise DataError(
                    f"{path}: needed a number, got {field.decode()!r} in line {place}, column {column}. Repair that line."
                )
            with np.errstate(over="ignore"):
                if not np.isfinite(np.float32(float(field))):
                    raise DataError(
                        f"{path}: needed finite numbers, got {field.decode()} in line {place}, column {column}. "
                        "Repair or drop that line."
                    )


def is_number(field: bytes | str) -> bool:
    """Whether a field reads as a number, nan and infinity among them; blanks beside it are none of one."""
    try:
        float(field)
    except ValueError:
        return False
    return "_" not in str(field) and len(field) == len(field.strip())  # which Python's own reading would allow
