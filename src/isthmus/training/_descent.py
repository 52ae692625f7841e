"""Learning one network by a recipe: how long, in which order, and what is kept of it.

The order of the items is drawn in numpy, for as many epochs as a few megabytes hold, while the epochs themselves run in the
compiled program. The last batch of an epoch is filled up with rows of weight zero, and arrays are filled up to whole
batches, so that fits on almost equally many items share one program.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._errors import DivergenceError, MappingError
from isthmus._shapes import Float, Int
from isthmus.training._classes import Labels, encode_classes
from isthmus.training._losses import Loss, check_loss
from isthmus.training._network import Activation, Layer, Network
from isthmus.training._program import Items, Kind, Settings, blank_state, program
from isthmus.training._recipes import Recipe

_ORDER_ENTRIES = 2**22  # row numbers drawn ahead, 16 MB


class Descent(NamedTuple):
    """A learned network and its mean loss per epoch, on the items learned from and on the held-out ones (empty without).

    checkpoints holds the network as it was after the epochs that were asked for, in their order.
    """

    network: Network
    loss: Float[ndarray, " epochs"]
    held_out_loss: Float[ndarray, " trial_epochs"]
    checkpoints: dict[int, Network]


def learn(
    network: Network,
    x: Float[ndarray, "n dx"],
    y: Float[ndarray, "n dy"],
    recipe: Recipe,
    *,
    loss: str | Loss = "mse",
    activation: Activation = "relu",
    seed: int = 0,
    labels: Labels | None = None,
    checkpoints: Sequence[int] = (),
    longest: int | None = None,
) -> Descent:
    """The network after training by the recipe; with patience, for the number of epochs that served held-out items best.

    Args:
        network: where to start.
        x: scaled inputs.
        y: scaled targets.
        recipe: optimizer and its settings.
        loss: "mse", "cosine", "max-margin", or a JAX function of predicted and true vectors that gives a value an item.
        activation: of the hidden layers.
        seed: of the held-out part, the order of the items and the units that are dropped.
        labels: classes of the items, for max-margin; see `encode_classes`.
        checkpoints: epochs after which to keep a copy of the network, 0 for where it started. Where patience chose fewer
            epochs, training goes on to the last checkpoint; the network returned is that of the chosen epoch all the same.
        longest: the last epoch that a checkpoint may be; that of the recipe if left out.

    Raises:
        MappingError: an unknown loss, labels that max-margin misses, a checkpoint outside 0..longest, or a loss that left
            the finite numbers up to the chosen epoch; checkpoints after a later divergence are left out.

    Example:
        >>> from isthmus.training import initialize
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(100, 3))
        >>> start = initialize([3, 2], rng)
        >>> descent = learn(start, x, x[:, :2], Recipe(epochs=20, patience=0), checkpoints=(0, 10))
        >>> len(descent.loss), list(descent.checkpoints), bool(descent.loss[-1] < descent.loss[0])
        (20, [0, 10], True)
    """
    check_loss(loss)
    classes = encode_classes(labels, loss, len(x))
    check_checkpoints(checkpoints, longest or recipe.epochs)
    recipe = replace(recipe, batch=min(recipe.batch, len(x)))  # a larger one would only be filled up
    rng = np.random.default_rng([seed, 0x1EA2])
    kind = Kind(recipe.optimizer, loss, activation, recipe.batch, drops=recipe.dropout > 0, stops=True)
    settings = settings_of(recipe)
    epochs = recipe.epochs
    held_out = np.empty(0)
    size = min(round(recipe.held_out * len(x)), len(x) - 1)
    if recipe.patience and size:
        order = rng.permutation(len(x))
        rest, watch = order[size:], order[:size]
        trial = descend(
            kind, network, fill(x[rest], y[rest], classes[rest], recipe.batch),
            fill(x[watch], y[watch], classes[watch], recipe.batch), orders(len(rest), recipe, rng), settings,
            epochs=epochs, longest=epochs, patience=recipe.patience, seed=seed,
        )  # fmt: skip
        _check_finite(trial, recipe)
        held_out = trial.watched_loss
        epochs = int(np.argmin(held_out)) + 1
    nothing = fill(x[:1], y[:1], classes[:1], recipe.batch)
    recipe = replace(recipe, epochs=max(recipe.epochs, *checkpoints, 0))
    reach = max(epochs, *checkpoints, 0)
    final = descend(
        kind, network, fill(x, y, classes, recipe.batch), nothing, orders(len(x), recipe, rng), settings,
        epochs=reach, longest=recipe.epochs, patience=reach, seed=seed, checkpoints=(*checkpoints, epochs),
    )  # fmt: skip
    chosen = final._replace(network=final.checkpoints.get(epochs, final.network), loss=final.loss[:epochs])
    _check_finite(chosen, recipe)
    kept = {0: network} | {epoch: each for epoch, each in final.checkpoints.items() if _finite(each)}
    return Descent(
        chosen.network, chosen.loss, held_out, {each: kept[each] for each in sorted(set(checkpoints) & set(kept))}
    )


def check_checkpoints(checkpoints: Sequence[int], epochs: int) -> None:
    """Refuse checkpoints that no run of so many epochs reaches.

    Raises:
        MappingError: a checkpoint outside 0..epochs.
    """
    if any(not 0 <= each <= epochs for each in checkpoints):
        raise MappingError(
            f"checkpoints: needed epochs from 0 to {epochs}, got {list(checkpoints)}. Ask for others or train longer."
        )


class Run(NamedTuple):
    """What some epochs of one model, or of a table of models, left."""

    network: Network
    loss: Float[ndarray, "*models epochs"]
    watched_loss: Float[ndarray, "*models epochs"]
    checkpoints: dict[int, Network]


def descend(
    kind: Kind,
    network: Network,
    items: Items,
    watched: Items,
    order: Iterator[Int[ndarray, "*folds steps batch"]],
    settings: Settings,
    *,
    epochs: int,
    longest: int,
    patience: int,
    seed: int,
    checkpoints: Sequence[int] = (),
) -> Run:
    """Epochs of the compiled program, interrupted where row numbers have to be drawn and where a checkpoint is.

    Args:
        kind: which program.
        network: where to start; for models together, its arrays carry the axes folds and settings.
        items: to learn from; for models together, with a leading axis of folds.
        watched: items whose loss is recorded.
        order: for each epoch, the rows that each step takes; drawn to its end.
        settings: numbers, or arrays of one number a setting for models together.
        epochs: to train.
        longest: number of epochs that the program has room for.
        patience: epochs without a lower watched loss after which to stop, where the kind stops.
        seed: of dropped units.
        checkpoints: epochs after which to keep the network.
    """
    run = program(kind)
    state = blank_state(kind, network, longest)
    kept: dict[int, Network] = {}
    piece = done = 0
    while done < epochs:
        first = next(order)
        piece = piece or max(1, min(longest, _ORDER_ENTRIES // first.size))
        stops = [each for each in (*checkpoints, epochs, done + piece) if each > done]
        until = min(stops)
        drawn = np.stack([first, *islice(order, until - done - 1)], axis=-3)
        room = [(0, 0)] * drawn.ndim
        room[-3] = (0, piece - (until - done))
        state, reached = run(
            state, items, watched, np.pad(drawn, room), settings, np.int32(done), np.int32(until), np.int32(patience),
            np.uint32(seed % 2**32),
        )  # fmt: skip
        done = int(reached)
        if done in checkpoints:
            kept[done] = _numpy(state.network)
        if done < until:
            break
    for _ in order:  # what is drawn next, from the same generator, must not depend on when this run stopped
        pass
    loss, watched_loss = (
        np.asarray(curve, dtype=np.float64)[..., :done] for curve in (state.loss, state.watched_loss)
    )  # fmt: skip
    return Run(_numpy(state.network), loss, watched_loss, kept)


def orders(n: int, recipe: Recipe, rng: np.random.Generator) -> Iterator[Int[ndarray, "steps batch"]]:
    """For each epoch of the recipe, the rows of n items in the order of training, by steps; -1 fills the last one up."""
    steps = -(-n // recipe.batch)
    for _ in range(recipe.epochs):
        order = np.full(steps * recipe.batch, -1, dtype=np.int32)
        order[:n] = rng.permutation(n) if recipe.shuffle else np.arange(n)
        yield order.reshape(steps, recipe.batch)


def fill(x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], classes: ndarray, batch: int, size: int = 0) -> Items:
    """Items as float32, filled up to whole batches (and at least to `size` rows) with copies of the last, of weight zero."""
    n = len(x)
    size = -(-max(n, size) // batch) * batch
    rows = np.minimum(np.arange(size), n - 1)
    weight = (np.arange(size) < n).astype(np.float32)
    return Items(x.astype(np.float32)[rows], y.astype(np.float32)[rows], classes[rows], weight)


def settings_of(recipe: Recipe, watched_margin: float | None = None) -> Settings:
    """The numbers of a recipe that its program receives."""
    margin = recipe.margin if watched_margin is None else watched_margin
    return Settings(*map(np.float32, (recipe.learning_rate, recipe.weight_decay, recipe.dropout, recipe.margin, margin)))


def _numpy(network: Network) -> Network:
    return tuple(Layer(np.asarray(weight), np.asarray(bias)) for weight, bias in network)


def _finite(network: Network) -> bool:
    return all(np.isfinite(array).all() for layer in network for array in layer)


def _check_finite(run: Run, recipe: Recipe) -> None:
    if not (np.isfinite(run.loss).all() and _finite(run.network)):
        raise DivergenceError(
            f"learning_rate: needed steps that keep the loss finite, got {recipe.learning_rate:g} and a loss of "
            f"{run.loss[-1]:g} in epoch {len(run.loss)}. Use a smaller one, or scale the inputs and targets."
        )
