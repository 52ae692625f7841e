"""Kernel ridge regression: the best smooth mapping in closed form, linear in nothing but its kernel.

Exact up to `anchors` training items; beyond, a random part of them spans the solution (Nystroem). Leave-one-out errors,
which cost no second fit, choose width and penalty.
"""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.mappings._candidates import check_number, check_positive
from isthmus.mappings._contract import Mapping
from isthmus.mappings._kernels import gaussian, kernel_smoother, typical_square
from isthmus.mappings._untrained import Untrained
from isthmus.pairs import Scaling, ScalingKind

KERNEL_PENALTIES: tuple[float, ...] = tuple(float(p) for p in np.logspace(-4, 2, 13))
WIDTHS: tuple[float, ...] = (0.5, 1.0, 2.0)
ANCHORS = 3000


class KernelRidge(Mapping):
    """f(x) = b + sum_a k(x, x_a) d_a, which minimizes sum |f(x_i) - y_i|^2 + penalty |f|^2 in the space of the kernel.

    k is Gaussian, exp(-|x - x'|^2 / (width * median squared distance)), f without b has its norm penalized (Saunders,
    Gammerman, Vovk 1998, "Ridge regression learning algorithm in dual variables").

    Args:
        penalties: candidates; with the widths, leave-one-out cross-validation chooses.
        widths: candidates, in median squared distances between training items.
        scaling: of the inputs, fitted on the training items.
        anchors: most training items that are used as centers; of more, a random part serves (Nystroem).
        seed: of that part.

    Attributes:
        penalty_, width_: the chosen ones.
        anchors_: scaled inputs x_a; dual_: the d_a, one row an anchor; intercept_: b.

    Example:
        >>> x = np.linspace(-2, 2, 60)[:, None]
        >>> KernelRidge().fit(x, np.abs(x)).score(x, np.abs(x)) > 0.98
        True
    """

    def __init__(
        self,
        penalties: Sequence[float] = KERNEL_PENALTIES,
        widths: Sequence[float] = WIDTHS,
        scaling: ScalingKind = "standardize",
        anchors: int = ANCHORS,
        seed: int = 0,
    ) -> None:
        self.penalties = penalties
        self.widths = widths
        self.scaling = scaling
        self.anchors = anchors
        self.seed = seed

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        check_positive("penalties", self.penalties)
        check_positive("widths", self.widths)
        self.scaling_ = Scaling.fit(x, self.scaling)
        scaled = self.scaling_.apply(x)
        chosen = draw_anchors(len(x), self.anchors, self.seed)
        self.anchors_ = scaled[chosen]
        self.square_, lowest = typical_square(scaled), np.inf
        for width in self.widths:
            kernel = gaussian(scaled, self.anchors_, width * self.square_)
            smoother = kernel_smoother(kernel, kernel[chosen] if len(chosen) < len(x) else None)
            penalty, loss, _ = smoother.best(y, self.penalties)
            if loss < lowest:
                lowest, self.penalty_, self.width_ = loss, penalty, float(width)
                self.dual_ = smoother.weights(y - y.mean(axis=0), penalty)
                self.intercept_ = y.mean(axis=0) - kernel.mean(axis=0) @ self.dual_

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        return gaussian(self.scaling_.apply(x), self.anchors_, self.width_ * self.square_) @ self.dual_ + self.intercept_

    def _state(self) -> dict[str, ndarray]:
        return {
            "anchors": self.anchors_, "dual": self.dual_, "intercept": self.intercept_,
            "chosen": np.array([self.penalty_, self.width_, self.square_]),
            "shift": self.scaling_.shift, "scale": self.scaling_.scale,
        }  # fmt: skip

    def _restore(self, state: dict[str, ndarray]) -> None:
        self.anchors_, self.dual_, self.intercept_ = state["anchors"], state["dual"], state["intercept"]
        self.penalty_, self.width_, self.square_ = (float(each) for each in state["chosen"])
        self.scaling_ = Scaling(self.scaling, state["shift"], state["scale"])
        self.n_features_in_, self.n_outputs_ = self.anchors_.shape[1], self.dual_.shape[1]

    def twin(self, seed: int = 0) -> Mapping:
        """A random linear mapping on equally scaled inputs."""
        return Untrained(scaling=self.scaling, target_scaling="isotropic", seed=seed)


def draw_anchors(n: int, most: int, seed: int) -> ndarray:
    """Rows of the training items that serve as anchors: all of them, or a random part in their order.

    Raises:
        MappingError: fewer than one anchor.
    """
    check_number("anchors", most, 1.0, np.inf, float(ANCHORS), whole=True)
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng([seed, 0xA2C4]).choice(n, most, replace=False))
