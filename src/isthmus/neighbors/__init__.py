"""Who is near whom: exact nearest neighbors of items within their own set, or of queries among items."""

from isthmus.neighbors._approximate import Approximation, check_approximation, search_approximately
from isthmus.neighbors._blocked import BlockedEngine
from isthmus.neighbors._cluster import Cluster
from isthmus.neighbors._hubs import Hubness, hubness, k_occurrence
from isthmus.neighbors._native import NativeEngine, cores
from isthmus.neighbors._neighbors import Metric, NeighborEngine, Neighbors, check_distance, check_k, check_metric
from isthmus.neighbors._relabel import shared_entries
from isthmus.neighbors._search import default_engine, describe_engine, search, search_among

__all__ = [
    "Approximation",
    "BlockedEngine",
    "Cluster",
    "Hubness",
    "Metric",
    "NativeEngine",
    "NeighborEngine",
    "Neighbors",
    "check_approximation",
    "check_distance",
    "check_k",
    "check_metric",
    "cores",
    "default_engine",
    "describe_engine",
    "hubness",
    "k_occurrence",
    "search",
    "search_among",
    "search_approximately",
    "shared_entries",
]
