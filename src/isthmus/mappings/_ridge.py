"""Ridge regression in closed form: the best linear mapping there is to compare with, in a second.

One decomposition of the inputs serves all penalties, and leave-one-out cross-validation, which needs no second fit for a
linear smoother, chooses among them.
"""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.mappings._candidates import check_positive
from isthmus.mappings._contract import Mapping
from isthmus.mappings._smoother import Smoother
from isthmus.mappings._untrained import Untrained
from isthmus.pairs import Scaling, ScalingKind

PENALTIES: tuple[float, ...] = tuple(float(p) for p in np.logspace(-2, 6, 17))
"""The penalties among which `Ridge` chooses, where it is given none."""


def leave_one_out_errors(
    x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], penalties: Sequence[float]
) -> Float[ndarray, " p"]:
    """Mean squared leave-one-out error of ridge regression with an intercept, for each penalty.

    With X = U S V' centered, the fit is H Y with H = 1/n + U diag(s^2/(s^2 + penalty)) U', and leaving item i out changes
    its residual r_i to r_i / (1 - H_ii), exactly (Hastie, Tibshirani, Friedman 2009, "Elements of Statistical Learning",
    eq. 7.64).

    Args:
        x: inputs.
        y: targets.
        penalties: positive numbers.

    Example:
        >>> x = np.arange(6.0)[:, None]
        >>> errors = leave_one_out_errors(x, 2 * x, [1e-6, 1.0])
        >>> bool(errors[0] < errors[1])
        True
    """
    return Smoother.of(x).errors(y, penalties)


class Ridge(Mapping):
    """Linear mapping f(x) = W x + b that minimizes sum |f(x_i) - y_i|^2 + penalty |W|^2, in closed form.

    Args:
        penalties: candidates; leave-one-out cross-validation chooses one.
        scaling: of the inputs, fitted on the training items; the penalty acts on the scaled inputs.

    Attributes:
        penalty_: the chosen penalty.
        coef_: W, dy x dx, on the scaled inputs.
        intercept_: b.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(50, 3))
        >>> mapping = Ridge().fit(x, x @ np.ones((3, 2)))
        >>> bool(np.allclose(mapping.predict(x), x @ np.ones((3, 2)), atol=1e-2))
        True
    """

    def __init__(
        self, penalties: Sequence[float] | Float[ndarray, " p"] = PENALTIES, scaling: ScalingKind = "standardize"
    ) -> None:
        self.penalties = penalties
        self.scaling = scaling

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        check_positive("penalties", self.penalties)
        self.scaling_ = Scaling.fit(x, self.scaling)
        scaled = self.scaling_.apply(x)
        middle, self.intercept_ = scaled.mean(axis=0), y.mean(axis=0)
        smoother = Smoother.of(scaled)
        self.errors_ = smoother.errors(y, list(self.penalties))
        self.penalty_ = float(self.penalties[int(np.argmin(self.errors_))])
        self.coef_ = smoother.weights(y - self.intercept_, self.penalty_).T
        self.intercept_ = self.intercept_ - self.coef_ @ middle

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        return self.scaling_.apply(x) @ self.coef_.T + self.intercept_

    def _state(self) -> dict[str, ndarray]:
        return {
            "coef": self.coef_, "intercept": self.intercept_, "penalty": np.array([self.penalty_]),
            "shift": self.scaling_.shift, "scale": self.scaling_.scale,
        }  # fmt: skip

    def _restore(self, state: dict[str, ndarray]) -> None:
        self.coef_, self.intercept_, self.penalty_ = state["coef"], state["intercept"], float(state["penalty"][0])
        self.scaling_ = Scaling(self.scaling, state["shift"], state["scale"])
        self.n_outputs_, self.n_features_in_ = self.coef_.shape

    def twin(self, seed: int = 0) -> Mapping:
        """A random linear mapping on equally scaled inputs."""
        return Untrained(scaling=self.scaling, target_scaling="isotropic", seed=seed)
