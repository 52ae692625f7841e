"""Every kindred measure under one name, with what is needed to read it: chance, best value, invariances, source.

A measure is a function of two paired spaces. What it shares with others (neighbor tables, ranks, distances) hangs on the
spaces, so `all` costs little more than its dearest member, and a random pairing needs nothing made again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Float, Int
from isthmus.measures import _agreement, _alignment, _kernels, _matching, _ranks
from isthmus.measures._overlap import chance
from isthmus.measures._paired import Paired
from isthmus.neighbors import Metric, hubness, shared_entries

Invariance = Literal["rotation", "scale", "translation", "linear"]

_BY_METRIC: dict[str, frozenset[Invariance]] = {
    "cosine": frozenset({"rotation", "scale"}),
    "euclidean": frozenset({"rotation", "scale", "translation"}),
}
_MOVED: frozenset[Invariance] = frozenset({"rotation", "scale", "translation"})
_TURNED: frozenset[Invariance] = frozenset({"rotation", "scale"})
_IN_ONE_SPACE: dict[str, frozenset[Invariance]] = {"cosine": frozenset({"scale"}), "euclidean": frozenset()}


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of two paired spaces.

    Args:
        name: what it is called everywhere.
        title: what it is, in a line.
        value: of two paired spaces.
        source: where it comes from.
        best: its value where the spaces agree wholly; of the two spaces, where it depends on n and k.
        distance: whether smaller is more alike.
        bounds: its least and its largest value.
        chance: its exact mean over random pairings; where it is left out, the mean of some of them stands for it.
        invariant: what may be done to either space without changing it, by metric, or whatever the metric.
        uses_k, uses_metric: whether it depends on the number of neighbors, and on the metric.
        paired: whether it depends on which item is paired with which.
        null: its values under several pairings, one a row, where there is a faster way than one after the other.
        share: for measures that are slope x q + shift of a share q of neighbors: slope and shift. Half-samples are at
            another level of q, and their interval needs it.
        items: for measures that are the mean of what each item has: these values. Their variance says the same.
        fraction: whether it is a mean over items of numbers from 0 to 1, and may come near to either.
        rare: where the sum of its items, or what that lacks of n, is below this, the interval is no narrower than if items
            had nothing to do with one another, since halves may hold none of what is rare.
        has_interval: whether half-samples tell how sure it is.
    """

    name: str
    title: str
    value: Callable[[Paired], float]
    source: str
    best: float | Callable[[Paired], float] = 1.0
    distance: bool = False
    bounds: tuple[float, float] = (0.0, 1.0)
    chance: Callable[[Paired], float] | None = None
    invariant: Mapping[str, frozenset[Invariance]] | frozenset[Invariance] = frozenset()
    uses_k: bool = True
    uses_metric: bool = True
    paired: bool = True
    null: Callable[[Paired, Int[ndarray, "some n"]], Float[ndarray, " some"]] | None = None
    share: Callable[[Paired], tuple[float, float]] | None = None
    items: Callable[[Paired], Float[ndarray, " n"]] | None = None
    fraction: bool = False
    rare: float = np.inf
    has_interval: bool = True

    def invariances(self, metric: Metric) -> frozenset[Invariance]:
        """What may be done to either space alone without changing the value: rotation, scale, translation, linear.

        "linear" is every invertible linear map, hence rotation and scale too; reflections count as rotations, scale is one
        positive number for all dimensions.
        """
        return self.invariant if isinstance(self.invariant, frozenset) else self.invariant.get(metric, _TURNED)

    @property
    def sign(self) -> int:
        """1 where larger is more alike, -1 for distances."""
        return -1 if self.distance else 1

    def best_of(self, pair: Paired) -> float:
        """Its value for spaces of this size that agree wholly."""
        return self.best if isinstance(self.best, float) else self.best(pair)

    def under(self, pair: Paired, orders: Int[ndarray, "some n"]) -> Float[ndarray, " some"]:
        """Its values with item i of the first space beside item orders[d, i] of the second, for every d."""
        if self.null is not None:
            return self.null(pair, orders)
        return np.array([self.value(pair.reordered(order)) for order in orders])


