"""One door to word vectors in files: text, binary, and the memory-mapped form that they can be converted to.

The format follows from the ending of the name, before .gz: no format is guessed from content. Converted vectors are an npy
file with a list of its words beside it, x.npy and x.words.txt, which other programs can read as well.
"""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._places import check_not_read
from isthmus._shapes import Float
from isthmus.words._batches import Batch, Duplicates, without_repeats
from isthmus.words._binary import binary_batches
from isthmus.words._text import is_number, text_batches
from isthmus.words._vectors import WordVectors

FORMATS: dict[str, Callable[[Path, Collection[str] | None], Iterator[Batch]]] = {
    ".bin": binary_batches,
    ".txt": text_batches,
    ".vec": text_batches,
}
"""Readers of word vectors, by the ending of the file."""


def is_word_file(path: Path) -> bool:
    """Whether the name is that of a file of word vectors: .txt, .vec or .bin, also with .gz.

    Example:
        >>> is_word_file(Path("GoogleNews-vectors-negative300.bin.gz")), is_word_file(Path("x.npy"))
        (True, False)
    """
    return _ending(path) in FORMATS


def _ending(path: Path) -> str:
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()


def words_beside(path: Path) -> Path:
    """Where the words of an npy file stand.

    Example:
        >>> words_beside(Path("glove.npy")).name
        'glove.words.txt'
    """
    return path.with_name(f"{path.stem}.words.txt")


def read_words(source: str | Path, only: Collection[str] | None = None, *, duplicates: Duplicates = "refuse") -> WordVectors:
    """Words and their vectors (float32) from GloVe or word2vec text, word2vec binary, fastText .vec, or a converted file.

    Files are read a block at a time; a converted file stays on the disk.

    Args:
        source: .txt, .vec or .bin, also with .gz, or .npy with its words beside it.
        only: words to read, as of `candidates`; others cost a look at where their line ends, no numbers and no memory, and
            what is wrong within such a line passes.
        duplicates: what becomes of a word that occurs again: an error, or its first vector counts and the word is listed
            in `repeated`.

    Raises:
        DataError: no such file, another ending, or a file that is not what its ending says, with line or entry.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "glove.txt")
        ...     _ = path.write_text("dog 1 0\\ncat 0.5 2\\n")
        ...     found = read_words(path, only={"cat"})
        >>> found.words, found.values.tolist()
        (('cat',), [[0.5, 2.0]])
    """
    path = Path(source)
    if path.suffix.lower() == ".npy":
        return _mapped(path, only, duplicates)
    values: Float[ndarray, "n d"] = np.empty((0, 0), dtype=np.float32)
    words: list[str] = []
    repeated: list[str] = []
    for batch in without_repeats(_batches(path, only), path, duplicates, repeated):
        if not words:
            values = batch.values.copy()
        elif batch.words:
            # In place: the system moves pages instead of copying numbers, and no second array ever stands beside.
            values.resize((len(words) + len(batch.words), values.shape[1]), refcheck=False)
            values[len(words) :] = batch.values
        words += batch.words
    if only is None and all(map(is_number, words)):
        _refuse_numbers(path)
    return WordVectors(values, tuple(words), path.name, tuple(repeated))


def convert_words(
    source: str | Path,
    target: str | Path,
    only: Collection[str] | None = None,
    *,
    duplicates: Duplicates = "refuse",
    repeated: list[str] | None = None,
) -> int:
    """Word vectors as an npy file, which opens at once and stays on the disk, and its words beside it, one a line.

    A block at a time, in the memory of one; whole or not at all.

    Args:
        source: as of `read_words`.
        target: x.npy; the words go to x.words.txt.
        only: words to convert.
        duplicates: as of `read_words`.
        repeated: words that occur again are added to it.

    Returns:
        The number of words.

    Raises:
        DataError: as `read_words`, or a place that cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "glove.txt").write_text("dog 1 0\\ncat 0.5 2\\n")
        ...     convert_words(Path(folder, "glove.txt"), Path(folder, "glove.npy"))
        ...     read_words(Path(folder, "glove.npy")).words
        2
        ('dog', 'cat')
    """
    path, there = Path(source), Path(target)
    if there.suffix.lower() != ".npy":
        raise DataError(f"out: needed a file ending in .npy, got {str(target)!r}. Name it {there.stem or 'words'}.npy.")
    check_not_read([there, words_beside(there)], [path])
    count, width, only_numbers = 0, 0, only is None
    again: list[str] = [] if repeated is None else repeated
    with _whole(there) as parts, parts[0].open("wb") as numbers, parts[1].open("w", encoding="utf-8", newline="\n") as names:
        for batch in without_repeats(_batches(path, only), path, duplicates, again):
            if any("\n" in word or "\r" in word for word in batch.words):
                raise DataError(f"{path}: needed words without line breaks, got one with. Convert it to text first.")
            width = batch.values.shape[1]
            if not numbers.tell():
                _write_header(numbers, 0, width)
            numbers.write(batch.values.tobytes())
            names.writelines(f"{word}\n" for word in batch.words)
            only_numbers = only_numbers and all(map(is_number, batch.words))
            count += len(batch.words)
        numbers.seek(0)
        _write_header(numbers, count, width)  # numpy leaves room for the number of rows to grow
        if not count:
            raise DataError(f"{path}: needed at least one of the words, got none. Check the vocabulary.")
        if only_numbers:
            _refuse_numbers(path)
    return count


