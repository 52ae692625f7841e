"""Cross-validation: every model is the one that would be learned alone; the choice is read off the curves."""

import json

import numpy as np
import pytest
from sklearn.base import clone

from isthmus import MLP, IsthmusError, Linear
from isthmus.mappings import load, mapping, save
from isthmus.pairs import Split, k_fold
from isthmus.training import (
    GRIDS,
    NUMPY_ACTIVATIONS,
    CellCurves,
    Grid,
    Recipe,
    TrainingWarning,
    _crossvalidation,
    apply,
    cross_validate,
    fit_scalings,
    initialize,
    learn,
    steadily_decreases,
)

pytestmark = pytest.mark.filterwarnings("ignore::isthmus.training.TrainingWarning")
SMALL = Grid((0.01, 0.001), (8,), (0.0, 0.5), epochs=6)


@pytest.fixture
def xy(rng):
    x = rng.normal(1, 2, size=(131, 6))
    return x, np.tanh(x @ rng.normal(size=(6, 4))) + 0.1 * rng.normal(size=(131, 4))


def same_results(a, b):
    for one, other in zip(a.cells, b.cells, strict=True):
        assert one.cell == other.cell
        np.testing.assert_array_equal(one.loss, other.loss)
        np.testing.assert_array_equal(one.validation_loss, other.validation_loss)
    assert (a.chosen, a.epoch, a.recipe) == (b.chosen, b.epoch, b.recipe)
    for one, other in zip(a.descent.network, b.descent.network, strict=True):
        assert (one.weight == other.weight).all()
        assert (one.bias == other.bias).all()


def alone(xy, split, cell, recipe, epochs, seed, **how):
    """Loss curve and network of one cell in one fold, learned without any cross-validation."""
    x, y = xy
    scaling, target_scaling = fit_scalings(x[split.train], y[split.train], recipe.scaling, recipe.scaling)
    widths = (6, *(cell.hidden,) * (cell.hidden > 0), 4)
    start = initialize(widths, np.random.default_rng([seed, 0x1217]), recipe.initialization, recipe.bias)
    inputs, targets = scaling.apply(x), target_scaling.apply(y)
    own = cell.of(recipe, epochs)
    descent = learn(start, inputs[split.train], targets[split.train], own, seed=seed, checkpoints=(1, epochs), **how)
    predicted = {epoch: apply(net, inputs, NUMPY_ACTIVATIONS["relu"]) for epoch, net in descent.checkpoints.items()}
    errors = {epoch: (0.5 * (f - targets) ** 2)[split.test].sum(axis=1).mean() for epoch, f in predicted.items()}
    return descent, errors


@pytest.mark.parametrize(("together", "optimizer"), [(True, "adam"), (False, "rmsprop")])
def test_every_model_is_the_one_learned_alone(monkeypatch, xy, together, optimizer):
    """131 items in 4 folds of batch 7 leave 98 or 99 to learn from, which are 14 and 15 steps."""
    monkeypatch.setattr(_crossvalidation, "_TOGETHER_UP_TO", {"cpu": 10**9 if together else 0})
    recipe = Recipe(batch=7, optimizer=optimizer)
    found = cross_validate(*xy, SMALL, 4, recipe=recipe, seed=5)
    assert {curves.loss.shape for curves in found.cells} == {(4, 6)}
    for curves in found.cells:
        for fold, split in enumerate(k_fold(131, 4, 5)):
            descent, errors = alone(xy, split, curves.cell, recipe, 6, 5)
            np.testing.assert_allclose(curves.loss[fold], descent.loss, rtol=1e-5 if together else 0)
            for epoch in (1, 6):
                assert curves.validation_loss[fold, epoch - 1] == pytest.approx(errors[epoch], rel=1e-5)


def test_the_choice_is_the_lowest_mean_over_folds_and_is_learned_from_all(xy):
    x, y = xy
    found = cross_validate(x, y, SMALL, 3, seed=2, checkpoints=(1, 6))
    means = np.array([curves.validation_loss.mean(axis=0) for curves in found.cells])
    cell, epoch = np.unravel_index(np.argmin(means), means.shape)
    assert (found.chosen, found.epoch) == (cell, epoch + 1)
    assert found.recipe == found.cell.of(Recipe(), found.epoch)
    start = initialize((6, found.cell.hidden, 4), np.random.default_rng([2, 0x1217]))
    scaling, target_scaling = fit_scalings(x, y, "isotropic", "isotropic")
    again = learn(start, scaling.apply(x), target_scaling.apply(y), found.recipe, seed=2)
    assert (again.network[0].weight == found.descent.network[0].weight).all()
    assert list(found.descent.checkpoints) == [1, 6]
    assert len(found.descent.loss) == found.epoch
    records = found.records()
    assert len(records) == 4 * 3
    assert sum(record["chosen"] for record in records) == 3
    assert json.loads(json.dumps(records)) == records


