"""Gradient descent as one compiled program: all epochs in a loop, all batches in a scan within it.

Python is left once per fit, not once per step, which is where small networks spend their time. The order of the items is
drawn beforehand in numpy, and the last batch of an epoch is filled up with rows of weight zero, so that fits on almost
equally many items share one compiled program.

The program runs on one thread: sums are then taken in one order, and a fit gives the same bytes on one core and on many.
"""

import os
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._shapes import Float
from isthmus.training._losses import LOSSES, check_loss
from isthmus.training._network import Activation, Layer, Network, apply
from isthmus.training._recipes import Recipe


class Descent(NamedTuple):
    """A learned network and its mean loss per epoch, on the items learned from and on the held-out ones (nan without)."""

    network: Network
    loss: Float[ndarray, " epochs"]
    held_out_loss: Float[ndarray, " epochs"]


def learn(
    network: Network,
    x: Float[ndarray, "n dx"],
    y: Float[ndarray, "n dy"],
    recipe: Recipe,
    *,
    loss: str = "mse",
    activation: Activation = "relu",
    seed: int = 0,
) -> Descent:
    """The network after training by the recipe; with patience, for the number of epochs that served held-out items best.

    Args:
        network: where to start.
        x: scaled inputs.
        y: scaled targets.
        recipe: optimizer and its settings.
        loss: "mse" or "cosine".
        activation: of the hidden layers.
        seed: of the held-out part and of the order of the items.

    Raises:
        MappingError: an unknown loss, or a loss that left the finite numbers.
    """
    check_loss(loss)
    rng = np.random.default_rng([seed, 0x1EA2])
    epochs = recipe.epochs
    held_out = np.empty(0)
    size = round(recipe.held_out * len(x))
    if recipe.patience and size:
        order = rng.permutation(len(x))
        rest, watch = order[size:], order[:size]
        trial = _descend(
            network, x[rest], y[rest], x[watch], y[watch], recipe, recipe.epochs, recipe.patience, loss, activation, rng
        )
        held_out = trial.held_out_loss
        epochs = int(np.argmin(held_out)) + 1
    final = _descend(network, x, y, x[:1], y[:1], recipe, epochs, epochs, loss, activation, rng)
    return Descent(final.network, final.loss, held_out)


def _descend(
    network: Network,
    x: Float[ndarray, "n dx"],
    y: Float[ndarray, "n dy"],
    x_watched: Float[ndarray, "m dx"],
    y_watched: Float[ndarray, "m dy"],
    recipe: Recipe,
    epochs: int,
    patience: int,
    loss: str,
    activation: Activation,
    rng: np.random.Generator,
) -> Descent:
    n = len(x)
    steps = -(-n // recipe.batch)
    order = np.full((recipe.epochs, steps * recipe.batch), -1, dtype=np.int32)
    for epoch in range(epochs):
        order[epoch, :n] = rng.permutation(n) if recipe.shuffle else np.arange(n)
    fill = ((0, steps * recipe.batch - n), (0, 0))
    learned, losses, watched, done = _program(recipe.optimizer, loss, activation)(
        network, np.pad(x.astype(np.float32), fill), np.pad(y.astype(np.float32), fill),
        x_watched.astype(np.float32), y_watched.astype(np.float32), order.reshape(recipe.epochs, steps, recipe.batch),
        np.float32(recipe.learning_rate), np.int32(epochs), np.int32(patience),
    )  # fmt: skip
    curve, held_out = (np.asarray(values, dtype=np.float64)[: int(done)] for values in (losses, watched))
    weights_finite = all(np.isfinite(array).all() for layer in learned for array in layer)
    if not (np.isfinite(curve).all() and weights_finite):
        raise MappingError(
            f"learning_rate: needed steps that keep the loss finite, got {recipe.learning_rate:g} and a loss of "
            f"{curve[-1]:g} in epoch {len(curve)}. Use a smaller one, or scale the inputs and targets."
        )
    return Descent(tuple(Layer(np.asarray(a), np.asarray(b)) for a, b in learned), curve, held_out)


def _jax() -> Any:
    """JAX with a CPU client of one thread; a client that the caller has started before keeps its threads."""
    before = os.environ.get("NPROC")
    os.environ["NPROC"] = "1"  # read once, when the client starts
    try:
        import jax  # noqa: PLC0415 - loaded where it trains

        jax.local_devices(backend="cpu")
    finally:
        if before is None:
            del os.environ["NPROC"]
        else:
            os.environ["NPROC"] = before
    return jax


@lru_cache(maxsize=32)
def _program(optimizer: str, loss: str, activation: str) -> Any:
    jax = _jax()
    import jax.numpy as jnp  # noqa: PLC0415
    import optax  # noqa: PLC0415

    activations = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}
    item_loss = LOSSES[loss]

    def losses_of(network: Network, x: Any, y: Any) -> Any:
        return item_loss(apply(network, x, activations[activation]), y)

    def batch_loss(network: Network, x: Any, y: Any, weight: Any) -> Any:
        return (losses_of(network, x, y) * weight).sum() / weight.sum()

    def train(
        network: Network,
        x: Any,
        y: Any,
        x_watched: Any,
        y_watched: Any,
        batches: Any,
        rate: Any,
        epochs: Any,
        patience: Any,
    ) -> Any:
        rule = optax.adam(rate) if optimizer == "adam" else optax.rmsprop(rate, 0.9, eps=1e-8, eps_in_sqrt=False)

        def step(state: Any, rows: Any) -> Any:
            network, memory = state
            weight = (rows >= 0).astype(x.dtype)
            value, gradient = jax.value_and_grad(batch_loss)(network, x[rows], y[rows], weight)
            change, memory = rule.update(gradient, memory, network)
            return (optax.apply_updates(network, change), memory), (value * weight.sum(), weight.sum())

        def goes_on(state: Any) -> Any:
            _, losses, watched, done = state
            best = jnp.argmin(jnp.where(jnp.arange(len(watched)) < done, watched, jnp.inf))
            falling = (done == 0) | jnp.isfinite(losses[done - 1])
            return (done < epochs) & (done - 1 - best < patience) & falling

        def epoch(state: Any) -> Any:
            (network, memory), losses, watched, done = state
            (network, memory), (values, weights) = jax.lax.scan(step, (network, memory), batches[done])
            losses = losses.at[done].set(values.sum() / weights.sum())
            watched = watched.at[done].set(losses_of(network, x_watched, y_watched).mean())
            return (network, memory), losses, watched, done + 1

        blank = jnp.full(batches.shape[0], jnp.nan, dtype=x.dtype)
        (network, _), losses, watched, done = jax.lax.while_loop(
            goes_on, epoch, ((network, rule.init(network)), blank, blank, 0)
        )
        return network, losses, watched, done

    return jax.jit(train)
