"""Scaling of one space, fitted on the training part and applied to all of it.

A scaling is affine per column (shift, divide) or per row (unit norm); an affine one can be undone, so that a mapping
learned on scaled targets answers in the target's own units.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float

ScalingKind = Literal["none", "center", "isotropic", "scale", "standardize", "unit"]
"""How vectors are shifted and scaled before a mapping learns from them."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """A fitted scaling: (v - shift) / scale by column, then, for `unit`, each row divided by its length.

    center: subtract the column means. isotropic: center, then divide all columns by one number, so that rows have length 1
    in the quadratic mean; Euclidean neighborhoods stay as they are. scale: divide by such a number without a shift;
    neighborhoods by cosine stay, too. standardize: center, then divide each column by its standard deviation. unit: divide
    each row by its length.

    Three cases are decided here: a column that is constant on the training part is divided by 1 (it becomes 0 there), a
    space whose rows are all equal (under `scale`, zero) is divided by 1, and a zero row stays zero under `unit`.

    Example:
        >>> Scaling.fit(np.array([[1.0, 5.0], [3.0, 5.0]]), "standardize").apply(np.array([[5.0, 5.0]]))
        array([[3., 0.]])
    """

    kind: ScalingKind
    shift: Float[ndarray, " d"]
    scale: Float[ndarray, " d"]

    @classmethod
    def fit(cls, train: Float[ndarray, "n d"], kind: ScalingKind) -> "Scaling":
        """The scaling of this kind with the column means and population standard deviations of the training part.

        Raises:
            DataError: an unknown kind.
        """
        if kind not in get_args(ScalingKind):
            raise DataError(f"scaling: needed one of {', '.join(get_args(ScalingKind))}, got {kind!r}. Choose one.")
        width = train.shape[1]
        shift, scale = np.zeros(width), np.ones(width)
        if kind in ("center", "isotropic", "standardize"):
            shift = train.mean(axis=0, dtype=np.float64)
        if kind in ("isotropic", "standardize"):
            spread = train.std(axis=0, dtype=np.float64)
            # A constant column's spread is rounding noise around 0: dividing by it would blow that noise up.
            spread[spread <= 1e-12 * np.abs(train).max(axis=0).astype(np.float64)] = 0.0
            if kind == "isotropic":
                spread[:] = np.sqrt(np.sum(spread * spread))
            scale = np.where(spread > 0, spread, 1.0)
        if kind == "scale":
            length = np.sqrt(np.mean(np.sum(train.astype(np.float64) ** 2, axis=1)))
            scale[:] = length if length > 0 else 1.0
        return cls(kind, shift, scale)

    def apply(self, values: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
        """The scaled values, float64."""
        scaled = (values.astype(np.float64) - self.shift) / self.scale
        if self.kind == "unit":
            length = np.linalg.norm(scaled, axis=1, keepdims=True)
            scaled /= np.where(length > 0, length, 1.0)
        return scaled

    def undo(self, values: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
        """Values in the original units; for `unit`, whose lengths are gone, the values as they are."""
        return values.astype(np.float64) * self.scale + self.shift
