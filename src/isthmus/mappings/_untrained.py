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
from isthmus.training import (
    NUMPY_ACTIVATIONS,
    Activation,
    Initialization,
    Layer,
    Network,
    apply,
    fit_target_scaling,
    initialize,
)


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
    """A network with random weights; `fit` learns the widths and the scalings, nothing else.

    Args:
        hidden: units of each hidden layer; none for a linear mapping.
        activation: "relu", "tanh" or "sigmoid".
        scaling: of the inputs.
        target_scaling: of the targets: outputs are brought to the place and the units that trained outputs would have.
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
        target_scaling: ScalingKind = "isotropic",
        initialization: Initialization = "glorot-uniform",
        bias: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.scaling = scaling
        self.target_scaling = target_scaling
        self.initialization = initialization
        self.bias = bias
        self.seed = seed

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        self.scaling_ = Scaling.fit(x, self.scaling)
        self.target_scaling_ = fit_target_scaling(y, self.target_scaling)
        rng = np.random.default_rng([self.seed, 0x7212])
        self.network_ = initialize((x.shape[1], *self.hidden, y.shape[1]), rng, self.initialization, self.bias)

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        inputs = self.scaling_.apply(x).astype(np.float32)
        return self.target_scaling_.undo(apply(self.network_, inputs, NUMPY_ACTIVATIONS[self.activation]))

    def _state(self) -> dict[str, ndarray]:
        return network_state(self.network_, self.scaling_, self.target_scaling_)

    def _restore(self, state: dict[str, ndarray]) -> None:
        self.network_, self.scaling_, self.target_scaling_ = network_of(state, self.scaling, self.target_scaling)
        self.n_features_in_, self.n_outputs_ = len(self.scaling_.shift), len(self.target_scaling_.shift)


def network_state(network: Network, scaling: Scaling, target_scaling: Scaling) -> dict[str, ndarray]:
    """The layers of a network and the scalings around it as named arrays."""
    named = ((f"{part}_{i}", array) for i, layer in enumerate(network) for part, array in layer._asdict().items())
    return dict(named) | {
        "shift": scaling.shift, "scale": scaling.scale,
        "target_shift": target_scaling.shift, "target_scale": target_scaling.scale,
    }  # fmt: skip


def network_of(state: dict[str, ndarray], kind: ScalingKind, target_kind: ScalingKind) -> tuple[Network, Scaling, Scaling]:
    """What `network_state` took apart."""
    depth = sum(name.startswith("weight_") for name in state)
    network = tuple(Layer(state[f"weight_{i}"], state[f"bias_{i}"]) for i in range(depth))
    scaling = Scaling(kind, state["shift"], state["scale"])
    return network, scaling, Scaling(target_kind, state["target_shift"], state["target_scale"])
