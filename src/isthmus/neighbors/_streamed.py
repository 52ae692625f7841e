"""Search in a set that stays in its files, one pass for all queries, within a memory budget.

Each block of rows is searched as a database of its own, and what it gives is merged into what was found before, by (squared
distance, row number). These are the same float64 numbers that a search of the whole set compares, so the table is the
same, bit for bit, whatever the blocks. What a query has found so far bounds what the next block need look at.
"""

import contextlib
import ctypes
import os
import sys
from pathlib import Path

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Float, Int, Progress
from isthmus.neighbors._neighbors import Metric, NeighborEngine, check_scale
from isthmus.pairs import VectorStream

Found = tuple[Int[ndarray, "m k"], Float[ndarray, "m k"]]
"""Row numbers and squared distances, nearest first; -1 and infinity where there were fewer."""

_SLACK = 32 << 20  # bytes for what is not counted: the interpreter's own work, tiles, pieces of files
_FEWEST_ROWS = 256  # a block smaller than that spends its time on bookkeeping
_MOST_PASSES = 100  # over the files, before a budget counts as too small


def merge(a: Found, b: Found) -> Found:
    """The k nearest of two results over different items, by (squared distance, row number).

    Example:
        >>> one = np.array([[4, 0]]), np.array([[1.0, 3.0]])
        >>> two = np.array([[2, -1]]), np.array([[1.0, np.inf]])
        >>> merge(one, two)[0]
        array([[2, 4]])
    """
    index, squared = (np.concatenate(both, axis=1) for both in zip(a, b, strict=True))
    nearest = np.lexsort((index, squared), axis=-1)[:, : a[0].shape[1]]
    return np.take_along_axis(index, nearest, axis=1), np.take_along_axis(squared, nearest, axis=1)


def search_stream(
    stream: VectorStream,
    queries: Float[ndarray, "m d"],
    own: Int[ndarray, " m"],
    k: int,
    metric: Metric,
    *,
    engine: NeighborEngine,
    rows: int,
    progress: Progress | None = None,
) -> Found:
    """The k nearest items of every query in a set that stays in its files.

    Args:
        stream: the set.
        queries: what neighbors are sought of.
        own: for each query the row of the set that it is itself, or -1.
        k: neighbors of a query.
        metric: "cosine" or "euclidean".
        engine: what searches a block.
        rows: how many of the set are searched at a time, of `block_rows`.
        progress: called with what is being done, the rows read and the rows in all.

    Raises:
        DataError: a file that cannot be read, or that holds NaN or infinity.
        NeighborError: numbers too large or too small to be squared.
    """
    check_scale(queries, metric, stream.name)
    found: Found = np.full((len(queries), k), -1), np.full((len(queries), k), np.inf)
    done = 0
    for start, block in stream.blocks(rows):
        found = merge(found, search_block(block, start, queries, own, found[1][:, -1], metric, engine, stream.name, k))
        done += len(block)
        del block  # or it would still be held while the next is read
        if progress is not None:
            progress(f"neighbors in {stream.name}", done, len(stream))
    return found


def search_block(
    block: Float[ndarray, "n d"],
    start: int,
    queries: Float[ndarray, "m d"],
    own: Int[ndarray, " m"],
    within: Float[ndarray, " m"],
    metric: Metric,
    engine: NeighborEngine,
    name: str,
    k: int,
) -> Found:
    """What one block, whose first row is row `start` of the set, gives for every query."""
    check_scale(block, metric, name)
    kind = np.promote_types(block.dtype, queries.dtype)
    itself = np.where((own >= start) & (own < start + len(block)), own - start, -1)
    index, squared = engine.search_among(
        block.astype(kind, copy=False), queries.astype(kind, copy=False), k, own=itself, within=within, metric=metric
    )
    return np.where(index >= 0, index + start, -1), squared


def block_rows(free: int, stream: VectorStream, queries: int, k: int) -> int:
    """How many rows fit into the free bytes at a time, beside the queries and their lists.

    Raises:
        NeighborError: not even a small block fits.
    """
    row = row_bytes(stream)
    left = free - _SLACK - stream.held - queries * query_bytes(stream.width, k)
    if left < _FEWEST_ROWS * row:
        raise _too_little(_FEWEST_ROWS * row - left, queries, stream)
    return left // row


def row_bytes(stream: VectorStream) -> int:
    """Bytes that a row of a block costs while the block is searched.

    Its numbers as read, once more as float32 or float64, its packed copy (four bytes a number at most) and 64 bytes; where
    row groups are decoded, also as they are stored and as they are decoded.
    """
    return (36 if stream.held else 20) * stream.width + 64


def _too_little(short: int, queries: int, stream: VectorStream) -> NeighborError:
    needed = f"memory: needed {short / 1e6:.0f} MB more for {queries} of the queries in {stream.name}"
    if stream.held > short:
        return NeighborError(
            f"{needed} and {stream.held / 1e6:.0f} MB for its largest row group, got too little. Allow more, or write it "
            "with smaller row groups (row_group_size=10_000)."
        )
    return NeighborError(f"{needed}, got too little. Allow more, or sample fewer items.")


def lot_of_queries(free: int, stream: VectorStream, queries: int, k: int) -> int:
    """How many queries are searched in one pass: what two fifths of the free bytes hold, beside the results of all.

    Raises:
        NeighborError: not even the results of all fit, with a small block and a hundredth of the queries.
    """
    left = free - _SLACK - stream.held - 16 * k * queries - _FEWEST_ROWS * row_bytes(stream)
    needed = max(1, queries // _MOST_PASSES) * query_bytes(stream.width, k)
    if 0.4 * left < needed:
        raise _too_little(int(needed / 0.4) - left, queries, stream)
    return min(queries, int(0.4 * left) // query_bytes(stream.width, k))


def query_bytes(width: int, k: int) -> int:
    """Bytes that a query costs while it is searched: as a row, and about 200 for each neighbor while results are merged."""
    return 20 * width + 64 + 200 * k


def free_bytes(memory: int | None, engine: NeighborEngine) -> int:
    """What is left of the budget of the whole process beside the engine's own; 1 GiB where there is no budget.

    To be asked before anything is read: what an allocator keeps of it for the next reading would count as used.
    """
    return ((memory - resident_bytes()) if memory is not None else 1 << 30) - getattr(engine, "memory", 0)


def resident_bytes() -> int:
    """Bytes of memory that this process holds now, less what its allocator can give back."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)  # of glibc: freed blocks would count as used for ever
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "win32":
        return 0  # not told by the standard library
    import resource  # noqa: PLC0415 - not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
