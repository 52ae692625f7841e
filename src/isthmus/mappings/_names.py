"""Mappings by the names that the command line and the tables use."""

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

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
from isthmus.mappings._store import KINDS
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
    "snap-index": lambda: Snap(criterion="index", folds=5),  # hubs are told better by more items than in three folds
}
_BATCHWISE: dict[str, type[Contrastive | Relational | RCSLS]] = {
    "contrastive": Contrastive,
    "relational": Relational,
    "rcsls": RCSLS,
}
_NETWORK = r"lin|nn(-\d+)?"
MAPPINGS = ("ridge", "lin", "nn")
"""What is learned by default."""
FAMILY = ("lin", "nn", *_CLOSED, *_BATCHWISE)
"""What `all` stands for."""


def register(name: str, kind: type[Mapping]) -> type[Mapping]:
    """Add a mapping of your own to those that are known by name, in audits and specs, and to those that can be saved.

    Args:
        name: what it is called in tables and in `mapping`; `all` does not stand for it.
        kind: its class, which needs no arguments. Defined again under its name, as in a notebook, it takes the place of
            the former one.

    Raises:
        MappingError: the name, or that of the class, is another's.

    Example:
        >>> register("ridge", Ridge).__name__
        'Ridge'
    """
    others = [found for found in (_CLOSED.get(name), _BATCHWISE.get(name), KINDS.get(kind.__name__)) if found is not None]
    taken = any((each.__module__, each.__qualname__) != (kind.__module__, kind.__qualname__) for each in others)
    if taken or name == "all" or re.fullmatch(_NETWORK, name):
        raise MappingError(f"mapping: needed a new name, got {name!r} of {kind.__name__}, which is taken. Choose another.")
    _CLOSED[name] = KINDS[kind.__name__] = kind
    return kind


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
    """A mapping to fit: one of `FAMILY`, `nn-N` (N hidden layers; `nn` has one), or one of your own (`register`).

    Args:
        name: of the mapping.
        loss: what `lin` and `nn` minimize.
        recipe: how those that are learned by gradient descent are learned, a name or a Recipe of your own.
        activation: of their hidden layers.
        seed: of their randomness. The others, your own too, are made as their class makes them; see `takes`.
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
        layers: Any = {"activation": activation} if "activation" in takes(name) else {}
        return _BATCHWISE[name](recipe=recipe, seed=seed, **layers)
    if name == "lin":
        return Linear(loss, recipe, seed, grid, folds, processes, checkpoints)
    deep = re.fullmatch(r"nn(?:-([1-9]\d?))?", name)
    if deep:
        settings = recipe_of(recipe) if isinstance(recipe, str) else recipe
        hidden = (settings.hidden,) * int(deep[1] or 1)
        return MLP(hidden, activation, loss, recipe, seed, grid, folds, processes, checkpoints)
    known = ", ".join(("lin", "nn", *_CLOSED, *_BATCHWISE))
    raise MappingError(f"mapping: needed one of {known} or nn-N (N hidden layers), got {name!r}. Choose one.")


def takes(name: str) -> frozenset[str]:
    """The settings that mean something for a mapping of this name: those of its class, if it is learned by gradient descent.

    Closed forms and mappings of your own are made without settings, so that another loss, recipe or seed would change
    nothing; and a name that is not known takes none.

    Example:
        >>> "seed" in takes("procrustes"), "seed" in takes("nn-3"), "hidden" in takes("lin"), "loss" in takes("contrastive")
        (False, True, False, False)
    """
    descends = name in _BATCHWISE or re.fullmatch(_NETWORK, name)
    kind = _BATCHWISE.get(name) or (Linear if name == "lin" else MLP)
    return frozenset(inspect.signature(kind).parameters) if descends else frozenset()
