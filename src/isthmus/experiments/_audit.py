"""The main job: learn mappings on some items, and see on the others what they do to neighborhoods.

Every mapping stands beside two controls: the identity (X itself) and its untrained twin. The input and the target are
searched once for each test set, at a depth that serves every k and every half-sample, whatever the number of mappings.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import isnan
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError, MappingError, NeighborError
from isthmus._html import html_table
from isthmus._shapes import Float, Progress
from isthmus.experiments._authors import check_learning_rate, recipe_for
from isthmus.experiments._detail import Detail, Sketch, detail_of, over_n
from isthmus.experiments._neighborhoods import Neighborhoods
from isthmus.experiments._tally import Errors, Tally, half_masks, neighbor_table, tally
from isthmus.mappings import (
    FAMILY,
    MAPPINGS,
    MLP,
    Identity,
    Mapping,
    SelectBy,
    Selected,
    Snap,
    Untrained,
    check_select,
    mapping,
)
from isthmus.measures import Spaces, Verdict, as_list, verdict
from isthmus.neighbors import Metric, check_metric
from isthmus.pairs import Pairs, Split, check_seed, check_vectors, k_fold
from isthmus.statistics import POPULATIONS, holm
from isthmus.training import Loss, Recipe, check_loss, steadily_decreases

Direction = Literal["x->y", "y->x"]
"""Which space is mapped into which."""

_POPULATION = f"{POPULATIONS['half-sample']}, with the mappings as learned"
_SHOWN = {
    "direction": "direction", "mapping": "mapping", "k": "K", "metric": "metric", "input_overlap": "input overlap",
    "target_overlap": "target overlap", "target_overlap_low": "from", "target_overlap_high": "to",
    "echo_rate": "echo rate", "bridge_rate": "bridge rate", "bridge_index": "index", "bridge_index_low": "low",
    "bridge_index_high": "high", "verdict": "verdict",
}  # fmt: skip
CONTROL_DRAWS = 3  # random weights of each untrained control and test set


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One mapping or control in one direction, at one k and metric. Overlaps and rates in [0, 1], the index in [-1, 1].

    Args:
        pairs: name of the paired sets.
        direction: "x->y" or "y->x".
        mapping: name of the mapping or control.
        role: "mapping" or "control".
        n_test: distinct items tested.
        n_neighborhood: items among which neighbors were sought, the smallest test set (fold).
        shared, echoed, bridged, novel: mean number of an item's k mapped neighbors of each kind; they sum to k.
        target_overlap_low, target_overlap_high, echo_rate_low, echo_rate_high, bridge_rate_low, bridge_rate_high,
            bridge_index_low, bridge_index_high: 95 % half-sample intervals, about `interval_population`.
        gain, gain_low, gain_high: bridge rate less that of the untrained twin (for given vectors, of the better of an
            untrained `lin` and `nn`), with its interval; None for controls.
        p_value: paired test of target against input overlap, by the standard error of the index; None where there is none.
        p_against_lin, p_against_nn: paired test of this mapping's target overlap against that of the paper's `lin` and `nn`,
            corrected by Holm over all mappings that are compared with either; None where there is no such comparison.
        mse: mean over items and dimensions of (f(x) - y)^2; None where f(x) and y differ in width. Of a mapping learned by
            the cosine, which leaves the length of f(x) free, neither mse nor r2 says anything.
        r2: 1 - sum |f(x) - y|^2 / sum |y - mean(y)|^2, over all dimensions together.
        verdict: in words, by the rules of `isthmus.measures.verdict`.
    """

    pairs: str
    direction: Direction
    mapping: str
    role: Literal["mapping", "control"]
    n_test: int
    n_neighborhood: int
    k: int
    metric: Metric
    include_self: bool
    input_overlap: float
    target_overlap: float
    target_overlap_low: float
    target_overlap_high: float
    baseline_overlap: float
    chance: float
    shared: float
    echoed: float
    bridged: float
    novel: float
    echo_rate: float
    echo_rate_low: float
    echo_rate_high: float
    bridge_rate: float
    bridge_rate_low: float
    bridge_rate_high: float
    bridge_index: float
    bridge_index_low: float
    bridge_index_high: float
    interval_population: str
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    p_value: float
    mse: float | None
    r2: float | None
    verdict: Verdict
    p_against_lin: float | None = None
    p_against_nn: float | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """The rows of an audit and what they were made with.

    Args:
        pairs, x_space, y_space: what reports call the pairs and the two spaces.
        rows: one a direction, metric, k and mapping or control.
        settings: what the audit was asked for.
        detail: what lies behind the rows, for figures.
        ids, labels: of the items of the data, by row; none where they are not known.
        neighborhoods: the neighbor lists of each direction and mapping at the first k and metric, of the first seed.
    """

    pairs: str
    x_space: str
    y_space: str
    rows: tuple[AuditRow, ...]
    settings: dict[str, Any]
    detail: Detail = field(default_factory=Detail, repr=False)
    ids: tuple[str, ...] = field(default=(), repr=False)
    labels: tuple[str, ...] | None = field(default=None, repr=False)
    neighborhoods: tuple[Neighborhoods, ...] = field(default=(), repr=False, compare=False)

    def ranked(self) -> list[AuditRow]:
        """The rows of each direction, metric and k as a reader wants them: controls, then mappings by target overlap."""
        settings = list(dict.fromkeys((row.direction, row.metric, row.k) for row in self.rows))

        def place(row: AuditRow) -> tuple[int, bool, float]:
            overlap = 0.0 if row.role == "control" or isnan(row.target_overlap) else row.target_overlap
            return settings.index((row.direction, row.metric, row.k)), row.role == "mapping", -overlap

        return sorted(self.rows, key=place)

    @property
    def compared_with(self) -> list[str]:
        """The paper's mappings, of `lin` and `nn`, with which others are compared."""
        return [name for name in ("lin", "nn") if any(getattr(row, f"p_against_{name}") is not None for row in self.rows)]

    @property
    def reading(self) -> str:
        """How its tables are ordered and what their p-values against other mappings are of; nothing for one mapping."""
        if len({row.mapping for row in self.rows if row.role == "mapping"}) < 2:
            return ""
        tests = f"; p against {' and '.join(self.compared_with)}: paired test of target overlap, Holm"
        return f"Mappings are ranked by target overlap{tests if self.compared_with else ''}."

    def records(self) -> list[dict[str, Any]]:
        """The rows as flat records, ready for JSON or a data frame, in the order of `ranked`."""
        return [asdict(row) for row in self.ranked()]

    def best(self, direction: Direction, k: int | None = None, metric: Metric | None = None) -> AuditRow:
        """The mapping with the highest bridge rate in this direction (at the first k and metric, if left out).

        Not the highest index, which noise raises: it forgets the input without finding the target.

        Raises:
            MappingError: the audit has no mapping there.
        """
        k = self.rows[0].k if k is None else k
        metric = self.rows[0].metric if metric is None else metric
        found = [
            row for row in self.rows
            if (row.direction, row.k, row.metric, row.role) == (direction, k, metric, "mapping")
        ]  # fmt: skip
        if not found:
            raise MappingError(f"direction: needed one with a mapping, got {direction!r}. Audit that direction first.")
        return max(found, key=lambda row: row.bridge_rate)

    def _repr_html_(self) -> str:
        first = self.rows[0]
        note = (
            f"N={first.n_test} test items, neighbors among {first.n_neighborhood}, self "
            f"{'included' if first.include_self else 'excluded'}; chance {first.chance:.3f} at K={first.k}. {self.reading}"
        )
        columns = _SHOWN | {f"p_against_{name}": f"p against {name}" for name in self.compared_with}
        title = f"{self.pairs}: does a mapping carry the target, or echo the input?"
        return html_table(title, self.records(), columns, note.strip())


