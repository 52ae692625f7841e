"""Word pairs that people rated, from the files that the benchmarks are distributed in, and from plain tables.

A file is read by its columns, not by its name: a header names them, and the two benchmarks that come without one (MEN,
SimVerb-3500) have a layout that no header is needed for. SemSim and VisSim come in one file, the pairs written word#word.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import dropwhile
from pathlib import Path

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float
from isthmus.words import is_number

BENCHMARKS = ("wordsim353", "men", "semsim", "vissim", "simlex999", "simverb3500")
"""The benchmarks that are known by their files' names."""

# Headers, in small letters without what is no letter or digit.
_FIRST, _SECOND = ("word1", "w1", "firstword"), ("word2", "w2", "secondword")
_PAIR = ("pair", "wordpair", "words", "wordpairs", "word1word2")
_RATING = ("rating", "humanmean", "simlex999", "score", "similarity", "mean", "average", "sim", "meanrating")
_BOTH = {
    "semsim": ("semantic", "semanticsimilarity", "semsim", "sem"),
    "vissim": ("visual", "visualsimilarity", "vissim", "vis"),
}
_NAMES = {
    "combined": "wordsim353", "ws353": "wordsim353", "mendatasetnaturalformfull": "men", "mendatasetlemmaformfull": "men",
    "simlex": "simlex999", "simverb": "simverb3500", "enws353all": "wordsim353", "enmentr3k": "men",
    "ensimlex999": "simlex999", "ensimverb3500": "simverb3500",
}  # fmt: skip
_ENDINGS = (".csv", ".tab", ".tsv", ".txt", "")


