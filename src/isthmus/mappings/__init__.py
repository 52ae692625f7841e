"""Mappings f: X -> Y under one contract, and the controls that they are reported beside."""

from isthmus.mappings._contract import Mapping
from isthmus.mappings._names import MAPPINGS, mapping
from isthmus.mappings._network import MLP, Linear
from isthmus.mappings._ridge import PENALTIES, Ridge, leave_one_out_errors
from isthmus.mappings._store import load, save
from isthmus.mappings._untrained import Identity, Untrained

__all__ = [
    "MAPPINGS",
    "MLP",
    "PENALTIES",
    "Identity",
    "Linear",
    "Mapping",
    "Ridge",
    "Untrained",
    "leave_one_out_errors",
    "load",
    "mapping",
    "save",
]
