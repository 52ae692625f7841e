"""The paper's tables 1 and 3-11 again, from the authors' feature files: published, ours, and the difference.

Both conventions of self are shown, because the published figures fit only one where an item is its own first neighbor. One
search without self at K - 1 serves both: with self, an overlap p without becomes (1 + (K - 1) p) / K. So `ours` is at K
with self and `ours_without_self` at K - 1 without, like the converted published figure.

How the networks are learned is a choice, since the paper leaves some of it open: its recipe with fixed settings, its recipe
with its whole cross-validation, or the settings of the authors' program, learning rate and hidden units by set, features.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from isthmus._errors import DataError, MappingError
from isthmus._shapes import Progress
from isthmus.datasets import LABELS, PaperPairs, paper_files, read_paper_set
from isthmus.experiments._paper_cell import CellResult, Part, Training, cell
from isthmus.experiments._published import PUBLISHED_BASELINE, PublishedOverlap, published_overlaps, without_self
from isthmus.neighbors import Metric
from isthmus.pairs import Split, check_seed, k_fold
from isthmus.statistics import bonferroni, rank_sum_p, smallest_rank_sum_p
from isthmus.training import GRIDS, Grid, Recipe
from isthmus.training import recipe as recipe_of

PUBLISHED_K = 10
REPRODUCIBLE = (1, *range(3, 12))


@dataclass(frozen=True, slots=True)
class ReproducedOverlap:
    """One figure of a table, published and ours. Overlaps in [0, 1]; what could not be run, or is not asked for, is None.

    Args:
        table, set, direction, model, image_features, text_features, loss, metric, overlap: as of `PublishedOverlap`.
        published: as printed, at K = 10 with self.
        published_without_self: the same without self, at K = 9.
        ours: mean over folds or seeds, at k with self.
        ours_without_self: the same without self, at k - 1.
        difference: ours - published, where k is 10; difference_without_self likewise.
        ours_sd: standard deviation of `ours` over folds or seeds.
        folds, seeds: how many; one of them is 1.
        diverged: of these, those whose loss left the finite numbers; they are left out of the means.
        baseline, baseline_without_self: mNNO(X, Y) of the same test items.
        k, n_test: neighbors with self; items among which neighbors were sought, the fewest of all folds.
        rank_sum_p: two-sided rank-sum test of input against target overlaps over folds or seeds, the paper's.
        rank_sum_p_bonferroni: corrected for all pairs of the table that were run.
        smallest_p: the smallest p that so many folds or seeds can reach.
        missing: the files that were missing.
    """

    table: int
    set: str
    direction: str
    model: str
    image_features: str
    text_features: str
    loss: str
    metric: Metric
    overlap: Literal["input", "target"]
    published: float
    published_without_self: float
    ours: float | None = None
    ours_without_self: float | None = None
    difference: float | None = None
    difference_without_self: float | None = None
    ours_sd: float | None = None
    folds: int | None = None
    seeds: int | None = None
    diverged: int | None = None
    baseline: float | None = None
    baseline_without_self: float | None = None
    k: int | None = None
    n_test: int | None = None
    rank_sum_p: float | None = None
    rank_sum_p_bonferroni: float | None = None
    smallest_p: float | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A table of the paper beside ours: its rows in the order of reading, and remarks in words.

    Args:
        rows: each target overlap follows its input overlap.
        remarks: whether input exceeds target everywhere, and mNNO(X, Y) beside the range that the paper gives.
        missing: files that were needed and not there.
    """

    table: int
    rows: tuple[ReproducedOverlap, ...]
    remarks: tuple[str, ...]
    missing: tuple[str, ...]

    def records(self) -> list[dict[str, Any]]:
        """The rows as flat records, ready for JSON or a data frame."""
        return [asdict(row) for row in self.rows]


class _Set(NamedTuple):
    """A set with two kinds of features, and what it needs."""

    set: Literal["imagenet", "iapr", "wiki"]
    image: str
    text: str

    @classmethod
    def of(cls, figure: PublishedOverlap) -> "_Set":
        return cls(figure.set, figure.image_features, figure.text_features)


