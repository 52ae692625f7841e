"""Losses against slow numpy: values, gradients, the first violator by a loop, what a recipe makes of them; classes."""

from dataclasses import replace

import numpy as np
import pytest

from isthmus import MLP, IsthmusError, Linear
from isthmus.pairs import k_fold
from isthmus.training import (
    LOSSES,
    NUMPY_ACTIVATIONS,
    RECIPES,
    Grid,
    Recipe,
    TrainingWarning,
    apply,
    cross_validate,
    encode_classes,
    initialize,
    learn,
    max_margin,
    of_other_classes,
)


def slow_mse(f, y):
    return np.array([0.5 * sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for p, q in zip(f, y, strict=True)])


def slow_cosine(f, y):
    return np.array([1 - p @ q / (np.sqrt(p @ p) * np.sqrt(q @ q)) for p, q in zip(f, y, strict=True)])


def first_violator(i, f, y, classes, margin):
    """The row of x~ for item i, or None: the items after i in batch order, then those before it."""
    own = np.linalg.norm(f[i] - y[i])
    for j in [*range(i + 1, len(f)), *range(i)]:
        if not set(classes[i]) & set(classes[j]) and margin + own - np.linalg.norm(f[j] - y[i]) > 0:
            return j
    return None


def slow_max_margin(f, y, classes, margin):
    losses = []
    for i in range(len(f)):
        j = first_violator(i, f, y, classes, margin)
        gap = 0.0 if j is None else margin + np.linalg.norm(f[i] - y[i]) - np.linalg.norm(f[j] - y[i])
        losses.append(max(gap, 0.0))
    return np.array(losses)


def slow_gradient(total, f, step=1e-6):
    """Central differences of a sum of losses, in float64."""
    gradient = np.zeros_like(f)
    for place in np.ndindex(f.shape):
        up, down = f.copy(), f.copy()
        up[place] += step
        down[place] -= step
        gradient[place] = (total(up) - total(down)) / (2 * step)
    return gradient


def jax_gradient(total, f):
    import jax

    return np.asarray(jax.grad(lambda f: total(f).sum())(f.astype(np.float32)))


@pytest.mark.parametrize(("name", "slow"), [("mse", slow_mse), ("cosine", slow_cosine)])
def test_pointwise_losses_and_their_gradients(rng, name, slow):
    f, y = rng.normal(size=(2, 9, 5))
    fast = LOSSES[name]
    np.testing.assert_allclose(np.asarray(fast(f.astype(np.float32), y.astype(np.float32))), slow(f, y), rtol=1e-5)
    expected = slow_gradient(lambda f: slow(f, y).sum(), f)
    np.testing.assert_allclose(jax_gradient(lambda f: fast(f, y.astype(np.float32)), f), expected, atol=1e-5)


def test_gradients_in_closed_form(rng):
    f, y = rng.normal(size=(2, 9, 5))
    np.testing.assert_allclose(jax_gradient(lambda v: LOSSES["mse"](v, y.astype(np.float32)), f), f - y, atol=1e-6)
    lengths = np.linalg.norm(f, axis=1, keepdims=True), np.linalg.norm(y, axis=1, keepdims=True)
    cosine = (f * y).sum(axis=1, keepdims=True) / (lengths[0] * lengths[1])
    expected = cosine * f / lengths[0] ** 2 - y / (lengths[0] * lengths[1])
    found = jax_gradient(lambda v: LOSSES["cosine"](v, y.astype(np.float32)), f)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("margin", [0.1, 1.0, 2.5, 10.0])