def _by_item(
    of: Callable[[Int[ndarray, "n k"], Int[ndarray, "n k"]], ndarray], share: bool = False, less_from: float | None = None
) -> Callable[[Paired], Float[ndarray, " n"]]:
    """What compares the two lists of an item, by k if a share is wanted, less from a number if wanted."""

    def items(pair: Paired) -> Float[ndarray, " n"]:
        found = of(*pair.lists) / (pair.k if share else 1)
        return found if less_from is None else less_from - found

    return items


def _listwise(name: str, title: str, items: Callable[[Paired], Float[ndarray, " n"]], source: str, **more: Any) -> Measure:
    """The mean over items of what compares two lists."""
    return Measure(
        name,
        title,
        lambda pair: float(np.mean(items(pair))),
        source,
        invariant=_BY_METRIC,
        items=items,
        fraction=True,
        **more,
    )


def _shared(pair: Paired) -> float:
    """MNNO."""
    return float(_shared_under(pair, np.arange(pair.n, dtype=np.int32)[None] if pair.order is None else pair.order[None])[0])


def _shared_under(pair: Paired, orders: Int[ndarray, "some n"]) -> Float[ndarray, " some"]:
    totals = shared_entries(pair.first.table.index, pair.second.table.index, orders)
    return totals / (pair.n * pair.k)


def _at_chance(pair: Paired) -> float:
    return chance(pair.k, pair.n)


def _above(pair: Paired, of: ndarray | float) -> ndarray | float:
    return of - _at_chance(pair)


def _adjusted(pair: Paired, of: ndarray | float) -> ndarray | float:
    return (of - _at_chance(pair)) / (1 - _at_chance(pair)) if pair.k < pair.n - 1 else of * np.nan


def _jaccard_chance(pair: Paired) -> float:
    shared = np.arange(pair.k + 1)
    return _agreement.hypergeometric_mean(pair.k, pair.n, shared / (2 * pair.k - shared))


def _rbo_chance(pair: Paired, p: float = 0.9) -> float:
    """Agreement at depth d is d/(n-1) on average."""
    d = np.arange(1, pair.k + 1)
    agreement = d / (pair.n - 1)
    return float(agreement[-1] * p**pair.k + (1 - p) / p * (agreement * p**d).sum())


def _zero(_: Paired) -> float:
    return 0.0


def _itself(_: Paired) -> tuple[float, float]:
    return 1.0, 0.0


def _less_chance(pair: Paired) -> tuple[float, float]:
    return 1.0, -_at_chance(pair)


def _rescaled(pair: Paired) -> tuple[float, float]:
    level = _at_chance(pair)
    return (1 / (1 - level), -level / (1 - level)) if level < 1 else (float("nan"), float("nan"))


def _of_one(under: Callable[[Paired, Int[ndarray, "some n"]], ndarray]) -> Callable[[Paired], ndarray]:
    """What a function of several pairings says of one."""
    return lambda pair: np.asarray(under(pair, (np.arange(pair.n) if pair.order is None else pair.order)[None])[0])


def _number_of_one(under: Callable[[Paired, Int[ndarray, "some n"]], ndarray]) -> Callable[[Paired], float]:
    of_one = _of_one(under)
    return lambda pair: float(of_one(pair))


_HUH = "Huh et al. 2024"
_RARE = 20.0  # with as many misses or more, intervals of retrieval by halves alone covered 0.94 to 0.95

