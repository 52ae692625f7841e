"""How two spaces agree on neighborhoods, and what a mapping does to them."""

from isthmus.measures._bridge import Bridge, Counts, Quantity, Spaces, bridge
from isthmus.measures._lists import depth_for, positions
from isthmus.measures._overlap import OverlapResult, chance, mnno, nno, overlap, relabelled
from isthmus.measures._verdict import Verdict, verdict

__all__ = [
    "Bridge",
    "Counts",
    "OverlapResult",
    "Quantity",
    "Spaces",
    "Verdict",
    "bridge",
    "chance",
    "depth_for",
    "mnno",
    "nno",
    "overlap",
    "positions",
    "relabelled",
    "verdict",
]
