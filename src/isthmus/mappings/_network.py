"""Mappings learned by gradient descent: the paper's `lin` and `nn`.

Both are one network, with no hidden layer or with some, learned by one recipe. Spaces are scaled by the recipe before
training and predictions come back in the target's own units, so that a mapping is applied to vectors as they are.
"""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._shapes import Float
from isthmus.mappings._contract import Mapping
from isthmus.mappings._untrained import Untrained, fit_target_scaling, network_of, network_state
from isthmus.pairs import Scaling
from isthmus.training import NUMPY_ACTIVATIONS, Activation, Recipe, apply, initialize, learn, recipe


class MLP(Mapping):
    """Network with hidden layers, f(x) = W_2 relu(W_1 x + b_1) + b_2 for one, learned by gradient descent.

    Collell & Moens (2018), section 3.1: minimizes 1/2 |f(x) - y|^2 ("mse"), or 1 - cos(f(x), y) ("cosine").

    Args:
        hidden: units of each hidden layer; None for one layer as wide as the recipe says.
        activation: "relu", "tanh" or "sigmoid".
        loss: "mse" or "cosine".
        recipe: "paper" or "authors-code", or a Recipe of your own.
        seed: of the first weights, the held-out items and the order of training.

    Attributes:
        network_: the learned layers, on scaled inputs.
        loss_: mean training loss per epoch; held_out_loss_: the loss that chose the number of epochs.

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
        loss: str = "mse",
        recipe: str | Recipe = "paper",
        seed: int = 0,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.loss = loss
        self.recipe = recipe
        self.seed = seed

    def _layers(self) -> tuple[int, ...]:
        return tuple(self.hidden) if self.hidden is not None else (self._recipe().hidden,)

    def _recipe(self) -> Recipe:
        return recipe(self.recipe) if isinstance(self.recipe, str) else self.recipe

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        settings = self._recipe()
        if self.activation not in NUMPY_ACTIVATIONS:
            known = ", ".join(sorted(NUMPY_ACTIVATIONS))
            raise MappingError(f"activation: needed one of {known}, got {self.activation!r}. Choose one.")
        if min(self._layers(), default=1) < 1:
            raise MappingError(f"hidden: needed at least 1 unit in each layer, got {list(self._layers())}. Use 512, say.")
        self.scaling_ = Scaling.fit(x, settings.scaling)
        self.target_scaling_ = fit_target_scaling(y, settings.scaling)
        rng = np.random.default_rng([self.seed, 0x1217])
        start = initialize((x.shape[1], *self._layers(), y.shape[1]), rng, settings.initialization, settings.bias)
        descent = learn(
            start, self.scaling_.apply(x), self.target_scaling_.apply(y), settings,
            loss=self.loss, activation=self.activation, seed=self.seed,
        )  # fmt: skip
        self.network_, self.loss_, self.held_out_loss_, self.checkpoints_ = descent

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        inputs = self.scaling_.apply(x).astype(np.float32)
        return self.target_scaling_.undo(apply(self.network_, inputs, NUMPY_ACTIVATIONS[self.activation]))

    def _state(self) -> dict[str, ndarray]:
        return network_state(self.network_, self.scaling_, self.target_scaling_)

    def _restore(self, state: dict[str, ndarray]) -> None:
        kind = self._recipe().scaling
        self.network_, self.scaling_, self.target_scaling_ = network_of(state, kind, kind)
        self.n_features_in_, self.n_outputs_ = len(self.scaling_.shift), len(self.target_scaling_.shift)

    def twin(self, seed: int = 0) -> Mapping:
        """The network before its first step, with other random weights."""
        settings = self._recipe()
        return Untrained(
            self._layers(), self.activation, settings.scaling, settings.scaling, settings.initialization, settings.bias, seed
        )


class Linear(MLP):
    """Linear mapping f(x) = W x + b learned by gradient descent, the paper's `lin`.

    Collell & Moens (2018), section 3.1. It differs from Ridge in how it is learned, not in what it can express.

    Args:
        loss: "mse" or "cosine".
        recipe: "paper" or "authors-code", or a Recipe of your own.
        seed: of the first weights, the held-out items and the order of training.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(200, 3))
        >>> Linear().fit(x, x @ np.ones((3, 2))).score(x, x @ np.ones((3, 2))) > 0.99
        True
    """

    def __init__(self, loss: str = "mse", recipe: str | Recipe = "paper", seed: int = 0) -> None:
        super().__init__(hidden=(), loss=loss, recipe=recipe, seed=seed)
