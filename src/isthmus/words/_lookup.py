"""What a word or an expression has in a vocabulary, and how it was found.

As written, then in lower case, then, for expressions of several words, written in one with _ or -, and at last the mean of
the vectors of its words. Nothing is guessed beyond: no stemming, no capitals added, no mean of only some of the words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float
from isthmus.words._vectors import WordVectors

How = Literal["exact", "lower case", "joined", "parts", "missing"]


@dataclass(frozen=True, slots=True)
class Found:
    """How an expression was found.

    Args:
        expression: as asked for.
        how: "exact" as written; "lower case"; "joined" with _, - or a space between its words, which spaces or
            underscores part; "parts" as the mean of its words, each as written or in lower case; "missing".
        matched: the words of the vocabulary whose vector, or mean of vectors, it has.
        missing: its words that the vocabulary has not.
    """

    expression: str
    how: How
    matched: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """The find as one flat record."""
        return {
            "expression": self.expression, "how": self.how, "matched": " ".join(self.matched),
            "missing": " ".join(self.missing),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """What expressions have in a vocabulary.

    Args:
        values: a row for each expression that was found, in the order asked for, float32.
        expressions: those that were found.
        finds: how each expression was found, the missing ones too, in the order asked for.
    """

    values: Float[ndarray, "m d"]
    expressions: tuple[str, ...]
    finds: tuple[Found, ...]

    def counts(self) -> dict[str, int]:
        """How many expressions were found how."""
        hows = [find.how for find in self.finds]
        return {how: hows.count(how) for how in dict.fromkeys(hows)}


def parts_of(expression: str) -> list[str]:
    """The words of an expression, between spaces and underscores; a hyphen belongs to its word.

    Example:
        >>> parts_of("great white_shark"), parts_of("t-shirt")
        (['great', 'white', 'shark'], ['t-shirt'])
    """
    return expression.replace("_", " ").split()


def _as_one(expression: str) -> Iterator[str]:
    parts = parts_of(expression)
    if len(parts) > 1:
        for mark in ("_", "-", " "):
            yield mark.join(parts)
            yield mark.join(parts).lower()


def candidates(expression: str) -> set[str]:
    """Every word of a vocabulary that `look_up` may take for an expression: the filter to read a file with.

    Example:
        >>> sorted(candidates("Red wine"))
        ['Red', 'Red wine', 'Red-wine', 'Red_wine', 'red', 'red wine', 'red-wine', 'red_wine', 'wine']
    """
    whole = {expression, expression.lower(), *_as_one(expression)}
    return whole | {form for part in parts_of(expression) for form in (part, part.lower())}


def look_up(vectors: WordVectors, expressions: Sequence[str]) -> Lookup:
    """The vectors of expressions, and a record of how each was found.

    Args:
        vectors: the vocabulary.
        expressions: words, or several with spaces or underscores between them.

    Raises:
        DataError: a vector that is taken is not finite.

    Example:
        >>> vectors = WordVectors(np.eye(3, dtype=np.float32), ("red", "wine", "CD"), "x")
        >>> found = look_up(vectors, ["CD", "Wine", "red wine", "white wine"])
        >>> [find.how for find in found.finds], found.finds[-1].missing
        (['exact', 'lower case', 'parts', 'missing'], ('white',))
        >>> found.values[2].tolist()
        [0.5, 0.5, 0.0]
    """
    finds = tuple(_find(vectors.row_of, expression) for expression in expressions)
    there = [find for find in finds if find.how != "missing"]
    values = np.empty((len(there), vectors.values.shape[1]), dtype=np.float32)
    for row, find in enumerate(there):
        rows = [vectors.row_of[word] for word in find.matched]
        values[row] = vectors.values[rows[0]] if len(rows) == 1 else vectors.values[rows].mean(axis=0, dtype=np.float64)
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        word = there[int(bad.argmax())].expression
        raise DataError(f"{vectors.name}: needed finite numbers, got others in the row of {word!r}. Repair or drop it.")
    return Lookup(values, tuple(find.expression for find in there), finds)


def _find(row_of: dict[str, int], expression: str) -> Found:
    if expression in row_of:
        return Found(expression, "exact", (expression,))
    if (lower := expression.lower()) in row_of:
        return Found(expression, "lower case", (lower,))
    if (one := next((form for form in _as_one(expression) if form in row_of), None)) is not None:
        return Found(expression, "joined", (one,))
    parts = parts_of(expression)
    forms = [next((form for form in (part, part.lower()) if form in row_of), None) for part in parts]
    missing = tuple(part for part, form in zip(parts, forms, strict=True) if form is None)
    if missing or not parts:
        return Found(expression, "missing", missing=missing or (expression,))
    return Found(expression, "parts", tuple(form for form in forms if form is not None))
