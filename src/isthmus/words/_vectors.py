"""A vocabulary with its vectors."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and their vectors, one row a word.

    Args:
        values: n x d; memory-mapped where the file could be.
        words: each once.
        name: of the source.
        repeated: words that the source holds again, where only their first vector was taken.
        empty: words that the source names without a vector (a row of nan).
    """

    values: Float[ndarray, "n d"]
    words: tuple[str, ...]
    name: str
    repeated: tuple[str, ...] = ()
    empty: tuple[str, ...] = field(default=())

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @classmethod
    def of(cls, values: Float[ndarray, "n d"], words: tuple[str, ...], name: str) -> "WordVectors":
        """From an array and the names of its rows; rows of nan stand for words without a vector and fall out.

        Raises:
            DataError: another number of words than rows, a word that occurs twice, or a row that is partly not finite.

        Example:
            >>> WordVectors.of(np.array([[1.0, 2.0], [np.nan, np.nan]]), ("dog", "cat"), "x").empty
            ('cat',)
        """
        if values.ndim != 2 or len(values) != len(words):
            shape = "x".join(map(str, values.shape))
            raise DataError(f"{name}: needed one word a row, got {len(words)} words for {shape} numbers. Check both files.")
        if len(set(words)) < len(words):
            seen: set[str] = set()
            again = next(word for word in words if word in seen or seen.add(word))  # type: ignore[func-returns-value]
            raise DataError(f"{name}: needed each word once, got {again!r} again. Drop or rename one.")
        missing = np.isnan(values).all(axis=1)
        bad = ~np.isfinite(values).all(axis=1) & ~missing
        if bad.any():
            row = int(bad.argmax())
            raise DataError(f"{name}: needed finite numbers, got others in the row of {words[row]!r}. Repair or drop it.")
        if not missing.any():
            return cls(values, words, name)
        kept = np.flatnonzero(~missing)
        return cls(
            values[kept], tuple(words[row] for row in kept), name, empty=tuple(words[row] for row in np.flatnonzero(missing))
        )
