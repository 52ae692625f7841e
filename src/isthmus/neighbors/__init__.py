"""Who is near whom: exact nearest neighbors of every item within its own set."""

from isthmus.neighbors._blocked import BlockedEngine
from isthmus.neighbors._native import NativeEngine
from isthmus.neighbors._neighbors import Metric, NeighborEngine, Neighbors, check_k, check_metric
from isthmus.neighbors._search import default_engine, describe_engine, search

__all__ = [
    "BlockedEngine",
    "Metric",
    "NativeEngine",
    "NeighborEngine",
    "Neighbors",
    "check_k",
    "check_metric",
    "default_engine",
    "describe_engine",
    "search",
]
