"""Ridge regression the other way round, then inverted: predictions keep the spread that ridge shrinks away.

Regression towards the mean makes mapped items crowd around the mean of the targets, where they become hubs. Regressing the
input on the target shrinks the input side instead (Shigeto et al. 2015, "Ridge regression, hubness, and zero-shot
learning").
"""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._shapes import Float
from isthmus.mappings._candidates import check_positive
from isthmus.mappings._closed_form import ClosedForm
from isthmus.mappings._ridge import PENALTIES
from isthmus.mappings._smoother import Smoother
from isthmus.pairs import ScalingKind


class ReverseRidge(ClosedForm):
    """f(x) = mean(y) + B^+ (x - mean(x)), where x ~ mean(x) + B (y - mean(y)) is ridge of the input on the target.

    B^+ is the pseudo-inverse: f(x) is the shortest displacement whose image under B is nearest to that of x. Shigeto et al.
    map the targets into the input space and search there; the inverse answers in the target's space and ranks the same
    where B is orthogonal up to scale.

    Args:
        penalties: candidates, of which leave-one-out cross-validation of the reverse regression chooses one.
        cutoff: singular values of B below this share of the largest are left out, in (0, 1): small ones only carry noise.
        scaling: of the inputs.

    Attributes:
        penalty_: the chosen penalty; coef_, intercept_: W = B^+ and b.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> y = rng.normal(size=(60, 3))
        >>> x = y @ rng.normal(size=(3, 5))
        >>> bool(np.allclose(ReverseRidge(penalties=[1e-6]).fit(x, y).predict(x), y, atol=1e-3))
        True
    """

    _kept = ("penalty_",)

    def __init__(
        self, penalties: Sequence[float] = PENALTIES, cutoff: float = 0.05, scaling: ScalingKind = "standardize"
    ) -> None:
        self.penalties = penalties
        self.cutoff = cutoff
        self.scaling = scaling

    def _solve(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> Float[ndarray, "dx dy"]:
        check_positive("penalties", self.penalties)
        if not 0 < self.cutoff < 1:
            raise MappingError(f"cutoff: needed a share in (0, 1), got {self.cutoff}. Use 0.05.")
        spread = np.sqrt((y**2).sum() / len(y)) or 1.0  # the penalty acts on targets of length 1, as on scaled inputs
        smoother = Smoother.of(y / spread)
        self.penalty_ = smoother.best(x, self.penalties)[0]
        forward = smoother.weights(x, self.penalty_) / spread  # dy x dx: x ~ y @ forward
        weights: Float[ndarray, "dx dy"] = np.linalg.pinv(forward, rcond=self.cutoff)
        return weights
