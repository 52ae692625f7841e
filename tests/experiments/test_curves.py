"""Curves over epochs: each point against a direct measurement, the oracle against a loop, and the paper's claim."""

import json
from dataclasses import replace

import numpy as np
import pytest

import isthmus
from isthmus import IsthmusError, Pairs, bridge
from isthmus.experiments import curves, curves_of
from isthmus.mappings import MLP, Linear
from isthmus.pairs import k_fold
from isthmus.report import learning_chart
from isthmus.training import Grid, Recipe

RECIPE = Recipe(hidden=16, epochs=60, patience=3, learning_rate=0.01)


@pytest.fixture(scope="module")
def pairs():
    x = np.random.default_rng(0).normal(size=(240, 6))
    y = np.abs(x[:, :4]) + np.random.default_rng(1).normal(size=(240, 4))
    return Pairs(x, y, labels=tuple("abcd" * 60), name="made", x_space="a", y_space="b")


@pytest.fixture(scope="module")
def split(pairs):
    return k_fold(len(pairs), 3, 0)[0]


@pytest.fixture(scope="module")
def found(pairs, split):
    return curves(pairs, "nn", split, recipe=RECIPE, epochs=(1, 5, 60), k=5, seed=3)


def test_each_point_is_the_mapping_after_as_many_epochs(pairs, split, found):
    fitted = MLP(recipe=RECIPE, seed=3).fit(pairs.x[split.train], pairs.y[split.train])
    assert 5 < found.chosen == len(fitted.loss_) < 60
    assert [point.epoch for point in found.points] == [0, 1, 5, found.chosen, 60]
    f = fitted.predict(pairs.x[split.test])
    direct = bridge(pairs.x[split.test], f, pairs.y[split.test], 5)
    point = found.at(found.chosen)
    assert (point.input_overlap, point.target_overlap, point.bridge_index) == (
        direct.input_overlap, direct.target_overlap, direct.index,
    )  # fmt: skip
    assert (point.echo_rate, point.bridge_rate) == (direct.echo_rate, direct.bridge_rate)
    assert point.mse == pytest.approx(np.mean((f - pairs.y[split.test]) ** 2))
    learned = fitted.predict(pairs.x[split.train])
    assert point.train_mse == pytest.approx(np.mean((learned - pairs.y[split.train]) ** 2))
    assert (found.baseline_overlap, found.chance) == (direct.baseline_overlap, direct.chance)
    errors = [each.train_mse for each in found.points]
    assert errors == sorted(errors, reverse=True)


def test_oracle_and_reversals_are_read_off_the_points(found):
    def points(*overlaps):
        made = enumerate(overlaps)
        return tuple(replace(found.points[0], epoch=e, input_overlap=x, target_overlap=y) for e, (x, y) in made)

    made = replace(found, chosen=1, points=points((0.5, 0.9), (0.6, 0.2), (0.4, 0.3), (0.2, 0.3), (0.3, 0.3)))
    assert (made.oracle, made.reversals) == (2, (3,))
    assert "chosen: epoch 1" in str(made)
    assert "above input overlap in epochs 3" in str(made)
    records = made.records()
    assert [(r["epoch"], r["chosen"], r["oracle"]) for r in records if r["chosen"] or r["oracle"]] == [
        (1, True, False), (2, False, True),
    ]  # fmt: skip
    assert json.loads(json.dumps(records)) == records
    assert records[0].keys() >= {"pairs", "direction", "mapping", "k", "metric", "include_self", "baseline_overlap", "mse"}


def test_one_training_serves_every_k_metric_and_convention(pairs, split):
    fitted = Linear(recipe=Recipe(epochs=9, patience=0), checkpoints=(0, 4)).fit(pairs.x[split.train], pairs.y[split.train])
    metrics, conventions = ("cosine", "euclidean"), (False, True)
    results = curves_of(fitted, pairs, split, k=[3, 8], metric=metrics, include_self=conventions, name="lin")
    assert [(r.metric, r.include_self, r.k) for r in results] == [
        (metric, own, k) for metric in metrics for own in conventions for k in (3, 8)
    ]
    x, y = pairs.x[split.test], pairs.y[split.test]
    for result in results:
        assert [point.epoch for point in result.points] == [0, 4, 9]
        f = fitted.at(4).predict(x)
        direct = bridge(x, f, y, result.k, result.metric, include_self=result.include_self)
        assert result.at(4).target_overlap == direct.target_overlap


def test_an_epoch_whose_image_overflows_is_left_out(pairs, split):
    fitted = Linear(recipe=Recipe(epochs=9, patience=0), checkpoints=(0, 4, 7)).fit(
        pairs.x[split.train], pairs.y[split.train]
    )
    fitted.checkpoints_[4] = tuple(
        layer._replace(weight=np.full_like(layer.weight, 3e38)) for layer in fitted.checkpoints_[4]
    )
    [found] = curves_of(fitted, pairs, split, k=3)
    assert [point.epoch for point in found.points] == [0, 7, 9]
    fitted.network_ = fitted.checkpoints_[4]
    with pytest.raises(IsthmusError, match="whose image overflows"):
        curves_of(fitted, pairs, split, k=3)


def test_the_other_direction_labels_and_a_grid(pairs, split):
    grid = Grid((0.01, 0.001), (8,), (0.0,), (1.0,), epochs=6)
    how = {"direction": "y->x", "loss": "max-margin", "grid": grid, "epochs": (6,), "k": 5}
    found = curves(pairs, "nn", split, **how)
    assert found.points[-1].epoch == 6
    assert 1 <= found.chosen <= 6
    assert found == curves(pairs, "nn", split, **how)
    same = curves(pairs.swap(), "nn", split, **how | {"direction": "x->y"})
    assert same.points == found.points


def test_the_claim_on_the_embedded_data():
    """Input overlap above target overlap at every epoch, also at the oracle's."""
    pairs = isthmus.load()
    for direction in ("x->y", "y->x"):
        found = curves(
            pairs, "lin", k_fold(len(pairs), 5, 0)[0], direction=direction, epochs=(1, 10, 50), recipe="authors-code"
        )
        assert found.reversals == ()
        assert found.at(found.oracle).target_overlap >= found.at(found.chosen).target_overlap


def test_a_chart_says_what_it_shows(found):
    chart = learning_chart(found).to_dict()
    text = " ".join(chart["title"]["subtitle"])
    for part in ("N=80 test items (learned from 160)", "K=5", "cosine", "self excluded", f"Chosen: epoch {found.chosen}"):
        assert part in text
    assert f"oracle (best test target overlap): epoch {found.oracle}" in text
    drawn = json.dumps(chart)
    assert str(found.points[2].target_overlap) in drawn
    assert str(found.points[2].train_mse) in drawn


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "ridge"}, "mapping: needed one learned in epochs"),
        ({"direction": "x->x"}, "direction: needed x->y or y->x"),
        ({"epochs": (61,)}, "checkpoints: needed epochs from 0 to 60"),
        ({"k": 80}, "needed more than 80 items for k=80"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_refuses(pairs, split, changed, message):
    with pytest.raises(IsthmusError, match=message):
        curves(**{"pairs": pairs, "name": "lin", "split": split, "recipe": RECIPE, "epochs": (1,), "k": 5} | changed)


def test_refuses_epochs_that_were_not_measured(found):
    with pytest.raises(IsthmusError, match="epoch: needed one of 0, 1, 5, .*, 60, got 7"):
        found.at(7)
