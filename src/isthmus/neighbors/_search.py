"""The public door to neighbor search: checks what came, chooses an engine, and hands over."""

import warnings
from functools import lru_cache
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Float, Int, Progress
from isthmus.neighbors._blocked import BlockedEngine
from isthmus.neighbors._csls import csls_neighbors, csls_neighbors_among
from isthmus.neighbors._native import NativeEngine, available, instruction_set
from isthmus.neighbors._neighbors import (
    Metric,
    NeighborEngine,
    Neighbors,
    check_distance,
    check_k,
    check_metric,
    check_range,
    check_rows,
    check_scale,
)
from isthmus.neighbors._streamed import block_rows, free_bytes, lot_of_queries, search_stream
from isthmus.pairs import VectorStream, check_vectors


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

    Raises:
        NeighborError: a name in ISTHMUS_KERNEL that no instruction set has.

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
    rows: Int[ndarray, " m"] | None = None,
    include_self: bool = False,
    engine: NeighborEngine | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
    name: str = "vectors",
) -> Neighbors:
    """The exact k nearest neighbors of every item within its own set.

    Squared distances are compared in float64 and equal ones stand in order of the row number, so the table is the same for
    every engine, thread count and block size. Under cosine a zero row has cosine 0 with everything.

    Args:
        vectors: one row an item, n x d, finite; or a set that stays in its files (`isthmus.pairs.open_stream`).
        k: neighbors per item, 1..n-1 (1..n with `include_self`).
        metric: "cosine", "euclidean", or "csls": cosine less how crowded both items' surroundings are (Conneau et al. 2018),
            with the mean over the 10 nearest.
        rows: the items whose neighbors are wanted, by row number; all, if left out. They are sought among all items.
        include_self: count each item as its own first neighbor, at distance 0, as the published code of the paper does;
            k - 1 others follow.
        engine: what searches; the compiled engine, or where it was not built the numpy engine, if left out.
        memory: bytes that the whole process may hold while it reads a set from its files.
        progress: called with what is being done, the rows done and the rows in all.
        name: what errors call the vectors.

    Raises:
        DataError: vectors that are not a finite two-dimensional array of numbers.
        NeighborError: an unknown metric, k or a row outside its range, or a memory budget that is too small.

    Example:
        >>> search([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]], k=1).index.ravel()
        array([1, 0, 1])
    """
    array = vectors if isinstance(vectors, VectorStream) else check_vectors(vectors, name)
    n = len(array)
    check_metric(metric)
    k = check_k(k, n, include_self=include_self, name=array.name if isinstance(array, VectorStream) else name)
    wanted = np.arange(n) if rows is None else check_rows(rows, n)
    engine = engine or default_engine()
    others = k - include_self
    if isinstance(array, VectorStream):
        check_distance(metric, "sets in files")
    if not others:
        index, distance = np.empty((len(wanted), 0), dtype=np.int64), np.empty((len(wanted), 0))
    elif isinstance(array, VectorStream):
        index, distance = _in_passes(array, wanted, others, metric, engine, memory, progress)
    elif metric == "csls":
        index, distance = csls_neighbors(array, others, wanted, engine, progress)
    elif rows is None:
        if metric == "euclidean" and array.dtype == np.float64:
            check_range(array, name)
        table = engine.search(array, others, metric=metric, progress=progress)
        index, distance = table.index, table.distance
    else:
        check_scale(array, metric, name)
        everything = np.full(len(wanted), np.inf)
        index, squared = engine.search_among(
            array, array[wanted], others, own=wanted, within=everything, metric=metric, progress=progress
        )
        distance = in_metric(squared, metric)
    if include_self:
        index = np.concatenate([wanted[:, None], index], axis=1)
        distance = np.concatenate([np.zeros((len(wanted), 1)), distance], axis=1)
    return Neighbors(index, distance, metric, include_self, None if rows is None else wanted, n)


def _in_passes(
    stream: VectorStream,
    rows: Int[ndarray, " m"],
    k: int,
    metric: Metric,
    engine: NeighborEngine,
    memory: int | None,
    progress: Progress | None,
) -> tuple[Int[ndarray, "m k"], Float[ndarray, "m k"]]:
    """The files read once for all rows, or, where so many do not fit into memory, once for each lot of them that does."""
    free = free_bytes(memory, engine)
    lot = lot_of_queries(free, stream, len(rows), k)
    block = block_rows(free - 16 * k * len(rows), stream, lot, k)
    index, distance = np.empty((len(rows), k), dtype=np.int64), np.empty((len(rows), k))
    for start in range(0, len(rows), lot):
        own = rows[start : start + lot]
        index[start : start + lot], squared = search_stream(
            stream, stream.rows(own), own, k, metric, engine=engine, rows=block, progress=progress
        )
        distance[start : start + lot] = in_metric(squared, metric)
    return index, distance


def in_metric(squared: Float[ndarray, "m k"], metric: Metric) -> Float[ndarray, "m k"]:
    """1 - cos under cosine, the distance under euclidean."""
    return squared / 2 if metric == "cosine" else np.sqrt(squared)


def search_among(
    queries: Any,
    vectors: Any,
    k: int,
    metric: Metric = "cosine",
    *,
    engine: NeighborEngine | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
) -> Neighbors:
    """The exact k nearest items of every query, which is none of the items itself.

    Args:
        queries: m x d, finite.
        vectors: the items, n x d, finite, or a set that stays in its files.
        k: neighbors per query, 1..n.
        metric: "cosine" or "euclidean".
        engine: what searches.
        memory: bytes that the whole process may hold while it reads a set from its files.
        progress: called with what is being done, the rows done and the rows in all.

    Raises:
        DataError: vectors that are not a finite two-dimensional array of numbers.
        NeighborError: another width, an unknown metric, or k outside its range.

    Example:
        >>> search_among([[1.0, 0.1]], [[0.0, 1.0], [2.0, 0.0]], k=1).index
        array([[1]])
    """
    asked = check_vectors(queries, "queries")
    items = vectors if isinstance(vectors, VectorStream) else check_vectors(vectors, "vectors")
    check_metric(metric)
    k = check_k(k, len(items), include_self=True)
    width = items.width if isinstance(items, VectorStream) else items.shape[1]
    if asked.shape[1] != width:
        raise NeighborError(
            f"queries: needed {width} numbers a row, as the items have, got {asked.shape[1]}. Map them first."
        )
    engine = engine or default_engine()
    nobody, everything = np.full(len(asked), -1), np.full(len(asked), np.inf)
    if isinstance(items, VectorStream):
        check_distance(metric, "sets in files")
        block = block_rows(free_bytes(memory, engine), items, len(asked), k)
        index, squared = search_stream(items, asked, nobody, k, metric, engine=engine, rows=block, progress=progress)
    elif metric == "csls":
        index, distance = csls_neighbors_among(items, asked, k, engine, progress)
        return Neighbors(index, distance, metric, includes_self=False, among=len(items))
    else:
        check_scale(items, metric, "vectors")
        check_scale(asked, metric, "queries")
        kind = np.promote_types(items.dtype, asked.dtype)
        index, squared = engine.search_among(
            items.astype(kind, copy=False), asked.astype(kind, copy=False), k, own=nobody, within=everything, metric=metric,
            progress=progress,
        )  # fmt: skip
    return Neighbors(index, in_metric(squared, metric), metric, includes_self=False, among=len(items))
