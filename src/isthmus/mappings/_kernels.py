"""The Gaussian kernel, with a width that is a number of the data's own squared distances, and its smoothers.

All training items can be anchors (exact) or a random part of them (Nystroem), for a kernel matrix that fits into memory.
"""

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.mappings._smoother import SMALL, Smoother

_FOR_MEDIAN = 1000  # items whose distances give the median


def squared_distances(a: Float[ndarray, "m d"], b: Float[ndarray, "n d"]) -> Float[ndarray, "m n"]:
    """|a_i - b_j|^2, by one product, never below 0.

    Example:
        >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))
        array([[25.]])
    """
    product: Float[ndarray, "m n"] = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.maximum(product, 0.0)


def typical_square(x: Float[ndarray, "n d"]) -> float:
    """Median squared distance between items, of 1,000 drawn at random at most; 1 where items are all alike.

    Example:
        >>> typical_square(np.array([[0.0], [1.0], [4.0]]))
        9.0
    """
    some = x if len(x) <= _FOR_MEDIAN else np.random.default_rng(0).choice(x, _FOR_MEDIAN, replace=False)
    median = float(np.median(squared_distances(some, some)[np.triu_indices(len(some), 1)]))
    return median if median > 0 else 1.0


def gaussian(a: Float[ndarray, "m d"], b: Float[ndarray, "n d"], width: float) -> Float[ndarray, "m n"]:
    """exp(-|a_i - b_j|^2 / width).

    Example:
        >>> gaussian(np.zeros((1, 2)), np.array([[3.0, 4.0]]), 25.0).round(3)
        array([[0.368]])
    """
    kernel: Float[ndarray, "m n"] = np.exp(-squared_distances(a, b) / width)
    return kernel


def kernel_smoother(kernel: Float[ndarray, "n m"], inner: Float[ndarray, "m m"] | None = None) -> Smoother:
    """The smoother of kernel ridge regression with an intercept.

    With the weights D that it gives for centered targets, f(x) = mean(y) + (k(x) - mean row of the kernel) D, where k(x)
    holds the kernel between x and each anchor. Kernel ridge is ridge on centered kernel features. Where all training items
    are anchors, one eigendecomposition finds all there are; else these are the features of Nystroem's approximation
    (Williams & Seeger 2001).

    Args:
        kernel: between the training items and the anchors.
        inner: between the anchors, if these are not the training items.

    Example:
        >>> kernel_smoother(np.eye(3)).s.round(6).tolist()
        [1.0, 1.0]
    """
    if inner is None:
        row = kernel.mean(axis=0)
        squares, u = np.linalg.eigh(kernel - row - row[:, None] + row.mean())
        kept = squares > squares.max(initial=0.0) * len(kernel) * SMALL
        u, s = u[:, kept][:, ::-1], np.sqrt(squares[kept][::-1])
        return Smoother(u, s, u / s**2)
    squares, v = np.linalg.eigh(inner)
    kept = squares > squares.max() * len(inner) * SMALL
    root = v[:, kept] / np.sqrt(squares[kept])
    nystroem = Smoother.of(kernel @ root)
    return Smoother(nystroem.u, nystroem.s, root @ nystroem.back)
