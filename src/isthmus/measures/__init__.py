"""How two spaces agree on neighborhoods, and what a mapping does to them."""

from isthmus.measures._approximation import ApproximateOverlap, approximate_overlap
from isthmus.measures._bridge import Bridge, Counts, Quantity, Spaces, bridge
from isthmus.measures._limits import Bound, Kept, Limited, keeps
from isthmus.measures._lists import as_list, depth_for, enough_for_halves, positions
from isthmus.measures._overlap import OverlapResult, chance, mnno, nno, overlap, overlaps, relabeled
from isthmus.measures._retrieval import Retrieval, foscttm, retrieval
from isthmus.measures._sampling import draw, searched
from isthmus.measures._verdict import Verdict, verdict

__all__ = [
    "ApproximateOverlap",
    "Bound",
    "Bridge",
    "Counts",
    "Kept",
    "Limited",
    "OverlapResult",
    "Quantity",
    "Retrieval",
    "Spaces",
    "Verdict",
    "approximate_overlap",
    "as_list",
    "bridge",
    "chance",
    "depth_for",
    "draw",
    "enough_for_halves",
    "foscttm",
    "keeps",
    "mnno",
    "nno",
    "overlap",
    "overlaps",
    "positions",
    "relabeled",
    "retrieval",
    "searched",
    "verdict",
]