@pytest.mark.parametrize("loss", ["max-margin", lambda f, y: ((f - y) ** 2).sum(axis=-1)], ids=["max-margin", "own"])
def test_the_same_bytes_twice_and_for_any_number_of_processes(xy, loss):
    grid = Grid((0.01, 0.001), (4, 2000), (0.5,), (1.0, 5.0), epochs=2)  # one width trains together, the other one by one
    how = {"seed": 1, "labels": tuple("ab" * 65 + "a"), "loss": loss}
    once = cross_validate(*xy, grid, 3, **how)
    same_results(once, cross_validate(*xy, grid, 3, **how))
    same_results(once, cross_validate(*xy, grid, 3, processes=2, **how))
    other = cross_validate(*xy, grid, 3, **how | {"seed": 2})
    assert (once.cells[0].loss != other.cells[0].loss).all()


def test_margins_are_compared_at_the_smallest(xy):
    """With a rate that moves nothing, the training losses differ by the margin and the validation losses do not."""
    grid = Grid((1e-12,), (8,), (0.0,), (5.0, 1.0, 2.5), epochs=1)
    found = cross_validate(*xy, grid, 3, loss="max-margin", labels=tuple(map(str, range(131))))
    assert [curves.cell.margin for curves in found.cells] == [5.0, 1.0, 2.5]
    for curves in found.cells[1:]:
        np.testing.assert_array_equal(curves.validation_loss, found.cells[0].validation_loss)
    assert found.cells[0].loss.mean() > found.cells[2].loss.mean() > found.cells[1].loss.mean()


def test_a_diverging_cell_is_recorded_and_the_rest_goes_on(xy):
    for small in (4, 3000):  # together and one by one
        grid = Grid((1e30, 0.01), (small,), (0.0,), epochs=4)
        with pytest.warns(TrainingWarning, match="got [3-6] of 6 models where it does not"):
            found = cross_validate(*xy, grid, 3)
        assert found.cells[0].diverged == (True, True, True)
        assert not any(found.cells[1].diverged)
        assert np.isfinite(found.cells[1].loss).all()
        assert found.chosen == 1
        assert np.isnan(found.cells[0].best_loss)
        first = found.records()[0]
        assert (first["diverged"], first["steady"], first["loss"], first["epoch"]) == (True, False, None, None)
    with pytest.raises(IsthmusError, match=r"grid.learning_rate: needed one that keeps the loss finite, got \[1e\+30\]"):
        cross_validate(*xy, Grid((1e30,), (4,), (0.0,), epochs=4), 3)


def test_linear_mappings_and_depth(xy):
    assert [curves.cell.hidden for curves in cross_validate(*xy, SMALL, 3, layers=0).cells] == [0, 0]
    deep = cross_validate(*xy, Grid((0.01,), (5,), (0.25,), epochs=3), 3, layers=3)
    assert [layer.weight.shape for layer in deep.descent.network] == [(6, 5), (5, 5), (5, 5), (5, 4)]


def test_a_validation_set_is_a_single_fold(xy):
    split = Split(np.arange(100), np.arange(100, 131))
    found = cross_validate(*xy, SMALL, [split])
    assert found.cells[0].loss.shape == (1, 6)


@pytest.mark.parametrize(
    ("curve", "steady"),
    [
        ([5.0, 3.0, 2.0, 1.0], True),
        ([5.0, 3.0, 2.0, 2.29, 2.0], True),  # a rise of less than a tenth of the fall from 5 to 2
        ([5.0, 3.0, 2.0, 2.31, 2.0], False),
        ([5.0, 6.0, 2.0], False),
        ([1.0, 1.0, 1.0], False),
        ([1.0], False),
        ([5.0, 1.0, np.nan], False),
        ([np.inf, 1.0, 0.5], False),
    ],
)
def test_the_rule_of_a_steady_decrease(curve, steady):
    assert steadily_decreases(np.array(curve)) is steady
    twice = CellCurves(SMALL.cells(1, "mse")[0], np.array([curve, curve]), np.ones((2, len(curve))))
    assert twice.steady == (steady, steady)


def test_the_grid_of_the_paper():
    grid = GRIDS["paper"]
    assert (grid.learning_rate, grid.hidden) == ((0.01, 0.001, 0.0001), (64, 128, 256, 512, 1024))
    assert (grid.dropout, grid.margin) == ((0, 0.25, 0.5, 0.75), (1, 2.5, 5, 7.5, 10))
    assert len(grid.cells(1, "mse")) == 3 * 5 * 4
    assert len(grid.cells(1, "max-margin")) == 3 * 5 * 4 * 5
    assert len(grid.cells(0, "max-margin")) == 3 * 5


