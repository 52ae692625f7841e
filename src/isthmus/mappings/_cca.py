"""Regularized canonical correlation: predict the target through the directions in which the two spaces agree most."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._shapes import Float
from isthmus.mappings._closed_form import ClosedForm, check_rank, fold_choice, ranks_up_to
from isthmus.pairs import ScalingKind


class Canonical(NamedTuple):
    """Weights of the regression through canonical directions, dx x dy, and all canonical correlations, in [0, 1]."""

    weights: Float[ndarray, "dx dy"]
    correlations: Float[ndarray, " r"]


def canonical_weights(
    x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], settings: Sequence[tuple[int, float]]
) -> Iterator[Canonical]:
    """The regression through the first canonical directions, for each setting.

    C_x = (1 - share) X'X/n + share * mean variance * 1, C_y alike, C_xy = (1 - share) X'Y/n; with the singular value
    decomposition U R V' of C_x^(-1/2) C_xy C_y^(-1/2) the weights are C_x^(-1/2) U_r R_r V_r' C_y^(1/2). With share 0 and
    all directions this is least squares (Hotelling 1936; the ridge is Vinod's, 1976). All of it happens in the span of the
    items, so that singular covariances need no inverse.

    Args:
        x: centered inputs.
        y: centered targets.
        settings: (rank, share): directions used, 1 or more, and the share of a round covariance mixed in, in [0, 1].

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(50, 3))
        >>> x -= x.mean(axis=0)
        >>> next(canonical_weights(x, 2 * x[:, :2], [(2, 0.0)])).correlations.round(6).tolist()
        [1.0, 1.0]
    """
    (u, s, p), (v, t, q) = (_thin(space) for space in (x, y))
    cross = s[:, None] * (u.T @ v) * t / len(x)
    decomposed = {}
    for share in dict.fromkeys(share for _, share in settings):
        root_x, root_y = (
            np.sqrt((1 - share) * each**2 / len(x) + share * (each**2).sum() / len(x) / width)
            for each, width in ((s, x.shape[1]), (t, y.shape[1]))
        )
        shrunk = (1 - share) * cross / root_x[:, None] / root_y
        decomposed[share] = (p / root_x, *np.linalg.svd(shrunk, full_matrices=False), (q * root_y).T)
    for rank, share in settings:
        into, left, correlations, right, back = decomposed[share]
        weights = into @ (left[:, :rank] * correlations[:rank]) @ right[:rank] @ back
        yield Canonical(weights, np.minimum(correlations, 1.0))


def _thin(v: Float[ndarray, "n d"]) -> tuple[ndarray, ndarray, ndarray]:
    """Left vectors, values and right vectors of all directions that the items have."""
    u, s, vt = np.linalg.svd(v, full_matrices=False)
    kept = s > s.max(initial=0.0) * max(v.shape) * np.finfo(float).eps
    return u[:, kept], s[kept], vt[kept].T


class CCA(ClosedForm):
    """Linear mapping through regularized canonical directions.

    Args:
        rank: number of directions; None for the one of 1, 2, 4, ... with the lowest error on five folds.
        shares: candidates for the regularization, in [0, 1]; chosen on the same folds.
        scaling: of the inputs.

    Attributes:
        rank_, share_: what was chosen; correlations_: canonical correlations on the training items, regularized ones.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(60, 3))
        >>> bool(CCA().fit(x, x @ rng.normal(size=(3, 5))).correlations_.min() > 0.9)
        True
    """

    _kept = ("rank_", "share_", "correlations_")

    def __init__(
        self, rank: int | None = None, shares: Sequence[float] = (0.01, 0.1, 0.5), scaling: ScalingKind = "standardize"
    ) -> None:
        self.rank = rank
        self.shares = shares
        self.scaling = scaling

    def _solve(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> Float[ndarray, "dx dy"]:
        if not len(self.shares) or not all(0 <= share <= 1 for share in self.shares):
            raise MappingError(f"shares: needed shares in [0, 1], got {list(self.shares)}. Use 0.1, say.")
        most = min(x.shape[1], y.shape[1])
        check_rank(self.rank, most)
        ranks = ranks_up_to(most) if self.rank is None else (self.rank,)
        settings = [(rank, float(share)) for share in self.shares for rank in ranks]
        chosen = fold_choice(settings, lambda a, b: (each.weights for each in canonical_weights(a, b, settings)), x, y)
        self.rank_, self.share_ = chosen
        weights, self.correlations_ = next(canonical_weights(x, y, [chosen]))
        return weights
