"""A fully connected network as plain arrays: weights and biases of each layer, and what they compute.

No hidden layer is the paper's `lin`, one is its `nn`; any number fits. The arrays are numpy's between fits, so that a
network can be saved, compared and applied without anything else.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from isthmus.training._recipes import Initialization

Activation = Literal["relu", "tanh", "sigmoid"]
"""Of the hidden layers."""


class Layer(NamedTuple):
    """Weights (inputs x outputs) and biases (outputs) of one layer."""

    weight: Any
    bias: Any


Network = tuple[Layer, ...]
"""Layers from the input to the output."""


def initialize(
    widths: Sequence[int], rng: np.random.Generator, kind: Initialization = "glorot-uniform", bias: float = 0.0
) -> Network:
    """A network with random weights, float32, for layers of these widths (input first, output last).

    glorot-uniform: U(-a, a) with a = sqrt(6 / (inputs + outputs)) (Glorot & Bengio 2010, eq. 16). truncated-normal: sd
    sqrt(2 / (inputs + outputs)), redrawn beyond two standard deviations.

    Example:
        >>> [layer.weight.shape for layer in initialize([4, 8, 2], np.random.default_rng(0))]
        [(4, 8), (8, 2)]
    """
    layers = []
    for inputs, outputs in pairwise(widths):
        if kind == "glorot-uniform":
            limit = np.sqrt(6 / (inputs + outputs))
            weight = rng.uniform(-limit, limit, size=(inputs, outputs))
        else:
            weight = rng.standard_normal((inputs, outputs))
            while (far := np.abs(weight) > 2).any():
                weight[far] = rng.standard_normal(int(far.sum()))
            weight *= np.sqrt(2 / (inputs + outputs))
        layers.append(Layer(weight.astype(np.float32), np.full(outputs, bias, dtype=np.float32)))
    return tuple(layers)


def apply(network: Network, x: Any, activation: Callable[[Any], Any], drop: Callable[[Any, int], Any] | None = None) -> Any:
    """The output of the network: activation after every layer but the last. Works on numpy and jax arrays alike.

    Args:
        network: the layers.
        x: inputs, one row an item.
        activation: of the hidden layers.
        drop: in training with dropout, what becomes of the units of a hidden layer, given the layer's number.
    """
    for number, layer in enumerate(network[:-1]):
        x = activation(x @ layer.weight + layer.bias)
        x = x if drop is None else drop(x, number)
    return x @ network[-1].weight + network[-1].bias


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


NUMPY_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
}
"""Activations of hidden layers, in numpy."""
