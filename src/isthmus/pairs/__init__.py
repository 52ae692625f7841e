"""Two spaces, one item per row: reading, joining, splitting and scaling."""

from isthmus.pairs._files import read
from isthmus.pairs._pairs import Alignment, Pairs, align
from isthmus.pairs._scaling import Scaling, ScalingKind
from isthmus.pairs._splits import Split, check_seed, hold_out, k_fold, read_split
from isthmus.pairs._vectors import Vectors, check_ids, check_vectors

__all__ = [
    "Alignment",
    "Pairs",
    "Scaling",
    "ScalingKind",
    "Split",
    "Vectors",
    "align",
    "check_ids",
    "check_seed",
    "check_vectors",
    "hold_out",
    "k_fold",
    "read",
    "read_split",
]
