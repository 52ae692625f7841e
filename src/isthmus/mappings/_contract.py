"""The contract of every mapping f: X -> Y, scikit-learn's: settings in `__init__`, `fit`, `predict`, fitted names end in _.

The base class checks what comes in, so that a mapping is only its `_learn` and its `_map`. Results must not depend on the
number of cores, and sums in BLAS do; both run on one thread.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy import ndarray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from isthmus._errors import MappingError
from isthmus._shapes import Float
from isthmus.pairs import check_vectors

_SMALLEST, _LARGEST = 1e-100, 1e100
_M = TypeVar("_M", bound="Mapping")  # not typing.Self, which the run-time checks of the tests cannot resolve


class Mapping(RegressorMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """A mapping between two spaces; subclasses store their settings in `__init__` and give `_learn` and `_map`."""

    directions_only: ClassVar[bool] = False
    """Whether it predicts displacements from the mean target of which the directions alone are learned, not targets."""

    def fit(self: _M, X: Float[ndarray, "n dx"], Y: Float[ndarray, "n dy"]) -> _M:
        """Learn from paired items.

        Args:
            X: inputs, finite, one row an item.
            Y: targets, finite, row i belonging to row i of X.

        Raises:
            DataError: an array that is not two-dimensional, finite and of numbers.
            MappingError: different numbers of items, fewer than two, or numbers too large or small to be squared.
        """
        x, y = check_vectors(X, "X"), check_vectors(Y, "Y")
        if len(x) != len(y):
            raise MappingError(f"X, Y: needed as many items in both, got {len(x)} and {len(y)}. Pair them first.")
        if len(x) < 2:
            raise MappingError("X, Y: needed at least 2 items to learn from, got 1. Give more.")
        for name, values in (("X", x), ("Y", y)):
            peak = float(np.abs(values).max())
            if not (peak == 0 or _SMALLEST <= peak <= _LARGEST):
                raise MappingError(
                    f"{name}: needed a largest number between {_SMALLEST:g} and {_LARGEST:g}, got {peak:g}, whose square a "
                    "float cannot hold. Change the units."
                )
        self.n_features_in_ = x.shape[1]
        self.n_outputs_ = y.shape[1]
        with threadpool_limits(1):
            self._learn(x.astype(np.float64), y.astype(np.float64))
        for name, value in vars(self).items():  # as it is read from a file: products of another layout have other last bits
            if isinstance(value, ndarray):
                setattr(self, name, np.ascontiguousarray(value) if value.ndim else value)
        return self

    def predict(self, X: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        """Map items, seen or new.

        Raises:
            DataError: an array that is not two-dimensional, finite and of numbers.
            MappingError: another number of columns than the mapping was learned with.
        """
        check_is_fitted(self, "n_features_in_")
        x = check_vectors(X, "X")
        if x.shape[1] != self.n_features_in_:
            raise MappingError(
                f"X: needed {self.n_features_in_} columns, as in training, got {x.shape[1]} ({x.shape[0]}x{x.shape[1]}). "
                "Pass vectors of the input space."
            )
        with threadpool_limits(1), np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused below
            f = self._map(x.astype(np.float64))
        if not np.isfinite(f).all():
            row = int(np.argmin(np.isfinite(f).all(axis=1)))
            raise MappingError(
                f"X: needed inputs in the units of training, got one, row {row}, whose image overflows. Check it."
            )
        return f

    def score(self, X: Float[ndarray, "m dx"], y: Float[ndarray, "m dy"], sample_weight: Any = None) -> float:
        """Coefficient of determination over all outputs together, 1 - sum |f(x_i) - y_i|^2 / sum |y_i - mean(y)|^2.

        Outputs weigh by their variance: scikit-learn's default, the mean over outputs, breaks down where one hardly varies.
        """
        from sklearn.metrics import r2_score  # noqa: PLC0415

        return float(r2_score(y, self.predict(X), sample_weight=sample_weight, multioutput="variance_weighted"))

    @abstractmethod
    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        """Learn from checked float64 arrays."""

    @abstractmethod
    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        """Map a checked float64 array."""

    @abstractmethod
    def _state(self) -> dict[str, ndarray]:
        """What was learned, as named arrays."""

    @abstractmethod
    def _restore(self, state: dict[str, ndarray]) -> None:
        """Take back what `_state` gave."""

    def twin(self, seed: int = 0) -> "Mapping | None":
        """The untrained mapping of the same architecture, the control that this one has to beat; None for a control."""
        del seed
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = False
        tags.target_tags.multi_output = True
        return tags
