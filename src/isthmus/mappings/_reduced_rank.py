"""Ridge regression through a bottleneck: only the directions of the target that the input predicts well are kept."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.mappings._candidates import check_positive
from isthmus.mappings._closed_form import ClosedForm, check_rank, fold_choice, ranks_up_to
from isthmus.mappings._ridge import PENALTIES
from isthmus.mappings._smoother import Smoother
from isthmus.pairs import ScalingKind


def reduced_rank_weights(
    x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], ranks: Sequence[int], penalty: float
) -> Iterator[Float[ndarray, "dx dy"]]:
    """Weights B that minimize |Y - X B|^2 + penalty |B|^2 among those of rank r at most, for each r.

    B = B_ridge V V', V the first r right singular vectors of the ridge fit, that of the rows added for the penalty included:
    B_ridge' (X'X + penalty) B_ridge = V diag V' (Mukherjee & Zhu 2011, "Reduced rank ridge regression", section 2).

    Args:
        x: centered inputs.
        y: centered targets.
        ranks: 1 or more each.
        penalty: positive.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.normal(size=(30, 4)), rng.normal(size=(30, 3))
        >>> [int(np.linalg.matrix_rank(weights)) for weights in reduced_rank_weights(x, y, (1, 2), 1.0)]
        [1, 2]
    """
    smoother = Smoother.of(x)
    share = smoother.shrinkage(penalty)[:, None]
    _, _, vt = np.linalg.svd(np.sqrt(share) * (smoother.u.T @ y), full_matrices=False)
    whole = smoother.weights(y, penalty)
    for rank in ranks:
        yield whole @ vt[:rank].T @ vt[:rank]


class ReducedRankRidge(ClosedForm):
    """Linear mapping of rank at most r that minimizes sum |f(x_i) - y_i|^2 + penalty |W|^2.

    Args:
        rank: r; None for the one of 1, 2, 4, ... with the lowest error on five folds of the training items.
        penalties: candidates, of which leave-one-out cross-validation of plain ridge chooses one.
        scaling: of the inputs.

    Attributes:
        rank_, penalty_: what was chosen; coef_, intercept_: W and b.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(60, 5))
        >>> y = x[:, :1] @ np.ones((1, 4)) + 0.1 * rng.normal(size=(60, 4))
        >>> ReducedRankRidge().fit(x, y).rank_
        1
    """

    _kept = ("rank_", "penalty_")

    def __init__(
        self, rank: int | None = None, penalties: Sequence[float] = PENALTIES, scaling: ScalingKind = "standardize"
    ) -> None:
        self.rank = rank
        self.penalties = penalties
        self.scaling = scaling

    def _solve(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> Float[ndarray, "dx dy"]:
        check_positive("penalties", self.penalties)
        most = min(x.shape[1], y.shape[1])
        check_rank(self.rank, most)
        self.penalty_ = Smoother.of(x).best(y, self.penalties)[0]
        ranks = ranks_up_to(most) if self.rank is None else (self.rank,)
        self.rank_ = fold_choice(ranks, lambda a, b: reduced_rank_weights(a, b, ranks, self.penalty_), x, y)
        return next(reduced_rank_weights(x, y, (self.rank_,), self.penalty_))
