"""Where an item lies in a neighbor graph, as coordinates: what a mapping can learn instead of the targets' directions.

Items that share many neighbors get like coordinates; what tells them apart by less than that is left out.
"""

from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float, Int
from isthmus.mappings._kernel_ridge import ANCHORS


def graph_coordinates(index: Int[ndarray, "n k"], dimensions: int) -> tuple[Float[ndarray, "n d"], Float[ndarray, " d"]]:
    """Eigenvectors and eigenvalues, largest first, of the walk on a neighbor graph: where each item lies in it.

    The graph joins an item with itself by 1 and with a neighbor by 1/2, or 1 if each is the other's. S = D^(-1/2) A D^(-1/2)
    with the degrees D. The rows of V diag(values^(t/2)) have the inner products S^t, up to its first, trivial eigenvector:
    items are alike from which walks of t steps end at the same places (Coifman & Lafon 2006, "Diffusion maps").

    Args:
        index: neighbor lists without the items themselves.
        dimensions: coordinates, of which those with a positive value are returned, at most n - 2.

    Example:
        >>> ring = np.stack([np.arange(1, 9) % 8, np.arange(-1, 7) % 8], axis=1)  # each item between two neighbors
        >>> graph_coordinates(ring, 2)[1].round(3).tolist()
        [0.805, 0.805]
    """
    from scipy.linalg import eigh  # noqa: PLC0415
    from scipy.sparse import csr_array, eye_array  # noqa: PLC0415
    from scipy.sparse.linalg import LinearOperator, eigsh  # noqa: PLC0415

    n, k = index.shape
    lists = csr_array((np.full(n * k, 0.5), (np.repeat(np.arange(n), k), index.ravel())), shape=(n, n))
    graph = (lists + lists.T + eye_array(n)).tocsr()
    root = np.sqrt(graph.sum(axis=1))
    trivial = root / np.linalg.norm(root)
    dimensions = min(dimensions, n - 2)
    walk: Any
    if n <= ANCHORS:
        walk = graph.toarray() / root / root[:, None] - np.outer(trivial, trivial)
        values, vectors = eigh(walk, subset_by_index=(n - dimensions, n - 1))
    else:
        walk = LinearOperator(
            (n, n), lambda v: graph @ (v.ravel() / root) / root - trivial * (trivial @ v.ravel()), dtype=float
        )
        values, vectors = eigsh(walk, dimensions, which="LA", v0=np.random.default_rng(0).normal(size=(n,)))
    kept = values > np.finfo(float).eps * n
    return vectors[:, kept][:, ::-1], values[kept][::-1]
