"""The paper's tables 1 and 3-11 again, from the authors' feature files: published, ours, and the difference.

Each set, kind of features and direction of a table is an experiment as of `run`, with a mapping for each model, and is kept
like any other in a folder of cells.

How the networks are learned is a choice, since the paper leaves some of it open: its recipe with fixed settings, its recipe
with its whole cross-validation, or the settings of the authors' program, learning rate and hidden units by set, features.
"""

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import msgspec
import numpy as np

from isthmus._errors import DataError, MappingError
from isthmus._shapes import Progress
from isthmus.datasets import LABELS, PaperPairs, paper_files, read_paper_set
from isthmus.experiments._authors import authors_recipe
from isthmus.experiments._plan import plan
from isthmus.experiments._published import published_overlaps
from isthmus.experiments._reproduction import PUBLISHED_K, Features, Ran, Reproduction, Which, remarks_of, rows_of
from isthmus.experiments._results import Done, Results
from isthmus.experiments._run import run
from isthmus.experiments._spec import Data, Entry, GridTable, Measure, Protocol, Spec
from isthmus.neighbors import Metric
from isthmus.pairs import Split, check_seed, k_fold
from isthmus.training import GRIDS, Grid, TrainingWarning
from isthmus.training import recipe as recipe_of

REPRODUCIBLE = (1, *range(3, 12))
"""Tables of experiment 1, which `reproduce` does."""
_METRICS: tuple[Metric, ...] = ("cosine", "euclidean")  # both, so that tables of either share their cells


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
        processes: among which the trainings are divided.
        out: folder where finished trainings are kept, in one for each experiment, so that a stopped run goes on where
            it was.
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
        raise DataError(f"table: needed 1 or 3 to 11, got {table!r}. Tables 2 and 12 are of reproduce_similarities().")
    if seeds < 1:
        raise DataError(f"seeds: needed 1 or more, got {seeds}. The paper has 5.")
    axes = check_asked(recipe, grid, k, seed)
    figures = published_overlaps(table)
    loss = figures[0].loss
    ran: dict[Which, Ran] = {}
    baselines: dict[tuple[Features, Metric], float] = {}
    specs: dict[tuple[Features, str], Spec] = {}
    for features in dict.fromkeys(map(Features.of, figures)) if data is not None else ():
        wanted = dict.fromkeys(Which.of(figure) for figure in figures if Features.of(figure) == features)
        missing, found = _look(str(data), features, loss)
        if found is not None:
            parts = folds if features.set == "imagenet" else None
            baselines |= {(features, metric): value for metric, value in _baselines(found, k, parts, seed)}
        if missing or found is None:
            ran |= dict.fromkeys(wanted, Ran(missing=missing))
            continue
        protocol = Protocol(folds, seeds=1, seed=seed) if found.split is None else Protocol(seeds=seeds, seed=seed)
        for direction in dict.fromkeys(which.direction for which in wanted):
            entries = [entry_of(which, loss, recipe, axes) for which in wanted if which.direction == direction]
            spec = spec_of(str(data), features, direction, entries, protocol, Measure((k - 1,), _METRICS))
            specs[features, direction] = spec
    for (features, direction), results in zip(specs, run_all(list(specs.values()), out, processes, progress), strict=True):
        for model in dict.fromkeys(done.cell.entry.name for done in results.cells):
            cells = tuple(done for done in results.cells if done.cell.entry.name == model)
            ran[Which(features, direction, model)] = Ran(cells)
    rows = rows_of(figures, ran, k)
    absent = dict.fromkeys(name for one in ran.values() for name in one.missing)
    return Reproduction(table, rows, tuple(remarks_of(figures, rows, ran, baselines, k)), tuple(absent))


def beside_published(results: Results, paper: tuple[str, str, str]) -> list[Reproduction]:
    """The tables of the paper that a run holds mappings of, without remarks; rows that it does not hold are left out.

    Mappings under another recipe or title are a table of their own.

    Args:
        results: of a run with K = 9 and self excluded, as `reproduce` keeps them.
        paper: set, image features and text features of its data.
    """
    ways = dict.fromkeys(
        (done.cell.entry.title, done.cell.entry.recipe)
        for done in results.cells if done.cell.role == "mapping" and done.cell.entry.has_loss
    )  # fmt: skip
    several = len({recipe for _, recipe in ways}) > 1
    found = []
    for table, way in product(REPRODUCIBLE, ways):
        figures = [each for each in published_overlaps(table) if tuple(Features.of(each)) == paper]
        ran = {
            which: Ran(_cells_of(results, which, figures[0].loss, figures[0].metric, way))
            for which in map(Which.of, figures)
        }
        figures = [each for each in figures if ran[Which.of(each)].cells]
        if figures:
            title, recipe = way
            learned = ", ".join([title] * (title is not None) + [recipe] * several)
            found.append(Reproduction(table, rows_of(figures, ran, PUBLISHED_K), (), (), learned))
    return found


