"""The public door to neighbor search: checks what came, chooses an engine, and hands over."""

import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from isthmus._shapes import Progress
from isthmus.neighbors._blocked import BlockedEngine
from isthmus.neighbors._native import NativeEngine, available, instruction_set
from isthmus.neighbors._neighbors import Metric, NeighborEngine, Neighbors, check_k, check_metric, check_range
from isthmus.pairs import check_vectors


@lru_cache(maxsize=1)
def default_engine() -> NeighborEngine:
    """The compiled engine, or the numpy engine with one warning where the compiled one was not built."""
    if available():
        return NativeEngine()
    warnings.warn(
        "isthmus was installed without its compiled neighbor engine: the numpy engine serves, exact but slower. "
        "Install a C++ compiler and reinstall isthmus to get it.",
        RuntimeWarning,
        stacklevel=3,
    )
    return BlockedEngine()


def describe_engine() -> str:
    """What searches by default, with its instruction set: "native (avx512)", "native (avx2)", "numpy", ...

    Example:
        >>> describe_engine().split()[0] in ("native", "numpy")
        True
    """
    return f"native ({instruction_set()})" if available() else "numpy"


def search(
    vectors: Any,
    k: int,
    metric: Metric = "cosine",
    *,
    include_self: bool = False,
    engine: NeighborEngine | None = None,
    progress: Progress | None = None,
    name: str = "vectors",
) -> Neighbors:
    """The exact k nearest neighbors of every item within its own set.

    Squared distances are compared in float64 and equal ones stand in order of the row number, so the table is the same for
    every engine, thread count and block size. Under cosine a zero row has cosine 0 with everything.

    Args:
        vectors: one row an item, n x d, finite.
        k: neighbors per item, 1..n-1 (1..n with `include_self`).
        metric: "cosine" or "euclidean".
        include_self: count each item as its own first neighbor, at distance 0, as the published code of the paper does;
            k - 1 others follow.
        engine: what searches; the compiled engine, or where it was not built the numpy engine, if left out.
        progress: called with what is being done, the rows done and the rows in all.
        name: what errors call the vectors.

    Raises:
        DataError: vectors that are not a finite two-dimensional array of numbers.
        NeighborError: an unknown metric, or k outside its range.

    Example:
        >>> search([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]], k=1).index.ravel()
        array([1, 0, 1])
    """
    array = check_vectors(vectors, name)
    check_metric(metric)
    check_k(k, len(array), include_self=include_self, name=name)
    if metric == "euclidean" and array.dtype == np.float64:
        check_range(array, name)
    engine = engine or default_engine()
    others = k - include_self
    if not others:
        index, distance = np.empty((len(array), 0), dtype=np.int64), np.empty((len(array), 0))
    else:
        table = engine.search(array, others, metric=metric, progress=progress)
        index, distance = table.index, table.distance
    if include_self:
        index = np.concatenate([np.arange(len(array))[:, None], index], axis=1)
        distance = np.concatenate([np.zeros((len(array), 1)), distance], axis=1)
    return Neighbors(index, distance, metric, include_self)
