"""Approximate neighbors, on request only, from the libraries that do it well (extra `ann`).

What they miss is not missed at random: the table is used in no measure without the recall and the bias that an exact search
of a sample of the items shows (`isthmus.measures.approximate_overlap`). They are built by many threads in an order that is
theirs: unlike everything else here, hnsw may give other tables from run to run.
"""

from typing import Literal, cast, get_args

import numpy as np
from numpy import ndarray

from isthmus._errors import MissingExtraError, NeighborError
from isthmus._shapes import Float, Int
from isthmus.neighbors._native import cores
from isthmus.neighbors._neighbors import Metric, check_distance

Approximation = Literal["hnsw", "ivf", "pynndescent"]
"""Methods of approximate search."""


def check_approximation(method: str) -> Approximation:
    """The method, if there is one of this name.

    Raises:
        NeighborError: an unknown name.

    Example:
        >>> check_approximation("hnsw")
        'hnsw'
    """
    if method not in get_args(Approximation):
        raise NeighborError(f"approximate: needed {', '.join(get_args(Approximation))}, got {method!r}. Choose one of them.")
    return cast("Approximation", method)


def search_approximately(
    vectors: Float[ndarray, "n d"], k: int, metric: Metric, method: Approximation, seed: int = 0
) -> Int[ndarray, "n k"]:
    """Row numbers of about the k nearest of every item, itself left out; -1 where fewer were found.

    hnsw: FAISS IndexHNSWFlat, 32 links, efSearch 4k at least 64. ivf: FAISS IndexIVFFlat, sqrt(n) cells of which a
    sixteenth, at least 8, are visited. pynndescent: with its defaults. cosine is searched as the distance of unit rows.

    Raises:
        MissingExtraError: without the library installed.
        NeighborError: csls.
    """
    check_distance(metric, "approximate search")
    aimless = np.zeros(len(vectors), dtype=bool)
    # In a power of two of their own, since squares must stay in float32.
    peak = np.maximum(vectors.max(axis=1), -vectors.min(axis=1)).astype(np.float64)
    exponent = np.frexp(peak if metric == "cosine" else np.full(len(peak), peak.max()))[1][:, None]
    rows = np.ldexp(vectors.astype(np.float64), -exponent)
    if metric == "cosine":
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.where(length == 0, 1, length)
        aimless = length[:, 0] == 0
        if aimless.any():  # one coordinate more puts rows without a direction at squared distance 2 from all with one
            rows = np.concatenate([rows, aimless[:, None]], axis=1)
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    try:
        found = _pynndescent(rows, k + 1, seed) if method == "pynndescent" else _faiss(rows, k + 1, method)
    except ImportError as error:
        raise MissingExtraError(
            f"approximate: needed {error.name} for {method}, found none. Run `pip install 'isthmus[ann]'`."
        ) from error
    if aimless.any():
        found[aimless] = np.arange(k + 1)  # cosine 0 with everything: the first rows, as the exact search has it
    return _others(found, k)


def _faiss(rows: Float[ndarray, "n d"], k: int, method: Approximation) -> Int[ndarray, "n k"]:
    import faiss  # noqa: PLC0415 - an optional extra

    faiss.omp_set_num_threads(cores())
    n, d = rows.shape
    if method == "hnsw":
        graph = faiss.IndexHNSWFlat(d, 32)
        graph.hnsw.efSearch = max(64, 4 * k)
        graph.add(rows)
        return graph.search(rows, k)[1]
    cells = max(1, round(n**0.5))
    inverted = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, cells)
    inverted.cp.min_points_per_centroid = 1  # no advice on standard error
    inverted.nprobe = max(8, cells // 16)
    inverted.train(rows)
    inverted.add(rows)
    return inverted.search(rows, k)[1]


def _pynndescent(rows: Float[ndarray, "n d"], k: int, seed: int) -> Int[ndarray, "n k"]:
    import pynndescent  # noqa: PLC0415 - an optional extra

    return pynndescent.NNDescent(rows, n_neighbors=k, random_state=seed, n_jobs=cores()).neighbor_graph[0]


def _others(found: Int[ndarray, "n p"], k: int) -> Int[ndarray, "n k"]:
    """The first k entries of each row that are not the item itself; it need not come first, or at all."""
    keep = (found != np.arange(len(found))[:, None]) & (found >= 0)
    order = np.argsort(~keep, axis=1, kind="stable")[:, :k]
    others = np.take_along_axis(found, order, axis=1)
    others[~np.take_along_axis(keep, order, axis=1)] = -1
    return others.astype(np.int64)