@pytest.mark.parametrize(
    ("grid", "match"),
    [
        ({"learning_rate": ()}, "grid.learning_rate: needed one value or more, each once, got none"),
        ({"hidden": (8, 8)}, r"grid.hidden: needed one value or more, each once, got \[8, 8\]"),
        ({"dropout": (1.0,)}, "dropout: needed a share"),
        ({"epochs": 0}, "epochs: needed a whole number from 1 to"),
        ({"epochs": 2.5}, "epochs: needed a whole number from 1 to"),
        ({"hidden": (8.5,)}, "hidden: needed a whole number from 1 to"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_grids_refuse(grid, match):
    with pytest.raises(IsthmusError, match=match):
        Grid(**grid)


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"folds": 1}, "folds: needed between 2"),
        ({"folds": []}, "folds: needed splits of 131 rows"),
        ({"folds": k_fold(132, 3)}, "folds: needed splits of 131 rows"),
        ({"processes": 0}, "processes: needed 1 or more, got 0"),
        ({"checkpoints": [7]}, r"checkpoints: needed epochs from 0 to 6, got \[7\]"),
        ({"layers": -1}, "layers: needed 0 or more, got -1"),
        ({"loss": "max-margin"}, "labels: needed a class for each item"),
        ({"loss": "hinge"}, "loss: needed one of cosine, max-margin, mse"),
    ],
)
def test_refuses(xy, how, match):
    with pytest.raises(IsthmusError, match=match):
        cross_validate(*xy, SMALL, **how)


@pytest.mark.parametrize(
    ("x", "y", "match"),
    [
        (np.eye(9), np.eye(9)[:8], "x, y: needed as many items in both, got 9 and 8"),
        (np.where(np.eye(9) > 0, np.nan, 1.0), np.eye(9), "x: needed finite numbers"),
        (np.eye(9), np.array([["a"]] * 9), "y: needed real numbers"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_refuses_arrays_that_are_no_pairs(x, y, match):
    with pytest.raises(IsthmusError, match=match):
        cross_validate(x, y, SMALL, 3)


def test_a_batch_of_more_than_all_items_is_a_batch_of_all(xy):
    x, y = xy
    for loss in ("mse", "max-margin"):
        how = {"loss": loss, "labels": tuple(map(str, range(131)))}
        found = [cross_validate(x, y, SMALL, 3, recipe=Recipe(batch=batch), **how) for batch in (88, 2**31 - 1)]
        np.testing.assert_array_equal(found[0].cells[0].validation_loss, found[1].cells[0].validation_loss)
    patient = [
        learn(initialize((6, 4), np.random.default_rng(0)), x, y, Recipe(batch=b, epochs=9)) for b in (131, 2**31 - 1)
    ]
    assert (patient[0].network[0].weight == patient[1].network[0].weight).all()


def test_progress_ends_at_its_total(xy):
    seen = []
    cross_validate(*xy, SMALL, 3, progress=lambda *each: seen.append(each))
    assert seen[0][1] == 0
    assert seen[-1][1] == seen[-1][2]


def test_a_mapping_chooses_by_cross_validation(tmp_path, xy):
    x, y = xy
    one = MLP(grid=SMALL, folds=3, seed=2, checkpoints=(1, 2))
    fitted = clone(one).fit(x, y)
    assert fitted.cross_validation_.epoch == len(fitted.loss_)
    hidden = fitted.cross_validation_.cell.hidden
    assert fitted.network_[0].weight.shape == (6, hidden)
    assert fitted.twin().fit(x, y).network_[0].weight.shape == (6, hidden)
    save(fitted, tmp_path / "map.safetensors")
    again = load(tmp_path / "map.safetensors")
    assert again.grid == SMALL
    assert (again.predict(x) == fitted.predict(x)).all()
    assert Linear(grid=SMALL, folds=3).fit(x, y).network_[0].weight.shape == (6, 4)
    assert mapping("nn-3", grid=SMALL).grid == SMALL


def test_a_mapping_at_a_checkpoint(xy):
    x, y = xy
    fitted = MLP((8,), recipe=Recipe(epochs=9, patience=0), checkpoints=(1, 4, 9)).fit(x, y)
    short = MLP((8,), recipe=Recipe(epochs=4, patience=0)).fit(x, y)
    assert (fitted.at(4).predict(x) == short.predict(x)).all()
    assert (fitted.at(9).predict(x) == fitted.predict(x)).all()
    with pytest.raises(IsthmusError, match=r"epoch: needed one of the checkpoints \(1, 4, 9\), got 5"):
        fitted.at(5)


def test_a_mapping_with_labels_and_with_a_loss_of_its_own(tmp_path, xy):
    x, y = xy
    labels = [{"a"}, {"b"}, {"a", "b"}, {"c"}] * 32 + [{"c"}] * 3
    fitted = MLP((8,), loss="max-margin", recipe=Recipe(epochs=3, margin=2.5)).fit(x, y, labels=labels)
    assert np.isfinite(fitted.predict(x)).all()
    with pytest.raises(IsthmusError, match="labels: needed a class for each item"):
        clone(fitted).fit(x, y)

    def absolute(f, y):
        return abs(f - y).sum(axis=-1)

    own = MLP((8,), loss=absolute, recipe=Recipe(epochs=3)).fit(x, y)
    save(own, tmp_path / "map.safetensors")
    again = load(tmp_path / "map.safetensors")
    assert (again.predict(x) == own.predict(x)).all()
    with pytest.raises(IsthmusError, match="loss: needed one of cosine, max-margin, mse, got 'absolute'"):
        again.fit(x, y)
