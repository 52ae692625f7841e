"""Mappings f: X -> Y under one contract, and the controls that they are reported beside."""

from isthmus.mappings._anchor_attention import AnchorAttention
from isthmus.mappings._batchwise import RCSLS, Contrastive, Relational
from isthmus.mappings._cca import CCA
from isthmus.mappings._contract import Mapping
from isthmus.mappings._criterion import Criterion, Quantity
from isthmus.mappings._kernel_ridge import KernelRidge
from isthmus.mappings._names import FAMILY, MAPPINGS, mapping, register, takes
from isthmus.mappings._nearest import NearestNeighbors
from isthmus.mappings._network import MLP, Linear
from isthmus.mappings._procrustes import Procrustes
from isthmus.mappings._pull import snap
from isthmus.mappings._reduced_rank import ReducedRankRidge
from isthmus.mappings._reverse_ridge import ReverseRidge
from isthmus.mappings._ridge import PENALTIES, Ridge, leave_one_out_errors
from isthmus.mappings._selected import SETTINGS, SelectBy, Selected, check_select
from isthmus.mappings._snap import Snap
from isthmus.mappings._store import load, save
from isthmus.mappings._untrained import Identity, Untrained

__all__ = [
    "CCA",
    "FAMILY",
    "MAPPINGS",
    "MLP",
    "PENALTIES",
    "RCSLS",
    "SETTINGS",
    "AnchorAttention",
    "Contrastive",
    "Criterion",
    "Identity",
    "KernelRidge",
    "Linear",
    "Mapping",
    "NearestNeighbors",
    "Procrustes",
    "Quantity",
    "ReducedRankRidge",
    "Relational",
    "ReverseRidge",
    "Ridge",
    "SelectBy",
    "Selected",
    "Snap",
    "Untrained",
    "check_select",
    "leave_one_out_errors",
    "load",
    "mapping",
    "register",
    "save",
    "snap",
    "takes",
]
