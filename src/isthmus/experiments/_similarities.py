"""The paper's tables 2 and 12 again: correlations with human ratings before and after untrained maps, published and ours.

Needed are vectors, as the authors publish them or in a file of their name, and the files of the benchmarks, which their
makers distribute and this package does not.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isthmus._errors import DataError
from isthmus._html import html_table
from isthmus._shapes import Progress
from isthmus.concepts import (
    BENCHMARKS,
    HIDDEN,
    ConceptRow,
    RatedPairs,
    benchmark_name,
    evaluate,
    rating_files,
    read_ratings,
    wanted,
)
from isthmus.datasets import paper_files, read_paper_words
from isthmus.experiments._published import PublishedSimilarity, published_similarities
from isthmus.neighbors import Metric
from isthmus.words import FORMATS, WordVectors, read_words, words_beside

SIMILARITY_TABLES = (2, 12)
"""Tables of experiment 2, which `reproduce_similarities` does."""
_AUTHORS = {"glove": ("resnet", "glove", 1), "resnet": ("resnet", "glove", 0), "word2vec": ("vgg128", "word2vec", 1),
            "vgg128": ("vgg128", "word2vec", 0)}  # fmt: skip
_DEEP = 3  # folders below DIR in which benchmarks are looked for


@dataclass(frozen=True, slots=True)
class ReproducedSimilarity:
    """One figure of tables 2 and 12, published and ours; what could not be run is None.

    Args:
        table, benchmark, vectors, map, similarity, published, mark: as of `PublishedSimilarity`.
        ours: Spearman's correlation, of maps the mean over draws.
        difference: ours - published.
        ours_sd: over draws.
        ci_low, ci_high: of ours, 95 %, about new rated pairs drawn like these.
        pairs, covered: of the benchmark, and those that the vectors cover.
        hidden, draws: of the map.
        rank_sum_p, rank_sum_p_bonferroni: the paper's test of the map against the vectors themselves.
        missing: the files that were missing.
    """

    table: int
    benchmark: str
    vectors: str
    map: str
    similarity: Metric
    published: float
    mark: str | None
    ours: float | None = None
    difference: float | None = None
    ours_sd: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    pairs: int | None = None
    covered: int | None = None
    hidden: int | None = None
    draws: int | None = None
    rank_sum_p: float | None = None
    rank_sum_p_bonferroni: float | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class SimilarityReproduction:
    """A table of experiment 2 beside ours: its rows in the order of reading, remarks, and the files that were missing."""

    table: int
    rows: tuple[ReproducedSimilarity, ...]
    remarks: tuple[str, ...]
    missing: tuple[str, ...]

    def records(self) -> list[dict[str, Any]]:
        """The rows as flat records."""
        return [asdict(row) for row in self.rows]

    def _repr_html_(self) -> str:
        columns = ("benchmark", "vectors", "map", "similarity", "published", "ours", "difference")
        return html_table(f"Table {self.table}: published and ours", self.records(), columns, " ".join(self.remarks))


def reproduce_similarities(
    table: int,
    data: str | Path | None = None,
    *,
    hidden: int = HIDDEN,
    seed: int = 0,
    progress: Progress | None = None,
) -> SimilarityReproduction:
    """Table 2 (GloVe, ResNet) or 12 (word2vec, VGG-128) again.

    Args:
        table: 2 or 12.
        data: a folder with the authors' `training_data/imagenet/{lang,vis}_*.csv`, or vectors called glove, resnet,
            word2vec or vgg128 (.txt, .vec, .bin, also with .gz, or a converted .npy); and, in it or up to three folders
            deeper, files of the benchmarks, known by their names. What is there is run, and what is missing is named.
        hidden: units of f_nn, which the paper does not give.
        seed: of the weights.
        progress: called with what is being done, the maps done and the maps in all.

    Raises:
        DataError: another table, no such folder, or files that cannot be read.

    Example:
        >>> first = reproduce_similarities(2).rows[0]
        >>> first.benchmark, first.map, first.published, first.ours
        ('wordsim353', 'nn', 0.632, None)
    """
    figures = published_similarities(table)
    if data is None:
        return SimilarityReproduction(table, tuple(_row(figure) for figure in figures), (), ())
    folder = Path(data)
    if not folder.is_dir():
        raise DataError(f"data: needed the folder of vectors and ratings, got {str(folder)!r}. Check the path.")
    files = {name: vector_file(folder, name) for name in dict.fromkeys(figure.vectors for figure in figures)}
    ratings = benchmarks_in(folder)
    absent: dict[str, str] = {name: f"{name} vectors" for name, file in files.items() if file is None}
    absent |= {name: f"ratings of {name}" for name in BENCHMARKS if name not in ratings}
    there = [_vectors(file, name, list(ratings.values())) for name, file in files.items() if file is not None]
    found: dict[tuple[str, ...], ConceptRow] = {}
    if there and ratings:
        result = evaluate(there, list(ratings.values()), hidden=[hidden], seed=seed, progress=progress)
        found = {(row.benchmark, row.vectors, row.map, row.similarity): row for row in result.rows}
    rows = tuple(_row(figure, found, absent) for figure in figures)
    return SimilarityReproduction(table, rows, tuple(_remarks(rows)), tuple(dict.fromkeys(absent.values())))


def vector_file(folder: Path, name: str) -> Path | None:
    """The file of these vectors: the authors', or one called so."""
    image, text, side = _AUTHORS[name]
    authors = list(paper_files(folder, "imagenet", image, text).values())[side]
    if authors is not None:
        return authors
    endings = {*FORMATS, *(f"{ending}.gz" for ending in FORMATS), ".npy"}
    named = [file for file in sorted(folder.iterdir()) if file.name.lower() in {name + ending for ending in endings}]
    return next((file for file in named if file.suffix != ".npy" or words_beside(file).is_file()), None)