def write_words(target: str | Path, words: Sequence[str], values: Float[ndarray, "n d"]) -> None:
    """An array as converted vectors: x.npy, and its words in x.words.txt, both whole or not at all.

    Raises:
        DataError: no words, words with line breaks, or a place that cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_words(Path(folder, "x.npy"), ["dog"], np.ones((1, 2), dtype=np.float32))
        ...     read_words(Path(folder, "x.npy")).words
        ('dog',)
    """
    there = Path(target)
    if not words or any("\n" in word or "\r" in word for word in words):
        raise DataError(f"words: needed one or more without line breaks, got {len(words)}. Check the list of words.")
    with _whole(there) as parts, parts[0].open("wb") as numbers, parts[1].open("w", encoding="utf-8", newline="\n") as names:
        np.save(numbers, values, allow_pickle=False)
        names.writelines(f"{word}\n" for word in words)


@contextmanager
def _whole(there: Path) -> Iterator[tuple[Path, Path]]:
    """Where to write an npy file and its words: this process's own places, which become the real ones if all went well.

    Raises:
        DataError: a place that cannot be written.
    """
    places = (there, words_beside(there))
    parts = (Path(f"{places[0]}.{os.getpid()}.part"), Path(f"{places[1]}.{os.getpid()}.part"))
    try:
        yield parts
        for part, place in zip(parts, places, strict=True):
            part.replace(place)
    except OSError as error:
        raise DataError(f"{there}: needed a file that can be written, got {error}. Choose another place.") from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _write_header(file: IO[bytes], rows: int, width: int) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (rows, width)})


def _batches(path: Path, only: Collection[str] | None) -> Iterator[Batch]:
    if not path.is_file():
        raise DataError(f"{path}: needed a file, found {'a folder' if path.is_dir() else 'none'}. Check the path.")
    reader = FORMATS.get(_ending(path))
    if reader is None:
        raise DataError(
            f"{path}: needed word vectors in a file ending in {', '.join(FORMATS)} (also with .gz) or .npy, got {path.name}."
            " Rename it to what it is."
        )
    if not path.stat().st_size:
        raise DataError(f"{path}: needed vectors, got an empty file. Write it again.")
    return reader(path, only)


def _mapped(path: Path, only: Collection[str] | None, duplicates: Duplicates) -> WordVectors:
    beside = words_beside(path)
    if not path.is_file() or not beside.is_file():
        missing = beside if path.is_file() else path
        raise DataError(f"{missing}: needed a file, found none. Convert word vectors with `isthmus data convert`.")
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path}: needed a whole npy file, got a damaged one ({error}). Convert it again.") from error
    words = read_list(beside)
    if values.ndim != 2 or len(values) != len(words):
        shape = "x".join(map(str, values.shape))
        raise DataError(f"{path}: needed one word a row, got {len(words)} in {beside.name} for {shape}. Convert it again.")
    if values.dtype.kind != "f":
        raise DataError(f"{path}: needed floating-point numbers, got {values.dtype}. Convert word vectors again.")
    rows: dict[str, int] = {}
    repeated = []
    for row, word in enumerate(words):
        if only is not None and word not in only:
            continue
        if rows.setdefault(word, row) != row:
            if duplicates == "refuse":
                raise DataError(
                    f"{beside}: needed each word once, got {word!r} again in line {row + 1}. Drop one, or read it with "
                    "duplicates='first'."
                )
            repeated.append(word)
    if len(rows) < len(words):
        values, words = np.asarray(values[list(rows.values())]), tuple(rows)
    if values.dtype != np.dtype("<f4"):  # of another program: no longer on the disk
        with np.errstate(over="ignore"):
            values = values.astype(np.float32)
    return WordVectors(values, words, path.name, tuple(repeated))


def read_list(path: Path) -> tuple[str, ...]:
    """Words, one a line.

    Raises:
        DataError: no such file, or bytes that are not UTF-8.
    """
    try:
        return tuple(path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n").split("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: needed a list of words in UTF-8, one a line, got {error}. Check it.") from error


def _refuse_numbers(path: Path) -> None:
    raise DataError(
        f"{path}: needed a word before the numbers of each line, got only numbers. "
        "Save an array as .npy or .csv; a .txt file holds word vectors."
    )
