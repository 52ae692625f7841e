"""Which settings cross-validation searches, as data.

`GRIDS["paper"]` holds the values that Collell & Moens (2018), supplement A, name. How many epochs they searched they do not
say: 100 is ours. They report that dropout did not help and show results without it.
"""

from dataclasses import dataclass, replace
from itertools import product

from isthmus._errors import MappingError
from isthmus.training._losses import MAX_MARGIN, Loss
from isthmus.training._recipes import Recipe


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of a grid: what a recipe is given there. hidden is 0 for a mapping without a hidden layer."""

    learning_rate: float
    hidden: int
    dropout: float
    margin: float

    def of(self, recipe: Recipe, epochs: int) -> Recipe:
        """The recipe with the settings of this cell, for so many epochs, none held out.

        Example:
            >>> Cell(0.01, 64, 0.5, 1.0).of(Recipe(), 20).hidden
            64
        """
        hidden = self.hidden or recipe.hidden
        return replace(
            recipe,
            learning_rate=self.learning_rate,
            hidden=hidden,
            dropout=self.dropout,
            margin=self.margin,
            epochs=epochs,
            patience=0,
        )


@dataclass(frozen=True, slots=True)
class Grid:
    """Settings among which cross-validation chooses, every combination of them, and the number of epochs.

    Args:
        learning_rate: step sizes.
        hidden: units of each hidden layer.
        dropout: shares of hidden units that are dropped.
        margin: of the max-margin loss, in scaled units of the targets.
        epochs: length of every run; the best epoch is read off its curve.

    Raises:
        MappingError: an axis without a value, one with a value twice, or a number that no recipe takes.

    Example:
        >>> len(Grid().cells(layers=1, loss="mse")), len(Grid().cells(layers=0, loss="mse"))
        (60, 3)
    """

    learning_rate: tuple[float, ...] = (0.01, 0.001, 0.0001)
    hidden: tuple[int, ...] = (64, 128, 256, 512, 1024)
    dropout: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75)
    margin: tuple[float, ...] = (1.0, 2.5, 5.0, 7.5, 10.0)
    epochs: int = 100

    def __post_init__(self) -> None:
        for name in ("learning_rate", "hidden", "dropout", "margin"):
            values = tuple(getattr(self, name))
            if not values or len(set(values)) < len(values):
                what = "none" if not values else f"{list(values)}"
                raise MappingError(f"grid.{name}: needed one value or more, each once, got {what}. List what to search.")
            object.__setattr__(self, name, values)
        for cell in self.cells(1, MAX_MARGIN):
            cell.of(Recipe(), self.epochs)  # a recipe refuses what is out of range

    def cells(self, layers: int, loss: str | Loss) -> tuple[Cell, ...]:
        """All combinations that differ for this loss and number of hidden layers.

        Without a hidden layer there is no unit to count or drop, and only max-margin has a margin; such axes count once.
        """
        hidden = self.hidden if layers else (0,)
        dropout = self.dropout if layers else (0.0,)
        margin = self.margin if loss == MAX_MARGIN else self.margin[:1]
        # The order in which ties are decided: small networks first, then the order in which the values are listed.
        combinations = product(sorted(hidden), dropout, margin, self.learning_rate)
        return tuple(Cell(rate, units, share, gap) for units, share, gap, rate in combinations)


GRIDS: dict[str, Grid] = {"paper": Grid()}
"""Grids by name."""
