"""Some epochs of gradient descent as one compiled program: epochs in a loop, batches in a scan within it.

Python is left once for many epochs, not once a step, which is where small networks spend their time. What makes the program
another one stands in `Kind`; what it receives as numbers stands in `Settings`, so that models that differ only there share
it. With `Kind.together` it trains a table of models at once, folds by settings, through `jax.vmap`.

The program runs on one thread: sums are then taken in one order, and a fit gives the same bytes on one core and on many.
"""

import os
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from isthmus._errors import MappingError
from isthmus.training._classes import of_other_classes
from isthmus.training._losses import LOSSES, MAX_MARGIN, Loss, max_margin
from isthmus.training._network import Network, apply


class Kind(NamedTuple):
    """What a program is compiled for, besides the shapes of its arrays.

    Args:
        optimizer: "rmsprop", "adam" or "adamw".
        loss: a name, or a function of (f, y).
        activation: of the hidden layers.
        batch: items a step; the loss of watched items is taken in batches of as many.
        drops: whether hidden units are dropped; a program that draws no masks is faster.
        stops: whether it stops early, for want of patience or because the loss is no longer finite.
        together: whether it trains a table of models, folds by settings.
    """

    optimizer: str
    loss: str | Loss
    activation: str
    batch: int
    drops: bool = False
    stops: bool = False
    together: bool = False


class Settings(NamedTuple):
    """Numbers of one model: those of its recipe, and the margin by which the watched items are judged."""

    learning_rate: Any
    weight_decay: Any
    dropout: Any
    margin: Any
    watched_margin: Any


class Items(NamedTuple):
    """Inputs, targets, classes and weights (0 for rows that only fill up) of items, one row each."""

    x: Any
    y: Any
    classes: Any
    weight: Any


class State(NamedTuple):
    """A model in training: its layers, the optimizer's memory, and its losses so far, nan for epochs to come."""

    network: Network
    memory: Any
    loss: Any
    watched_loss: Any


def jax_of_one_thread() -> Any:
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


def _rule(optimizer: str, settings: Settings) -> Any:
    import optax  # noqa: PLC0415

    if optimizer == "adam":
        return optax.adam(settings.learning_rate)
    if optimizer == "adamw":
        return optax.adamw(settings.learning_rate, weight_decay=settings.weight_decay)
    return optax.rmsprop(settings.learning_rate, 0.9, eps=1e-8, eps_in_sqrt=False)


def blank_state(kind: Kind, network: Network, epochs: int) -> State:
    """The state before the first step, with room for the losses of so many epochs.

    The memory of all three optimizers begins with zeros. Only its shape is asked of them: a compiled function would take as
    long to compile as some epochs of a small network take to run.
    """
    jax = jax_of_one_thread()
    table = network[0].bias.shape[:-1]  # of models together, else ()
    begin = _rule(kind.optimizer, Settings(0.0, 0.0, 0.0, 0.0, 0.0)).init
    shapes = jax.eval_shape(jax.vmap(jax.vmap(begin)) if kind.together else begin, network)
    memory = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    blank = np.full((*table, epochs), np.nan, dtype=np.float32)
    return State(network, memory, blank, blank)


@lru_cache(maxsize=32)
def program(kind: Kind) -> Any:
    """The compiled program, (state, items, watched, batches, settings, first, until, patience, seed) -> state, epochs done.

    It trains from epoch `first` up to epoch `until`. batches, epochs x steps x batch, holds the rows that each step takes,
    -1 where a batch is not full; its first row belongs to epoch `first`.
    """
    jax = jax_of_one_thread()
    import jax.numpy as jnp  # noqa: PLC0415

    activation = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}[kind.activation]

    def item_losses(f: Any, items: Items, margin: Any) -> Any:
        if kind.loss == MAX_MARGIN:
            return max_margin(f, items.y, of_other_classes(items.classes) & (items.weight > 0), margin)
        values = (LOSSES[kind.loss] if isinstance(kind.loss, str) else kind.loss)(f, items.y)
        if jnp.shape(values) != (len(f),):
            raise MappingError(
                f"loss: needed one value an item, shape {(len(f),)}, got shape {jnp.shape(values)}. Sum over the outputs."
            )
        return values

    def batch_loss(network: Network, items: Items, settings: Settings, key: Any) -> Any:
        def drop(hidden: Any, layer: int) -> Any:
            kept = jax.random.bernoulli(jax.random.fold_in(key, layer), 1 - settings.dropout, hidden.shape)
            return jnp.where(kept, hidden / (1 - settings.dropout), 0)

        f = apply(network, items.x, activation, drop if kind.drops else None)
        return (item_losses(f, items, settings.margin) * items.weight).sum() / items.weight.sum()

    def watched_loss(network: Network, items: Items, settings: Settings) -> Any:
        f = apply(network, items.x, activation)
        if kind.loss == MAX_MARGIN:  # x~ is sought within a batch, for watched items too
            f, items = jax.tree.map(lambda a: a.reshape(-1, kind.batch, *a.shape[1:]), (f, items))
            values = jax.vmap(item_losses, (0, 0, None))(f, items, settings.watched_margin)
        else:
            values = item_losses(f, items, settings.watched_margin)
        return (values * items.weight).sum() / items.weight.sum()

    def train(
        state: State,
        items: Items,
        watched: Items,
        batches: Any,
        settings: Settings,
        first: Any,
        until: Any,
        patience: Any,
        seed: Any,
    ) -> tuple[State, Any]:
        rule = _rule(kind.optimizer, settings)

        def step(model: Any, taken: Any) -> Any:
            network, memory = model
            rows, key = taken
            batch = Items(items.x[rows], items.y[rows], items.classes[rows], (rows >= 0).astype(items.x.dtype))
            value, gradient = jax.value_and_grad(batch_loss)(network, batch, settings, key)
            change, memory = rule.update(gradient, memory, network)
            weight = batch.weight.sum()
            return (jax.tree.map(jnp.add, network, change), memory), (value * weight, weight)

        def goes_on(progress: tuple[State, Any]) -> Any:
            state, done = progress
            if not kind.stops:
                return done < until
            seen = jnp.where(jnp.arange(len(state.watched_loss)) < done, state.watched_loss, jnp.inf)
            finite = (done == 0) | jnp.isfinite(state.loss[done - 1])
            return (done < until) & (done - 1 - jnp.argmin(seen) < patience) & finite

        def epoch(progress: tuple[State, Any]) -> tuple[State, Any]:
            state, done = progress
            rows = batches[done - first]
            keys = None
            if kind.drops:
                # Masks depend on seed, epoch, step and layer alone: models that train together drop the same units.
                keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), done), len(rows))
            (network, memory), (values, weights) = jax.lax.scan(step, (state.network, state.memory), (rows, keys))
            loss = state.loss.at[done].set(values.sum() / weights.sum())
            seen = state.watched_loss.at[done].set(watched_loss(network, watched, settings))
            return State(network, memory, loss, seen), done + 1

        return jax.lax.while_loop(goes_on, epoch, (state, first))

    if not kind.together:
        return jax.jit(train)
    settings_side = jax.vmap(train, (0, None, None, None, 0, None, None, None, None), (0, None))
    return jax.jit(jax.vmap(settings_side, (0, 0, 0, 0, None, None, None, None, None), (0, None)))