def benchmarks_in(folder: Path) -> dict[str, RatedPairs]:
    """The benchmarks of the paper in a folder or below it, by name; of several files the first."""
    found: dict[str, RatedPairs] = {}
    level = [folder]
    for _ in range(_DEEP + 1):
        for place in level:
            for file in rating_files(place):
                if benchmark_name(file) in BENCHMARKS or file.stem == "similarity_judgements":
                    found = {each.name: each for each in read_ratings(file) if each.name in BENCHMARKS} | found
        level = [child for place in level for child in sorted(place.iterdir()) if child.is_dir()]
    return found


def _vectors(file: Path, name: str, ratings: list[RatedPairs]) -> WordVectors:
    if file.suffix.lower() == ".csv":
        return read_paper_words(file, name)
    found = read_words(file, wanted(ratings), duplicates="first")
    return WordVectors(found.values, found.words, name)


def _row(
    figure: PublishedSimilarity,
    found: Mapping[tuple[str, ...], ConceptRow] | None = None,
    absent: Mapping[str, str] | None = None
) -> ReproducedSimilarity:  # fmt: skip
    names = (figure.benchmark, figure.vectors, figure.map, figure.similarity)
    plain = (
        figure.table,
        figure.benchmark,
        figure.vectors,
        figure.map,
        figure.similarity,
        figure.published,
        figure.mark or None,
    )
    row = (found or {}).get(names)
    if row is None:
        missing = [(absent or {})[name] for name in (figure.vectors, figure.benchmark) if name in (absent or {})]
        return ReproducedSimilarity(*plain, missing=", ".join(missing) or None)
    return ReproducedSimilarity(
        *plain, row.spearman, row.spearman - figure.published, row.sd, row.ci_low, row.ci_high, row.pairs, row.covered,
        row.hidden, row.draws, row.rank_sum_p, row.rank_sum_p_bonferroni,
    )  # fmt: skip


def _remarks(rows: tuple[ReproducedSimilarity, ...]) -> list[str]:
    own = {(row.benchmark, row.vectors, row.similarity): row for row in rows if row.map == "none"}
    remarks = []
    for kind in ("lin", "nn"):
        for similarity in ("cosine", "euclidean"):
            mapped = [row for row in rows if (row.map, row.similarity) == (kind, similarity)]
            partners = [own[row.benchmark, row.vectors, row.similarity] for row in mapped]
            ours = [
                a.ours - b.ours for a, b in zip(mapped, partners, strict=True) if a.ours is not None and b.ours is not None
            ]
            if ours:
                printed = [a.published - b.published for a, b in zip(mapped, partners, strict=True)]
                starred = sum(row.rank_sum_p_bonferroni is not None and row.rank_sum_p_bonferroni < 0.05 for row in mapped)
                remarks.append(
                    f"f_{kind} against the vectors themselves, {similarity}: {min(ours):+.3f} to {max(ours):+.3f} here, "
                    f"{min(printed):+.3f} to {max(printed):+.3f} in print; {starred} of {len(ours)} differ with p < 0.05."
                )
    return remarks