@dataclass(frozen=True, eq=False)
class RatedPairs:
    """A benchmark: pairs of words and how similar, or related, people find them, in the order of the file.

    Args:
        name: "wordsim353", "men", "semsim", "vissim", "simlex999", "simverb3500", or that of the file.
        first, second: the words of each pair, as written.
        rating: on the benchmark's own scale; only its order counts.
        lines: of the file, from 1.
    """

    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    rating: Float[ndarray, " n"]
    lines: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Each word once, in the order of the file."""
        return tuple(dict.fromkeys(word for pair in zip(self.first, self.second, strict=True) for word in pair))

    @property
    def keys(self) -> list[tuple[str, str]]:
        """The pairs without order and capitals: equal keys are one pair."""
        pairs = zip(self.first, self.second, strict=True)
        return [(min(a, b), max(a, b)) for a, b in ((a.lower(), b.lower()) for a, b in pairs)]

    @property
    def repeated(self) -> int:
        """Rows whose pair stands in a row before, in either order."""
        return len(self) - len(set(self.keys))

    @property
    def identical(self) -> int:
        """Rows that pair a word with itself."""
        return sum(a == b for a, b in self.keys)

    def take(self, rows: Sequence[int]) -> "RatedPairs":
        """Some rows."""
        return replace(
            self, first=tuple(self.first[row] for row in rows), second=tuple(self.second[row] for row in rows),
            rating=self.rating[list(rows)], lines=tuple(self.lines[row] for row in rows),
        )  # fmt: skip

    def merged(self) -> "RatedPairs":
        """Each pair once, where it stands first, with the mean of its ratings."""
        keys = self.keys
        totals: Counter[tuple[str, str]] = Counter()
        for key, rating in zip(keys, self.rating.tolist(), strict=True):
            totals[key] += rating
        counts, first = Counter(keys), {key: row for row, key in reversed(list(enumerate(keys)))}
        rows = sorted(first.values())
        means = np.array([totals[keys[row]] / counts[keys[row]] for row in rows])
        return replace(self.take(rows), rating=means)

    def distinct(self) -> "RatedPairs":
        """Without the rows that pair a word with itself."""
        return self.take([row for row, (a, b) in enumerate(self.keys) if a != b])


def read_ratings(source: str | Path) -> list[RatedPairs]:
    """The benchmarks of a file, or of all rating files in a folder.

    Args:
        source: a file of WordSim-353 (combined.csv, combined.tab), MEN (natural or lemma form), SimLex-999, SimVerb-3500,
            or SemSim and VisSim (similarity_judgements.txt: two benchmarks), or a table with the columns word1, word2 and
            rating (tabs, commas or spaces). Of a folder, files that end in .tsv, .csv, .tab, .txt or nothing, without
            those called readme, license or citation. Lines at the head that begin with # are comments.

    Raises:
        DataError: no file, a missing column, a line with another number of fields or a rating that is no finite number
            (with its line), no pair, or bytes that are not UTF-8.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "SimVerb-3500.txt")
        ...     _ = path.write_text("take\\tremove\\tV\\t6.81\\tSYNONYMS\\nwalk\\ttrail\\tV\\t4.81\\tCOHYPONYMS\\n")
        ...     (found,) = read_ratings(path)
        >>> found.name, found.first, found.rating.tolist()
        ('simverb3500', ('take', 'walk'), [6.81, 4.81])
    """
    path = Path(source)
    if path.is_dir():
        files = rating_files(path)
        if not files:
            raise DataError(f"ratings: needed rating files in {path}, found none. Name a file or another folder.")
        return [benchmark for file in files for benchmark in read_ratings(file)]
    if not path.is_file():
        raise DataError(f"ratings: needed a file or a folder, found no {path}. Check the path.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: needed UTF-8 text, got other bytes ({error.reason}). Convert it first.") from error
    except OSError as error:
        raise DataError(f"{path}: needed a readable file, got {error}. Check it.") from error
    lines = [(number, line) for number, line in enumerate(text.replace("\r", "").split("\n"), start=1) if line.strip()]
    lines = list(dropwhile(lambda line: line[1].startswith("#"), lines))  # a comment stands at the head; below, # is a word
    if not lines:
        raise DataError(f"{path}: needed rated word pairs, got an empty file. Write it again.")
    return _read_rows(path, [number for number, _ in lines], _fields(path, lines))


def rating_files(folder: Path) -> list[Path]:
    """The files of a folder that may hold ratings, by name."""
    return [
        file for file in sorted(folder.iterdir())
        if file.is_file() and not file.name.startswith(".") and file.suffix.lower() in _ENDINGS
        and not re.match(r"(?i)readme|licen[sc]e|citation|notice", file.name)
    ]  # fmt: skip


def benchmark_name(path: Path) -> str:
    """What a file of ratings is called: one of the six benchmarks where its name says so, else the name without ending.

    Example:
        >>> [benchmark_name(Path(name)) for name in ("SimLex-999.txt", "combined.csv", "mine.tsv")]
        ['simlex999', 'wordsim353', 'mine']
    """
    plain = _plain(path.stem if path.suffix.lower() in _ENDINGS else path.name)
    return plain if plain in BENCHMARKS else _NAMES.get(plain, path.stem)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _fields(path: Path, lines: list[tuple[int, str]]) -> list[list[str]]:
    first = lines[0][1]
    separator = next((mark for mark in ("\t", ",", ";") if mark in first), None)
    if separator is None:
        return [line.split() for _, line in lines]
    if separator == "\t":
        return [[field.strip() for field in line.split("\t")] for _, line in lines]
    rows = []
    for number, line in lines:  # one by one: no quotation mark joins two of them
        try:
            (row,) = csv.reader([line], delimiter=separator, strict=True)
        except csv.Error as error:
            raise DataError(
                f"{path}: needed fields between {separator!r}, got what is none in line {number} ({error}). Repair it."
            ) from error
        rows.append([field.strip() for field in row])
    return rows


def _read_rows(path: Path, numbers: list[int], rows: list[list[str]]) -> list[RatedPairs]:
    first, width, lemmas = rows[0], len(rows[0]), False
    named = any(_plain(field) in _FIRST + _SECOND for field in first)
    if named or not any(is_number(field) for field in first):
        numbers, rows = numbers[1:], rows[1:]
        joined = bool(rows) and "#" in rows[0][0] and len(rows[0]) > 2  # SemSim and VisSim, whatever heads them
        columns = _columns_without_header(path, rows[0]) if joined else _columns(path, first, [_plain(f) for f in first])
        width = max(width, len(rows[0])) if joined else width
        if not rows:
            raise DataError(f"{path}: needed rated word pairs below its header, got none. Check that the file is whole.")
    else:
        columns, lemmas = _columns_without_header(path, first), True
    for number, row in zip(numbers, rows, strict=True):
        if len(row) > width:
            raise DataError(
                f"{path}: needed {width} fields, as the first line has, got {len(row)} in line {number}. Repair it."
            )
    words, ratings = columns
    return [_rated(path, name or benchmark_name(path), numbers, rows, words, at, lemmas) for name, at in ratings]


_Columns = tuple[tuple[int, ...], list[tuple[str | None, int]]]


def _columns(path: Path, names: list[str], header: list[str]) -> _Columns:
    """Where words and ratings stand: the column of both words or of each, and each benchmark's ratings."""

    def column(known: Sequence[str], what: str) -> int:
        at = next((header.index(name) for name in known if name in header), None)
        if at is None:
            raise DataError(
                f"{path}: needed a column {what}, got {', '.join(names)}. Name the columns word1, word2 and rating."
            )
        return at

    if any(name in header for name in _FIRST + _SECOND) or not any(name in header for name in _PAIR):
        words: tuple[int, ...] = (column(_FIRST, "word1"), column(_SECOND, "word2"))
    else:
        words = (column(_PAIR, "pair"),)
    both: list[tuple[str | None, int]] = [
        (name, header.index(known)) for name, several in _BOTH.items() for known in several if known in header
    ]
    if len(both) > 1:
        return words, both
    return words, [(both[0][0], both[0][1])] if both else [(None, column(_RATING, "rating"))]


