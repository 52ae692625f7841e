"""How a network is learned, as data: every setting that the result depends on, under a name.

`paper` follows the text of Collell & Moens (2018), section 3 and supplement A, in its loss, optimizer, batch and shuffling;
`authors-code` follows the program they published, which differs. The text chooses learning rate, hidden units, dropout and
epochs by cross-validation and says nothing of initialization and scaling. Here `paper` fixes the learning rate (1e-3), the
hidden units (512) and no dropout; takes Glorot's uniform initialization, the default of the library its authors used; shifts
and scales each space by one number, so that one learning rate fits any units; and stops when the loss on a held-out fifth
of the training items has not fallen for ten epochs, then learns anew from all of them for the best number of epochs.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from isthmus._errors import MappingError
from isthmus.pairs import ScalingKind

Initialization = Literal["glorot-uniform", "truncated-normal"]
Optimizer = Literal["rmsprop", "adam"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of gradient descent.

    Args:
        optimizer: RMSprop with rho 0.9 and epsilon 1e-8, or Adam with its usual settings.
        learning_rate: step size.
        batch: items a step.
        epochs: passes over the training items, at most.
        patience: epochs without a lower loss on the held-out part after which to stop; 0 takes all epochs.
        held_out: share of the training items that chooses the number of epochs, where there is patience.
        shuffle: whether each pass takes the items in a new random order.
        initialization: of the weights; truncated-normal has standard deviation sqrt(2 / (inputs + outputs)).
        bias: first value of every bias.
        scaling: of the inputs and of the targets; predictions come back in the target's own units.
        hidden: units of each hidden layer.

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

    def __post_init__(self) -> None:
        for name, known in (("optimizer", get_args(Optimizer)), ("initialization", get_args(Initialization))):
            if getattr(self, name) not in known:
                raise MappingError(f"{name}: needed {' or '.join(known)}, got {getattr(self, name)!r}. Choose one of them.")
        for name in ("batch", "epochs", "hidden"):
            if getattr(self, name) < 1:
                raise MappingError(f"{name}: needed at least 1, got {getattr(self, name)}. Choose a positive number.")
        if not 0 <= self.held_out < 1:
            raise MappingError(f"held_out: needed a share in [0, 1), got {self.held_out}. Use 0.2.")


RECIPES: dict[str, Recipe] = {
    "authors-code": Recipe(
        optimizer="adam", batch=128, epochs=50, patience=0, shuffle=False, initialization="truncated-normal", bias=0.1,
        scaling="none",
    ),
    "paper": Recipe(),
}  # fmt: skip


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
