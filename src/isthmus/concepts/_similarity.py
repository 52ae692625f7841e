"""How similar two vectors are, in the two ways of the paper."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float, Int

Similarity = Literal["cosine", "euclidean"]
"""Cosine, or 1 / (1 + Euclidean distance)."""
_PAIRS_AT_ONCE = 128
SIMILARITIES: tuple[Similarity, ...] = ("cosine", "euclidean")
"""Similarities in the order of the tables."""


def check_similarity(name: str) -> Similarity:
    """The name of a similarity, or a refusal.

    Raises:
        DataError: neither cosine nor euclidean.
    """
    if name not in SIMILARITIES:
        raise DataError(f"similarity: needed {' or '.join(SIMILARITIES)}, got {name!r}. Choose one of them.")
    return "cosine" if name == "cosine" else "euclidean"


def similarities(
    values: Float[ndarray, "n d"], first: Int[ndarray, " m"], second: Int[ndarray, " m"], similarity: Similarity = "cosine"
) -> Float[ndarray, " m"]:
    """The similarity of pairs of rows, in float64: z1.z2 / (|z1| |z2|), or 1 / (1 + |z1 - z2|).

    Collell & Moens (2018), section 4.2.4.

    Args:
        values: n x d; a row of zeros, as relu may map a word to, has cosine 0 with every other.
        first: row of the first of each pair.
        second: row of the second.
        similarity: "cosine", in [-1, 1], or "euclidean", in (0, 1].

    Example:
        >>> x = np.array([[1.0, 0.0], [1.0, 1.0]])
        >>> one, other = np.array([0]), np.array([1])
        >>> similarities(x, one, other).round(3).tolist(), similarities(x, one, other, "euclidean").tolist()
        ([0.707], [0.5])
    """
    found = rankable(values, first, second, [similarity])[similarity]
    return found if similarity == "cosine" else 1 / (1 - found)


def rankable(
    values: Float[ndarray, "n d"], first: Int[ndarray, " m"], second: Int[ndarray, " m"], kinds: Sequence[Similarity]
) -> dict[Similarity, Float[ndarray, " m"]]:
    """What ranks pairs as `similarities` of several kinds do: cosine, and -|a - b|, which small distances do not round to 1.

    From the same products, in float64: |a - b|^2 = |a|^2 + |b|^2 - 2 a.b.

    Example:
        >>> found = rankable(np.eye(2), np.array([0]), np.array([1]), ["cosine", "euclidean"])
        >>> found["cosine"].tolist(), found["euclidean"].round(3).tolist()
        ([0.0], [-1.414])
    """
    exact = values.astype(np.float64)
    squares = np.einsum("nd,nd->n", exact, exact)
    products = np.empty(len(first))
    for start in range(0, len(first), _PAIRS_AT_ONCE):  # so many rows stay in the cache
        part = slice(start, start + _PAIRS_AT_ONCE)
        products[part] = np.einsum("md,md->m", exact[first[part]], exact[second[part]])
    found: dict[Similarity, Float[ndarray, " m"]] = {}
    for kind in kinds:
        if kind == "cosine":
            lengths = np.sqrt(squares[first] * squares[second])
            found[kind] = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
        else:
            squared = np.maximum(squares[first] + squares[second] - 2 * products, 0)
            found[kind] = -np.sqrt(squared)
    return found