@pytest.mark.parametrize("kind", ["classes", "own class", "several classes", "one class"])
def test_max_margin_against_a_loop(rng, margin, kind):
    n = 24
    f, y = rng.normal(size=(2, n, 5))
    f += 0.7 * y
    classes = {
        "classes": [(str(c),) for c in rng.integers(4, size=n)],
        "own class": [(str(i),) for i in range(n)],
        "several classes": [tuple(map(str, np.flatnonzero(row))) for row in rng.random((n, 6)) < 0.25],
        "one class": [("a",)] * n,
    }[kind]
    labels = [set(names) for names in classes] if kind == "several classes" else tuple(names[0] for names in classes)
    others = of_other_classes(encode_classes(labels, "max-margin", n))

    def fast(f):
        return max_margin(f, y.astype(np.float32), others, margin)

    expected = slow_max_margin(f, y, classes, margin)
    np.testing.assert_allclose(np.asarray(fast(f.astype(np.float32))), expected, rtol=1e-4, atol=1e-5)
    gradient = slow_gradient(lambda f: slow_max_margin(f, y, classes, margin).sum(), f)
    np.testing.assert_allclose(jax_gradient(fast, f), gradient, atol=1e-3)
    if kind == "one class":
        assert (expected == 0).all()
        assert (gradient == 0).all()
    elif margin == 10.0:
        assert (expected > 0).all()
        assert [first_violator(i, f, y, classes, margin) for i in (0, n - 1)] == [
            next(j for j in range(1, n) if not set(classes[j]) & set(classes[0])),
            next(j for j in range(n - 1) if not set(classes[j]) & set(classes[-1])),
        ]


def test_gradients_are_finite_where_prediction_and_target_agree():
    y = np.eye(4, dtype=np.float32)
    others = of_other_classes(np.arange(4))
    for total in (lambda f: max_margin(f, y, others, 2.0), lambda f: LOSSES["cosine"](f, y)):
        assert np.isfinite(jax_gradient(total, y)).all()
        assert np.isfinite(jax_gradient(total, np.zeros((4, 4)))).all()


def test_items_without_a_class_stand_against_all_but_themselves():
    others = np.asarray(of_other_classes(encode_classes([set(), set(), {"a"}], "max-margin", 3)))
    assert (others == ~np.eye(3, dtype=bool)).all()


def test_classes_come_in_three_forms(rng):
    table = rng.random((30, 5)) < 0.3
    names = [tuple(f"c{j}" for j in np.flatnonzero(row)) for row in table]
    found = encode_classes(names, "max-margin", 30)
    used = table.any(axis=0)
    assert (found == table[:, used]).all()
    assert (encode_classes(table.astype(float), "max-margin", 30) == table).all()
    numbers = rng.integers(9, size=30)
    assert (encode_classes(numbers, "max-margin", 30) == encode_classes(tuple(map(str, numbers)), "max-margin", 30)).all()


def test_a_step_of_max_margin_by_hand(rng):
    """One step of RMSprop moves each weight by rate g / (sqrt(0.1) |g| + 1e-8), so only the sign of g shows."""
    x, y = rng.normal(size=(10, 3)), rng.normal(size=(10, 4))
    labels = tuple("abcabcabca")
    start = initialize((3, 4), rng)
    recipe = Recipe(epochs=1, batch=10, patience=0, shuffle=False, margin=2.5)
    learned = learn(start, x, y, recipe, loss="max-margin", labels=labels)

    def total(weight):
        return slow_max_margin(x @ weight, y, [(name,) for name in labels], 2.5).mean()

    gradient = slow_gradient(total, start[0].weight.astype(float))
    assert learned.loss[0] == pytest.approx(total(start[0].weight.astype(float)), rel=1e-4)
    moved = learned.network[0].weight - start[0].weight
    np.testing.assert_allclose(moved, -1e-3 * np.sign(gradient) / np.sqrt(0.1), rtol=1e-2)


def test_rows_that_fill_a_batch_up_are_no_violators(rng):
    """13 items in batches of 8: the second batch has 5 items, and the loss is that of these alone."""
    x, y = rng.normal(size=(13, 3)), rng.normal(size=(13, 4))
    names = tuple(map(str, range(13)))
    start = initialize((3, 4), rng)
    recipe = Recipe(epochs=1, batch=8, patience=0, shuffle=False, margin=100.0, learning_rate=1e-12)
    f = apply(start, x, NUMPY_ACTIVATIONS["relu"])
    classes = [(name,) for name in names]
    expected = np.concatenate([slow_max_margin(f[p], y[p], classes[p], 100.0) for p in (slice(0, 8), slice(8, 13))]).mean()
    assert learn(start, x, y, recipe, loss="max-margin", labels=names).loss[0] == pytest.approx(expected, rel=1e-5)


