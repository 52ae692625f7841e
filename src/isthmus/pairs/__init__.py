"""Two spaces, one item per row: reading, joining, splitting and scaling."""

from isthmus.pairs._files import read, read_array, read_rows, spaces_in
from isthmus.pairs._labels import as_classes, labels_have_ids, read_labels
from isthmus.pairs._pairs import Alignment, Pairs, align
from isthmus.pairs._scaling import Scaling, ScalingKind
from isthmus.pairs._splits import Split, check_seed, equal_items, hold_out, k_fold, read_split
from isthmus.pairs._streams import STREAMED, Part, VectorStream, open_stream, read_blocks
from isthmus.pairs._synthetic import (
    SYNTHETIC,
    MappedPairs,
    duplicated,
    echo_to_bridge,
    hub_heavy,
    independent,
    low_signal,
    rotated_copies,
    shared_latent,
)
from isthmus.pairs._vectors import Vectors, check_ids, check_vectors
from isthmus.pairs._write import whole, write

__all__ = [
    "STREAMED",
    "SYNTHETIC",
    "Alignment",
    "MappedPairs",
    "Pairs",
    "Part",
    "Scaling",
    "ScalingKind",
    "Split",
    "VectorStream",
    "Vectors",
    "align",
    "as_classes",
    "check_ids",
    "check_seed",
    "check_vectors",
    "duplicated",
    "echo_to_bridge",
    "equal_items",
    "hold_out",
    "hub_heavy",
    "independent",
    "k_fold",
    "labels_have_ids",
    "low_signal",
    "open_stream",
    "read",
    "read_array",
    "read_blocks",
    "read_labels",
    "read_rows",
    "read_split",
    "rotated_copies",
    "shared_latent",
    "spaces_in",
    "whole",
    "write",
]
