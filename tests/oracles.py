"""Slow and obvious: full float64 distance matrices, full sorts, Python sets."""

import numpy as np


def squared_distances(vectors, metric):
    """The whole matrix of squared distances (cosine: of rows at unit length), row by row; equal rows give equal numbers."""
    v = np.asarray(vectors, dtype=np.float64)
    zero = np.zeros(len(v), dtype=bool)
    if metric == "cosine":
        length = np.sqrt((v * v).sum(axis=1))
        zero = length == 0
        v = v * (1 / np.where(zero, 1, length))[:, None]
    squared = np.stack([((v - row) ** 2).sum(axis=1) for row in v])
    if metric == "cosine":
        squared[zero, :] = 2
        squared[:, zero] = 2
    return squared


def neighbor_lists(vectors, k, metric, include_self=False):
    d = squared_distances(vectors, metric)
    lists = []
    for i, row in enumerate(d):
        others = sorted((j for j in range(len(d)) if j != i), key=lambda j: (row[j], j))
        lists.append(([i, *others] if include_self else others)[:k])
    return lists


def overlap(v, z, k, metric, include_self=False):
    a, b = neighbor_lists(v, k, metric, include_self), neighbor_lists(z, k, metric, include_self)
    return [len(set(p) & set(q)) for p, q in zip(a, b, strict=True)]


def four_parts(x, f, y, k, metric):
    """Shared, echoed, bridged, novel, and |NN(x) & NN(y)|, per item."""
    rows = []
    lists = ([set(row) for row in neighbor_lists(v, k, metric)] for v in (x, f, y))
    for p, q, r in zip(*lists, strict=True):
        rows.append((len(q & p & r), len((q & p) - r), len((q & r) - p), len(q - p - r), len(p & r)))
    return np.array(rows)