_ALL = [
    Measure("mutual-knn", "share of the k neighbors that both spaces have (mNNO)", _shared,
            "Collell & Moens 2018; Huh et al. 2024", chance=_at_chance, invariant=_BY_METRIC, null=_shared_under,
            share=_itself),
    _listwise("jaccard", "shared neighbors over all neighbors of an item", _by_item(_agreement.jaccard), "Jaccard 1912",
              chance=_jaccard_chance),
    _listwise("rbo", "rank-biased overlap of the neighbor lists, p = 0.9", _by_item(_agreement.rank_biased_overlap),
              "Webber et al. 2010", chance=_rbo_chance),
    _listwise("cycle-knn", "share of items that a neighbor in y leads back to in x", _by_item(_agreement.cycle), _HUH),
    _listwise("lcs-knn", "longest common subsequence of the neighbor lists, by k",
              _by_item(_agreement.longest_common, share=True), _HUH),
    _listwise("edit-distance-knn", "1 less the edit distance of the neighbor lists, by k",
              _by_item(_agreement.edit_distance, share=True, less_from=1.0), _HUH),
    Measure("cknna", "centered kernel alignment of mutual neighbors", _kernels.cknna, _HUH, bounds=(-1.0, 1.0),
            invariant=_TURNED, share=_itself),
    Measure("lcmc", "mutual k-NN less chance", lambda pair: float(_above(pair, _shared(pair))), "Chen & Buja 2009",
            best=lambda pair: 1 - _at_chance(pair), bounds=(-1.0, 1.0), chance=_zero, invariant=_BY_METRIC,
            null=lambda pair, orders: np.asarray(_above(pair, _shared_under(pair, orders))), share=_less_chance),
    Measure("rnx", "mutual k-NN, rescaled: 0 chance, 1 agreement", lambda pair: float(_adjusted(pair, _shared(pair))),
            "Lee et al. 2015", bounds=(-1.0, 1.0), chance=_zero, invariant=_BY_METRIC,
            null=lambda pair, orders: np.asarray(_adjusted(pair, _shared_under(pair, orders))), share=_rescaled),
    Measure("rnx-area", "mean of R_NX over log k", lambda pair: _ranks.rank_curves(pair).area, "Lee et al. 2015",
            bounds=(-1.0, 1.0), chance=_zero, invariant=_BY_METRIC, uses_k=False, items=_ranks.rank_areas),
    Measure("trustworthiness", "how near in x the neighbors in y are", _ranks.trustworthiness, "Venna & Kaski 2001",
            chance=lambda pair: _ranks.trustworthiness_chance(pair.k, pair.n), invariant=_BY_METRIC),
    Measure("continuity", "how near in y the neighbors in x are", _ranks.continuity, "Venna & Kaski 2001",
            chance=lambda pair: _ranks.trustworthiness_chance(pair.k, pair.n), invariant=_BY_METRIC),
    Measure("information-imbalance", "how little x tells of who is nearest in y", _ranks.information_imbalance,
            "Glielmo et al. 2022", best=lambda pair: 2 / pair.n, distance=True,
            bounds=(0.0, 2.0), chance=lambda _: 1.0, invariant=_BY_METRIC, uses_k=False),
    Measure("information-imbalance-back", "how little y tells of who is nearest in x",
            lambda pair: _ranks.information_imbalance(pair.swapped()), "Glielmo et al. 2022", best=lambda pair: 2 / pair.n,
            distance=True, bounds=(0.0, 2.0), chance=lambda _: 1.0, invariant=_BY_METRIC, uses_k=False),
    Measure("cka", "linear centered kernel alignment", _kernels.cka, "Kornblith et al. 2019", chance=_kernels.cka_chance,
            invariant=_MOVED, uses_k=False, uses_metric=False),
    Measure("cka-unbiased", "the same from unbiased estimates", _kernels.cka_unbiased, "Song et al. 2012",
            bounds=(-1.0, 1.0), chance=_zero, invariant=_MOVED, uses_k=False, uses_metric=False),
    Measure("rsa", "rank correlation of all distances", _kernels.rsa, "Kriegeskorte et al. 2008", bounds=(-1.0, 1.0),
            chance=_zero, invariant=_BY_METRIC, uses_k=False),
    Measure("rsa-pearson", "correlation of all distances", partial(_kernels.rsa, correlation="pearson"),
            "Kriegeskorte et al. 2008", bounds=(-1.0, 1.0), chance=_zero, invariant=_BY_METRIC, uses_k=False),
    Measure("procrustes", "distance after the best rotation", _alignment.procrustes, "Williams et al. 2021", best=0.0,
            distance=True,
            bounds=(0.0, float(np.sqrt(2))), invariant=_MOVED, uses_k=False, uses_metric=False),
    Measure("cca", "mean canonical correlation", partial(_alignment.svcca, variance=1.0), "Hotelling 1936",
            invariant=_MOVED | {"linear"}, uses_k=False, uses_metric=False),
    Measure("svcca", "mean canonical correlation of the components with 99 % of the variance", _alignment.svcca,
            "Raghu et al. 2017", invariant=_MOVED, uses_k=False, uses_metric=False),
    # Equal canonical correlations leave their directions open, hence the weights: its spread does not shrink as it should.
    Measure("pwcca", "canonical correlations weighted by what they hold of x", _alignment.pwcca, "Morcos et al. 2018",
            invariant=frozenset({"scale", "translation"}), uses_k=False, uses_metric=False, has_interval=False),
    Measure("recall-at-k", "share of items of x whose partner is among the k nearest of y, in one space",
            _number_of_one(_matching.recall_at_k), "Hodosh et al. 2013", chance=lambda pair: pair.k / pair.n,
            invariant=_IN_ONE_SPACE, null=_matching.recall_at_k, items=_of_one(_matching.recalls), fraction=True,
            rare=_RARE),
    Measure("mrr", "mean of 1/(rank in y of an item's partner), in one space", _number_of_one(_matching.reciprocal_rank),
            "Voorhees 1999", chance=lambda pair: float((1 / np.arange(1, pair.n + 1)).mean()), invariant=_IN_ONE_SPACE,
            uses_k=False, null=_matching.reciprocal_rank, items=_of_one(_matching.reciprocal_ranks), fraction=True,
            rare=_RARE),
    Measure("foscttm", "fraction of samples closer than the true match, both ways, in one space",
            _number_of_one(_matching.closer_than_match), "Liu et al. 2019", best=0.0, distance=True, chance=lambda _: 0.5,
            invariant=_IN_ONE_SPACE, uses_k=False, null=_matching.closer_than_match, items=_of_one(_matching.closer),
            fraction=True, rare=_RARE),
    Measure("hubness-x", "skewness of how often items of x are neighbors", lambda pair: hubness(pair.first.table).skewness,
            "Radovanović et al. 2010", best=float("nan"), bounds=(-np.inf, np.inf), invariant=_BY_METRIC, paired=False),
    Measure("hubness-y", "skewness of how often items of y are neighbors", lambda pair: hubness(pair.second.table).skewness,
            "Radovanović et al. 2010", best=float("nan"), bounds=(-np.inf, np.inf), invariant=_BY_METRIC, paired=False),
]  # fmt: skip

MEASURES: dict[str, Measure] = {each.name: each for each in _ALL}
"""The registry: every measure by its name. `register` adds to it."""


def register(measure: Measure) -> Measure:
    """Add a measure to those that can be asked for by name.

    Raises:
        NeighborError: there is another one of this name.

    Example:
        >>> register(MEASURES["cka"]).name
        'cka'
    """
    if MEASURES.setdefault(measure.name, measure) is not measure:
        raise NeighborError(f"measure: needed a new name, got {measure.name!r}, which is taken. Choose another.")
    return measure


def measures_named(names: str | Iterable[str]) -> list[Measure]:
    """The measures of these names, "all" for every one.

    Raises:
        NeighborError: a name that is not registered.

    Example:
        >>> [each.name for each in measures_named("cka")]
        ['cka']
    """
    wanted = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    if "all" in wanted:
        return list(MEASURES.values())
    if not wanted:
        raise NeighborError("measure: needed one name or more, got none. Use mutual-knn.")
    for name in wanted:
        if name not in MEASURES:
            raise NeighborError(f"measure: needed one of {', '.join(MEASURES)}, or all, got {name!r}. Choose from these.")
    return [MEASURES[name] for name in dict.fromkeys(wanted)]
