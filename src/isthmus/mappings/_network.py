"""Mappings learned by gradient descent: the paper's `lin` and `nn`.

Both are one network, with no hidden layer or with some, learned by one recipe. Spaces are scaled by the recipe before
training and predictions come back in the target's own units, so that a mapping is applied to vectors as they are.
"""

from collections.abc import Sequence
from copy import copy
from typing import TypeVar

import numpy as np
from numpy import ndarray
from sklearn.utils.validation import check_is_fitted

from isthmus._errors import MappingError
from isthmus._shapes import Float
from isthmus.mappings._contract import Mapping
from isthmus.mappings._untrained import Untrained, network_of, network_state
from isthmus.pairs import ScalingKind
from isthmus.training import (
    NUMPY_ACTIVATIONS,
    Activation,
    Grid,
    Labels,
    Loss,
    Recipe,
    apply,
    cross_validate,
    fit_scalings,
    initialize,
    learn,
    recipe,
    target_kind,
)

_N = TypeVar("_N", bound="MLP")  # not typing.Self, which the run-time checks of the tests cannot resolve


class MLP(Mapping):
    """Network with hidden layers, f(x) = W_2 relu(W_1 x + b_1) + b_2 for one, learned by gradient descent.

    Collell & Moens (2018), sections 3.1 and 3.2: minimizes 1/2 |f(x) - y|^2 ("mse"), 1 - cos(f(x), y) ("cosine"), or
    max(0, margin + |f(x) - y| - |f(x~) - y|) with x~ of another class ("max-margin"), or a loss of your own.

    Args:
        hidden: units of each hidden layer; None for one layer as wide as the recipe says.
        activation: "relu", "tanh" or "sigmoid".
        loss: "mse", "cosine", "max-margin", or a JAX function of predicted and true vectors that gives a value an item.
        recipe: "paper" or "authors-code", or a Recipe of your own.
        seed: of the first weights, the held-out items, the folds and the order of training.
        grid: settings to choose by cross-validation, as in supplement A; `hidden` then gives the number of layers only.
        folds: of that cross-validation.
        processes: among which its models are divided.
        checkpoints: epochs of training after which to keep the network, for `at`; 0 is its start. They may lie beyond the
            epoch that is chosen.

    Attributes:
        network_: the learned layers, on scaled inputs.
        loss_: mean training loss per epoch; held_out_loss_: the loss that chose the number of epochs, where one did.
        checkpoints_: for each checkpoint (those after a divergence are left out), the layers.
        cross_validation_: with a grid, the curves of all its models.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(200, 3))
        >>> MLP(hidden=(16,)).fit(x, np.abs(x)).score(x, np.abs(x)) > 0.8
        True
    """

    def __init__(
        self,
        hidden: Sequence[int] | None = None,
        activation: Activation = "relu",
        loss: str | Loss = "mse",
        recipe: str | Recipe = "paper",
        seed: int = 0,
        grid: Grid | None = None,
        folds: int = 5,
        processes: int = 1,
        checkpoints: Sequence[int] = (),
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.loss = loss
        self.recipe = recipe
        self.seed = seed
        self.grid = grid
        self.folds = folds
        self.processes = processes
        self.checkpoints = checkpoints

    def fit(self: _N, X: Float[ndarray, "n dx"], Y: Float[ndarray, "n dy"], labels: Labels | None = None) -> _N:
        """Learn from paired items.

        Args:
            X: inputs, finite, one row an item.
            Y: targets, finite, row i belonging to row i of X.
            labels: the items' classes, which "max-margin" needs: one each, or a set each, or a table of items by classes.

        Raises:
            DataError: an array that is not two-dimensional, finite and of numbers.
            MappingError: different numbers of items, fewer than two, numbers too large or small to be squared, labels that
                max-margin misses, or a loss that left the finite numbers.
        """
        self._labels = labels
        try:
            return super().fit(X, Y)
        finally:
            del self._labels

    def at(self: _N, epoch: int) -> _N:
        """This mapping as it was after an epoch of its training, one of `checkpoints`.

        Example:
            >>> x = np.random.default_rng(0).normal(size=(100, 3))
            >>> mapping = Linear(recipe=Recipe(epochs=9, patience=0), checkpoints=(1, 9)).fit(x, x)
            >>> mapping.at(1).score(x, x) < mapping.at(9).score(x, x) == mapping.score(x, x)
            True

        Raises:
            MappingError: an epoch that was not kept.
        """
        check_is_fitted(self, "checkpoints_")
        if epoch not in self.checkpoints_:
            known = ", ".join(map(str, self.checkpoints_)) or "none"
            raise MappingError(f"epoch: needed one of the checkpoints ({known}), got {epoch}. Set checkpoints before fit.")
        then = copy(self)
        then.network_ = self.checkpoints_[epoch]
        return then

    def _layers(self) -> tuple[int, ...]:
        if hasattr(self, "network_"):
            return tuple(layer.weight.shape[1] for layer in self.network_[:-1])
        return tuple(self.hidden) if self.hidden is not None else (self._recipe().hidden,)

    def _recipe(self) -> Recipe:
        return recipe(self.recipe) if isinstance(self.recipe, str) else self.recipe

    def _target_kind(self) -> ScalingKind:
        return target_kind(self._recipe().scaling, self.loss)

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        settings = self._recipe()
        hidden = tuple(self.hidden) if self.hidden is not None else (settings.hidden,)
        if self.activation not in NUMPY_ACTIVATIONS:
            known = ", ".join(sorted(NUMPY_ACTIVATIONS))
            raise MappingError(f"activation: needed one of {known}, got {self.activation!r}. Choose one.")
        if min(hidden, default=1) < 1:
            raise MappingError(f"hidden: needed at least 1 unit in each layer, got {list(hidden)}. Use 512, say.")
        if self.grid is not None:
            found = cross_validate(
                x, y, self.grid, self.folds, recipe=settings, layers=len(hidden), loss=self.loss, seed=self.seed,
                activation=self.activation, labels=self._labels, processes=self.processes, checkpoints=self.checkpoints,
            )  # fmt: skip
            self.cross_validation_ = found
            self.scaling_, self.target_scaling_, descent = found.scaling, found.target_scaling, found.descent
        else:
            self.scaling_, self.target_scaling_ = fit_scalings(x, y, settings.scaling, self._target_kind())
            rng = np.random.default_rng([self.seed, 0x1217])
            start = initialize((x.shape[1], *hidden, y.shape[1]), rng, settings.initialization, settings.bias)
            descent = learn(
                start, self.scaling_.apply(x), self.target_scaling_.apply(y), settings, loss=self.loss, seed=self.seed,
                activation=self.activation, labels=self._labels, checkpoints=self.checkpoints,
            )  # fmt: skip
        self.network_, self.loss_, self.held_out_loss_, self.checkpoints_ = descent

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        inputs = self.scaling_.apply(x).astype(np.float32)
        return self.target_scaling_.undo(apply(self.network_, inputs, NUMPY_ACTIVATIONS[self.activation]))

    def _state(self) -> dict[str, ndarray]:
        return network_state(self.network_, self.scaling_, self.target_scaling_)

    def _restore(self, state: dict[str, ndarray]) -> None:
        kinds = self._recipe().scaling, self._target_kind()
        self.network_, self.scaling_, self.target_scaling_ = network_of(state, *kinds)
        self.n_features_in_, self.n_outputs_ = len(self.scaling_.shift), len(self.target_scaling_.shift)

    def twin(self, seed: int = 0) -> Mapping:
        """The network before its first step, with other random weights; after a fit, as wide as what was fitted."""
        settings = self._recipe()
        kinds = settings.scaling, self._target_kind()
        return Untrained(self._layers(), self.activation, *kinds, settings.initialization, settings.bias, seed)


class Linear(MLP):
    """Linear mapping f(x) = W x + b learned by gradient descent, the paper's `lin`.

    Collell & Moens (2018), section 3.1. It differs from Ridge in how it is learned, not in what it can express.

    Args:
        loss: "mse", "cosine", "max-margin", or a loss of your own.
        recipe: "paper" or "authors-code", or a Recipe of your own.
        seed: of the first weights, the held-out items, the folds and the order of training.
        grid: settings to choose by cross-validation.
        folds: of that cross-validation.
        processes: among which its models are divided.
        checkpoints: epochs of training after which to keep the network, for `at`; 0 is its start. They may lie beyond the
            epoch that is chosen.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(200, 3))
        >>> Linear().fit(x, x @ np.ones((3, 2))).score(x, x @ np.ones((3, 2))) > 0.99
        True
    """

    def __init__(
        self,
        loss: str | Loss = "mse",
        recipe: str | Recipe = "paper",
        seed: int = 0,
        grid: Grid | None = None,
        folds: int = 5,
        processes: int = 1,
        checkpoints: Sequence[int] = (),
    ) -> None:
        super().__init__((), "relu", loss, recipe, seed, grid, folds, processes, checkpoints)
