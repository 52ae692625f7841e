"""What the readers of word vectors hand over, a block of a file at a time, and what becomes of words that come twice."""

import gzip
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Literal, NamedTuple

from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float, Int

BLOCK = 1 << 19  # bytes read at once: large enough to be fast, small beside the vectors
Duplicates = Literal["refuse", "first"]
"""What happens to a word that comes again."""


class Batch(NamedTuple):
    """Words in the order of the file, their vectors (float32), and their places: lines of a text, else entries, from 1."""

    words: list[str]
    values: Float[ndarray, "n d"]
    places: Int[ndarray, " n"]


@contextmanager
def opened(path: Path) -> Iterator[BufferedIOBase]:
    """A file as bytes, unpacked where its name ends in .gz; damage is one line.

    Raises:
        DataError: a file that cannot be read, or a gzip file that is damaged or cut short.
    """
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: needed a whole gzip file, got a damaged or cut one ({error}). Copy it again.") from error
    except OSError as error:
        raise DataError(f"{path}: needed a readable file, got {error}. Check it.") from error


def encoded(only: Collection[str] | None) -> frozenset[bytes] | None:
    """A vocabulary as the bytes that stand in files, so that words left out need not be decoded."""
    return None if only is None else frozenset(word.encode() for word in only)


def without_repeats(batches: Iterable[Batch], path: Path, duplicates: Duplicates, repeated: list[str]) -> Iterator[Batch]:
    """The batches with each word once, where it stands first; words that come again are added to `repeated`, or refused.

    Raises:
        DataError: with "refuse", a word that occurs twice.
    """
    seen: set[str] = set()
    for batch in batches:
        kept = []
        for row, word in enumerate(batch.words):
            if word not in seen:
                seen.add(word)
                kept.append(row)
            elif duplicates == "refuse":
                raise DataError(
                    f"{path}: needed each word once, got {word!r} again in line or entry {batch.places[row]}. Drop one, or "
                    "read it with duplicates='first'."
                )
            else:
                repeated.append(word)
        yield batch if len(kept) == len(batch.words) else take(batch, kept)


def take(batch: Batch, rows: list[int]) -> Batch:
    """Some rows of a batch."""
    return Batch([batch.words[row] for row in rows], batch.values[rows], batch.places[rows])
