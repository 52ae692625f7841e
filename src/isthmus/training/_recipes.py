"""How a network is learned, as data: every setting that the result depends on, under a name.

`paper` follows the text of Collell & Moens (2018), section 3 and supplement A, in its loss, optimizer, batch and shuffling;
`authors-code` follows the program they published, which differs. The text chooses learning rate, hidden units, dropout,
margin and epochs by cross-validation, which `cross_validate` does over the recipe's grid in `GRIDS`, and says nothing of
initialization and scaling. On its own `paper` fixes the learning rate (1e-3), the hidden units (512) and no dropout; takes
Glorot's uniform initialization, the default of the library its authors used; shifts and scales each space by one number, so
that one learning rate fits any units (targets of the cosine are not shifted, which would change their angles); and stops
when the loss on a held-out fifth of the training items has not fallen for ten epochs, then learns anew from all of them for
the best number of epochs.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from isthmus._errors import MappingError
from isthmus.pairs import ScalingKind

Initialization = Literal["glorot-uniform", "truncated-normal"]
"""How the first weights are drawn."""
Optimizer = Literal["rmsprop", "adam", "adamw"]
"""How a step follows from a gradient."""
# Whole numbers and their range. Curves have room for all epochs from the start, and an order is drawn for each.
_WHOLE = {"batch": (1, 2**31 - 1), "epochs": (1, 100_000), "hidden": (1, 2**31 - 1), "patience": (0, 100_000)}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of gradient descent.

    Args:
        optimizer: RMSprop with rho 0.9 and epsilon 1e-8, Adam with its usual settings (0.9, 0.999, 1e-8), or AdamW, which
            also shrinks every number of the network by learning_rate x weight_decay a step.
        learning_rate: step size.
        batch: items a step; where there are fewer items, all of them.
        epochs: passes over the training items, at most; up to 100,000.
        patience: epochs without a lower loss on the held-out part after which to stop; 0 takes all epochs.
        held_out: share of the training items that chooses the number of epochs, where there is patience.
        shuffle: whether each pass takes the items in a new random order.
        initialization: of the weights; truncated-normal has standard deviation sqrt(2 / (inputs + outputs)).
        bias: first value of every bias.
        scaling: of the inputs and of the targets, of these as far as the loss allows (`target_kind`); predictions come back
            in the target's own units.
        hidden: units of each hidden layer.
        dropout: share of the hidden units that is left out in a training step, in [0, 1); the others count for more, so that
            the whole network needs no correction (Srivastava et al. 2014, section 10, "inverted").
        margin: of the max-margin loss, in scaled units of the targets.
        weight_decay: of AdamW.

    Raises:
        MappingError: an unknown optimizer or initialization, or a number outside its range.
    """

    optimizer: Optimizer = "rmsprop"
    learning_rate: float = 1e-3
    batch: int = 64
    epochs: int = 500
    patience: int = 10
    held_out: float = 0.2
    shuffle: bool = True
    initialization: Initialization = "glorot-uniform"
    bias: float = 0.0
    scaling: ScalingKind = "isotropic"
    hidden: int = 512
    dropout: float = 0.0
    margin: float = 1.0
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        for name, known in (("optimizer", get_args(Optimizer)), ("initialization", get_args(Initialization))):
            if getattr(self, name) not in known:
                listed = f"{', '.join(known[:-1])} or {known[-1]}"
                raise MappingError(f"{name}: needed {listed}, got {getattr(self, name)!r}. Choose one of them.")
        for name, (least, most) in _WHOLE.items():
            value = getattr(self, name)
            if not (isinstance(value, int | np.integer) and least <= value <= most):
                raise MappingError(f"{name}: needed a whole number from {least} to {most}, got {value}. Choose one of them.")
        for name, usual in (("held_out", 0.2), ("dropout", 0.25)):
            if not 0 <= getattr(self, name) < 1:
                raise MappingError(f"{name}: needed a share in [0, 1), got {getattr(self, name)}. Use {usual}.")
        for name, usual in (("learning_rate", 1e-3), ("margin", 1.0)):
            if not getattr(self, name) > 0:
                raise MappingError(f"{name}: needed a positive number, got {getattr(self, name)}. Use {usual}.")
        for name in ("learning_rate", "bias", "margin", "weight_decay"):
            if not math.isfinite(getattr(self, name)):
                raise MappingError(f"{name}: needed a finite number, got {getattr(self, name)}. Choose one.")
        if not self.weight_decay >= 0:
            raise MappingError(f"weight_decay: needed a number from 0 on, got {self.weight_decay}. Use 0.01.")


RECIPES: dict[str, Recipe] = {
    "authors-code": Recipe(
        optimizer="adam", batch=128, epochs=50, patience=0, shuffle=False, initialization="truncated-normal", bias=0.1,
        scaling="none",
    ),
    "paper": Recipe(),
}  # fmt: skip
"""Recipes by name."""


def recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        MappingError: an unknown name.

    Example:
        >>> recipe("authors-code").batch
        128
    """
    if name not in RECIPES:
        raise MappingError(f"recipe: needed one of {', '.join(RECIPES)}, got {name!r}. Choose one.")
    return RECIPES[name]
