"""The two controls that every mapping is reported beside: X itself, and a mapping that learned nothing.

Raw overlaps cannot tell whether training did anything, since a random linear map keeps most neighbors of its input and
with them what the two spaces share already. A mapping has to beat its untrained twin.
"""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.mappings._contract import Mapping
from isthmus.pairs import Scaling, ScalingKind
from isthmus.training import NUMPY_ACTIVATIONS, Activation, Initialization, Layer, Network, apply, initialize


class Identity(Mapping):
    """f(x) = x: echo rate 1, bridge rate 0, index -1, for every data set.

    Example:
        >>> Identity().fit(np.eye(3), np.ones((3, 2))).predict(np.eye(3)).shape
        (3, 3)
    """

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        del x, y

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dx"]:
        return x

    def _state(self) -> dict[str, ndarray]:
        return {"features": np.array([self.n_features_in_, self.n_outputs_])}

    def _restore(self, state: dict[str, ndarray]) -> None:
        self.n_features_in_, self.n_outputs_ = (int(width) for width in state["features"])


class Untrained(Mapping):
    """A network with random weights; `fit` learns the widths and the scaling of the inputs, nothing else.

    Args:
        hidden: units of each hidden layer; none for a linear mapping.
        activation: "relu", "tanh" or "sigmoid".
        scaling: of the inputs.
        initialization: of the weights.
        bias: value of every bias.
        seed: of the weights.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
        >>> Untrained(hidden=(8,)).fit(x, y).predict(x).shape
        (20, 2)
    """

    def __init__(
        self,
        hidden: Sequence[int] = (),
        activation: Activation = "relu",
        scaling: ScalingKind = "isotropic",
        initialization: Initialization = "glorot-uniform",
        bias: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.scaling = scaling
        self.initialization = initialization
        self.bias = bias
        self.seed = seed

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        self.scaling_ = Scaling.fit(x, self.scaling)
        rng = np.random.default_rng([self.seed, 0x7212])
        self.network_ = initialize((x.shape[1], *self.hidden, y.shape[1]), rng, self.initialization, self.bias)

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        inputs = self.scaling_.apply(x).astype(np.float32)
        outputs: Float[ndarray, "m dy"] = apply(self.network_, inputs, NUMPY_ACTIVATIONS[self.activation])
        return outputs.astype(np.float64)

    def _state(self) -> dict[str, ndarray]:
        return network_state(self.network_) | {"shift": self.scaling_.shift, "scale": self.scaling_.scale}

    def _restore(self, state: dict[str, ndarray]) -> None:
        self.network_ = network_of(state)
        self.scaling_ = Scaling(self.scaling, state["shift"], state["scale"])
        self.n_features_in_, self.n_outputs_ = len(self.scaling_.shift), self.network_[-1].weight.shape[1]


def network_state(network: Network) -> dict[str, ndarray]:
    """The layers of a network as named arrays."""
    named = ((f"{part}_{i}", array) for i, layer in enumerate(network) for part, array in layer._asdict().items())
    return dict(named)


def network_of(state: dict[str, ndarray]) -> Network:
    """The network that `network_state` took apart."""
    depth = sum(name.startswith("weight_") for name in state)
    return tuple(Layer(state[f"weight_{i}"], state[f"bias_{i}"]) for i in range(depth))
