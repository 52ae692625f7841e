"""Mappings by the names that the command line and the tables use."""

import re

from isthmus._errors import MappingError
from isthmus.mappings._contract import Mapping
from isthmus.mappings._network import MLP, Linear
from isthmus.mappings._ridge import Ridge
from isthmus.training import Grid, Loss, Recipe
from isthmus.training import recipe as recipe_of

MAPPINGS = ("ridge", "lin", "nn")


def mapping(
    name: str,
    *,
    loss: str | Loss = "mse",
    recipe: str | Recipe = "paper",
    seed: int = 0,
    grid: Grid | None = None,
    folds: int = 5,
    processes: int = 1,
) -> Mapping:
    """A mapping to fit: `ridge`, `lin`, `nn` (one hidden layer) or `nn-N` (N hidden layers).

    Args:
        name: of the mapping.
        loss: what `lin` and `nn` minimize.
        recipe: how `lin` and `nn` are learned, by name or whole.
        seed: of their randomness.
        grid: settings that `lin` and `nn` choose by cross-validation; `ridge` chooses its penalty without.
        folds: of that cross-validation.
        processes: among which its models are divided.

    Raises:
        MappingError: an unknown name.

    Example:
        >>> mapping("nn-3").hidden
        (512, 512, 512)
    """
    if name == "ridge":
        return Ridge()
    if name == "lin":
        return Linear(loss, recipe, seed, grid, folds, processes)
    deep = re.fullmatch(r"nn(?:-([1-9]\d?))?", name)
    if deep:
        hidden = ((recipe_of(recipe) if isinstance(recipe, str) else recipe).hidden,) * int(deep[1] or 1)
        return MLP(hidden, "relu", loss, recipe, seed, grid, folds, processes)
    raise MappingError(f"mapping: needed one of {', '.join(MAPPINGS)} or nn-N (N hidden layers), got {name!r}. Choose one.")
