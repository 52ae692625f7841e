"""Gradient descent: its optimizers by hand, dropout, checkpoints, and an order that is drawn in pieces."""

import numpy as np
import pytest

from isthmus import IsthmusError
from isthmus.training import (
    NUMPY_ACTIVATIONS,
    Layer,
    Recipe,
    _descent,
    apply,
    encode_classes,
    initialize,
    learn,
    max_margin,
    of_other_classes,
)


def same(a, b):
    return all((p == q).all() for one, other in zip(a, b, strict=True) for p, q in zip(one, other, strict=True))


@pytest.fixture
def xy(rng):
    x = rng.normal(size=(150, 6))
    return x, np.tanh(x @ rng.normal(size=(6, 4))) + 0.1 * rng.normal(size=(150, 4))


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam", "adamw"])
def test_three_steps_by_hand(rng, optimizer):
    """RMSprop: Tieleman & Hinton (2012); Adam: Kingma & Ba (2015), alg. 1; AdamW: Loshchilov & Hutter (2019), alg. 2."""
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    recipe = Recipe(optimizer=optimizer, epochs=3, batch=8, patience=0, shuffle=False, learning_rate=0.01, weight_decay=0.1)
    start = initialize((3, 2), rng)
    w = np.vstack([start[0].weight, start[0].bias]).astype(float)
    inputs = np.c_[x, np.ones(8)]
    first, second = np.zeros_like(w), np.zeros_like(w)
    for t in (1, 2, 3):
        gradient = inputs.T @ (inputs @ w - y) / 8
        if optimizer == "rmsprop":
            second = 0.9 * second + 0.1 * gradient**2
            w = w - 0.01 * gradient / (np.sqrt(second) + 1e-8)
        else:
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            decay = 0.1 if optimizer == "adamw" else 0.0
            direction = (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
            w = w - 0.01 * (direction + decay * w)
    learned = learn(start, x, y, recipe).network[0]
    np.testing.assert_allclose(np.vstack([learned.weight, learned.bias]), w, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layers", [0, 1, 3, 5])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_every_depth_and_activation_learns(xy, layers, activation):
    x, y = xy
    start = initialize((6, *(16,) * layers, 4), np.random.default_rng(0))
    curve = learn(start, x, y, Recipe(epochs=40, patience=0, learning_rate=3e-3), activation=activation).loss
    assert curve[-1] < 0.8 * curve[0]


@pytest.mark.parametrize("rate", [0.25, 0.5, 0.75])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
    """One step of a network of ones: its loss shows the output, a sum over kept units of 1 / (1 - rate)."""
    units, n = 400, 64
    spread, mean = np.ones((1, units), np.float32), np.full((units, 1), 1 / units, np.float32)
    network = (Layer(spread, np.zeros(units, np.float32)), Layer(mean, np.zeros(1, np.float32)))
    ones = np.ones((n, 1))
    recipe = Recipe(epochs=30, batch=n, patience=0, dropout=rate, learning_rate=1e-12)
    # E f^2 and E (f - 1)^2 give the mean and the variance of f.
    square, about_one = (2 * learn(network, ones, ones * y, recipe, seed=4).loss.mean() for y in (0.0, 1.0))
    assert (square - about_one + 1) / 2 == pytest.approx(1, abs=0.01)
    assert about_one == pytest.approx(rate / (1 - rate) / units, rel=0.1)


def test_dropout_is_the_same_for_a_seed_and_another_for_another(xy):
    x, y = xy
    start = initialize((6, 32, 4), np.random.default_rng(0))
    recipe = Recipe(epochs=5, patience=0, dropout=0.5, shuffle=False)
    one, again, other = (learn(start, x, y, recipe, seed=seed).network for seed in (1, 1, 2))
    assert same(one, again)
    assert not same(one, other)


def test_dropout_of_nothing_is_no_dropout(xy):
    x, y = xy
    start = initialize((6, 32, 4), np.random.default_rng(0))
    tiny = learn(start, x, y, Recipe(epochs=5, patience=0, dropout=1e-9))
    np.testing.assert_allclose(tiny.loss, learn(start, x, y, Recipe(epochs=5, patience=0)).loss, rtol=1e-5)


def test_checkpoints_are_the_shorter_runs(xy):
    x, y = xy
    start = initialize((6, 16, 4), np.random.default_rng(0))
    whole = learn(start, x, y, Recipe(epochs=12, patience=0, dropout=0.25), checkpoints=(1, 5, 12))
    assert list(whole.checkpoints) == [1, 5, 12]
    for epoch, network in whole.checkpoints.items():
        short = learn(start, x, y, Recipe(epochs=epoch, patience=0, dropout=0.25))
        assert same(network, short.network)
        assert (whole.loss[:epoch] == short.loss).all()
    with pytest.raises(IsthmusError, match="checkpoints: needed epochs from 0 to 12, got \\[-1, 13\\]"):
        learn(start, x, y, Recipe(epochs=12), checkpoints=[-1, 13])


def test_checkpoints_beyond_the_chosen_epoch_change_nothing_before(rng):
    x, y = rng.normal(size=(60, 6)), rng.normal(size=(60, 4))  # nothing to learn, so patience soon ends
    start = initialize((6, 16, 4), np.random.default_rng(0))
    recipe = Recipe(epochs=80, patience=3, learning_rate=0.01)
    alone = learn(start, x, y, recipe)
    chosen = len(alone.loss)
    assert chosen < 40
    whole = learn(start, x, y, recipe, checkpoints=(40, 0, chosen))
    assert list(whole.checkpoints) == [0, chosen, 40]
    assert same(whole.network, alone.network)
    assert same(whole.checkpoints[chosen], alone.network)
    assert same(whole.checkpoints[0], start)
    assert (whole.loss == alone.loss).all()
    assert not same(whole.checkpoints[40], alone.network)


@pytest.mark.parametrize("loss", ["mse", "max-margin"])
def test_the_order_may_be_drawn_in_pieces(monkeypatch, xy, loss):
    x, y = xy
    start = initialize((6, 16, 4), np.random.default_rng(0))
    labels = tuple(map(str, range(150)))
    runs = []
    for entries in (2**22, 500, 1):
        monkeypatch.setattr(_descent, "_ORDER_ENTRIES", entries)
        runs.append(learn(start, x, y, Recipe(epochs=40, patience=3, learning_rate=0.01), loss=loss, labels=labels))
    for run in runs[1:]:
        assert same(run.network, runs[0].network)
        assert (run.loss == runs[0].loss).all()
        assert (run.held_out_loss == runs[0].held_out_loss).all()


def test_held_out_max_margin_is_taken_in_batches(rng):
    """The held-out loss of an untouched network is the mean of batches of held-out items, filled rows left out."""
    x, y = rng.normal(size=(100, 5)), rng.normal(size=(100, 5))
    start = initialize((5, 5), rng)
    recipe = Recipe(epochs=1, batch=8, patience=1, held_out=0.2, learning_rate=1e-12, margin=3.0)
    found = learn(start, x, y, recipe, loss="max-margin", labels=tuple("ab" * 50), seed=3).held_out_loss[0]
    watch = np.random.default_rng([3, 0x1EA2]).permutation(100)[:20]
    f = apply(start, x[watch].astype(np.float32), NUMPY_ACTIVATIONS["relu"])
    classes = encode_classes(tuple("ab" * 50), "max-margin", 100)[watch]
    y = y[watch].astype(np.float32)
    parts = (slice(0, 8), slice(8, 16), slice(16, 20))
    values = np.concatenate([max_margin(f[p], y[p], of_other_classes(classes[p]), 3.0) for p in parts])
    assert found == pytest.approx(values.mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"dropout": 1.0}, r"dropout: needed a share in \[0, 1\), got 1.0"),
        ({"margin": 0.0}, "margin: needed a positive number, got 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate: needed a positive number, got nan"),
        ({"weight_decay": -1.0}, "weight_decay: needed a number from 0 on"),
    ],
)
def test_recipes_refuse(settings, match):
    with pytest.raises(IsthmusError, match=match):
        Recipe(**settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [("learning_rate", np.inf), ("bias", np.nan), ("margin", np.inf), ("patience", -1), ("epochs", 2.5), ("epochs", 10**7)],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_settings_that_no_run_could_use_are_refused(name, value):
    with pytest.raises(IsthmusError, match=f"^{name}: needed"):
        Recipe(**{name: value})


def test_the_largest_seeds_and_shares_held_out_are_learned_with(rng):
    x = rng.normal(size=(4, 3))
    recipe = Recipe(epochs=3, held_out=0.9)
    learn(initialize([3, 2], rng), x, x[:, :2], recipe, seed=2**32)
