"""Mappings against scikit-learn, closed forms and their own contract."""

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, LeaveOneOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from isthmus import MLP, Identity, IsthmusError, Linear, Ridge, Untrained
from isthmus.mappings import PENALTIES, leave_one_out_errors, load, mapping, save
from isthmus.training import Recipe, initialize

FAST = Recipe(epochs=5, hidden=8)
ALL = [Identity(), Ridge(), Linear(recipe=FAST), MLP(recipe=FAST), MLP((7, 5), "tanh", "cosine", FAST), Untrained((6,))]


@pytest.fixture
def xy(rng):
    x = rng.normal(2, 3, size=(120, 6))
    return x, x @ rng.normal(size=(6, 4)) + rng.normal(size=(120, 4))


@pytest.mark.parametrize("penalty", [0.01, 1.0, 300.0])
def test_ridge_agrees_with_scikit_learn(xy, penalty):
    x, y = xy
    theirs = make_pipeline(StandardScaler(), TheirRidge(alpha=penalty)).fit(x[:90], y[:90])
    np.testing.assert_allclose(Ridge([penalty]).fit(x[:90], y[:90]).predict(x[90:]), theirs.predict(x[90:]), rtol=1e-8)


def test_ridge_with_more_inputs_than_items(rng):
    x, y = rng.normal(size=(20, 50)), rng.normal(size=(20, 3))
    theirs = TheirRidge(alpha=2.0).fit(x, y)
    np.testing.assert_allclose(Ridge([2.0], "none").fit(x, y).predict(x), theirs.predict(x), rtol=1e-8)


def test_leave_one_out_errors_are_those_of_leaving_out(xy):
    x, y = xy[0][:30], xy[1][:30]
    for penalty, error in zip((0.5, 50.0), leave_one_out_errors(x, y, (0.5, 50.0)), strict=True):
        left_out = cross_val_predict(TheirRidge(alpha=penalty), x, y, cv=LeaveOneOut())
        assert error == pytest.approx(np.mean((left_out - y) ** 2), rel=1e-9)


def test_ridge_chooses_the_penalty_that_scikit_learn_chooses(xy):
    x, y = xy
    scaled = StandardScaler().fit_transform(x)
    assert Ridge().fit(x, y).penalty_ == pytest.approx(RidgeCV(PENALTIES).fit(scaled, y).alpha_)


@pytest.mark.parametrize("one", ALL, ids=lambda one: type(one).__name__)
@pytest.mark.usefixtures("unchecked_shapes")
def test_the_estimator_contract(xy, one):
    x, y = xy
    copy = clone(one)
    assert copy.get_params() == one.get_params()
    assert copy.fit(x, y) is copy
    assert copy.n_features_in_ == 6
    f = copy.predict(x)
    assert f.dtype == np.float64
    assert f.shape == (120, 6 if isinstance(one, Identity) else 4)
    assert (clone(one).fit(x, y).predict(x) == f).all()
    with pytest.raises(IsthmusError, match="X: needed 6 columns, as in training, got 5"):
        copy.predict(x[:, :5])
    with pytest.raises(IsthmusError, match="X, Y: needed the same number of items"):
        clone(one).fit(x, y[:50])
    with pytest.raises(IsthmusError, match="Y: needed finite numbers, got nan in row 3"):
        clone(one).fit(x, np.where(np.arange(120)[:, None] == 3, np.nan, y))


def test_mappings_work_in_scikit_learn_tools(xy):
    x, y = xy
    assert cross_val_predict(Ridge(), x, y, cv=3).shape == y.shape
    search = GridSearchCV(Ridge(), {"scaling": ["none", "standardize"]}, cv=3).fit(x, y)
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("one", ALL, ids=lambda one: type(one).__name__)
def test_a_saved_mapping_maps_alike(tmp_path, xy, one):
    x, y = xy
    fitted = clone(one).fit(x, y)
    save(fitted, tmp_path / "map.safetensors")
    again = load(tmp_path / "map.safetensors")
    assert (again.predict(x) == fitted.predict(x)).all()
    assert type(again) is type(fitted)
    as_text = [json.dumps(each.get_params(), default=str) for each in (again, fitted)]
    assert as_text[0] == as_text[1]  # JSON has one kind of list, so tuples come back as lists
    assert [path.name for path in tmp_path.iterdir()] == ["map.safetensors"]


def test_what_is_no_mapping_is_refused(tmp_path):
    with pytest.raises(IsthmusError, match="needed a saved mapping, found no file"):
        load(tmp_path / "map.safetensors")
    (tmp_path / "map.safetensors").write_bytes(b"12345678garbage")
    with pytest.raises(IsthmusError, match="needed a mapping saved by isthmus"):
        load(tmp_path / "map.safetensors")


