"""Learned mappings in safetensors files: arrays and a few words of text, nothing that runs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as packed  # not save_file, whose files only their owner may read
from sklearn.utils.validation import check_is_fitted

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
from isthmus.mappings._selected import Selected
from isthmus.mappings._snap import Snap
from isthmus.mappings._untrained import Identity, Untrained
from isthmus.training import Grid, Recipe

_SETTINGS = {"recipe": Recipe, "grid": Grid}
KINDS: dict[str, type[Mapping]] = {
    kind.__name__: kind
    for kind in (
        AnchorAttention, CCA, Contrastive, Identity, KernelRidge, Linear, MLP, NearestNeighbors, Procrustes, RCSLS,
        ReducedRankRidge, Relational, ReverseRidge, Ridge, Snap, Untrained,
    )
}  # fmt: skip


def save(mapping: Mapping, path: str | Path) -> None:
    """Write a fitted mapping to a safetensors file, whole or not at all.

    Of a selection, the chosen mapping is saved. Of a loss of your own only its name is kept: what was saved maps, but
    cannot be fitted again.

    Raises:
        MappingError: a mapping of a class that isthmus does not know, or a place that cannot be written.

    Example:
        >>> import numpy as np, tempfile
        >>> x = np.random.default_rng(0).normal(size=(20, 3))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(Ridge().fit(x, x), Path(folder, "map.safetensors"))
        ...     load(Path(folder, "map.safetensors")).predict(x).shape
        (20, 3)
    """
    check_is_fitted(mapping, "n_features_in_")
    mapping = mapping.best_ if isinstance(mapping, Selected) else mapping
    kind = type(mapping).__name__
    if KINDS.get(kind) is not type(mapping):
        raise MappingError(f"mapping: needed one of {', '.join(KINDS)}, got {kind}. Save its parts yourself.")
    settings = {name: _plain(value) for name, value in mapping.get_params(deep=False).items()}
    state = {name: array.copy() for name, array in mapping._state().items()}
    part = Path(f"{path}.part")
    # settings given as arrays come back as lists; one text, since safetensors writes several in any order
    text = json.dumps({"class": kind, "settings": settings}, default=lambda array: array.tolist())
    try:
        part.write_bytes(packed(state, metadata={"isthmus": text}))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise MappingError(f"{path}: needed a file that can be written, got {error}. Choose another place.") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Recipe | Grid):
        return asdict(value)
    return value.__name__ if callable(value) else value


def load(path: str | Path) -> Mapping:
    """The mapping in a file that `save` wrote.

    Raises:
        MappingError: no such file, or one that holds no mapping of isthmus.
    """
    file = Path(path)
    if not file.is_file():
        raise MappingError(f"{file}: needed a saved mapping, found no file. Check the path.")
    try:
        with safe_open(file, framework="numpy") as tensors:
            metadata = tensors.metadata() or {}
            state = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118 - not a dict
        described: dict[str, Any] = json.loads(metadata["isthmus"])
        kind, settings = KINDS[described["class"]], described["settings"]
        for name, setting in _SETTINGS.items():
            if isinstance(settings.get(name), dict):
                stored = settings[name].items()  # JSON turned tuples into lists
                settings[name] = setting(**{key: tuple(each) if isinstance(each, list) else each for key, each in stored})
        mapping = kind(**settings)
        mapping._restore(state)
        mapping.predict(np.zeros((1, mapping.n_features_in_)))  # arrays that do not fit together are found out here
    except (SafetensorError, KeyError, IndexError, TypeError, ValueError) as error:
        raise MappingError(
            f"{file}: needed a mapping saved by isthmus, got something else ({type(error).__name__}). Save it again."
        ) from error
    return mapping
