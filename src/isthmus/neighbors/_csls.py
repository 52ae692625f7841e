"""CSLS neighbors: cosine, corrected for how crowded each item's surroundings are, so that hubs lose their advantage.

CSLS(i, j) = 2 cos(i, j) - r(i) - r(j), where r is the mean cosine of an item with its ten nearest (Conneau et al. 2018,
"Word translation without parallel data", eq. 1). Its negative, less a constant, is |u_i - u_j|^2 - m_j - m_i for unit rows
u and the mean distances m = 1 - r, which is a squared Euclidean distance once each item has a further coordinate
sqrt(max(m) - m_j): so the exact engine serves, nominates a few more than k, and these are ordered by the plain formula in
float64.
"""

import numpy as np
from numpy import ndarray

from isthmus._shapes import Bool, Float, Int, Progress
from isthmus.neighbors._neighbors import NeighborEngine

CROWD = 10  # nearest items whose mean distance says how crowded it is, as in the source
_SPARE = 8
_NUMBERS_AT_ONCE = 1 << 22


def csls_neighbors(
    vectors: Float[ndarray, "n d"],
    k: int,
    rows: Int[ndarray, " m"],
    engine: NeighborEngine,
    progress: Progress | None = None,
) -> tuple[Int[ndarray, "m k"], Float[ndarray, "m k"]]:
    """The k nearest of some rows among the others, with 2 (1 - cos) - m_i - m_j, smallest first, ties by row number."""
    near = engine.search(vectors, min(CROWD, len(vectors) - 1), metric="cosine", progress=progress)
    crowd = near.distance.mean(axis=1)
    return _nearest(vectors, vectors[rows], rows, crowd, crowd[rows], k, engine, progress)


def csls_neighbors_among(
    items: Float[ndarray, "n d"],
    queries: Float[ndarray, "m d"],
    k: int,
    engine: NeighborEngine,
    progress: Progress | None = None,
) -> tuple[Int[ndarray, "m k"], Float[ndarray, "m k"]]:
    """The k items nearest to each query: an item is crowded by queries, a query by items, as in the source."""

    def crowd(among: Float[ndarray, "a d"], of: Float[ndarray, "b d"]) -> Float[ndarray, " b"]:
        nobody, everything = np.full(len(of), -1), np.full(len(of), np.inf)
        squared = engine.search_among(among, of, min(CROWD, len(among)), own=nobody, within=everything, metric="cosine")[1]
        return (squared / 2).mean(axis=1)

    own = np.full(len(queries), -1)
    return _nearest(items, queries, own, crowd(queries, items), crowd(items, queries), k, engine, progress)


def _nearest(
    items: Float[ndarray, "n d"],
    queries: Float[ndarray, "m d"],
    own: Int[ndarray, " m"],
    crowd: Float[ndarray, " n"],
    crowd_of_queries: Float[ndarray, " m"],
    k: int,
    engine: NeighborEngine,
    progress: Progress | None,
) -> tuple[Int[ndarray, "m k"], Float[ndarray, "m k"]]:
    there, lost = _unit(items)
    here, astray = _unit(queries)
    most = float(crowd.max())
    # Rows without a direction have cosine 0 with everything, each other too: a coordinate on either side sets them apart.
    nothing = np.zeros(len(here))
    raised = np.column_stack([there, np.sqrt(most - crowd), np.zeros(len(there)), lost])
    flat = np.column_stack([here, nothing, astray, nothing])
    slack = 64 * (items.shape[1] + 16) * np.finfo(np.float64).eps  # of sums of d squares that are 8 at most
    index, value = np.empty((len(here), k), dtype=np.int64), np.empty((len(here), k))
    left, width = np.arange(len(here)), k + _SPARE
    while len(left):
        others = len(items) - int((own >= 0).any())
        width = min(width, others)
        everything = np.full(len(left), np.inf)
        found, squared = engine.search_among(
            raised, flat[left], width, own=own[left], within=everything, metric="euclidean", progress=progress
        )
        plain = _squared(there, lost, here[left], astray[left], found) - crowd[found]
        order = np.lexsort((found, plain), axis=-1)[:, :k]
        found, plain = np.take_along_axis(found, order, axis=1), np.take_along_axis(plain, order, axis=1)
        sure = plain[:, -1] + most + slack < squared[:, -1] if width < others else np.ones(len(left), dtype=bool)
        index[left[sure]], value[left[sure]] = found[sure], plain[sure]
        left, width = left[~sure], 4 * width  # so many near ties that the spare ones may hold one of the k
    return index, value - crowd_of_queries[:, None]


def _unit(vectors: Float[ndarray, "n d"]) -> tuple[Float[ndarray, "n d"], Bool[ndarray, " n"]]:
    """Rows at unit length as the engine has them, and which have none."""
    exponent = np.frexp(np.abs(vectors).max(axis=1).astype(np.float64))[1][:, None]
    rows = np.ldexp(vectors.astype(np.float64), -exponent)
    length = np.sqrt(np.sum(rows**2, axis=1))
    return rows * (1 / np.where(length == 0, 1, length))[:, None], length == 0


def _squared(
    there: Float[ndarray, "n d"],
    lost: Bool[ndarray, " n"],
    here: Float[ndarray, "m d"],
    astray: Bool[ndarray, " m"],
    found: Int[ndarray, "m c"],
) -> Float[ndarray, "m c"]:
    """|u_i - u_j|^2 in float64, one sum a pair; 2 where one of the two has no direction."""
    squared = np.empty(found.shape)
    step = max(1, _NUMBERS_AT_ONCE // (found.shape[1] * there.shape[1]))
    for start in range(0, len(found), step):
        part = slice(start, start + step)
        squared[part] = ((here[part, None] - there[found[part]]) ** 2).sum(axis=2)
    squared[astray[:, None] | lost[found]] = 2.0
    return squared
