"""Orthogonal Procrustes: turn one space onto the other, and nothing else. What it cannot do, no rotation can."""

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.mappings._closed_form import ClosedForm
from isthmus.pairs import ScalingKind


class Procrustes(ClosedForm):
    """f(x) = mean(y) + scale * (x - mean(x)) R, R with orthonormal rows or columns, that minimizes sum |f(x_i) - y_i|^2.

    R = U V' from the singular value decomposition U S V' of X'Y, centered (Schoenemann 1966). Spaces of unequal width are
    turned as if the narrower one were filled up with zeros: if dx <= dy the rows of R are orthonormal and all of X's
    geometry is kept, else its columns are, and f keeps a projection. The best scale is then trace(S) / |X R|^2.

    Args:
        rescale: whether the scale is learned; else it is 1.
        scaling: of the inputs; with "none" or "isotropic" the map is a similarity.

    Attributes:
        rotation_: R, dx x dy, on scaled inputs; scale_: a number of 0 or more; shift_: mean(y), where the mean of X goes.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x, turn = rng.normal(size=(40, 3)), np.linalg.qr(rng.normal(size=(3, 3)))[0]
        >>> mapping = Procrustes().fit(x, 2.5 * x @ turn + 1)
        >>> round(mapping.scale_, 6), bool(np.allclose(mapping.rotation_, turn))
        (2.5, True)
    """

    _kept = ("rotation_", "scale_", "shift_")

    def __init__(self, rescale: bool = True, scaling: ScalingKind = "none") -> None:
        self.rescale = rescale
        self.scaling = scaling

    def _solve(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> Float[ndarray, "dx dy"]:
        u, s, vt = np.linalg.svd(x.T @ y, full_matrices=False)
        self.rotation_ = u @ vt
        length = float(((x @ self.rotation_) ** 2).sum())
        self.scale_ = float(s.sum()) / length if self.rescale and length > 0 else 1.0
        weights: Float[ndarray, "dx dy"] = self.scale_ * self.rotation_
        return weights

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        super()._learn(x, y)
        self.shift_ = y.mean(axis=0)