def test_all_items_in_one_class_leave_the_network_as_it_was(rng):
    x = rng.normal(size=(30, 3))
    start = initialize((3, 3), rng)
    learned = learn(start, x, x, Recipe(epochs=3, patience=0), loss="max-margin", labels=("a",) * 30)
    assert (learned.loss == 0).all()
    assert (learned.network[0].weight == start[0].weight).all()


def test_a_loss_of_your_own(rng):
    x = rng.normal(size=(200, 3))
    y = x @ rng.normal(size=(3, 2))
    start = initialize((3, 2), rng)
    recipe = Recipe(epochs=30, patience=5)

    def half_squares(f, y):
        return ((f - y) ** 2).sum(axis=-1) / 2

    own, known = learn(start, x, y, recipe, loss=half_squares), learn(start, x, y, recipe)
    np.testing.assert_allclose(own.network[0].weight, known.network[0].weight, atol=1e-5)
    with pytest.raises(IsthmusError, match=r"loss: needed one value an item, shape \(64,\), got shape \(64, 2\)"):
        learn(start, x, y, recipe, loss=lambda f, y: abs(f - y))


def own_loss(f, y):
    """Neither a shift nor a factor leaves it as it is."""
    return abs(f**3 - y**3).sum(axis=-1)


# What is recorded, as a function of a mapping's predictions and the targets, both in their own units, and of the one number
# that the targets were divided by.
AS_PRINTED = {
    "mse": lambda f, y, c: slow_mse(f, y) / c**2,
    "cosine": lambda f, y, c: slow_cosine(f / c, y / c),
    "max-margin": lambda f, y, c: slow_max_margin(f, y, [(i % 7,) for i in range(len(f))], 2.5 * c) / c,
    "own": lambda f, y, c: own_loss(f / c, y / c),
}


@pytest.mark.parametrize("scaling", ["none", "isotropic"])
@pytest.mark.parametrize("loss", AS_PRINTED)
def test_what_is_minimized_is_the_printed_loss_of_the_predictions(rng, loss, scaling):
    """With one batch an epoch, the recorded loss is that of the network before it, and the targets are far from centered."""
    x = rng.normal(1, 2, size=(60, 3))
    y = x @ rng.normal(size=(3, 4)) + np.array([9.0, -5, 0, 2])
    recipe = replace(RECIPES["paper"], batch=60, epochs=4, patience=0, shuffle=False, margin=2.5, scaling=scaling)
    how = {"loss": own_loss if loss == "own" else loss, "recipe": recipe, "checkpoints": range(4)}
    for mapping in (Linear(**how), MLP((8,), **how)):
        mapping.fit(x, y, labels=np.arange(60) % 7)
        factor = mapping.target_scaling_.scale
        assert (factor == factor[0]).all()
        for epoch in range(4):
            expected = AS_PRINTED[loss](mapping.at(epoch).predict(x), y, factor[0]).mean()
            assert mapping.loss_[epoch] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("scaling", ["none", "center", "isotropic", "scale", "standardize", "unit"])
def test_the_cosine_of_held_out_items_is_that_of_the_predictions(rng, scaling):
    x = rng.normal(1, 2, size=(60, 3))
    y = x @ rng.normal(size=(3, 4)) + np.array([9.0, -5, 0, 2])
    split = k_fold(60, 3)[0]
    recipe = Recipe(scaling=scaling)
    with pytest.warns(TrainingWarning):  # one epoch shows no fall
        found = cross_validate(x, y, Grid((0.01,), (8,), (0.0,), epochs=1), [split], recipe=recipe, loss="cosine")
    own = found.cell.of(recipe, 1)
    f = MLP((8,), loss="cosine", recipe=own).fit(x[split.train], y[split.train]).predict(x[split.test])
    expected = slow_cosine(f, y[split.test]).mean()
    assert found.cells[0].validation_loss[0, 0] == pytest.approx(expected, rel=1e-4)