def _columns_without_header(path: Path, first: list[str]) -> _Columns:
    """MEN: word, word, rating. SimVerb-3500: word, word, part of speech, rating, ... SemSim, VisSim: word#word, two."""
    at = next((column for column, field in enumerate(first) if is_number(field)), 0)
    if "#" in first[0] and at == 1 and len(first) >= 3 and is_number(first[2]):
        return (0,), [("semsim", 1), ("vissim", 2)]
    if at < 2:
        raise DataError(
            f"{path}: needed two words before a rating, got {len(first)} fields in its first line, a number in column "
            f"{at + 1}. Name the columns word1, word2 and rating in a first line."
        )
    return (0, 1), [(None, at)]


def _rated(
    path: Path, name: str, numbers: list[int], rows: list[list[str]], words: tuple[int, ...], at: int, lemmas: bool
) -> RatedPairs:  # fmt: skip
    pairs, ratings = [], []
    for number, row in zip(numbers, rows, strict=True):
        if len(row) <= max(*words, at):
            raise DataError(
                f"{path}: needed {max(*words, at) + 1} fields or more, got {len(row)} in line {number}. Check the separator."
            )
        pair = [row[column] for column in words] if len(words) == 2 else row[words[0]].split("#")
        if len(pair) != 2 or not all(pair):
            raise DataError(f"{path}: needed two words, got {'#'.join(pair)!r} in line {number}. Repair that line.")
        if not is_number(row[at]) or not np.isfinite(float(row[at])):
            raise DataError(f"{path}: needed a finite rating, got {row[at]!r} in line {number}. Repair or drop it.")
        # bow_(weapon) is a sense of bow, which vectors of words cannot tell from the others.
        pairs.append([re.sub(r"_\(.*\)$", "", word) if len(words) == 1 else word for word in pair])
        ratings.append(float(row[at]))
    if lemmas and all(re.search(r"-[nvja]$", word) for pair in pairs for word in pair):  # MEN's, without header: sun-n
        pairs = [[word[:-2] for word in pair] for pair in pairs]
    first, second = (tuple(side) for side in zip(*pairs, strict=True))
    return RatedPairs(name, first, second, np.array(ratings), tuple(numbers))