def test_linear_descent_finds_what_least_squares_finds(rng):
    x = rng.normal(size=(400, 5))
    y = x @ rng.normal(size=(5, 3)) + 0.1 * rng.normal(size=(400, 3))
    exact = np.linalg.lstsq(np.c_[x, np.ones(400)], y)[0]
    f = Linear(recipe=Recipe(learning_rate=1e-2, epochs=400, patience=0)).fit(x, y).predict(x)
    assert np.abs(f - np.c_[x, np.ones(400)] @ exact).max() < 0.2  # constant steps keep moving around the minimum


def test_a_hidden_layer_learns_what_no_line_can(rng):
    x = rng.normal(size=(400, 2))
    y = np.abs(x)
    assert Linear().fit(x, y).score(x, y) < 0.3
    assert MLP((32,)).fit(x, y).score(x, y) > 0.9


def test_one_step_of_rmsprop_by_hand(rng):
    """A single batch and epoch: w - rate g / (sqrt(0.1 g^2) + 1e-8), with the gradient of 1/2 |f - y|^2 averaged."""
    x, y = rng.normal(size=(8, 3)).astype(np.float32), rng.normal(size=(8, 2)).astype(np.float32)
    recipe = Recipe(epochs=1, batch=8, patience=0, scaling="none")
    start = initialize((3, 2), np.random.default_rng([0, 0x1217]))[0]
    gradient = x.T @ (x @ start.weight + start.bias - y) / 8
    expected = start.weight - 1e-3 * gradient / (np.sqrt(0.1 * gradient**2) + 1e-8)
    np.testing.assert_allclose(Linear(recipe=recipe).fit(x, y).network_[0].weight, expected, rtol=1e-4)


def test_training_loss_falls_and_patience_stops(xy):
    x, y = xy
    fitted = MLP((16,)).fit(x, y)
    assert fitted.loss_[-1] < 0.5 * fitted.loss_[0]
    assert len(fitted.loss_) == np.argmin(fitted.held_out_loss_) + 1
    assert len(MLP((16,), recipe=Recipe(epochs=7, patience=0)).fit(x, y).loss_) == 7


def test_a_rate_that_diverges_is_reported(xy):
    x, y = xy
    recipe = Recipe(learning_rate=1e20, epochs=20, scaling="none")
    with pytest.raises(IsthmusError, match="learning_rate: needed steps that keep the loss finite, got 1e\\+20"):
        MLP((16,), recipe=recipe).fit(x, y)


def test_twins_share_the_architecture_and_learn_nothing(xy):
    x, y = xy
    for one in (Ridge(), Linear(recipe=FAST), MLP((7, 5), recipe=FAST)):
        twin = one.twin(seed=3).fit(x, y)
        assert isinstance(twin, Untrained)
        assert twin.predict(x).shape == one.fit(x, y).predict(x).shape
        assert (one.twin(seed=3).fit(x, -y).predict(x) == twin.predict(x)).all()
    assert Identity().twin() is None


def test_the_published_initialization(rng):
    weight = initialize((300, 200), rng, "truncated-normal", 0.1)[0]
    sd = np.sqrt(2 / 500)
    assert np.abs(weight.weight).max() <= 2 * sd * 1.0001
    assert weight.weight.std() == pytest.approx(0.88 * sd, rel=0.02)  # cutting at two sd leaves 0.88 of it
    assert (weight.bias == np.float32(0.1)).all()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: mapping("mlp"), "mapping: needed one of ridge, lin, nn or nn-N"),
        (lambda: mapping("nn", recipe="quick"), "recipe: needed one of authors-code, paper, got 'quick'"),
        (lambda: MLP(loss="hinge").fit(np.eye(4), np.eye(4)), "loss: needed one of cosine, mse, got 'hinge'"),
        (lambda: Ridge([-1.0]).fit(np.eye(4), np.eye(4)), "penalties: needed positive numbers"),
    ],
)
def test_refuses(make, match):
    with pytest.raises(IsthmusError, match=match):
        make()


def test_constant_inputs_and_targets_are_learned_as_constants(rng):
    x, y = rng.normal(size=(80, 3)), np.full((80, 2), 5.0)
    x[:, 1] = 7.0
    for one in (Ridge(), Linear(recipe=FAST), MLP(recipe=FAST)):
        f = one.fit(x, y).predict(x)
        assert np.isfinite(f).all()
    np.testing.assert_allclose(Ridge().fit(x, y).predict(x), 5.0)
