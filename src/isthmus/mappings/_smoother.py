"""Centered linear smoothers, diagonal: one decomposition serves every penalty, and leave-one-out costs nothing.

Ridge regression on any features, a kernel's among them, predicts its own training targets by H y, and H has the same
eigenvectors for every penalty. Leaving item i out of the training changes its residual r_i to r_i / (1 - H_ii) exactly, so
the predictions that an unseen item would have got are at hand for all training items. What is learned on top of a mapping (a
penalty, a temperature, a choice of mapping) is learned from these.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float

SMALL = np.finfo(float).eps


@dataclass(frozen=True, slots=True, eq=False)
class Smoother:
    """H = 1/n + U diag(s^2 / (s^2 + penalty)) U' of centered features.

    Args:
        u: left singular vectors U of the centered features, those of singular values above rounding.
        s: the singular values.
        back: features x rank or items x rank; `back @ diag(s^2/(s^2+penalty)) @ U' y` are the weights of the mapping.
    """

    u: Float[ndarray, "n r"]
    s: Float[ndarray, " r"]
    back: Float[ndarray, "m r"]

    @classmethod
    def of(cls, features: Float[ndarray, "n m"]) -> "Smoother":
        """The smoother of features, which are centered here.

        Example:
            >>> smoother = Smoother.of(np.arange(6.0)[:, None])
            >>> smoother.weights(2 * np.arange(6.0)[:, None] - 5, 1e-9).round(3).tolist()
            [[2.0]]
        """
        u, s, vt = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
        kept = s > s.max(initial=0.0) * max(features.shape) * SMALL
        return cls(u[:, kept], s[kept], vt[kept].T / s[kept])

    def shrinkage(self, penalty: float) -> Float[ndarray, " r"]:
        """s^2 / (s^2 + penalty), the share that is kept of each direction."""
        return self.s**2 / (self.s**2 + penalty)

    def weights(self, y: Float[ndarray, "n dy"], penalty: float) -> Float[ndarray, "m dy"]:
        """What the features are multiplied with, for centered targets."""
        weights: Float[ndarray, "m dy"] = self.back @ (self.shrinkage(penalty)[:, None] * (self.u.T @ y))
        return weights

    def leave_one_out(self, y: Float[ndarray, "n dy"], penalty: float) -> Float[ndarray, "n dy"]:
        """For each training item, what the mapping that has not seen it predicts (Hastie, Tibshirani, Friedman 2009, 7.64).

        Args:
            y: targets, centered or not.
            penalty: a positive number.

        Example:
            >>> x = np.array([[0.0], [1.0], [2.0], [5.0]])
            >>> Smoother.of(x).leave_one_out(3 * x, 1e-12).round(6).ravel().tolist()
            [0.0, 3.0, 6.0, 15.0]
        """
        return y - next(self._residuals(y - y.mean(axis=0), [penalty]))

    def _residuals(self, centered: Float[ndarray, "n dy"], penalties: Sequence[float]) -> Iterator[Float[ndarray, "n dy"]]:
        # What shrinks is small where penalties are, so residuals and 1 - H are summed from it: y - H y cancels digits
        # instead.
        projected = self.u.T @ centered
        everything = len(self.s) == len(centered) - 1  # the features span all that centered targets can be
        outside = 0.0 if everything else centered - self.u @ projected
        free = 0.0 if everything else 1 - 1 / len(centered) - (self.u**2).sum(axis=1)
        for penalty in penalties:
            lost = penalty / (self.s**2 + penalty)
            residual = outside + self.u @ (lost[:, None] * projected)
            yield residual / np.maximum(free + (self.u**2) @ lost, np.finfo(float).tiny)[:, None]

    def errors(self, y: Float[ndarray, "n dy"], penalties: Sequence[float]) -> Float[ndarray, " p"]:
        """Mean squared leave-one-out error for each penalty."""
        return np.array([np.mean(each**2) for each in self._residuals(y - y.mean(axis=0), penalties)])

    def best(self, y: Float[ndarray, "n dy"], penalties: Sequence[float]) -> tuple[float, float, Float[ndarray, "n dy"]]:
        """The penalty with the lowest squared leave-one-out error: the penalty, the mean squared error, the predictions.

        Args:
            y: targets.
            penalties: positive numbers.

        Example:
            >>> x = np.arange(6.0)[:, None]
            >>> Smoother.of(x).best(2 * x, [1e-6, 1.0])[0]
            1e-06
        """
        lowest, chosen, kept = np.inf, float(penalties[0]), np.zeros_like(y)
        for penalty, residual in zip(penalties, self._residuals(y - y.mean(axis=0), penalties), strict=True):
            error = float(np.mean(residual**2))
            if error < lowest:
                lowest, chosen, kept = error, float(penalty), residual
        return chosen, lowest, y - kept
