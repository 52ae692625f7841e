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
from isthmus.training import Recipe, initialize, learn

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


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e8])
def test_leave_one_out_errors_with_more_inputs_than_items_in_any_units(rng, scale):
    x, y = rng.normal(size=(30, 50)) * scale, rng.normal(size=(30, 3))
    for penalty in (0.01, 1.0):
        left_out = cross_val_predict(TheirRidge(alpha=penalty, solver="svd"), x, y, cv=LeaveOneOut())
        found = leave_one_out_errors(x, y, [penalty])[0]
        assert found == pytest.approx(np.mean((left_out - y) ** 2), rel=1e-3)


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
    with pytest.raises(IsthmusError, match="X, Y: needed as many items in both"):
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


@pytest.mark.usefixtures("unchecked_shapes")
def test_a_saved_mapping_may_be_read_by_whom_the_umask_lets(tmp_path, xy):
    save(mapping("ridge").fit(*xy), tmp_path / "map.safetensors")
    (tmp_path / "other").write_bytes(b"")
    assert (tmp_path / "map.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_settings_given_as_arrays_are_saved_and_a_bad_place_is_refused(tmp_path, xy):
    fitted = Ridge(np.logspace(-1, 1, 3)).fit(*xy)
    save(fitted, tmp_path / "map.safetensors")
    assert (load(tmp_path / "map.safetensors").predict(xy[0]) == fitted.predict(xy[0])).all()
    with pytest.raises(IsthmusError, match="needed a file that can be written"):
        save(fitted, tmp_path / "no" / "map.safetensors")


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


def test_three_steps_of_rmsprop_by_hand(rng):
    """v <- 0.9 v + 0.1 g^2, w <- w - rate g / (sqrt(v) + 1e-8), g the mean gradient of 1/2 |f - y|^2; tiny gradients too."""
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2)) * np.array([1.0, 3e-7])
    recipe = Recipe(epochs=3, batch=8, patience=0, scaling="none", shuffle=False)
    layer = initialize((3, 2), np.random.default_rng([0, 0x1217]))[0]
    w, b = layer.weight * np.array([1.0, 1e-7]), layer.bias.astype(float)
    start = (type(layer)(w.astype(np.float32), layer.bias),)
    v, u = np.zeros_like(w), np.zeros_like(b)
    for _ in range(3):
        error = (x @ w + b - y) / 8
        gradient, slope = x.T @ error, error.sum(axis=0)
        v, u = 0.9 * v + 0.1 * gradient**2, 0.9 * u + 0.1 * slope**2
        w, b = w - 1e-3 * gradient / (np.sqrt(v) + 1e-8), b - 1e-3 * slope / (np.sqrt(u) + 1e-8)
    learned = learn(start, x, y, recipe).network[0]
    np.testing.assert_allclose(learned.weight, w, rtol=2e-3)
    np.testing.assert_allclose(learned.bias, b, rtol=2e-3)


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
        again = one.twin(seed=3).fit(x, y[::-1])
        assert all(
            (a == b).all() for p, q in zip(twin.network_, again.network_, strict=True) for a, b in zip(p, q, strict=True)
        )
        fitted = one.fit(x, y)
        assert (twin.scaling_.shift == fitted.scaling_.shift).all()
        assert (twin.scaling_.scale == fitted.scaling_.scale).all()
        if isinstance(one, MLP):
            assert [a.weight.shape for a in twin.network_] == [a.weight.shape for a in fitted.network_]
            assert (twin.target_scaling_.shift == fitted.target_scaling_.shift).all()
            assert (twin.target_scaling_.scale == fitted.target_scaling_.scale).all()
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
        (lambda: mapping("mlp"), "mapping: needed one of lin, nn, ridge, "),
        (lambda: mapping("nn", recipe="quick"), "recipe: needed one of authors-code, paper, got 'quick'"),
        (lambda: MLP(loss="hinge").fit(np.eye(4), np.eye(4)), "loss: needed one of cosine, max-margin, mse, got 'hinge'"),
        (lambda: Ridge().fit(np.eye(4) * 1e200, np.eye(4)), "X: needed a largest number between"),
        (lambda: Recipe(optimizer="sgd"), "optimizer: needed rmsprop, adam or adamw, got 'sgd'"),
        (lambda: Recipe(epochs=0), "epochs: needed a whole number from 1 to 100000, got 0"),
        (lambda: Recipe(hidden=10**19), "hidden: needed a whole number from 1 to 2147483647, got 1"),
        (lambda: Ridge([-1.0]).fit(np.eye(4), np.eye(4)), "penalties: needed a list of positive numbers"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
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
