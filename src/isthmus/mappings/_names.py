"""Mappings by the names that the command line and the tables use."""

import re
from collections.abc import Callable, Sequence

from isthmus._errors import MappingError
from isthmus.mappings._anchor_attention import AnchorAttention
from isthmus.mappings._batchwise import RCSLS, Contrastive, Relational
from isthmus.mappings._cca import CCA
from isthmus.mappings._contract import Mapping
from isthmus.mappings._kernel_ridge import KernelRidge
from isthmus.mappings._nearest import NearestNeighbors
from isthmus.mappings._network import MLP, Linear
from isthmus.mappings._procrustes import Procrustes
from isthmus.mappings._reduced_rank import ReducedRankRidge
from isthmus.mappings._reverse_ridge import ReverseRidge
from isthmus.mappings._ridge import Ridge
from isthmus.mappings._snap import Snap
from isthmus.training import Activation, Grid, Loss, Recipe
from isthmus.training import recipe as recipe_of

_CLOSED: dict[str, Callable[[], Mapping]] = {
    "ridge": Ridge,
    "reduced-rank": ReducedRankRidge,
    "reverse-ridge": ReverseRidge,
    "procrustes": Procrustes,
    "cca": CCA,
    "kernel-ridge": KernelRidge,
    "nearest": NearestNeighbors,
    "anchors": AnchorAttention,
    "snap": Snap,
    "snap-index": lambda: Snap(criterion="index"),
}
_BATCHWISE: dict[str, type[Contrastive | Relational | RCSLS]] = {
    "contrastive": Contrastive,
    "relational": Relational,
    "rcsls": RCSLS,
}
MAPPINGS = ("ridge", "lin", "nn")
"""What is learned by default."""
FAMILY = ("lin", "nn", *_CLOSED, *_BATCHWISE)
"""What `all` stands for."""


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
    """A mapping to fit: one of `FAMILY`, or `nn-N` (N hidden layers; `nn` has one).

    Args:
        name: of the mapping.
        loss: what `lin` and `nn` minimize.
        recipe: how `lin` and `nn` are learned, a name or a Recipe of your own.
        activation: of the hidden layers.
        seed: of their randomness.
        grid: settings that `lin` and `nn` choose by cross-validation; the others choose theirs in their own way.
        folds: of that cross-validation.
        processes: among which its models are divided.
        checkpoints: epochs of training after which `lin` and `nn` keep the network.

    Raises:
        MappingError: an unknown name.

    Example:
        >>> mapping("nn-3").hidden
        (512, 512, 512)
    """
    if name in _CLOSED:
        return _CLOSED[name]()
    if name in _BATCHWISE:
        return _BATCHWISE[name](recipe=recipe, seed=seed)
    if name == "lin":
        return Linear(loss, recipe, seed, grid, folds, processes, checkpoints)
    deep = re.fullmatch(r"nn(?:-([1-9]\d?))?", name)
    if deep:
        settings = recipe_of(recipe) if isinstance(recipe, str) else recipe
        hidden = (settings.hidden,) * int(deep[1] or 1)
        return MLP(hidden, activation, loss, recipe, seed, grid, folds, processes, checkpoints)
    raise MappingError(f"mapping: needed one of {', '.join(FAMILY)} or nn-N (N hidden layers), got {name!r}. Choose one.")
