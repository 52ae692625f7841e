"""Two embeddings on the same rated pairs: which agrees better with people, and how sure that is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from math import nan
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._html import html_table
from isthmus._shapes import Float
from isthmus.concepts._coverage import Vocabulary
from isthmus.concepts._evaluate import in_common
from isthmus.concepts._similarity import SIMILARITIES, Similarity, rankable
from isthmus.statistics import holm, rank_scores, sign_flip_p, spearman, spearman_influence


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference of two embeddings' correlations with human ratings, on the pairs that both cover.

    Args:
        a, b: the vectors.
        benchmark, similarity: the ratings, and "cosine" or "euclidean".
        pairs: that both cover.
        spearman_a, spearman_b: on these.
        difference: a - b; ci_low and ci_high 95 %, about new rated pairs drawn like these.
        p_value: two-sided, that a and b could be exchanged in any pair; p_holm for all comparisons of the table.
    """

    a: str
    b: str
    benchmark: str
    similarity: Similarity
    pairs: int
    spearman_a: float
    spearman_b: float
    difference: float
    ci_low: float
    ci_high: float
    p_value: float
    p_holm: float = nan

    def record(self) -> dict[str, Any]:
        """The comparison as one flat record."""
        return asdict(self)

    def _repr_html_(self) -> str:
        return html_table(f"{self.a} and {self.b} on the pairs that both cover", [self.record()])


def compare(
    vocabularies: Sequence[Vocabulary],
    similarity: Sequence[Similarity] = SIMILARITIES,
    *,
    draws: int = 9999,
    seed: int = 0,
    strangers: Literal["refuse", "skip"] = "refuse",
) -> list[Comparison]:
    """Every two embeddings compared on the rated pairs that both cover.

    rho is the mean over pairs of h_i z_i, standardized ranks of ratings and similarities, so that a - b is the mean of
    h_i (z_i^a - z_i^b). Exchanging a and b in a pair changes the sign of its term: a sign-flip test over pairs. The
    interval is the difference -/+ 1.96 sd of the pairs' influences on it / sqrt(n).

    Args:
        vocabularies: as of `evaluate`'s result, or `cover`, all with the same benchmarks.
        similarity: "cosine", "euclidean".
        draws: random sign vectors; the smallest p is 1 / (draws + 1).
        seed: of the signs.
        strangers: what becomes of two vocabularies that share no rated pair.

    Raises:
        DataError: two vocabularies share no rated pair, and such are refused.

    Example:
        >>> from isthmus.concepts import RatedPairs, cover
        >>> from isthmus.words import WordVectors
        >>> words = tuple("abcdef")
        >>> pairs = RatedPairs("mine", words[:-1], words[1:], np.arange(5.0), tuple(range(5)))
        >>> sets = [WordVectors(np.random.default_rng(seed).normal(size=(6, 3)), words, str(seed)) for seed in (0, 1)]
        >>> [round(each.difference, 3) for each in compare([cover(each, [pairs]) for each in sets], ["cosine"])]
        [1.4]
    """
    found: list[Comparison] = []
    for a, b in combinations(vocabularies, 2):
        try:
            one, other = in_common([a, b])
        except DataError:
            if strangers == "refuse":
                raise
            continue
        for left, right in zip(one.coverages, other.coverages, strict=True):
            for kind in similarity:
                scores = [
                    rankable(space.values, each.first, each.second, [kind])[kind]
                    for space, each in ((one, left), (other, right))
                ]
                found.append(_compared((a.name, b.name), left.benchmark.name, kind, left.rating, scores, draws, seed))
    p = np.array([each.p_value for each in found], dtype=np.float64)
    known = np.isfinite(p)
    corrected = np.full(len(p), nan)
    if known.any():
        corrected[known] = holm(p[known])
    return [replace(each, p_holm=float(value)) for each, value in zip(found, corrected, strict=True)]


def _compared(
    names: tuple[str, str], benchmark: str, kind: Similarity, rating: Float[ndarray, " n"],
    scores: Sequence[Float[ndarray, " n"]], draws: int, seed: int,
) -> Comparison:  # fmt: skip
    n = len(rating)
    if n < 3:
        return Comparison(*names, benchmark, kind, n, nan, nan, nan, nan, nan, nan)
    first, second = (spearman(each, rating) for each in scores)
    difference = first - second
    influence = spearman_influence(scores[0], rating) - spearman_influence(scores[1], rating)
    reach = NormalDist().inv_cdf(0.975) * float(influence.std(ddof=1)) / n**0.5
    terms = rank_scores(rating) * (rank_scores(scores[0]) - rank_scores(scores[1]))
    p = sign_flip_p(terms, draws, seed) if np.isfinite(terms).all() else nan
    low, high = (float(np.clip(end, -2, 2)) for end in (difference - reach, difference + reach))
    return Comparison(*names, benchmark, kind, n, first, second, difference, low, high, p)
