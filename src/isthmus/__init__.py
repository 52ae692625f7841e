"""Does f(X) carry the neighborhood structure of the target Y, or does it only echo the input X?

The public names are loaded on first use (PEP 562): `import isthmus` costs a few milliseconds and pulls in none of jax,
scikit-learn, scipy.stats, altair or polars.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_DOORS = {
    "Bridge": "measures",
    "Identity": "mappings",
    "IsthmusError": "_errors",
    "Linear": "mappings",
    "MLP": "mappings",
    "OverlapResult": "measures",
    "Pairs": "pairs",
    "Ridge": "mappings",
    "Untrained": "mappings",
    "audit": "experiments",
    "bridge": "measures",
    "load": "datasets",
    "mnno": "measures",
    "nno": "measures",
    "overlap": "measures",
    "progress": "_progress",
    "read": "pairs",
    "retrieval": "measures",
    "search": "neighbors",
}

_FOLDERS = {
    "concepts", "datasets", "experiments", "features", "mappings", "measures", "neighbors", "pairs", "report", "statistics",
    "training", "words",
}  # fmt: skip

if TYPE_CHECKING:
    from isthmus._errors import IsthmusError
    from isthmus._progress import progress
    from isthmus.datasets import load
    from isthmus.experiments import audit
    from isthmus.mappings import MLP, Identity, Linear, Ridge, Untrained
    from isthmus.measures import Bridge, OverlapResult, bridge, mnno, nno, overlap, retrieval
    from isthmus.neighbors import search
    from isthmus.pairs import Pairs, read

__all__ = [
    "MLP",
    "Bridge",
    "Identity",
    "IsthmusError",
    "Linear",
    "OverlapResult",
    "Pairs",
    "Ridge",
    "Untrained",
    "audit",
    "bridge",
    "load",
    "mnno",
    "nno",
    "overlap",
    "progress",
    "read",
    "retrieval",
    "search",
]


def __getattr__(name: str) -> Any:
    if name in _DOORS:
        return getattr(import_module(f"isthmus.{_DOORS[name]}"), name)
    if name in _FOLDERS:
        return import_module(f"isthmus.{name}")
    raise AttributeError(f"module 'isthmus' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
