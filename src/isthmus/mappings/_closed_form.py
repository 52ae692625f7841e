"""What the linear mappings in closed form share: f(x) = W x + b, kept as W and b, with W from centered, scaled inputs.

A subclass gives the solution; a candidate setting is chosen by the squared error on folds of the training items.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, TypeVar

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._shapes import Float
from isthmus.mappings._contract import Mapping
from isthmus.mappings._untrained import Untrained
from isthmus.pairs import Scaling, ScalingKind, k_fold

_C = TypeVar("_C")
Solutions = Callable[[ndarray, ndarray], Iterable[ndarray]]
"""Centered inputs (n x dx) and centered targets (n x dy) to weights (dx x dy), one for each candidate, in their order."""


class ClosedForm(Mapping):
    """f(x) = W x + b; subclasses give `_solve` and name what else they learn in `_kept`.

    Attributes:
        coef_: W, dy x dx, on inputs as they come; intercept_: b.
    """

    scaling: ScalingKind
    _kept: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def _solve(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> Float[ndarray, "dx dy"]:
        """Weights for centered, scaled inputs and centered targets."""

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        scaling = Scaling.fit(x, self.scaling)
        scaled, middle = scaling.apply(x), y.mean(axis=0)
        weights = self._solve(scaled - scaled.mean(axis=0), y - middle)
        self.coef_ = weights.T / scaling.scale
        self.intercept_ = middle - self.coef_ @ x.mean(axis=0)

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        return x @ self.coef_.T + self.intercept_

    def _state(self) -> dict[str, ndarray]:
        return {name: np.asarray(getattr(self, name)) for name in ("coef_", "intercept_", *self._kept)}

    def _restore(self, state: dict[str, ndarray]) -> None:
        for name, array in state.items():
            setattr(self, name, array if array.ndim else array.item())
        self.n_outputs_, self.n_features_in_ = self.coef_.shape

    def twin(self, seed: int = 0) -> Mapping:
        """A random linear mapping on equally scaled inputs."""
        return Untrained(scaling=self.scaling, target_scaling="isotropic", seed=seed)


def fold_choice(
    candidates: Sequence[_C], solve: Solutions, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], folds: int = 5
) -> _C:
    """The candidate whose weights have the lowest squared error on the held-out folds; the first of equal ones.

    Args:
        candidates: settings.
        solve: weights of all candidates for centered arrays, so that they share what they can.
        x: inputs.
        y: targets.
        folds: of the items; fewer where there are fewer items than two a fold. With fewer than 4 items, the first candidate.
    """
    folds = min(folds, len(x) // 2)
    if len(candidates) == 1 or folds < 2:
        return candidates[0]
    errors = np.zeros(len(candidates))
    for split in k_fold(len(x), folds, 0):
        train_x, train_y = x[split.train], y[split.train]
        mx, my = train_x.mean(axis=0), train_y.mean(axis=0)
        for position, weights in enumerate(solve(train_x - mx, train_y - my)):
            errors[position] += ((y[split.test] - my - (x[split.test] - mx) @ weights) ** 2).sum()
    return candidates[int(np.argmin(errors))]


def ranks_up_to(most: int) -> tuple[int, ...]:
    """1, 2, 4, 8, ... and the largest rank.

    Example:
        >>> ranks_up_to(10)
        (1, 2, 4, 8, 10)
    """
    return (*(2**power for power in range(most.bit_length()) if 2**power < most), most)


def check_rank(rank: int | None, most: int) -> None:
    """Refuse a rank that two spaces cannot have.

    Raises:
        MappingError: a rank outside 1..most.
    """
    if rank is not None and not 1 <= rank <= most:
        raise MappingError(f"rank: needed 1 to {most}, the width of the narrower space, got {rank}. Use None to choose one.")