def _cells_of(results: Results, which: Which, loss: str, metric: Metric, way: tuple[str | None, str]) -> tuple[Done, ...]:
    """The cells of a run that are a mapping of a table, under one title and recipe."""
    direction = "x->y" if which.direction == "image->text" else "y->x"
    return tuple(
        done for done in results.cells
        if (done.cell.role, done.cell.direction, done.cell.entry.name, done.cell.entry.loss)
        == ("mapping", direction, which.model, loss)
        and (done.cell.entry.title, done.cell.entry.recipe) == way
        and PUBLISHED_K - 1 in done.cell.measure.k and metric in done.cell.measure.metric
        and False in done.cell.measure.include_self
    )  # fmt: skip


def check_asked(recipe: str, grid: str | Grid | None, k: int, seed: int) -> GridTable | None:
    """The axes of the grid, the paper's without dropout.

    Raises:
        DataError, MappingError: see `reproduce`.
    """
    check_seed(seed)
    if k < 2:
        raise DataError(f"k: needed 2 or more, got {k}. The paper has {PUBLISHED_K}.")
    recipe_of(recipe)
    if grid is None:
        return None
    if recipe != "paper":
        raise MappingError(f"grid: needed the recipe paper, got {recipe}, whose settings are fixed. Leave the grid out.")
    if isinstance(grid, str) and grid not in GRIDS:
        raise MappingError(f"grid: needed one of {', '.join(GRIDS)}, got {grid!r}. Choose one.")
    return GridTable(**asdict(replace(GRIDS[grid], dropout=(0.0,)) if isinstance(grid, str) else grid))


def absent_files(data: str | Path, features: Features) -> tuple[str, ...]:
    """The files that are missing."""
    return tuple(name for name, path in paper_files(data, *features).items() if path is None)


def _look(data: str, features: Features, loss: str) -> tuple[tuple[str, ...], PaperPairs | None]:
    """The files that are missing, and the pairs, of which the test part alone will do for mNNO(X, Y)."""
    missing = absent_files(data, features)
    if any("/TR_" not in name for name in missing):
        return missing, None
    found = read_paper_set(data, *features, parts=("TS",) if missing else ("TR", "TS"))
    if not missing and loss == "max-margin" and found.classes is None:
        missing = (f"training_data/{features.set}/{LABELS}",)
    return missing, found


def _baselines(found: PaperPairs, k: int, folds: int | None, seed: int) -> Iterator[tuple[Metric, float]]:
    """mNNO(X, Y) of the test items, with self."""
    from isthmus.measures import overlap  # noqa: PLC0415

    n = len(found.pairs)
    splits = k_fold(n, folds, seed) if folds else (found.split or Split(np.arange(0), np.arange(n)),)
    x, y = found.pairs.x, found.pairs.y
    for metric in _METRICS:
        values = [overlap(x[each.test], y[each.test], k, metric, include_self=True).mnno for each in splits]
        yield metric, float(np.mean(values))


def entry_of(which: Which, loss: str, recipe: str, grid: GridTable | None = None) -> Entry:
    """The mapping of a table as an entry of a spec: the authors' program sets learning rate and hidden units by its case."""
    entry = Entry(which.model, loss=loss, recipe=recipe, grid=grid)
    if recipe != "authors-code":
        return entry
    features, to_text = which.features, which.direction == "image->text"
    case = authors_recipe(which.model, images_to_text=to_text, dataset=features.set, image_features=features.image)
    return msgspec.structs.replace(entry, learning_rate=case.learning_rate, hidden=case.hidden)


def spec_of(
    data: str, features: Features, direction: str, entries: Sequence[Entry], protocol: Protocol, measure: Measure
) -> Spec:
    """The experiment that a set, its features and a direction are."""
    protocol = msgspec.structs.replace(protocol, directions=("x->y" if direction == "image->text" else "y->x",))
    name = "-".join((*features, direction.replace("->", "-to-")))
    return Spec(
        name,
        Data(authors=data, set=features.set, image_features=features.image, text_features=features.text),
        tuple(entries), protocol, measure, controls=False,
    )  # fmt: skip


def run_all(specs: Sequence[Spec], out: str | Path | None, processes: int, progress: Progress | None) -> list[Results]:
    """The results of each experiment, in folders of their names within `out`, or in one that is removed."""
    sizes = [len(plan(spec)) for spec in specs]
    results: list[Results] = []
    with tempfile.TemporaryDirectory() if out is None else nullcontext(str(out)) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", TrainingWarning)  # remarks tell
        for number, spec in enumerate(specs):

            def within(left: str, done: int, _total: int, before: int = sum(sizes[:number]), name: str = spec.name) -> None:
                if progress is not None:
                    progress(f"{name}: {left}", before + done, sum(sizes))

            results.append(run(spec, Path(folder, spec.name), processes=processes, progress=within))
    return results
