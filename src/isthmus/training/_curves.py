"""What a cross-validation found: the curves of every model, and the judgement that is read off them."""

import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from isthmus._shapes import Float, ndarray
from isthmus.pairs import Scaling
from isthmus.training._descent import Descent
from isthmus.training._grid import Cell
from isthmus.training._recipes import Recipe


class TrainingWarning(UserWarning):
    """Networks whose training loss did not steadily decrease."""


def steadily_decreases(loss: Float[ndarray, " epochs"]) -> bool:
    """Whether a training curve falls, and never rises by more than a tenth of its whole fall.

    With L* the lowest loss: L_1 > L*, and L_t - min_{s<t} L_s <= (L_1 - L*) / 10 for every epoch t. Collell & Moens (2018),
    supplement A, verify that "the training loss steadily decreases" without a rule; in this one the jitter of a plateau
    passes and a jump does not. A curve of one epoch shows no fall, and one with nan or inf is no decrease.

    Example:
        >>> steadily_decreases(np.array([3.0, 2.0, 1.5, 1.51])), steadily_decreases(np.array([3.0, 2.0, 2.5, 1.0]))
        (True, False)
    """
    if not np.isfinite(loss).all():
        return False
    lowest = np.minimum.accumulate(loss)
    fall = loss[0] - lowest[-1]
    return bool(fall > 0 and (loss - lowest).max() <= fall / 10)


@dataclass(frozen=True, slots=True, eq=False)
class CellCurves:
    """The curves of one cell of the grid in every fold.

    Args:
        cell: the settings.
        loss: mean training loss of each epoch, while it ran (with dropout); from a divergence on nan or inf.
        validation_loss: mean loss on the fold's held-out items after each epoch; under max-margin with the grid's smallest
            margin, so that cells with different margins can be compared.
    """

    cell: Cell
    loss: Float[ndarray, "folds epochs"]
    validation_loss: Float[ndarray, "folds epochs"]

    @property
    def steady(self) -> tuple[bool, ...]:
        """For each fold, whether the training loss steadily decreased."""
        return tuple(steadily_decreases(curve) for curve in self.loss)

    @property
    def diverged(self) -> tuple[bool, ...]:
        """For each fold, whether a loss left the finite numbers."""
        return tuple(bool(d) for d in ~(np.isfinite(self.loss) & np.isfinite(self.validation_loss)).all(axis=1))

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the lowest mean validation loss over folds, the first of equals."""
        mean = self.validation_loss.mean(axis=0)
        return int(np.argmin(np.where(np.isfinite(mean), mean, np.inf))) + 1

    @property
    def best_loss(self) -> float:
        """The mean validation loss in the best epoch; nan where a fold diverged, since such a cell cannot be chosen."""
        return float("nan") if any(self.diverged) else float(self.validation_loss.mean(axis=0).min())


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """The curves of a whole grid, the cell and epoch that served held-out items best, and the network learned with them.

    Args:
        cells: one entry for each cell, in the order of `Grid.cells`.
        chosen: position of the chosen cell.
        recipe: the recipe with the chosen settings and epochs, with which the final network was learned.
        descent: the final network, learned from all items, and its curve.
        scaling: of the inputs, fitted on all items.
        target_scaling: of the targets.
    """

    cells: tuple[CellCurves, ...]
    chosen: int
    recipe: Recipe
    descent: Descent
    scaling: Scaling
    target_scaling: Scaling

    @property
    def cell(self) -> Cell:
        """The chosen settings."""
        return self.cells[self.chosen].cell

    @property
    def epoch(self) -> int:
        """The chosen number of epochs."""
        return self.cells[self.chosen].best_epoch

    def records(self) -> list[dict[str, Any]]:
        """One flat record for each model, ready for JSON or a data frame; a loss that is no finite number is None.

        `validation_loss` and `loss` are those of the fold's model in the cell's best epoch.
        """
        rows = []
        for position, curves in enumerate(self.cells):
            last = curves.best_epoch - 1
            for fold, (steady, diverged) in enumerate(zip(curves.steady, curves.diverged, strict=True)):
                losses = {
                    name: None if diverged else float(curve[fold, last])
                    for name, curve in (("loss", curves.loss), ("validation_loss", curves.validation_loss))
                }
                rows.append(
                    asdict(curves.cell)
                    | {"fold": fold, "epoch": None if diverged else last + 1, **losses, "steady": steady}
                    | {"diverged": diverged, "chosen": position == self.chosen}
                )
        return rows


def warn_of_unsteady(result: CrossValidation) -> None:
    """Warn the caller of the caller where a training loss did not steadily decrease."""
    models = [(curves.cell, fold) for curves in result.cells for fold, steady in enumerate(curves.steady) if not steady]
    if not models:
        return
    cell, fold = models[0]
    of_the_chosen = sum(not steady for steady in result.cells[result.chosen].steady)
    count = sum(len(curves.loss) for curves in result.cells)
    warnings.warn(
        f"loss: needed a training loss that steadily decreases, got {len(models)} of {count} models where it does not "
        f"({of_the_chosen} of the chosen cell), the first in fold {fold} of {cell}. "
        "See records() of the result; use smaller learning rates, or more epochs where there are few.",
        TrainingWarning,
        stacklevel=3,
    )
