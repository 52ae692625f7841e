"""Which rated pairs a vocabulary covers, and for each of the others why not."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float, Int
from isthmus.concepts._ratings import RatedPairs
from isthmus.words import Found, WordVectors, candidates, look_up

Reason = Literal["missing word", "zero vector", "not in all vectors"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A rated pair that was not compared.

    Args:
        vectors, benchmark: where.
        line: of the rating file.
        word1, word2, rating: the pair.
        reason: a word that the vectors have not, one whose vector has no direction, or, where only pairs that all
            vectors cover are taken, another file's gap.
        missing: the words at fault.
    """

    vectors: str
    benchmark: str
    line: int
    word1: str
    word2: str
    rating: float
    reason: Reason
    missing: str

    def record(self) -> dict[str, Any]:
        """The pair as one flat record."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """The pairs of a benchmark that a vocabulary covers.

    Args:
        benchmark: all of its pairs.
        rows: those that are covered.
        first, second: row of each word of them in the vectors of `Vocabulary.values`.
        left_out: the others.
    """

    benchmark: RatedPairs
    rows: Int[ndarray, " m"]
    first: Int[ndarray, " m"]
    second: Int[ndarray, " m"]
    left_out: tuple[LeftOut, ...]

    @property
    def rating(self) -> Float[ndarray, " m"]:
        """Of the pairs that are covered."""
        return self.benchmark.rating[self.rows]

    def only(self, rows: Int[ndarray, " k"], name: str) -> "Coverage":
        """Only these of its rows, and a reason for the others."""
        kept = np.isin(self.rows, rows)
        others = tuple(_left_out(name, self.benchmark, int(row), "not in all vectors", "") for row in self.rows[~kept])
        return Coverage(
            self.benchmark, self.rows[kept], self.first[kept], self.second[kept],
            tuple(sorted(self.left_out + others, key=lambda each: each.line)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """What the words of some benchmarks have in a file of vectors.

    Args:
        name: of the vectors.
        values: the vector of each word that was found.
        finds: how each word was found.
        coverages: of each benchmark.
    """

    name: str
    values: Float[ndarray, "w d"]
    finds: tuple[Found, ...]
    coverages: tuple[Coverage, ...]


def wanted(benchmarks: Sequence[RatedPairs]) -> set[str]:
    """Every word of a vocabulary that the words of some benchmarks may be found under: the filter to read a file with.

    Example:
        >>> pairs = RatedPairs("mine", ("CD",), ("music",), np.array([1.0]), (1,))
        >>> sorted(wanted([pairs]))
        ['CD', 'cd', 'music']
    """
    return {form for benchmark in benchmarks for word in benchmark.words for form in candidates(word)}


def cover(vectors: WordVectors, benchmarks: Sequence[RatedPairs]) -> Vocabulary:
    """The pairs of benchmarks that vectors cover: both words are found, as `look_up` finds them, with a direction.

    Raises:
        DataError: no pair of any benchmark is covered.

    Example:
        >>> pairs = RatedPairs("mine", ("dog", "dog"), ("CAT", "emu"), np.array([7.0, 3.0]), (2, 3))
        >>> found = cover(WordVectors(np.eye(2), ("dog", "cat"), "x"), [pairs]).coverages[0]
        >>> found.rows.tolist(), found.left_out[0].line, found.left_out[0].missing
        ([0], 3, 'emu')
    """
    words = list(dict.fromkeys(word for benchmark in benchmarks for word in benchmark.words))
    found = look_up(vectors, words)
    row_of = {word: row for row, word in enumerate(found.expressions)}
    flat = {word for word, row in row_of.items() if not found.values[row].any()}
    coverages = tuple(_cover(vectors.name, benchmark, row_of, flat) for benchmark in benchmarks)
    if not any(len(coverage.rows) for coverage in coverages):
        example = words[0] if words else ""
        raise DataError(
            f"{vectors.name}: needed vectors for both words of a rated pair, got none for any of "
            f"{sum(map(len, benchmarks))} pairs (the first word is {example!r}). Check that both are of one language."
        )
    return Vocabulary(vectors.name, found.values, found.finds, coverages)


def _cover(name: str, benchmark: RatedPairs, row_of: dict[str, int], flat: set[str]) -> Coverage:
    rows, left_out = [], []
    for row, pair in enumerate(zip(benchmark.first, benchmark.second, strict=True)):
        absent = dict.fromkeys(word for word in pair if word not in row_of)
        pointless = dict.fromkeys(word for word in pair if word in flat)
        if absent or pointless:
            reason: Reason = "missing word" if absent else "zero vector"
            left_out.append(_left_out(name, benchmark, row, reason, ", ".join(absent or pointless)))
        else:
            rows.append(row)
    first, second = (
        np.array([row_of[side[row]] for row in rows], dtype=np.int64) for side in (benchmark.first, benchmark.second)
    )
    return Coverage(benchmark, np.array(rows, dtype=np.int64), first, second, tuple(left_out))


def _left_out(name: str, benchmark: RatedPairs, row: int, reason: Reason, missing: str) -> LeftOut:
    return LeftOut(
        name, benchmark.name, benchmark.lines[row], benchmark.first[row], benchmark.second[row],
        float(benchmark.rating[row]), reason, missing,
    )  # fmt: skip
