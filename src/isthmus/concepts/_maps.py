"""The paper's untrained maps: random weights, uniform on [-1, 1], no bias, into 2,048 dimensions.

Experiment 2 asks what a map does to similarities before it has learned anything. The paper does not say how many hidden
units f_nn has; 512 here, and any others on request.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._shapes import Float
from isthmus.training import NUMPY_ACTIVATIONS, Activation, Layer, Network, apply

MapKind = Literal["none", "lin", "nn"]
"""What the vectors go through before they are compared: nothing, one matrix, or one hidden layer."""
MAPS: tuple[MapKind, ...] = ("none", "lin", "nn")
"""Maps in the order of the tables: the vectors themselves, and the two untrained ones."""
OUTPUT = 2048
"""Width of the untrained maps' images, the paper's."""
HIDDEN = 512
"""Hidden units of the untrained `nn`; the paper does not say how many."""
DRAWS = 10
"""Draws of each untrained map, as in the paper."""


def untrained(widths: Sequence[int], rng: np.random.Generator) -> Network:
    """A network with weights drawn from U(-1, 1) and zero biases (float32), for layers of these widths.

    Collell & Moens (2018), section 4.2.2.

    Args:
        widths: numbers of units, input first, output last.
        rng: draws the weights, layer by layer.

    Example:
        >>> [layer.weight.shape for layer in untrained([50, 512, 2048], np.random.default_rng(0))]
        [(50, 512), (512, 2048)]
    """
    return tuple(
        Layer(rng.uniform(-1, 1, size=(inputs, outputs)).astype(np.float32), np.zeros(outputs, dtype=np.float32))
        for inputs, outputs in pairwise(widths)
    )


def check_activation(activation: str) -> Activation:
    """The name of an activation, or a refusal.

    Raises:
        MappingError: none of relu, sigmoid, tanh.
    """
    if activation not in NUMPY_ACTIVATIONS:
        raise MappingError(f"activation: needed {', '.join(NUMPY_ACTIVATIONS)}, got {activation!r}. Choose one of them.")
    return activation  # type: ignore[return-value]


def check_sizes(hidden: Sequence[int], output: int, draws: int) -> None:
    """Refuse maps without units, outputs or draws before they are made.

    Raises:
        MappingError: a number below 1.
    """
    if min(output, draws, *hidden) < 1:
        raise MappingError(f"hidden, output, draws: needed 1 or more, got {(*hidden, output, draws)}. Give larger ones.")


def images(
    x: Float[ndarray, "n d"],
    hidden: Sequence[int] = (),
    *,
    activation: Activation = "tanh",
    output: int = OUTPUT,
    draws: int = DRAWS,
    seed: int = 0,
) -> Iterator[Float[ndarray, "n e"]]:
    """f(X) under several draws of an untrained map: f_lin without hidden layers, f_nn with one, deeper ones with more.

    On one thread, so that the same seed gives the same bytes on any number of cores.

    Args:
        x: n x d.
        hidden: units of each hidden layer.
        activation: of the hidden layers.
        output: dimensions of f(x).
        draws: of random weights; draw number i does not depend on how many there are.
        seed: of the draws.

    Raises:
        MappingError: an unknown activation, or a number below 1.

    Example:
        >>> [image.shape for image in images(np.eye(3, dtype=np.float32), (8,), output=4, draws=2)]
        [(3, 4), (3, 4)]
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    check_activation(activation)
    check_sizes(hidden, output, draws)
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw, 0xE2])
        network = untrained((x.shape[1], *hidden, output), rng)
        with threadpool_limits(1), np.errstate(over="ignore", invalid="ignore"):
            yield apply(network, x.astype(np.float32), NUMPY_ACTIVATIONS[activation])