def test_an_untrained_twin_stands_where_the_network_of_its_loss_starts(rng):
    x, y = rng.normal(size=(40, 3)), rng.normal(7, 1, size=(40, 4))
    for loss in ("mse", "cosine"):
        mapping = MLP((8,), loss=loss, recipe=Recipe(epochs=1, patience=0)).fit(x, y)
        twin = mapping.twin().fit(x, y)
        assert (twin.target_scaling_.shift == mapping.target_scaling_.shift).all()
        assert (twin.target_scaling_.scale == mapping.target_scaling_.scale).all()
        assert (twin.target_scaling_.shift == 0).all() == (loss == "cosine")


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (None, "labels: needed a class for each item for the max-margin loss, got none"),
        (("a",) * 9, r"labels: needed one an item \(10\), got 9"),
    ],
)
def test_max_margin_refuses_missing_labels(labels, match):
    start = initialize((10, 10), np.random.default_rng(0))
    with pytest.raises(IsthmusError, match=match):
        learn(start, np.eye(10), np.eye(10), Recipe(), loss="max-margin", labels=labels)


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        ([{"a"}, None, {"b"}], r"got \{'a'\} in row 0 and None in row 1"),
        ([None, "a", "b"], "got None in row 0"),
        (["a", None, "b"], "got 'a' in row 0 and None in row 1"),
        (np.array(["a", None, "b"], dtype=object), "got 'a' in row 0 and None in row 1"),
        ([{"a"}, "bc", {"b"}], r"got \{'a'\} in row 0 and 'bc' in row 1"),
        (["a", {"a"}, "b"], r"got 'a' in row 0 and \{'a'\} in row 1"),
        ([{"a"}, {None}, {"b"}], r"got \{'a'\} in row 0 and \{None\} in row 1"),
        ([1.0, float("nan"), 2.0], "got 1.0 in row 0 and nan in row 1"),
        (np.array([1.0, 2.0, np.nan]), r"and .*nan.* in row 2"),
        (np.array([[1.0, 0], [0, np.nan], [1, 1]]), r"and array\(\[ 0., nan\]\) in row 1"),
        (
            np.array([["a", "b"], ["a", "c"], ["b", "c"]]),
            "needed numbers in a table of items by classes, got <U1 in one of 3x2",
        ),
        (["a", 1, "b"], "needed names of one kind, text or numbers, got both"),
        ([["a"], [1], []], "needed names of one kind, text or numbers, got both"),
        (np.zeros((3, 2, 2)), "needed one axis of items, or a table, got 3 axes"),
        (np.array(3), "needed one axis of items, or a table, got 0 axes"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_labels_of_no_form_are_refused(labels, match):
    with pytest.raises(IsthmusError, match=match):
        encode_classes(labels, "max-margin", 3)


def test_arrays_of_objects_are_lists():
    sets = [{"a"}, {"a", "b"}, {"a"}, {"b"}]
    array = np.empty(4, dtype=object)
    array[:] = sets
    assert (encode_classes(array, "max-margin", 4) == [[1, 0], [1, 1], [1, 0], [0, 1]]).all()
    assert (encode_classes(array, "max-margin", 4) == encode_classes(sets, "max-margin", 4)).all()
    assert encode_classes(np.array(list("baba"), dtype=object), "max-margin", 4).tolist() == [1, 0, 1, 0]
    assert encode_classes([], "max-margin", 0).shape == (0,)


def test_whole_numbers_and_a_single_column_are_classes():
    expected = [0, 1, 2, 0]
    numbers = np.array([3, 5, 9, 3])
    for labels in ([3, 5, 9, 3], numbers, numbers[:, None], numbers / 2, numbers.astype(str), ["c", "e", "i", "c"]):
        assert encode_classes(labels, "max-margin", 4).tolist() == expected
