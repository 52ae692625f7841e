"""Retrieval: how well the nearest items answer a query, by shared classes or by being its pair.

The paper checks its features by mean average precision (supplement B: an item is relevant if it shares a class), and most
cross-modal work reports Recall@K of pairs. Both, MRR and FOSCTTM are means over queries of where the relevant items stand,
so one ranking gives all of them. They say nothing about whose neighbors a mapping has: that is `isthmus.bridge`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._html import html_table
from isthmus._shapes import Float, Int, Progress
from isthmus.measures._lists import as_list
from isthmus.measures._ranking import (
    Ranks,
    Relevance,
    chance_precision,
    expected_hits,
    expected_reciprocal,
    rank,
)
from isthmus.neighbors import Metric, check_distance, check_metric
from isthmus.pairs import as_classes, check_vectors
from isthmus.statistics import Interval, ratio_error

_NONE = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Retrieval:
    """How well queries find what is relevant, query by query.

    A query for which nothing is relevant has no average precision, and is left out of every mean (`unanswerable` counts
    them).

    Args:
        ranks: where the relevant candidates of each query stand.
        candidates: how many there are for each query, itself not counted.
        metric: "cosine" or "euclidean".
        ks: at which recall is taken.
        pairs: whether the relevant item is the query's pair, instead of those that share a class with it.
        include_self: whether the query is its own first hit, or its pair a candidate.
        first: 1 where the query itself is a first hit before the candidates, else 0.
    """

    ranks: Ranks
    candidates: int
    metric: Metric
    ks: tuple[int, ...]
    pairs: bool
    include_self: bool
    first: int

    @property
    def n(self) -> int:
        """Number of queries."""
        return len(self.ranks.relevant)

    @property
    def unanswerable(self) -> int:
        """Number of queries for which nothing is relevant."""
        return int(np.count_nonzero(self._relevant == 0))

    @property
    def measures(self) -> tuple[str, ...]:
        """The names that `per_query`, `value`, `chance` and `interval` take."""
        return ("map", "mrr", *(f"recall@{k}" for k in self.ks), *(("foscttm",) if self.pairs else ()))

    @property
    def map(self) -> float:
        """Mean average precision: over queries, of the mean precision at each of their relevant items."""
        return self.value("map")

    @property
    def mrr(self) -> float:
        """Mean reciprocal rank of the first relevant item."""
        return self.value("mrr")

    @property
    def foscttm(self) -> float:
        """Fraction of samples closer than the true match (Liu et al. 2019), of pairs only; 0 is perfect, 0.5 chance."""
        return self.value("foscttm")

    def recall(self, k: int) -> float:
        """Recall@K: share of queries with a relevant item among their k nearest."""
        return self.value(f"recall@{k}")

    def per_query(self, measure: str) -> Float[ndarray, " n"]:
        """A measure of each query; nan where nothing is relevant.

        Raises:
            NeighborError: not one of `measures`.
        """
        self._check(measure)
        ranks = self.ranks
        if measure == "map":
            found = (ranks.precisions + self.first) / np.maximum(self._relevant, 1)
        elif measure == "foscttm":
            found = (ranks.before + (ranks.tied - 1) / 2) / max(1, self.candidates - 1)
        elif self.first:
            found = np.ones(self.n)
        elif measure == "mrr":
            found = expected_reciprocal(ranks.before, ranks.tied, ranks.tied_relevant)
        else:
            found = expected_hits(ranks.before, ranks.tied, ranks.tied_relevant, int(measure.partition("@")[2]))
        return np.where(self._relevant > 0, found, _NONE)

    def value(self, measure: str) -> float:
        """The mean of a measure over the queries for which something is relevant; nan without any."""
        return _mean(self.per_query(measure))

    def chance(self, measure: str) -> float:
        """What candidates in random order would give, on average over these queries.

        Raises:
            NeighborError: not one of `measures`.
        """
        relevant = self.ranks.relevant
        tied = Ranks(
            chance_precision(self.candidates, relevant, first=bool(self.first)), relevant, np.zeros_like(relevant),
            np.full_like(relevant, self.candidates), relevant,
        )  # fmt: skip
        everything = Retrieval(tied, self.candidates, self.metric, self.ks, self.pairs, self.include_self, self.first)
        return everything.value(measure)

    def interval(self, measure: str, *, level: float = 0.95) -> Interval:
        """An interval for a measure over queries like these, among the candidates that there are."""
        found = self.per_query(measure)
        found = found[~np.isnan(found)]
        error = ratio_error(found, np.ones(len(found)))
        return Interval.around(_mean(found), error, level=level, kind="fixed-graph", bounds=(0.0, 1.0))

    def records(self, queries: str = "queries", items: str = "items") -> list[dict[str, Any]]:
        """One flat record a measure; nan stands for what is not defined."""
        return [
            {
                "queries": queries, "items": items, "relevant": "pair" if self.pairs else "class", "n": self.n,
                "candidates": self.candidates, "unanswerable": self.unanswerable, "metric": self.metric,
                "include_self": self.include_self, "measure": measure, "value": self.value(measure),
                "chance": self.chance(measure), "ci_low": interval.low, "ci_high": interval.high,
                "ci_population": interval.population,
            }
            for measure in self.measures
            for interval in [self.interval(measure)]
        ]  # fmt: skip

    def _repr_html_(self) -> str:
        records = [{"measure": each, "value": self.value(each), "chance": self.chance(each)} for each in self.measures]
        return html_table(f"Retrieval: {self.n} queries, {self.candidates} candidates, {self.metric}", records)

    def __str__(self) -> str:
        values = ", ".join(
            f"{'mAP' if each == 'map' else each} {self.value(each):.4f} (chance {self.chance(each):.4f})"
            for each in (("mrr", *self.measures[2:]) if self.pairs else self.measures)
        )
        return f"{values}; {self.n} queries, {self.candidates} candidates, {self.metric}"

    @property
    def _relevant(self) -> Int[ndarray, " n"]:
        return self.ranks.relevant + self.first

    def _check(self, measure: str) -> None:
        if measure not in self.measures:
            raise NeighborError(f"measure: needed {', '.join(self.measures)}, got {measure!r}. Name one of them.")


def _mean(values: Float[ndarray, " n"]) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else _NONE


def retrieval(
    X: Any,
    Y: Any = None,
    labels: Any = None,
    *,
    item_labels: Any = None,
    k: int | Sequence[int] = (1, 5, 10),
    metric: Metric = "cosine",
    include_self: bool | None = None,
    progress: Progress | None = None,
    names: tuple[str, str] = ("X", "Y"),
) -> Retrieval:
    """Rank items by distance from each query, and see where the relevant ones stand.

    AP(q) = 1/R_q sum_{i relevant} (relevant items down to i)/(rank of i); mAP is its mean over queries. MRR is the mean of
    1/(rank of the first relevant item), Recall@K the share of queries with a relevant item among the K nearest, FOSCTTM the
    mean share of other items that are nearer than the pair. Distances that agree to about twelve digits are ties; a tie
    counts as the mean over all orders of its items.

    Args:
        X: queries, m x d, finite; and the items too, where there is no Y.
        Y: items of another set, n x d, finite; with X = f(inputs) this is cross-modal retrieval. Without labels row i of Y
            is the pair of row i of X, and the only relevant item.
        labels: of the queries: a class each (an array of one column too), or a table of queries by two or more classes that
            is not 0 where a query is in one. An item is relevant if it shares a class; 1 and 1.0 are the same class. Needed
            where there is no Y.
        item_labels: of Y, in the same form; those of X if left out.
        k: of Recall@K.
        metric: "cosine" or "euclidean".
        include_self: within one set, a query is its own first hit (if left out: it is none). Across two, the query's own row
            is among the candidates (if left out: it is).
        progress: called with the queries done and in all.
        names: what errors call the two sets.

    Raises:
        DataError: a set that is not a finite two-dimensional array of numbers, or labels with None or nan among them.
        NeighborError: sets of different widths, neither Y nor labels, labels that are not one a row or of other columns than
            those of the items, pairs of sets of different size, or an unknown metric.

    References:
        McSherry, Najork (2008), "Computing information retrieval performance measures efficiently in the presence of tied
        scores"; Liu, Huang, Singh, Vert, Noble (2019), "Jointly embedding multiple single-cell omics measurements"
        (FOSCTTM).

    Example:
        >>> x = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.8]])
        >>> retrieval(x, labels=["dog", "dog", "cat", "cat"], k=1).map
        1.0
        >>> retrieval(x[:, ::-1], x, k=1).recall(1)
        0.0
    """
    check_distance(check_metric(metric), "retrieval")
    ks = tuple(as_list(k))
    if min(ks) < 1:
        raise NeighborError(f"k: needed 1 or more, got {min(ks)}. Use k=10.")
    queries = check_vectors(X, names[0])
    items = queries if Y is None else check_vectors(Y, names[1])
    if queries.shape[1] != items.shape[1]:
        raise NeighborError(
            f"{names[0]}, {names[1]}: needed the same width, to measure distances between them, got {queries.shape[1]} and "
            f"{items.shape[1]}. Map one space into the other first."
        )
    if Y is None and labels is None:
        raise NeighborError("labels: needed classes, or a second set with the pairs, got neither. Give one of them.")
    if labels is None and item_labels is not None:
        raise NeighborError("labels: needed classes of the queries too, got those of the items alone. Give both.")
    paired = labels is None
    if (paired or include_self is False) and len(queries) != len(items):
        raise NeighborError(
            f"{names[0]}, {names[1]}: needed pairs, row by row, got {len(queries)} and {len(items)} rows. Give labels, or "
            "cut both to the same items."
        )
    within = Y is None
    own = include_self is not False and not within
    if paired and not own:
        raise NeighborError("include_self: needed the pair among the candidates, got False. Leave it out, or give labels.")
    first = within and bool(include_self)
    relevance = Relevance(None, None) if paired else _relevance(labels, item_labels, len(queries), len(items))
    ranks = rank(queries, items, relevance, metric=metric, own=own, first=first, progress=progress)
    return Retrieval(ranks, len(items) - (not own), metric, ks, paired, own or first, int(first))


def _relevance(labels: Any, item_labels: Any, m: int, n: int) -> Relevance:
    asked = as_classes(labels)
    there = asked if item_labels is None else as_classes(item_labels, "item_labels")
    for name, found, size in (("labels", asked, m), ("item_labels", there, n)):
        if len(found) != size:
            raise NeighborError(
                f"{name}: needed {size} classes, one a row, or a table of {size} rows by classes, got shape {found.shape}. "
                "Give every row its own."
            )
    if asked.ndim != there.ndim or asked.shape[1:] != there.shape[1:]:
        raise NeighborError(
            f"item_labels: needed the form of labels, {asked.shape[1:] or 'one class a row'}, got {there.shape[1:]}. "
            "Use the same classes for both."
        )
    if asked.ndim == 2:
        return Relevance(asked.astype(np.float32), there.astype(np.float32))
    _, codes = np.unique(np.concatenate([asked, there]), return_inverse=True)
    return Relevance(codes[:m], codes[m:])


def foscttm(X: Any, Y: Any, *, metric: Metric = "euclidean") -> float:
    """Fraction of samples closer than the true match, averaged over both directions; 0 is perfect, 0.5 chance.

    Args:
        X: n x d, finite, in the space of Y: f(inputs).
        Y: n x d, finite; row i is the true match of row i of X.
        metric: "euclidean", as usual for it, or "cosine".

    Raises:
        DataError, NeighborError: as `retrieval`.

    References:
        Liu, Huang, Singh, Vert, Noble (2019), "Jointly embedding multiple single-cell omics measurements".

    Example:
        >>> foscttm(np.eye(3), np.eye(3))
        0.0
    """
    return (retrieval(X, Y, metric=metric).foscttm + retrieval(Y, X, metric=metric).foscttm) / 2
