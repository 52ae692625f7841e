"""Choosing learning rate, hidden units, dropout, margin and epochs by cross-validation.

Every cell of the grid is trained once in every fold, over all epochs, and the loss on the fold's held-out part is recorded
after each. The best epoch is read off these curves; nothing is trained again but the chosen cell, on all items. Cells that
differ only in numbers share a compiled program. Small networks are trained together, since their steps are too short to
fill the processor; which are together does not depend on the number of processes, so that the results do not either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError, DivergenceError, MappingError
from isthmus._shapes import Float, Int, Progress
from isthmus.pairs import Split, check_seed, check_vectors, k_fold
from isthmus.training._classes import Labels, encode_classes
from isthmus.training._curves import CellCurves, CrossValidation, warn_of_unsteady
from isthmus.training._descent import check_checkpoints, descend, fill, learn, orders, settings_of
from isthmus.training._grid import Cell, Grid
from isthmus.training._losses import Loss, check_loss
from isthmus.training._network import Activation, Layer, Network, initialize
from isthmus.training._program import Items, Kind, Settings, jax_of_one_thread
from isthmus.training._recipes import Recipe
from isthmus.training._scaling import fit_scalings, target_kind
from isthmus.training._workers import divided

# A network up to this many weights is trained together with the others of its size. On one thread of a CPU that made
# training 1.1 to 1.8 times as fast below 8,000 weights (1.7: 64-16-64; 1.2: 64-32-128) and up to 2 times slower above (0.6:
# 64-128). Not measured on accelerators, where a lone small network leaves more of the processor idle.
_TOGETHER_UP_TO = {"cpu": 8_000}
_TOGETHER_ON_ACCELERATORS = 1_000_000
_ONE_PART = 2e9  # weights x steps, about ten seconds
_T = TypeVar("_T", Items, Settings)


def cross_validate(
    x: Float[ndarray, "n dx"],
    y: Float[ndarray, "n dy"],
    grid: Grid,
    folds: int | Sequence[Split] = 5,
    *,
    recipe: Recipe = Recipe(),  # noqa: B008 - frozen
    layers: int = 1,
    loss: str | Loss = "mse",
    activation: Activation = "relu",
    labels: Labels | None = None,
    seed: int = 0,
    processes: int = 1,
    checkpoints: Sequence[int] = (),
    progress: Progress | None = None,
) -> CrossValidation:
    """The network with the settings and the number of epochs that predict held-out items best, learned from all items.

    Collell & Moens (2018), supplement A: cross-validation over learning rate, hidden units, dropout, margin and epochs,
    for the lowest loss on the held-out folds. A cell that diverges in a fold is recorded with its nan and not chosen.
    Spaces are scaled as the recipe says, in each fold by its training part. The same seed gives the same bytes, whatever
    the number of processes.

    Args:
        x: inputs, in their own units.
        y: targets, in their own units.
        grid: what to search.
        folds: their number, drawn as by `k_fold`, or the splits themselves; with one split, a validation set.
        recipe: everything that the grid does not set; its patience is not used.
        layers: hidden layers, each as wide as the cell says; 0 for a linear mapping.
        loss: "mse", "cosine", "max-margin", or a JAX function of predicted and true vectors that gives a value an item.
        activation: of the hidden layers.
        labels: classes of the items, for max-margin; see `encode_classes`.
        seed: of folds, first weights, order and dropped units.
        processes: among which the models are divided, best one a core; one on an accelerator.
        checkpoints: epochs after which to keep a copy of the final network, also beyond the chosen epoch; 0 for its start.
        progress: called with what is being done, the weighted share that is done and its total.

    Raises:
        MappingError: an unknown loss, labels that max-margin misses, fewer than 1 process, a negative number of layers, a
            checkpoint outside 0..epochs, or a grid that diverged in every cell.
        DataError: arrays that are not two-dimensional, finite and of numbers, or of different numbers of items; folds that
            do not fit the items, or a split without items to learn from.

    Warns:
        TrainingWarning: a training loss did not steadily decrease; which ones, `records()` tells.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(120, 3))
        >>> found = cross_validate(x, x @ rng.normal(size=(3, 2)), Grid((0.01, 0.001), epochs=20), folds=3, layers=0)
        >>> found.cell.learning_rate, [curves.loss.shape for curves in found.cells]
        (0.01, [(3, 20), (3, 20)])
    """
    check_loss(loss)
    check_seed(seed)
    x, y = check_vectors(x, "x"), check_vectors(y, "y")
    if len(x) != len(y):
        raise DataError(f"x, y: needed as many items in both, got {len(x)} and {len(y)}. Pair them first.")
    check_checkpoints(checkpoints, grid.epochs)
    if processes < 1 or layers < 0:
        name, value, least = ("processes", processes, 1) if processes < 1 else ("layers", layers, 0)
        raise MappingError(f"{name}: needed {least} or more, got {value}. Use {least}.")
    splits = k_fold(len(x), folds, seed) if isinstance(folds, int) else tuple(folds)
    if not splits or any(not len(split.train) or max(split.train.max(), split.test.max()) >= len(x) for split in splits):
        raise DataError(f"folds: needed splits of {len(x)} rows with some to learn from, got others. Use k_fold.")
    classes = encode_classes(labels, loss, len(x))
    largest = max(len(split.train) for split in splits)  # a batch of more items would only be filled up
    task = _Task(replace(recipe, batch=min(recipe.batch, largest)), grid, layers, loss, activation, seed)
    groups = list(task.groups(x.shape[1], y.shape[1], splits))
    curves = np.full((2, len(task.cells()), len(splits), grid.epochs), np.nan)
    for group, found in _results(task, groups, x, y, classes, splits, processes, progress):
        curves[:, group.cells[:, None], group.folds] = found
    cells = tuple(CellCurves(cell, curves[0, number], curves[1, number]) for number, cell in enumerate(task.cells()))
    losses = np.array([each.best_loss for each in cells])
    if np.isnan(losses).all():
        raise DivergenceError(
            f"grid.learning_rate: needed one that keeps the loss finite, got {list(grid.learning_rate)} and in every cell a "
            "loss that left the finite numbers. Add smaller ones, or scale the inputs and targets."
        )
    chosen = int(np.nanargmin(losses))
    best = cells[chosen]
    final = best.cell.of(recipe, best.best_epoch)
    scaling, target_scaling = fit_scalings(x, y, recipe.scaling, target_kind(recipe.scaling, loss))
    start = task.start(x.shape[1], y.shape[1], best.cell)
    descent = learn(
        start, scaling.apply(x), target_scaling.apply(y), final, loss=loss, activation=activation, seed=seed, labels=labels,
        checkpoints=checkpoints, longest=grid.epochs,
    )  # fmt: skip
    result = CrossValidation(cells, chosen, final, descent, scaling, target_scaling)
    warn_of_unsteady(result)
    return result


class _Group(NamedTuple):
    """Models that one call of a program trains: numbers of cells and of folds, every combination of them."""

    cells: Int[ndarray, " cells"]
    folds: Int[ndarray, " folds"]
    program: int
    together: bool
    cost: int


@dataclass(frozen=True, slots=True)
class _Task:
    """What all models of a cross-validation share."""

    recipe: Recipe
    grid: Grid
    layers: int
    loss: str | Loss
    activation: Activation
    seed: int

    def cells(self) -> tuple[Cell, ...]:
        return self.grid.cells(self.layers, self.loss)

    def start(self, inputs: int, outputs: int, cell: Cell) -> Network:
        """First weights; cells of one width, in all folds, start alike."""
        widths = (inputs, *(cell.hidden,) * self.layers, outputs)
        rng = np.random.default_rng([self.seed, 0x1217])
        return initialize(widths, rng, self.recipe.initialization, self.recipe.bias)

    def groups(self, inputs: int, outputs: int, splits: Sequence[Split]) -> Iterator[_Group]:
        """Small networks of one shape together, others one by one."""
        platform = jax_of_one_thread().default_backend()
        largest = _TOGETHER_UP_TO.get(platform, _TOGETHER_ON_ACCELERATORS)
        steps = [-(-len(split.train) // self.recipe.batch) for split in splits]
        numbered = list(enumerate(self.cells()))
        program = 0
        for _, same in groupby(numbered, key=lambda entry: (entry[1].hidden, entry[1].dropout > 0)):
            numbers = np.array([number for number, _ in same])
            network = self.start(inputs, outputs, self.cells()[numbers[0]])
            weights = sum(layer.weight.size for layer in network)
            # Folds of another number of steps would have to take empty ones, and an empty step moves Adam's memory.
            for count in sorted(set(steps)):
                program += 1
                folds = np.flatnonzero(np.equal(steps, count))
                if weights <= largest:
                    yield _Group(numbers, folds, program, True, weights * count * len(numbers) * len(folds))
                else:
                    for fold in folds:
                        for number in numbers:
                            yield _Group(np.array([number]), np.array([fold]), program, False, weights * count)

    def run(self, groups: Sequence[_Group], *data: Any) -> list[Float[ndarray, "2 cells folds epochs"]]:
        """Training and validation losses of the models of some groups."""
        return [self._run(group, *data) for group in groups]

    def _run(
        self, group: _Group, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], classes: ndarray, splits: Sequence[Split]
    ) -> Float[ndarray, "2 cells folds epochs"]:
        sizes = [max(len(getattr(split, part)) for split in splits) for part in ("train", "test")]
        cells = [self.cells()[number] for number in group.cells]
        recipes = [cell.of(self.recipe, self.grid.epochs) for cell in cells]
        one = recipes[0]
        items: list[Items] = []
        watched: list[Items] = []
        for fold in group.folds:
            split = splits[fold]
            kinds = one.scaling, target_kind(one.scaling, self.loss)
            scaling, target_scaling = fit_scalings(x[split.train], y[split.train], *kinds)
            # Max-margin looks for items of other classes within a batch, and files are often sorted by class.
            held_out = np.random.default_rng([self.seed, 0x4E1D, fold]).permutation(split.test)
            for rows, size, side in ((split.train, sizes[0], items), (held_out, sizes[1], watched)):
                inputs, targets = scaling.apply(x[rows]), target_scaling.apply(y[rows])
                side.append(fill(inputs, targets, classes[rows], one.batch, size))
        order = [orders(len(splits[fold].train), one, np.random.default_rng([self.seed, 0x1EA2])) for fold in group.folds]
        settings = [settings_of(each, watched_margin=min(self.grid.margin)) for each in recipes]
        network = self.start(x.shape[1], y.shape[1], cells[0])
        kind = Kind(one.optimizer, self.loss, self.activation, one.batch, drops=one.dropout > 0, together=group.together)
        how = {"epochs": one.epochs, "longest": one.epochs, "patience": one.epochs, "seed": self.seed}
        if not group.together:
            run = descend(kind, network, items[0], watched[0], order[0], settings[0], **how)
            return np.stack([run.loss, run.watched_loss])[:, None, None]
        table = (len(group.folds), len(cells))
        copies = tuple(Layer(*(np.broadcast_to(array, (*table, *array.shape)) for array in layer)) for layer in network)
        together = (np.stack(each) for each in zip(*order, strict=True))
        run = descend(kind, copies, _stack(items), _stack(watched), together, _stack(settings), **how)
        return np.stack([run.loss, run.watched_loss]).swapaxes(1, 2)


def _stack(tuples: Sequence[_T]) -> _T:
    """Named tuples of arrays as one, with a leading axis."""
    return type(tuples[0])(*map(np.stack, zip(*tuples, strict=True)))


def _results(
    task: _Task,
    groups: Sequence[_Group],
    x: Float[ndarray, "n dx"],
    y: Float[ndarray, "n dy"],
    classes: ndarray,
    splits: Sequence[Split],
    processes: int,
    progress: Progress | None,
) -> Iterator[tuple[_Group, Float[ndarray, "2 cells folds epochs"]]]:
    """Each group and its curves."""
    parts = _parts(groups, processes, task.grid.epochs)
    total, done = sum(group.cost for group in groups), 0
    found = divided(task.run, [(part, x, y, classes, splits) for part in parts], processes)
    if progress is not None:
        progress("cross-validation", 0, total)
    for part, curves in zip(parts, found, strict=True):
        yield from zip(part, curves, strict=True)
        done += sum(group.cost for group in part)
        if progress is not None:
            progress("cross-validation", done, total)


def _parts(groups: Sequence[_Group], processes: int, epochs: int) -> list[list[_Group]]:
    """Groups that one process trains in a row, the costly ones first, so that none is left alone with a long one.

    Those of one program are a part where they take some seconds only, and not much more than a process's share: every
    process that takes one of them compiles the program, which lasts about half a second.
    """
    most = min(_ONE_PART / epochs, 1.2 * sum(group.cost for group in groups) / processes)
    parts: list[list[_Group]] = []
    for _, same in groupby(groups, key=lambda group: group.program):
        part = list(same)
        parts += [part] if processes > 1 and sum(group.cost for group in part) <= most else [[group] for group in part]
    return sorted(parts, key=lambda part: -sum(group.cost for group in part))
