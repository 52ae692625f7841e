"""How far one space is a rotation, or a linear map, of the other: Procrustes distance, SVCCA, PWCCA."""

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Float
from isthmus.measures._paired import Paired, Space


def procrustes(pair: Paired) -> float:
    """What is left between two centered spaces of length 1 after the best rotation, sqrt(2 - 2 |X'Y|_*), in [0, sqrt(2)].

    |.|_* is the sum of singular values. A metric; a space with fewer dimensions counts as padded with zeros (Williams et
    al. 2021, "Generalized shape metrics on neural representations"; Ding, Denain, Steinhardt 2021). scipy's disparity,
    where a scale is fitted too, is 1 - |X'Y|_*^2. nan where a space is constant.
    """
    x, y = (_unit(space.centered) for space in (pair.first, pair.second))
    nuclear = float(np.linalg.norm(x.T @ pair.take(y), "nuc"))
    return float(np.sqrt(max(0.0, 2 - 2 * nuclear))) if x.any() and y.any() else float("nan")


def svcca(pair: Paired, variance: float = 0.99) -> float:
    """Mean canonical correlation between the leading principal components of two spaces, in [0, 1].

    Raghu et al. (2017), "SVCCA": components that hold 99 % of the variance; the mean is over the smaller number of them.

    Raises:
        NeighborError: as many components as items less one, when every correlation is 1 whatever the data; or a constant
            space.
    """
    return float(_canonical(pair, variance)[0].mean())


def pwcca(pair: Paired) -> float:
    """Canonical correlations weighted by how much of the first space each of its canonical variables holds, in [0, 1].

    sum_i a_i rho_i / sum_i a_i, with a_i = sum_j |<h_i, x_j>| over the columns x_j of X and the canonical variables h_i of
    X; Morcos, Raghu, Bengio (2018), "Insights on representational similarity in neural networks with canonical
    correlation". Not symmetric.

    Raises:
        NeighborError: as for `svcca`.
    """
    correlation, variables = _canonical(pair, 1.0)
    x = pair.first.centered
    if pair.first.vectors.shape[1] > len(x):  # the columns themselves count here, not only their span
        x = pair.first.vectors - pair.first.vectors.mean(axis=0)
    return float(np.average(correlation, weights=np.abs(variables.T @ x).sum(axis=1)))


def _unit(x: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    length = np.linalg.norm(x)
    return x / length if length else x


def _canonical(pair: Paired, variance: float) -> tuple[Float[ndarray, " r"], Float[ndarray, "n r"]]:
    """Canonical correlations, largest first, and the canonical variables of the first space, of length 1.

    From orthonormal bases, not from inverted covariances: singular ones do no harm.
    """
    x, y = _basis(pair.first, variance, "X"), pair.take(_basis(pair.second, variance, "Y"))
    u, correlation, _ = np.linalg.svd(x.T @ y, full_matrices=False)
    return np.minimum(correlation, 1.0), x @ u


def _basis(space: Space, variance: float, name: str) -> Float[ndarray, "n r"]:
    """Orthonormal directions over the items that hold this share of the variance; made once a space."""
    kept = space.__dict__.setdefault("_bases", {})
    if variance not in kept:
        u, s, _ = np.linalg.svd(space.centered, full_matrices=False)
        rank = int(np.count_nonzero(s > s.max(initial=0.0) * max(space.centered.shape) * np.finfo(float).eps))
        share = np.cumsum(s[:rank] ** 2) / np.sum(s[:rank] ** 2)
        rank = min(rank, int(np.searchsorted(share, variance)) + 1)
        if not 1 <= rank < len(space) - 1:
            got = "a constant space" if rank < 1 else f"{rank} dimensions of {len(space)} items"
            raise NeighborError(
                f"{name}: needed a space with at least one dimension and fewer than items less one, got {got}: every "
                "canonical correlation would be 1. Add items, or keep fewer components."
            )
        kept[variance] = u[:, :rank]
    return kept[variance]