class _Protocol(NamedTuple):
    """How every mapping of a table is learned and measured."""

    recipe: str
    grid: Grid | None
    k: int
    folds: int
    seeds: int
    seed: int
    processes: int
    out: str | Path | None

    def repeats(self, one: _Set) -> int:
        return self.folds if one.set == "imagenet" else self.seeds

    def run(self, found: PaperPairs | None, training: Training, absent: tuple[str, ...], count: "_Count") -> "_Run":
        """The cells of a mapping. This is the one place where anything is trained."""
        needs = absent or _labels_missing(found, training)
        if needs or found is None:
            return _Run(missing=needs)
        settings, cells = settings_of(training, self.recipe), []
        for part in _parts(found, self.folds, self.seeds, self.seed):
            count.start(f"{training.set}, {training.direction}, {training.model}, {training.loss}")
            cells.append(cell(found, training, part, settings, self.grid, k=self.k, processes=self.processes, out=self.out))
        return _Run(tuple(cells), *((self.folds, 1) if found.split is None else (1, self.seeds)))


class _Count:
    """Counts trainings for the progress callback."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def start(self, what: str) -> None:
        if self.progress is not None:
            self.progress(what, self.done, self.total)
        self.done += 1


class _Run(NamedTuple):
    """The cells of one mapping, or what was missing for them."""

    cells: tuple[CellResult, ...] = ()
    folds: int = 1
    seeds: int = 1
    missing: tuple[str, ...] = ()


def reproduce(
    table: int,
    data: str | Path | None = None,
    *,
    recipe: str = "paper",
    grid: str | Grid | None = None,
    k: int = PUBLISHED_K,
    folds: int = 5,
    seeds: int = 5,
    seed: int = 0,
    processes: int = 1,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Reproduction:
    """A table of the paper again: five folds on ImageNet, which has no test set, and five seeds on the other two.

    Args:
        table: 1 or 3..11.
        data: folder of the authors' files, as `isthmus.datasets.paper_files` describes; without it only the published
            figures stand there. What can be run with the files that are there is run, and the missing ones are named.
        recipe: "paper", or "authors-code" with the learning rate and the hidden units of the authors' program.
        grid: "paper", or a Grid, for cross-validation of the recipe "paper" over its training items (slow); its fixed
            settings if left out. The paper's grid is taken without dropout, as the shown results are.
        k: neighbors, with self; 10 in the paper, and differences are given for 10 only.
        folds: on ImageNet.
        seeds: on IAPR TC-12 and Wikipedia.
        seed: of folds and the first of the seeds.
        processes: among which the models of a grid are divided.
        out: folder where finished trainings are kept, so that a run that was stopped goes on where it was.
        progress: called with what is being done, the trainings done and the trainings in all.

    Raises:
        DataError: another table, k below 2, fewer than 1 seed, or files that cannot be read.
        MappingError: an unknown recipe or grid, or a grid with the recipe "authors-code".

    Example:
        >>> first = reproduce(1).rows[0]
        >>> first.published, round(first.published_without_self, 3), first.ours
        (0.681, 0.646, None)
    """
    if table not in REPRODUCIBLE:
        raise DataError(
            f"table: needed 1 or 3 to 11, got {table!r}. Tables 2 and 12 and figure 1 belong to experiment 2 and come later."
        )
    check_seed(seed)
    if k < 2 or seeds < 1:
        name, value, least = ("k", k, 2) if k < 2 else ("seeds", seeds, 1)
        raise DataError(f"{name}: needed {least} or more, got {value}. The paper has {PUBLISHED_K if name == 'k' else 5}.")
    chosen = _grid(recipe, grid)
    figures = published_overlaps(table)
    runs: dict[Training, _Run] = {}
    baselines: dict[tuple[_Set, Metric], float] = {}
    if data is not None:
        absent = {one: _absent(data, one) for one in map(_Set.of, figures)}
        protocol = _Protocol(recipe, chosen, k, folds, seeds, seed, processes, out)
        count = _Count(
            progress, sum(protocol.repeats(one) * len(_trainings(figures, one)) for one in absent if not absent[one])
        )
        for one, files in absent.items():
            found = None if files else read_paper_set(data, one.set, one.image, one.text)
            for training in _trainings(figures, one):
                runs[training] = protocol.run(found, training, files, count)
            baselines |= {(one, metric): value for metric, value in _baselines(data, one, files, k, folds, seed)}
    missing = {name: None for run in runs.values() for name in run.missing}
    rows = _rows(figures, runs, k)
    return Reproduction(
        table, rows, (*_remarks(table, rows, baselines, k), *_labels_in_doubt(figures), *_doubts(runs)), tuple(missing)
    )


def settings_of(training: Training, recipe: str) -> Recipe:
    """The recipe as it is for this mapping: the authors' program sets learning rate and hidden units by set and features.

    Its settings are for `lin` and `nn`; deeper networks take those of `nn`.

    Example:
        >>> one = Training("wiki", "image->text", "nn", "resnet", "bigru", "mse")
        >>> settings_of(one, "authors-code").hidden, settings_of(one, "authors-code").learning_rate
        (512, 0.0001)
    """
    settings = recipe_of(recipe)
    if recipe != "authors-code":
        return settings
    resnet, linear = training.image_features == "resnet", training.model == "lin"
    slow = (
        training.direction == "image->text"
        and {
            "imagenet": True,
            "iapr": linear,
            "wiki": resnet or not linear,
        }[training.set]
    )
    hidden = (512 if resnet else 256) if training.set == "wiki" else (1024 if resnet else 512)
    return replace(settings, learning_rate=1e-4 if slow else 1e-3, hidden=hidden)


def _grid(recipe: str, grid: str | Grid | None) -> Grid | None:
    recipe_of(recipe)
    if grid is None:
        return None
    if recipe != "paper":
        raise MappingError(f"grid: needed the recipe paper, got {recipe}, whose settings are fixed. Leave the grid out.")
    if isinstance(grid, str) and grid not in GRIDS:
        raise MappingError(f"grid: needed one of {', '.join(GRIDS)}, got {grid!r}. Choose one.")
    return replace(GRIDS[grid], dropout=(0.0,)) if isinstance(grid, str) else grid


def _absent(data: str | Path, one: _Set) -> tuple[str, ...]:
    return tuple(name for name, path in paper_files(data, one.set, one.image, one.text).items() if path is None)


def _trainings(figures: Sequence[PublishedOverlap], of: _Set) -> list[Training]:
    return list(dict.fromkeys(Training.of(figure) for figure in figures if _Set.of(figure) == of))


def _labels_missing(found: PaperPairs | None, training: Training) -> tuple[str, ...]:
    lacks = found is not None and found.classes is None and training.loss == "max-margin"
    return (f"training_data/{training.set}/{LABELS}",) if lacks else ()


def _parts(found: PaperPairs, folds: int, seeds: int, seed: int) -> Iterator[Part]:
    if found.split is None:
        yield from (Part(number, seed, split) for number, split in enumerate(k_fold(len(found.pairs), folds, seed)))
    else:
        yield from (Part(0, seed + run, found.split) for run in range(seeds))


def _baselines(
    data: str | Path, one: _Set, absent: Sequence[str], k: int, folds: int, seed: int
) -> Iterator[tuple[Metric, float]]:
    """mNNO(X, Y) with self on test items, for which the training part need not be there."""
    from isthmus.measures import overlap  # noqa: PLC0415

    if any("/TR_" not in name for name in absent):
        return
    found = read_paper_set(data, one.set, one.image, one.text, parts=("TS",)).pairs
    everything = Split(np.arange(0), np.arange(len(found)))
    splits = k_fold(len(found), folds, seed) if one.set == "imagenet" else (everything,)
    metrics: tuple[Metric, ...] = ("cosine", "euclidean")
    for metric in metrics:
        values = [overlap(found.x[split.test], found.y[split.test], k, metric, include_self=True).mnno for split in splits]
        yield metric, float(np.mean(values))


def _rows(figures: Sequence[PublishedOverlap], runs: dict[Training, _Run], k: int) -> tuple[ReproducedOverlap, ...]:
    tests = {}
    for figure in figures:
        run = runs.get(Training.of(figure), _Run())
        used = [one for one in run.cells if not one.diverged]
        if used:
            values = (np.array([one.overlaps[figure.metric][side] for one in used]) for side in ("input", "target"))
            tests[Training.of(figure), figure.metric] = rank_sum_p(*values), smallest_rank_sum_p(len(used), len(used))
    corrected = dict(zip(tests, bonferroni(np.array([p for p, _ in tests.values()])).tolist(), strict=True))
    return tuple(_row(figure, runs.get(Training.of(figure)), k, tests, corrected) for figure in figures)


def _row(
    figure: PublishedOverlap, run: _Run | None, k: int, tests: dict[Any, tuple[float, float]], corrected: dict[Any, float]
) -> ReproducedOverlap:
    shared = {key: value for key, value in asdict(figure).items() if key not in ("printed_model", "mark")}
    row = ReproducedOverlap(**shared, published_without_self=without_self(figure.published))
    if run is None or run.missing:
        return replace(row, missing=", ".join(run.missing) if run else None)
    used = [one for one in run.cells if not one.diverged]
    row = replace(
        row, folds=run.folds, seeds=run.seeds, diverged=len(run.cells) - len(used), k=k,
        n_test=min(one.n_test for one in run.cells),
    )  # fmt: skip
    if not used:
        return row
    without = np.array([one.overlaps[figure.metric][figure.overlap] for one in used])
    base = float(np.mean([one.overlaps[figure.metric]["baseline"] for one in used]))
    mean, key = float(without.mean()), (Training.of(figure), figure.metric)
    ours, comparable = with_self(mean, k), k == PUBLISHED_K
    return replace(
        row, ours=ours, ours_without_self=mean,
        difference=ours - figure.published if comparable else None,
        difference_without_self=mean - row.published_without_self if comparable else None,
        ours_sd=float(without.std(ddof=1)) * (k - 1) / k if len(used) > 1 else None,
        baseline=with_self(base, k), baseline_without_self=base,
        rank_sum_p=tests[key][0], rank_sum_p_bonferroni=corrected[key], smallest_p=tests[key][1],
    )  # fmt: skip


def with_self(p: float, k: int) -> float:
    """The overlap at k with self of an overlap at k - 1 without, in [0, 1]: (1 + (k - 1) p) / k, item by item.

    Example:
        >>> round(without_self(with_self(0.2, 10)), 6)
        0.2
    """
    return (1 + (k - 1) * p) / k


def _remarks(
    table: int, rows: Sequence[ReproducedOverlap], baselines: dict[tuple[_Set, Metric], float], k: int
) -> Iterator[str]:
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    above = sum(a.published > b.published for a, b in pairs)
    yield f"Table {table}, published: input overlap above target overlap in {above} of {len(pairs)} pairs."
    run = [(a.ours, b.ours) for a, b in pairs if a.ours is not None and b.ours is not None]
    if run:
        ours = sum(a > b for a, b in run)
        yield f"Table {table}, ours: in {ours} of the {len(run)} pairs that were run."
    low, high = PUBLISHED_BASELINE
    for (one, metric), value in baselines.items():
        place = "inside" if low <= round(value, 3) <= high else "outside"
        where = f"{place} the published range {low} to {high}" if k == PUBLISHED_K else "no published range at this K"
        lower = [b.overlap for a, b in pairs if _is(b, one, metric) and b.ours is not None and b.ours < value]
        tested = sum(_is(b, one, metric) and b.ours is not None for _, b in pairs)
        yield (
            f"mNNO(X, Y), {one.set}, {one.image} and {one.text}, {metric}, K={k} with self: {value:.3f}, {where}"
            + (f"; above our target overlap in {len(lower)} of {tested} rows." if tested else ".")
        )


def _is(row: ReproducedOverlap, one: _Set, metric: Metric) -> bool:
    return (row.set, row.image_features, row.text_features, row.metric) == (*one, metric)


def _labels_in_doubt(figures: Sequence[PublishedOverlap]) -> Iterator[str]:
    """Tables 3 and 4 carry labels of rows that cannot all be right; see `PublishedOverlap.printed_model`."""
    places: dict[str, list[str]] = {}
    for figure in figures:
        if figure.overlap == "input" and figure.image_features == "resnet":
            places.setdefault(f"{figure.set} {figure.direction}", []).append(figure.printed_model)
    models = list(dict.fromkeys(figure.model for figure in figures))
    for place, printed in places.items():
        if printed != models:
            yield f"{place}: the rows are labeled {', '.join(printed)} in print, and taken for {', '.join(models)}."


def _doubts(runs: dict[Training, _Run]) -> Iterator[str]:
    """Trainings that the paper's check would not have let pass: every training loss steadily decreases."""
    cells = [one for run in runs.values() for one in run.cells]
    for what, count in (
        ("left the finite numbers and is left out", sum(one.diverged for one in cells)),
        ("did not steadily decrease", sum(one.steady is False for one in cells)),
    ):
        if count:
            yield f"The training loss {what} in {count} of {len(cells)} trainings."
