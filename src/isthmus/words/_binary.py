"""Word vectors as word2vec writes them in binary: a line `count dimension`, then each word, a space, and float32 numbers.

Words are found one after the other, as only the numbers have a known length; the numbers of a block are then taken at once.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from isthmus._errors import DataError
from isthmus.words._batches import BLOCK, Batch, encoded, opened

_LONGEST_WORD = 10_000  # bytes
_MOST_NUMBERS = 1_000_000  # a word
_FASTTEXT = (793712314).to_bytes(4, "little")


def binary_batches(path: Path, only: Collection[str] | None = None) -> Iterator[Batch]:
    """The words of a binary file with their vectors, block by block.

    Args:
        path: of the file; unpacked if it ends in .gz.
        only: words to hand over; others are passed over.

    Raises:
        DataError: no first line with two numbers, a file that ends before or goes on after as many entries, words that
            are not UTF-8, or numbers that are not finite (each with its entry, counted from 1).
    """
    wanted = encoded(only)
    with opened(path) as file:
        count, width = _header(file.readline(100), path)
        size = 4 * width
        buffer, done = b"", 0
        while done < count:
            more = file.read(BLOCK)
            buffer += more
            at = 0
            words: list[bytes] = []
            starts: list[int] = []
            while done + len(words) < count:
                space = buffer.find(b" ", at)
                if space < 0 or space + 1 + size > len(buffer):
                    break
                words.append(buffer[at:space].lstrip(b"\n"))
                starts.append(space + 1)
                at = space + 1 + size
            if not more and not words:
                raise DataError(
                    f"{path}: needed {count} word vectors of {width} numbers, as its first line says, got a file that ends "
                    f"in entry {done + 1}. Copy it again."
                )
            if not words and len(buffer) > size + _LONGEST_WORD and b" " not in buffer[:_LONGEST_WORD]:
                raise DataError(
                    f"{path}: needed a word in entry {done + 1}, got {_LONGEST_WORD} bytes without a space. Check that it "
                    "is in word2vec's binary format, and name a text file .txt or .vec."
                )
            kept = [row for row, word in enumerate(words) if wanted is None or word in wanted]
            yield _batch(buffer, kept, words, starts, width, done, path)
            buffer, done = buffer[at:], done + len(words)
        if (buffer + file.read(BLOCK)).strip():
            raise DataError(
                f"{path}: needed {count} word vectors, as its first line says, got more. Check that its first line is right."
            )


def _header(line: bytes, path: Path) -> tuple[int, int]:
    fields = line.split()
    if line.startswith(_FASTTEXT):
        raise DataError(f"{path}: needed word2vec's binary format, got a fastText model. Take its .vec file.")
    if not line.endswith(b"\n") or len(fields) != 2 or not all(field.isdigit() and int(field) for field in fields):
        raise DataError(
            f"{path}: needed a first line with the number of words and of dimensions, got {line[:40]!r}. Check that it is "
            "in word2vec's binary format, and name a text file .txt or .vec."
        )
    count, width = int(fields[0]), int(fields[1])
    # Before anything is made as large as the first line says.
    if path.suffix.lower() != ".gz" and 4 * width > path.stat().st_size:
        raise DataError(
            f"{path}: needed {count} word vectors of {width} numbers, as its first line says, got a file that ends in entry "
            "1: cut short against its header. Copy it again."
        )
    if width > _MOST_NUMBERS:
        raise DataError(f"{path}: needed {_MOST_NUMBERS} numbers a word or fewer, got {width}. Check its first line.")
    return count, width


def _batch(
    buffer: bytes, kept: list[int], words: list[bytes], starts: list[int], width: int, done: int, path: Path
) -> Batch:
    places = np.array(kept, dtype=np.int64) + done + 1
    offsets = np.array(starts, dtype=np.int64)[kept, None] + np.arange(4 * width)
    values = np.frombuffer(buffer, dtype=np.uint8)[offsets].view("<f4").astype(np.float32, copy=False)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise DataError(
            f"{path}: needed finite numbers, got others in entry {places[~finite][0]}. Check that the file is whole and in "
            "word2vec's binary format."
        )
    decoded = []
    for row, place in zip(kept, places.tolist(), strict=True):
        try:
            decoded.append(words[row].decode())
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: needed words in UTF-8, got other bytes ({error.reason}) in entry {place}. Convert it first."
            ) from error
    return Batch(decoded, values, places)
