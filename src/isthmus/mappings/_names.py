"""Mappings by the names that the command line and the tables use."""

import re
from collections.abc import Sequence

from isthmus._errors import MappingError
from isthmus.mappings._contract import Mapping
from isthmus.mappings._network import MLP, Linear
from isthmus.mappings._ridge import Ridge
from isthmus.training import Activation, Grid, Loss, Recipe
from isthmus.training import recipe as recipe_of

MAPPINGS = ("ridge", "lin", "nn")


def mapping(
    name: str,
    *,
    loss: str | Loss = "mse",
    recipe: str | Recipe = "paper",
    activation: Activation = "relu",
    seed: int = 0,
    grid: Grid | None = None,
    folds: int = 5,
    processes: int = 1,
    checkpoints: Sequence[int] = (),
) -> Mapping:
    """A mapping to fit: `ridge`, `lin`, `nn` (one hidden layer) or `nn-N` (N hidden layers).

    Args:
        name: of the mapping.
        loss: what `lin` and `nn` minimize.
        recipe: how `lin` and `nn` are learned, a name or a Recipe of your own.
        activation: of the hidden layers.
        seed: of their randomness.
        grid: settings that `lin` and `nn` choose by cross-validation; `ridge` chooses its penalty without.
        folds: of that cross-validation.
        processes: among which its models are divided.
        checkpoints: epochs of training after which `lin` and `nn` keep the network.

    Raises:
        MappingError: an unknown name.

    Example:
        >>> mapping("nn-3").hidden
        (512, 512, 512)
    """
    if name == "ridge":
        return Ridge()
    if name == "lin":
        return Linear(loss, recipe, seed, grid, folds, processes, checkpoints)
    deep = re.fullmatch(r"nn(?:-([1-9]\d?))?", name)
    if deep:
        settings = recipe_of(recipe) if isinstance(recipe, str) else recipe
        hidden = (settings.hidden,) * int(deep[1] or 1)
        return MLP(hidden, activation, loss, recipe, seed, grid, folds, processes, checkpoints)
    raise MappingError(f"mapping: needed one of {', '.join(MAPPINGS)} or nn-N (N hidden layers), got {name!r}. Choose one.")