class _Mapped(NamedTuple):
    """The mapped test items of one test set, as they were predicted."""

    f: Float[ndarray, "n d"]
    set_number: int


class _Candidate(NamedTuple):
    """A mapping or control under audit: how to make it for a seed, and the controls that it has to beat."""

    name: str
    role: Literal["mapping", "control"]
    make: Callable[[int], Mapping]
    twins: tuple[str, ...]


class _ChosenBy(NamedTuple):
    """What settings are chosen by on folds of the training part: the quantity that the audit reports first.

    The first of k neighbors is the item itself where it counts as its own, which leaves k - 1 to choose by.
    """

    select: SelectBy | None
    k: int
    metric: Metric


def audit(
    pairs: Pairs,
    mappings: Sequence[str] = MAPPINGS,
    *,
    mapped: Any = None,
    k: int | Sequence[int] = 10,
    metric: Metric | Sequence[Metric] = "cosine",
    include_self: bool = False,
    folds: int = 5,
    split: Split | None = None,
    seeds: int = 1,
    seed: int = 0,
    loss: str | Loss = "mse",
    recipe: str = "paper",
    learning_rate: float | None = None,
    select: SelectBy | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Does a mapping between these spaces carry the neighborhoods of its target, or echo its input?

    Mappings are learned in both directions on the training part of each fold and measured on the rest. With `mapped`, your
    own vectors f(X) are measured instead, from x to y, on all items (or on the test part of `split`).

    Args:
        pairs: the two spaces.
        mappings: names, of `isthmus.mappings.mapping` (your own after `isthmus.mappings.register`), or "all".
        mapped: f(X), one row a pair, as wide as y; then nothing is learned.
        k: neighbors counted, or several such numbers.
        metric: "cosine" or "euclidean", or both.
        include_self: count each item as its own neighbor, as the published code of the paper does.
        folds: of the cross-validation, where there is no split.
        split: a fixed training and test part instead of folds.
        seeds: repetitions with other random weights; the folds stay.
        seed: of folds, weights, half-samples and tests.
        loss: what `lin` and `nn` minimize, the name of a loss or a function of your own.
        recipe: how `lin` and `nn` are learned. Under "authors-code", spaces named after images and text get the program's
            own learning rates for the direction, see `authors_recipe`.
        learning_rate: of those learned by gradient descent, such as `lin` and `nn`, in place of the recipe's.
        select: what the others choose their settings by, on folds of the training part, at the first k and metric:
            "target_overlap", "bridge_rate", "index" or "loss"; in their own way if left out. `lin` and `nn` stay as the
            recipe has them, and so do, under "loss", mappings that learn directions alone.
        progress: called with what is being done, the steps done and the steps in all.

    Raises:
        DataError: more folds than items, or a seed out of range.
        MappingError: fewer than one repetition, an unknown mapping, loss or recipe, or mapped vectors that are not shaped
            like y.
        NeighborError: too few test items for k, or an unknown metric.

    Example:
        >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> result = audit(Pairs(x, y), ["ridge"], k=3, folds=2)
        >>> [(row.direction, row.mapping) for row in result.rows][:3]
        [('x->y', 'identity'), ('x->y', 'untrained-ridge'), ('x->y', 'ridge')]
    """
    check_seed(seed)
    if seeds < 1:
        raise MappingError(f"seeds: needed at least 1 repetition, got {seeds}. Use 1.")
    ks = as_list(k)
    metrics: list[Metric] = [metric] if isinstance(metric, str) else list(dict.fromkeys(metric))
    for each in metrics:
        check_metric(each)
    if mapped is None:
        splits = (split,) if split is not None else k_fold(len(pairs), folds, seed)
    else:
        mapped = check_mapped(mapped, pairs)
        nothing = np.arange(0)
        splits = (split,) if split is not None else (Split(nothing, np.arange(len(pairs))),)
    check_sizes(splits, ks, len(pairs), include_self=include_self, learns=mapped is None)
    sides: dict[Direction, Pairs] = {"x->y": pairs} if mapped is not None else {"x->y": pairs, "y->x": pairs.swap()}
    names = mappings if mapped is None else (*mappings, "lin", "nn")
    recipes = {direction: _recipes(side, names, recipe, learning_rate) for direction, side in sides.items()}
    check_learning_rate(recipes["x->y"], learning_rate)
    chosen_by = _ChosenBy(select, max(1, ks[0] - include_self), metrics[0])
    candidates = list(_candidates(recipes["x->y"], loss, chosen_by, mapped=mapped is not None))
    runs = sum(_runs(candidate, seeds) for candidate in candidates)
    steps = _Steps(progress, len(sides) * len(splits) * (runs + 1))
    rows: list[AuditRow] = []
    unsteady: dict[Direction, dict[str, int]] = {}
    neighborhoods: list[Neighborhoods] = []
    details: list[Detail] = []
    for direction, side in sides.items():
        candidates = list(_candidates(recipes[direction], loss, chosen_by, mapped=mapped is not None))
        predictions, unsteady[direction] = _predict(side, candidates, splits, seed, seeds, mapped, steps, direction)
        for each in metrics:
            found, detail = _measure(
                side, candidates, splits, predictions, ks, each, direction=direction, include_self=include_self,
                seed=seed, steps=steps if each == metrics[0] else None,
                neighborhoods=neighborhoods if each == metrics[0] else None,
            )  # fmt: skip
            rows += found
            details.append(detail)
    settings = {
        "folds": None if split is not None or mapped is not None else folds, "seeds": seeds, "seed": seed,
        "loss": loss if isinstance(loss, str) else loss.__name__, "recipe": recipe, "select": select,
        "given": mapped is not None,
        "learning_rates": {
            direction: {name: each.learning_rate for name, each in recipes[direction].items() if name != "ridge"}
            for direction in sides if mapped is None
        },
        "unsteady": unsteady,
    }  # fmt: skip
    return Audit(
        pairs.name, pairs.x_space, pairs.y_space, tuple(rows), settings, Detail.joined(details), pairs.ids, pairs.labels,
        tuple(neighborhoods),
    )  # fmt: skip


def _runs(candidate: _Candidate, seeds: int) -> int:
    """How often a candidate is run on each test set: random controls several times, to average their luck out."""
    if candidate.name in ("identity", "given"):
        return 1
    return CONTROL_DRAWS if candidate.role == "control" else seeds


class _Steps:
    """Counts the steps of an audit for the progress callback."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def start(self, what: str) -> None:
        if self.progress is not None:
            self.progress(what, self.done, self.total)
        self.done += 1


def check_mapped(mapped: Any, pairs: Pairs) -> Float[ndarray, "n dy"]:
    array = check_vectors(mapped, "mapped")
    if array.shape != pairs.y.shape:
        raise MappingError(
            f"mapped: needed f(X) with the shape of y, {pairs.y.shape[0]}x{pairs.y.shape[1]}, got "
            f"{array.shape[0]}x{array.shape[1]}. Map every row of x into the space of y, in the same order."
        )
    return array


def check_sizes(splits: Sequence[Split], ks: Sequence[int], n: int, *, include_self: bool, learns: bool) -> None:
    largest = max(int(rows.max(initial=0)) for split in splits for rows in (split.train, split.test))
    if largest >= n:
        raise DataError(f"split: needed rows from 0 to {n - 1}, got {largest}. Check it against the data.")
    least = min(len(split.train) for split in splits)
    if learns and least < 2:
        raise DataError(f"split: needed at least 2 items to learn from, got {least}. Use more folds or items.")
    smallest = min(len(split.test) for split in splits)
    most = smallest if include_self else smallest - 1
    if min(ks) < 1 or max(ks) > most:
        wrong = next(k for k in ks if not 1 <= k <= most)
        raise NeighborError(
            f"k: needed 1 to {max(most, 0)}, since the smallest test part has {smallest} items, got {wrong}. "
            "Use a smaller k, fewer folds or more items."
        )


def _recipes(side: Pairs, names: Sequence[str], recipe: str, learning_rate: float | None) -> dict[str, Recipe]:
    """The mappings to learn between these spaces, each with its recipe."""
    named = dict.fromkeys(known for name in names for known in (FAMILY if name == "all" else (name,)))
    return {name: recipe_for(side, name, recipe, learning_rate) for name in named}


def _candidates(recipes: dict[str, Recipe], loss: str | Loss, chosen_by: _ChosenBy, *, mapped: bool) -> Iterator[_Candidate]:
    """Identity, the untrained twins that are needed, the mappings; for given vectors, twins of `lin` and `nn`."""
    check_loss(loss)
    if chosen_by.select is not None:
        check_select(chosen_by.select)
    if not recipes and not mapped:
        raise MappingError(f"mapping: needed at least one name, got none. Use {','.join(MAPPINGS)}.")
    for name, recipe in recipes.items():
        mapping(name, loss=loss, recipe=recipe)  # an unknown name is refused before anything is learned
    yield _Candidate("identity", "control", lambda seed: Identity(), ())  # noqa: ARG005
    twins = {name: f"untrained-{name}" for name in (("lin", "nn") if mapped else recipes)}
    settings = {name: repr(mapping(name, recipe=recipes[name]).twin()) for name in twins}
    for name in twins:  # mappings whose untrained twins have the same settings share one, named after the first
        twins[name] = twins[next(each for each in twins if settings[each] == settings[name])]
    for twin in dict.fromkeys(twins.values()):
        name = twin.removeprefix("untrained-")
        yield _Candidate(twin, "control", _untrained(name, recipes[name]), ())
    if mapped:
        yield _Candidate("given", "mapping", lambda seed: Identity(), tuple(twins.values()))  # noqa: ARG005 - never fitted
    else:
        for name, twin in twins.items():
            yield _Candidate(name, "mapping", _learned(name, loss, recipes[name], chosen_by), (twin,))


def _learned(name: str, loss: str | Loss, recipe: Recipe, chosen_by: _ChosenBy) -> Callable[[int], Mapping]:
    select, k, metric = chosen_by

    def make(seed: int) -> Mapping:
        one = mapping(name, loss=loss, recipe=recipe, seed=seed)
        if isinstance(one, Snap):  # it chooses for itself, by neighborhoods only
            one.set_params(k=k, metric=metric, seed=seed)
            return one if select in (None, "loss") or name == "snap-index" else one.set_params(criterion=select)
        if select is None or re.fullmatch(r"lin|nn(-\d+)?", name):  # the paper's mappings stay as its recipe has them
            return one
        if select == "loss" and one.directions_only:  # there is none
            return one
        return Selected(one, select, k=k, metric=metric, seed=seed)

    return make


def _untrained(name: str, recipe: Recipe) -> Callable[[int], Mapping]:
    return lambda seed: mapping(name, recipe=recipe).twin(seed) or Untrained(seed=seed)


def _predict(
    side: Pairs,
    candidates: Sequence[_Candidate],
    splits: Sequence[Split],
    seed: int,
    seeds: int,
    mapped: Float[ndarray, "n dy"] | None,
    steps: _Steps,
    direction: Direction,
) -> tuple[dict[str, list[_Mapped]], dict[str, int]]:
    """f(X) of the test items by every mapping, fold and seed; and how many trainings of each did not go down steadily."""
    unsteady: dict[str, int] = {}
    predictions: dict[str, list[_Mapped]] = {candidate.name: [] for candidate in candidates}
    for number, split in enumerate(splits):
        train = split.train if len(split.train) else split.test  # given vectors: the controls see widths and scales only
        for candidate in candidates:
            for run in range(_runs(candidate, seeds)):
                steps.start(f"{direction}, part {number + 1} of {len(splits)}: {candidate.name}")
                if candidate.name == "given" and mapped is not None:
                    f = mapped[split.test]
                else:
                    # A control draws other weights in every fold; a mapping's seeds are its own.
                    own = seed + run + (number * CONTROL_DRAWS if candidate.role == "control" else 0)
                    learned = candidate.make(own)
                    if isinstance(learned, MLP):
                        labels = None if side.labels is None else [side.labels[row] for row in train]
                        learned.fit(side.x[train], side.y[train], labels)
                        if not steadily_decreases(learned.loss_):
                            unsteady[candidate.name] = unsteady.get(candidate.name, 0) + 1
                    else:
                        learned.fit(side.x[train], side.y[train])
                    f = learned.predict(side.x[split.test])
                predictions[candidate.name].append(_Mapped(f, number))
    return predictions, unsteady


def _measure(
    side: Pairs,
    candidates: Sequence[_Candidate],
    splits: Sequence[Split],
    predictions: dict[str, list[_Mapped]],
    ks: Sequence[int],
    metric: Metric,
    *,
    direction: Direction,
    include_self: bool,
    seed: int,
    steps: _Steps | None,
    neighborhoods: list[Neighborhoods] | None,
) -> tuple[list[AuditRow], Detail]:
    """The rows of one direction and metric; the neighbor lists of the mappings are added to `neighborhoods`, if given."""
    mappings = {each.name for each in candidates if each.role == "mapping"}
    sizes = [len(split.test) for split in splits]
    masks = half_masks(sizes, seed)
    tables = []
    for number, split in enumerate(splits):
        if steps is not None:
            steps.start(f"{direction}, part {number + 1} of {len(splits)}: neighbors")
        tables.append(tuple(
            neighbor_table(v[split.test], ks, metric, include_self=include_self, name=name)
            for v, name in ((side.x, "x"), (side.y, "y"))
        ))  # fmt: skip
    sketches: dict[str, list[Sketch]] = {name: [] for name in predictions}
    for name, parts in predictions.items():
        first_runs: list[Neighborhoods] = []
        for part in parts:
            x, y = tables[part.set_number]
            f = x if name == "identity" else neighbor_table(part.f, ks, metric, include_self=include_self, name=name)
            spaces = Spaces.of(x, f, y, splits[part.set_number].test)
            counted = tally(spaces, ks, part.set_number, sizes, masks[part.set_number])
            run = sum(sketch.part == part.set_number for sketch in sketches[name])
            sketches[name].append(Sketch.of(spaces, counted, part.set_number, run))
            if neighborhoods is not None and name in mappings and run == 0:
                first_runs.append(Neighborhoods.of(spaces, ks[0], direction, name))
        if neighborhoods is not None and first_runs:
            neighborhoods.append(Neighborhoods.pool(first_runs))
    errors = {
        name: Errors.pool([Errors.of(part.f, side.y[splits[part.set_number].test]) for part in parts])
        for name, parts in predictions.items()
    }
    rows = []
    for position in range(len(ks)):
        pooled = {name: Tally.pool([each.tallies[position] for each in found]) for name, found in sketches.items()}
        against = _against_paper({each.name: pooled[each.name] for each in candidates if each.role == "mapping"})
        for candidate in candidates:
            mine = pooled[candidate.name]
            twins = [pooled[name] for name in candidate.twins]
            row = row_of(side.name, direction, candidate.name, candidate.role, mine, twins, errors[candidate.name])
            rows.append(replace(
                row, p_against_lin=against.get((candidate.name, "lin")), p_against_nn=against.get((candidate.name, "nn"))
            ))  # fmt: skip
    roles = {candidate.name: candidate.role for candidate in candidates}
    spaces_of = {"X": [x for x, _ in tables], "Y": [y for _, y in tables]}
    detail = detail_of(direction, sketches, roles, spaces_of)
    first = splits[0].test
    learned = {name: (role, predictions[name][0].f) for name, role in roles.items() if role == "mapping"}
    points = over_n(direction, side.x[first], side.y[first], learned, ks[0], metric, include_self=include_self, seed=seed)
    return rows, replace(detail, over_n=tuple(points))


def _against_paper(tallies: dict[str, Tally]) -> dict[tuple[str, str], float]:
    """P-values of each mapping's target overlap against that of `lin` and of `nn`, on the same halves, corrected by Holm."""
    compared = [
        (name, other) for other in ("lin", "nn") if other in tallies for name in tallies if name not in ("lin", "nn")
    ]  # fmt: skip
    if not compared:
        return {}
    p = np.array([tallies[name].gain(tallies[other], "target_overlap").p_value for name, other in compared])
    return {} if np.isnan(p).any() else dict(zip(compared, holm(p).tolist(), strict=True))


def row_of(
    pairs: str,
    direction: Direction,
    name: str,
    role: Literal["mapping", "control"],
    tally: Tally,
    twins: Sequence[Tally],
    errors: Errors | None,
) -> AuditRow:
    """The row of a mapping or control, from what was counted; it is compared with the best of its untrained twins."""
    twin = max(twins, key=lambda each: each.value("bridge_rate"), default=None)
    gain = None if twin is None else tally.gain(twin)
    return AuditRow(
        pairs=pairs, direction=direction, mapping=name, role=role, **tally.record(), interval_population=_POPULATION,
        gain=gain.estimate if gain else None, gain_low=gain.low if gain else None, gain_high=gain.high if gain else None,
        mse=errors.mse if errors else None, r2=errors.r2 if errors else None,
        verdict=verdict(tally.index(), gain),
    )  # fmt: skip
