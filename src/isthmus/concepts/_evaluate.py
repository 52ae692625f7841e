"""Experiment 2: how well similarities of vectors agree with those that people see, before and after untrained maps."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from math import nan
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._html import html_table
from isthmus._shapes import Float, Progress
from isthmus.concepts._coverage import Coverage, LeftOut, Vocabulary, cover
from isthmus.concepts._maps import DRAWS, HIDDEN, MAPS, OUTPUT, MapKind, check_activation, check_sizes, images
from isthmus.concepts._ratings import RatedPairs
from isthmus.concepts._similarity import SIMILARITIES, Similarity, check_similarity, rankable
from isthmus.pairs import check_seed
from isthmus.statistics import bonferroni, correlation_interval, rank_sum_p, spearman, spearman_influence
from isthmus.training import Activation
from isthmus.words import WordVectors

Repeated = Literal["keep", "mean"]
Identical = Literal["keep", "drop"]


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """How well one kind of similarity of some vectors agrees with human ratings.

    Args:
        vectors, dimension: the file, and the numbers of a vector.
        benchmark, similarity: the ratings, and "cosine" or "euclidean".
        map: "none" for the vectors themselves, else an untrained "lin" or "nn".
        hidden, activation, output, draws: of the map; None where it has none.
        pairs, covered: of the benchmark, and those whose words both have vectors.
        spearman: rank correlation of similarities and ratings over the covered pairs; of a map, the mean over draws.
        standard_error, ci_low, ci_high: of it, 95 %, about new rated pairs drawn like these; the draws held fixed.
        sd: standard deviation over draws.
        difference: from the vectors themselves.
        rank_sum_p: the paper's test, two-sided rank sum of the draws against as many copies of the one value of the vectors
            themselves; rank_sum_p_bonferroni for all maps of the table.
        repeated, identical: rows of the benchmark whose pair stands before, and that pair a word with itself, as counted.
    """

    vectors: str
    benchmark: str
    similarity: Similarity
    map: MapKind
    pairs: int
    covered: int
    spearman: float
    ci_low: float
    ci_high: float
    standard_error: float
    dimension: int
    hidden: int | None = None
    activation: Activation | None = None
    output: int | None = None
    draws: int | None = None
    sd: float | None = None
    difference: float | None = None
    rank_sum_p: float | None = None
    rank_sum_p_bonferroni: float | None = None
    repeated: int = 0
    identical: int = 0


@dataclass(frozen=True, slots=True)
class Concepts:
    """A table of experiment 2, and every pair that is not in it.

    Args:
        rows: vectors, then benchmarks, then similarities, then maps.
        left_out: the pairs that were not compared, of each file of vectors.
        vocabularies: how words were found, and which pairs are covered.
    """

    rows: tuple[ConceptRow, ...]
    left_out: tuple[LeftOut, ...]
    vocabularies: tuple[Vocabulary, ...]

    def records(self) -> list[dict[str, Any]]:
        """The rows as flat records."""
        return [asdict(row) for row in self.rows]

    def _repr_html_(self) -> str:
        columns = ("vectors", "benchmark", "similarity", "map", "pairs", "covered", "spearman", "ci_low", "ci_high")
        return html_table("Agreement with human ratings of similarity", self.records(), columns)


def evaluate(
    vectors: WordVectors | Sequence[WordVectors],
    ratings: RatedPairs | Sequence[RatedPairs],
    *,
    maps: Sequence[MapKind] = MAPS,
    similarity: Sequence[Similarity] = SIMILARITIES,
    hidden: Sequence[int] = (HIDDEN,),
    activation: Activation = "tanh",
    output: int = OUTPUT,
    draws: int = DRAWS,
    seed: int = 0,
    repeated: Repeated = "keep",
    identical: Identical = "keep",
    common: bool = False,
    progress: Progress | None = None,
) -> Concepts:
    """Spearman correlations of vector similarities with human ratings, with and without untrained maps.

    Collell & Moens (2018), experiment 2 (sections 3.2 and 4.2).

    Args:
        vectors: one or several vocabularies.
        ratings: one or several benchmarks.
        maps: "none", "lin", "nn"; the vectors themselves are always reported.
        similarity: "cosine", "euclidean".
        hidden: units of the hidden layer of nn, which the paper does not give; several are a sweep.
        activation: of nn, "tanh", "sigmoid" or "relu".
        output: dimensions that maps lead into.
        draws: of random weights.
        seed: of the draws.
        repeated: each rating of a pair counts, as in the files ("keep"), or its mean once ("mean").
        identical: what becomes of rows that pair a word with itself.
        common: take only pairs that all of the vectors cover.
        progress: called with what is being done, the maps done and the maps in all.

    Raises:
        DataError: no covered pair, an unknown map or similarity, or two vocabularies of one name.
        MappingError: an unknown activation, or hidden, output or draws below 1.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> words = WordVectors(rng.normal(size=(4, 5)), ("dog", "cat", "car", "bus"), "x")
        >>> pairs = RatedPairs("mine", ("dog", "car", "dog"), ("cat", "bus", "bus"), np.array([9.0, 8.0, 1.0]), (1, 2, 3))
        >>> [(row.map, row.covered) for row in evaluate(words, pairs, similarity=["cosine"], draws=2).rows]
        [('none', 3), ('lin', 3), ('nn', 3)]
    """
    check_seed(seed)
    check_activation(activation)
    check_sizes(hidden, output, draws)
    for each in similarity:
        check_similarity(each)
    if unknown := [each for each in maps if each not in MAPS]:
        raise DataError(f"mapping: needed {', '.join(MAPS)}, got {unknown[0]!r}. Choose of these.")
    sets = [vectors] if isinstance(vectors, WordVectors) else list(vectors)
    benchmarks = _prepared([ratings] if isinstance(ratings, RatedPairs) else ratings, repeated, identical)
    if len({each.name for each in sets}) < len(sets):
        raise DataError(f"vectors: needed a name for each, got {', '.join(each.name for each in sets)}. Rename one.")
    vocabularies = [cover(each, benchmarks) for each in sets]
    if common:
        vocabularies = in_common(vocabularies)
    kinds: list[tuple[MapKind, int | None]] = []
    kinds += [("lin", None)] if "lin" in maps else []
    kinds += [("nn", units) for units in hidden] if "nn" in maps else []
    rows: list[ConceptRow] = []
    total = len(vocabularies) * draws * len(kinds)
    for number, vocabulary in enumerate(vocabularies):
        own = _agreement([vocabulary.values], vocabulary.coverages, similarity)
        table: dict[tuple[MapKind, int | None], _Agreement] = {}
        for place, (kind, units) in enumerate(kinds):
            mapped = images(
                vocabulary.values, () if units is None else (units,),
                activation=activation, output=output, draws=draws, seed=seed,
            )  # fmt: skip
            done = (number * len(kinds) + place) * draws
            told = _told(mapped, progress, f"{kind} of {vocabulary.name}", done, total)
            table[kind, units] = _agreement(told, vocabulary.coverages, similarity)
        for coverage in vocabulary.coverages:
            for each in similarity:
                key = (coverage.benchmark.name, each)
                rows.append(_row(vocabulary, coverage, each, own[key]))
                for kind, units in kinds:
                    mapped_rhos = table[kind, units][key]
                    row = _row(vocabulary, coverage, each, mapped_rhos)
                    named = replace(
                        row, map=kind, hidden=units, activation=activation if kind == "nn" else None, output=output,
                        draws=draws,
                    )  # fmt: skip
                    rows.append(_against(named, mapped_rhos[0], float(own[key][0][0])))
    left_out = tuple(pair for each in vocabularies for coverage in each.coverages for pair in coverage.left_out)
    return Concepts(tuple(_corrected(rows)), left_out, tuple(vocabularies))


def in_common(vocabularies: Sequence[Vocabulary]) -> list[Vocabulary]:
    """The same vocabularies with only those pairs that each of them covers.

    Raises:
        DataError: they share no pair.
    """
    shared = []
    for coverages in zip(*(each.coverages for each in vocabularies), strict=True):
        rows = coverages[0].rows
        for coverage in coverages[1:]:
            rows = np.intersect1d(rows, coverage.rows)
        shared.append(rows)
    if not any(map(len, shared)):
        names = ", ".join(each.name for each in vocabularies)
        raise DataError(f"vectors: needed a rated pair that all cover, got none for {names}. Compare them one by one.")
    return [
        replace(each, coverages=tuple(c.only(rows, each.name) for c, rows in zip(each.coverages, shared, strict=True)))
        for each in vocabularies
    ]


def _prepared(ratings: Sequence[RatedPairs], repeated: Repeated, identical: Identical) -> list[RatedPairs]:
    if not ratings:
        raise DataError("ratings: needed at least one benchmark, got none. Give a file or a folder of ratings.")
    for name, value, known in (("repeated", repeated, ("keep", "mean")), ("identical", identical, ("keep", "drop"))):
        if value not in known:
            raise DataError(f"{name}: needed {' or '.join(known)}, got {value!r}. Choose one of them.")
    names = [each.name for each in ratings]
    if again := next((name for row, name in enumerate(names) if name in names[:row]), None):
        raise DataError(f"ratings: needed each benchmark once, got {again} twice. Leave one of its files out.")
    prepared = [each.merged() if repeated == "mean" else each for each in ratings]
    return [each.distinct() if identical == "drop" else each for each in prepared]


def _told(
    mapped: Iterable[Float[ndarray, "n d"]], progress: Progress | None, what: str, done: int, total: int
) -> Iterable[Float[ndarray, "n d"]]:
    for number, image in enumerate(mapped):
        if progress is not None:
            progress(what, done + number, total)
        if not np.isfinite(image).all():
            raise DataError(f"{what}: needed numbers that stay finite in float32, got larger ones. Scale the vectors down.")
        yield image


_Agreement = dict[tuple[str, Similarity], tuple[ndarray, ndarray]]  # rho of each draw, influence of each pair


def _agreement(
    spaces: Iterable[Float[ndarray, "n d"]], coverages: Sequence[Coverage], kinds: Sequence[Similarity]
) -> _Agreement:
    """For each benchmark and similarity rho in each space, and the mean influence of each pair."""
    rhos: dict[tuple[str, Similarity], list[float]] = {}
    influences: dict[tuple[str, Similarity], Any] = {}
    first, second = (np.concatenate([getattr(coverage, side) for coverage in coverages]) for side in ("first", "second"))
    # SemSim and VisSim hold the same pairs: each is compared once.
    pairs, place = np.unique(np.stack([first, second]), axis=1, return_inverse=True)
    ends = np.cumsum([len(coverage.rows) for coverage in coverages])[:-1]
    for values in spaces:
        found = rankable(values, pairs[0], pairs[1], kinds)
        for kind in kinds:
            for coverage, each in zip(coverages, np.split(found[kind][place], ends), strict=True):
                key = (coverage.benchmark.name, kind)
                enough = len(each) > 1
                rhos.setdefault(key, []).append(spearman(each, coverage.rating) if enough else nan)
                influence = spearman_influence(each, coverage.rating) if enough else np.full(len(each), nan)
                influences[key] = influences.get(key, 0.0) + influence
    return {key: (np.array(values), influences[key] / len(values)) for key, values in rhos.items()}


def _row(
    vocabulary: Vocabulary, coverage: Coverage, similarity: Similarity,
    found: tuple[Float[ndarray, " draws"], Float[ndarray, " n"]],
) -> ConceptRow:  # fmt: skip
    rhos, influence = found
    rho, covered = float(rhos.mean()), len(influence)
    error = float(influence.std(ddof=1) / covered**0.5) if covered > 2 else nan
    interval = correlation_interval(rho, error)
    benchmark = coverage.benchmark
    return ConceptRow(
        vocabulary.name, benchmark.name, similarity, "none", len(benchmark), covered, rho, interval.low, interval.high,
        error, vocabulary.values.shape[1], repeated=benchmark.repeated, identical=benchmark.identical,
    )  # fmt: skip


def _against(row: ConceptRow, mapped: Float[ndarray, " draws"], own: float) -> ConceptRow:
    """With the test of the draws against the vectors themselves, where all are defined."""
    if not np.isfinite([*mapped, own]).all():
        return row
    sd = float(mapped.std(ddof=1)) if len(mapped) > 1 else nan
    p = rank_sum_p(mapped, np.full(len(mapped), own))
    return replace(row, sd=sd, difference=float(mapped.mean()) - own, rank_sum_p=p)


def _corrected(rows: Sequence[ConceptRow]) -> list[ConceptRow]:
    tested = [row for row in rows if row.rank_sum_p is not None]
    p = iter(bonferroni(np.array([row.rank_sum_p for row in tested])).tolist()) if tested else iter(())
    return [row if row.rank_sum_p is None else replace(row, rank_sum_p_bonferroni=next(p)) for row in rows]
