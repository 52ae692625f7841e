"""The family: closed forms against other programs' solutions, laws, hostile input, and saving."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from sklearn import cross_decomposition
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge as SklearnKernelRidge
from sklearn.linear_model import LinearRegression
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.neighbors import KNeighborsRegressor

from isthmus import IsthmusError, bridge
from isthmus.experiments import audit
from isthmus.mappings import (
    CCA,
    FAMILY,
    RCSLS,
    AnchorAttention,
    Contrastive,
    Criterion,
    KernelRidge,
    NearestNeighbors,
    Procrustes,
    ReducedRankRidge,
    Relational,
    ReverseRidge,
    Selected,
    Snap,
    check_select,
    load,
    mapping,
    save,
)
from isthmus.mappings._kernels import typical_square
from isthmus.mappings._smoother import Smoother
from isthmus.pairs import Pairs, hold_out, k_fold
from isthmus.training import Recipe

FAST = Recipe(epochs=3, patience=0)
CLOSED = [
    ReducedRankRidge(), ReverseRidge(), Procrustes(), CCA(), KernelRidge(), KernelRidge(anchors=40), NearestNeighbors(5),
    AnchorAttention(), AnchorAttention(anchors=30), Snap(), Snap(criterion="index", anchors=50),
    Snap(apart=(0.3,)),
]  # fmt: skip
LEARNED = [Contrastive(recipe=FAST), Relational(hidden=(), recipe=FAST), RCSLS(recipe=FAST)]


@pytest.fixture
def xy(rng):
    x = rng.normal(size=(120, 6))
    return x, np.tanh(x @ rng.normal(size=(6, 4))) + 0.1 * rng.normal(size=(120, 4)) + 3


def seeds():
    return st.integers(0, 10_000).map(np.random.default_rng)


@pytest.mark.parametrize("one", [*CLOSED, *LEARNED], ids=lambda one: type(one).__name__)
@pytest.mark.usefixtures("unchecked_shapes")
def test_the_contract_and_saving(tmp_path, xy, one):
    x, y = xy
    fitted = clone(one).fit(x, y)
    f = fitted.predict(x[:7])
    assert f.shape == (7, 4)
    assert f.dtype == np.float64
    assert (clone(one).fit(x, y).predict(x[:7]) == f).all()
    np.testing.assert_allclose(fitted.predict(x[3:4]), f[3:4], rtol=1e-4, atol=1e-6)  # an item's image is its own
    save(fitted, tmp_path / "map.safetensors")
    again = load(tmp_path / "map.safetensors")
    assert (again.predict(x[:7]) == f).all()
    assert type(again) is type(fitted)
    assert repr(again) == repr(fitted) or type(fitted).__name__ in repr(again)
    assert fitted.twin(1).fit(x, y).predict(x).shape == (120, 4)
    with pytest.raises(IsthmusError, match="X: needed 6 columns"):
        fitted.predict(x[:, :5])


@pytest.mark.parametrize("one", [mapping("ridge"), *CLOSED, *LEARNED], ids=lambda one: type(one).__name__)
def test_more_dimensions_than_items_are_the_same_bytes_from_a_file(tmp_path, rng, one):
    x, y = rng.normal(size=(20, 50)), rng.normal(size=(20, 9))
    fitted = clone(one).fit(x, y)
    save(fitted, tmp_path / "map.safetensors")
    assert load(tmp_path / "map.safetensors").predict(x[:5]).tobytes() == fitted.predict(x[:5]).tobytes()


def hostile(rng):
    base = rng.normal(size=(12, 3))
    yield "more dimensions than items", rng.normal(size=(5, 40)), rng.normal(size=(5, 30))
    yield "singular", np.c_[base, base, np.zeros((12, 2))], np.c_[base[:, :1], base[:, :1], np.ones(12)]
    yield "constant inputs", np.ones((12, 3)), base
    yield "constant targets", base, np.ones((12, 3))
    yield "duplicates", np.repeat(base[:3], 4, axis=0), np.repeat(base[3:6], 4, axis=0)
    yield "two items", base[:2], base[2:4]
    yield "one column", base[:, :1], base[:, 1:2]
    yield "zero rows", np.r_[np.zeros((4, 3)), base[:8]], np.r_[np.zeros((4, 3)), base[:8]]


@pytest.mark.parametrize("one", [*CLOSED, *LEARNED], ids=lambda one: type(one).__name__)
def test_hostile_input_is_mapped_or_refused(rng, one):
    for name, x, y in hostile(rng):
        if isinstance(one, NearestNeighbors) and len(x) < one.k:
            with pytest.raises(IsthmusError, match="k: needed 1 to 2"):
                clone(one).fit(x, y)
            continue
        f = clone(one).fit(x, y).predict(x)
        assert f.shape == y.shape, name
        assert np.isfinite(f).all(), name


@given(seeds())
def test_leave_one_out_predictions_are_those_of_the_other_items(rng):
    n, d = int(rng.integers(4, 15)), int(rng.integers(1, 20))
    x, y = rng.normal(size=(n, d)), rng.normal(size=(n, 2))
    penalty = float(10 ** rng.uniform(-1, 2))
    slow = [
        SklearnRidge(penalty).fit(np.delete(x, i, axis=0), np.delete(y, i, axis=0)).predict(x[i : i + 1])[0]
        for i in range(n)
    ]
    np.testing.assert_allclose(Smoother.of(x).leave_one_out(y, penalty), slow, rtol=1e-5, atol=1e-6)


def test_kernel_ridge_is_that_of_scikit_learn(xy):
    """Centered kernel and targets make the free intercept: so does subtracting means in scikit-learn's program."""
    x, y = xy
    ours = KernelRidge(penalties=[0.3], widths=[1.5], scaling="none").fit(x, y)
    gamma = 1 / (1.5 * typical_square(x))
    kernel = np.exp(-gamma * ((x[:, None] - x[None]) ** 2).sum(axis=-1))
    h = np.eye(len(x)) - 1 / len(x)
    theirs = SklearnKernelRidge(alpha=0.3, kernel="precomputed").fit(h @ kernel @ h, y - y.mean(axis=0))
    np.testing.assert_allclose(ours.predict(x), theirs.predict(h @ kernel @ h) + y.mean(axis=0), rtol=1e-6)
    few = KernelRidge(penalties=[0.3], widths=[1.5], scaling="none", anchors=119).fit(x, y)
    np.testing.assert_allclose(few.predict(x), ours.predict(x), atol=0.05)  # Nystroem with all but one item


@given(seeds())
def test_procrustes_is_that_of_scipy(rng):
    x, y = rng.normal(size=(2, 20, 4))
    found = Procrustes().fit(x, y)
    rotation, total = scipy.linalg.orthogonal_procrustes(x - x.mean(axis=0), y - y.mean(axis=0))
    np.testing.assert_allclose(found.rotation_, rotation, atol=1e-8)
    assert found.scale_ == pytest.approx(total / ((x - x.mean(axis=0)) ** 2).sum())
    np.testing.assert_allclose(found.shift_, y.mean(axis=0))
    np.testing.assert_allclose(found.predict(x.mean(axis=0)[None]), found.shift_[None], atol=1e-10)


@pytest.mark.parametrize(("dx", "dy"), [(3, 7), (7, 3)])
def test_procrustes_of_unequal_widths(rng, dx, dy):
    x, y = rng.normal(size=(30, dx)), rng.normal(size=(30, dy))
    r = Procrustes().fit(x, y).rotation_
    small = r @ r.T if dx < dy else r.T @ r
    np.testing.assert_allclose(small, np.eye(3), atol=1e-10)
    if dx < dy:  # all of X's geometry is kept
        f = Procrustes(rescale=False).fit(x, y).predict(x)
        np.testing.assert_allclose(scipy.spatial.distance.pdist(f), scipy.spatial.distance.pdist(x))
        padded = np.pad(x - x.mean(axis=0), ((0, 0), (0, dy - dx)))
        whole = scipy.linalg.orthogonal_procrustes(padded, y - y.mean(axis=0))[0]
        np.testing.assert_allclose(r, whole[:dx], atol=1e-8)


def test_full_cca_without_regularization_is_least_squares(xy):
    x, y = xy
    found = CCA(rank=4, shares=[0.0]).fit(x, y)
    np.testing.assert_allclose(found.predict(x), LinearRegression().fit(x, y).predict(x), atol=1e-8)
    theirs = cross_decomposition.CCA(4, scale=False, max_iter=5000, tol=1e-12).fit(x, y)
    a, b = theirs.transform(x, y)
    correlations = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(4)]
    np.testing.assert_allclose(found.correlations_, correlations, atol=1e-4)


@given(seeds())
def test_reduced_rank_ridge_minimizes_its_loss(rng):
    """Against the truncated SVD of the augmented problem, solved row by row as least squares."""
    x, y, penalty = rng.normal(size=(25, 4)), rng.normal(size=(25, 5)), 2.0
    found = ReducedRankRidge(2, [penalty], "none").fit(x, y)
    a = np.r_[x - x.mean(axis=0), np.sqrt(penalty) * np.eye(4)]
    b = np.r_[y - y.mean(axis=0), np.zeros((4, 5))]
    ols = np.linalg.lstsq(a, b)[0]
    vt = np.linalg.svd(a @ ols, full_matrices=False)[2][:2]
    np.testing.assert_allclose(found.coef_.T, ols @ vt.T @ vt, atol=1e-8)


def test_nearest_neighbors_are_those_of_scikit_learn(xy):
    x, y = xy
    theirs = KNeighborsRegressor(7, metric="cosine").fit(x[:90], y[:90]).predict(x[90:])
    np.testing.assert_allclose(NearestNeighbors(7, "none").fit(x[:90], y[:90]).predict(x[90:]), theirs)
    with pytest.raises(IsthmusError, match="k: needed 1 to 90, the number of training items, got 91"):
        NearestNeighbors(91).fit(x[:90], y[:90])


def test_anchor_attention_by_hand():
    x, y = np.eye(3), np.array([[1.0], [2.0], [6.0]])
    f = AnchorAttention(sharpness=[2.0], scaling="none").fit(x, y).predict(np.array([[5.0, 0, 0]]))
    e = np.exp(2.0)
    assert f[0, 0] == pytest.approx((e * 1 + 2 + 6) / (e + 2))


@given(seeds())
def test_the_criterion_is_what_the_measures_say(rng):
    x, y, f = rng.normal(size=(3, 30, 4))
    found, whole = Criterion(x, y, 5)(f), bridge(x, f, y, 5)
    assert found["target_overlap"] == pytest.approx(whole.target_overlap)
    assert found["bridge_rate"] == pytest.approx(whole.bridge_rate)
    assert found["index"] == pytest.approx(whole.index)


def test_a_criterion_of_few_items_counts_half_of_the_others_at_most(rng):
    x, y, f = rng.normal(size=(3, 7, 4))
    assert Criterion(x, y, 10)(f) == Criterion(x, y, 3)(f)  # with all six every space would be like every other
    assert Criterion(x[:2], y[:2], 10)(f[:2])["target_overlap"] == 1


def test_losses_of_batches_by_hand(rng):
    from isthmus.mappings._batchwise import contrastive_loss, rcsls_loss, relational_loss

    f, y = rng.normal(size=(2, 6, 3)).astype(np.float32)
    unit = [v / np.linalg.norm(v, axis=1)[:, None] for v in (f, y)]
    c = unit[0] @ unit[1].T
    both = [-np.log(np.exp(m.diagonal() / 0.1) / np.exp(m / 0.1).sum(axis=1)) for m in (c, c.T)]
    np.testing.assert_allclose(contrastive_loss(f, y, 0.1), np.mean(both, axis=0), rtol=1e-3, atol=1e-4)
    near = [np.sort(m, axis=1)[:, -2:].mean(axis=1) for m in (c, c.T)]
    np.testing.assert_allclose(rcsls_loss(f, y, 2), -2 * c.diagonal() + near[0] + near[1], rtol=1e-4, atol=1e-5)
    p, q = (np.exp(v @ v.T / 0.5) * (1 - np.eye(6)) for v in (unit[1], unit[0]))
    p, q = (m / m.sum(axis=1)[:, None] for m in (p, q))
    np.testing.assert_allclose(relational_loss(f, y, 0.5), -np.sum(p * np.log(q + np.eye(6)), axis=1), rtol=1e-4)
    assert (relational_loss(y, y, 0.5) <= relational_loss(f, y, 0.5) + 1e-6).all()  # lowest where f's neighbors are y's


def test_batchwise_losses_teach_neighborhoods(rng):
    x = rng.normal(size=(300, 8))
    y = x[:, :4] * np.array([3.0, 2.0, 1.0, 1.0]) + 1
    recipe = Recipe(epochs=60, patience=0, learning_rate=0.01)
    start = Criterion(x, y, 10)(mapping("lin").twin().fit(x, y).predict(x))["target_overlap"]
    for one in (Contrastive(hidden=(), recipe=recipe), Relational(hidden=(), recipe=recipe), RCSLS(recipe=recipe)):
        assert Criterion(x, y, 10)(one.fit(x, y).predict(x))["target_overlap"] > start + 0.2, one


@pytest.mark.parametrize("by", ["target_overlap", "bridge_rate", "index", "loss"])
def test_selection_takes_the_best_on_folds_and_learns_anew(xy, tmp_path, by):
    """The folds, by hand, at a k, a metric and a seed."""
    x, y = xy
    found = Selected(NearestNeighbors(), by, {"k": (1, 5, 79, 100)}, k=7, metric="euclidean", seed=3).fit(x, y)
    slow = []
    for k in (1, 5, 79):
        values = []
        for split in k_fold(120, 3, 3):
            f = NearestNeighbors(k).fit(x[split.train], y[split.train]).predict(x[split.test])
            truth = y[split.test]
            whole = bridge(x[split.test], f, truth, 7, "euclidean")
            values.append(-((f - truth) ** 2).mean() if by == "loss" else getattr(whole, by))
        slow.append(np.mean(values))
    np.testing.assert_allclose(found.scores_[:3], slow)
    assert np.isnan(found.scores_[3])  # folds of 80 items have no 100 neighbors
    assert found.best_.k == (1, 5, 79)[int(np.argmax(slow))]
    assert (found.predict(x) == NearestNeighbors(found.best_.k).fit(x, y).predict(x)).all()
    save(found, tmp_path / "map.safetensors")
    assert (load(tmp_path / "map.safetensors").predict(x) == found.predict(x)).all()


def test_selection_parts_no_equal_items(rng):
    """Nearest neighbors would find the twins of the tested items, and k = 1 would win."""
    x = np.repeat(rng.normal(size=(60, 4)), 2, axis=0)
    y = np.repeat(rng.normal(size=(60, 4)), 2, axis=0)
    found = Selected(NearestNeighbors(), "loss", {"k": (1, 30)}).fit(x, y)
    assert found.best_.k == 30


def test_selection_of_too_few_distinct_items_takes_the_first(rng):
    x = np.repeat(rng.normal(size=(3, 4)), 4, axis=0)
    found = Selected(NearestNeighbors(), "loss", {"k": (2, 1)}).fit(x, x)
    assert found.best_.k == 2
    assert np.isnan(found.scores_).all()


class Noise(Procrustes):
    """Procrustes, or with a share of 1 noise, whose index is near 0."""

    def __init__(self, share=0.0):
        super().__init__()
        self.share = share

    def _map(self, x):
        return (1 - self.share) * super()._map(x) + self.share * np.random.default_rng(0).normal(
            size=(len(x), self.n_outputs_)
        )


def test_the_index_chooses_noise_only_where_it_overlaps_no_less_than_ridge(rng):
    x = rng.normal(size=(300, 6))
    y = x + rng.normal(size=(300, 6))
    found = Selected(Noise(), "index", {"share": (0.0, 1.0)}).fit(x, y)
    assert found.scores_[1] > found.scores_[0]
    assert found.best_.share == 0.0


def test_loss_chooses_only_among_predictions_of_targets(xy):
    for one in (Contrastive(), Relational(), RCSLS(), Snap()):
        with pytest.raises(IsthmusError, match=f"by: needed target_overlap, bridge_rate or index for {type(one).__name__}"):
            Selected(one, "loss").fit(*xy)
    with pytest.raises(IsthmusError, match="settings: needed a candidate or more for each parameter, got none"):
        Selected(NearestNeighbors(), settings={"k": ()}).fit(*xy)


@pytest.mark.parametrize("include_self", [False, True])
def test_an_audit_chooses_by_what_it_reports(rng, include_self, monkeypatch):
    """The first k, the metric and the seed; in Snap too, which chooses without being asked to."""
    from isthmus.experiments import _audit

    made = []
    monkeypatch.setattr(_audit, "Selected", lambda one, *by, **how: made.append((by, how)) or Selected(one, *by, **how))
    snaps = []
    learn = Snap._learn
    monkeypatch.setattr(Snap, "_learn", lambda self, x, y: snaps.append(self.get_params()) or learn(self, x, y))
    x = rng.normal(size=(60, 4))
    settings = {
        "k": [4, 6],
        "metric": ["euclidean", "cosine"],
        "seed": 5,
        "split": hold_out(60, 0.25),
        "include_self": include_self,
    }
    audit(Pairs(x, np.tanh(x)), ["nearest", "snap"], select="bridge_rate", **settings)
    expected = {"k": 3 if include_self else 4, "metric": "euclidean", "seed": 5}
    assert made == [(("bridge_rate",), expected)] * 2
    assert [{name: one[name] for name in expected} for one in snaps] == [expected] * 2
    assert {one["criterion"] for one in snaps} == {"bridge_rate"}
    made.clear()
    audit(Pairs(x, np.tanh(x)), ["nearest", "snap"], select="loss", **settings)
    assert made == [(("loss",), expected)] * 2  # there is none of snap, which chooses as ever
    assert snaps[-1]["criterion"] == "target_overlap"


def test_a_criterion_at_one_less_orders_as_one_that_counts_the_item_itself(rng):
    x, y, f = rng.normal(size=(3, 50, 4))
    less, whole = Criterion(x, y, 4)(f), bridge(x, f, y, 5, include_self=True)
    assert whole.target_overlap == pytest.approx((1 + 4 * less["target_overlap"]) / 5)
    assert (whole.bridge_rate, whole.index) == pytest.approx((less["bridge_rate"], less["index"]))


def test_a_kernels_width_does_not_depend_on_the_order_of_the_file(rng):
    x = rng.normal(size=(3000, 2)) * np.repeat([1.0, 10.0], 1500)[:, None]
    assert typical_square(x) == pytest.approx(typical_square(x[::-1]), rel=0.3)
    few = x[:900]
    assert typical_square(few) == pytest.approx(np.median(scipy.spatial.distance.pdist(few, "sqeuclidean")))


@pytest.mark.parametrize("select", [None, "index"])
def test_no_choice_sees_the_test_items(rng, select):
    """Other inputs and targets of half of the test items change no prediction of the other half, of any mapping."""
    from isthmus.experiments import _audit

    x = rng.normal(size=(80, 10))  # wide enough for every rank that is tried
    y, split = np.sin(x[:, :9]), hold_out(80, 0.25)
    other = [each.copy() for each in (x, y)]
    for each in other:
        each[split.test[10:]] = rng.normal(size=(10, each.shape[1]))
    recipes = dict.fromkeys(FAMILY, Recipe(epochs=2, patience=1))

    def predicted(pairs):
        candidates = list(_audit._candidates(recipes, "mse", _audit._ChosenBy(select, 5, "cosine"), mapped=False))
        steps = _audit._Steps(None, 0)
        return _audit._predict(pairs, candidates, [split], 0, 1, None, steps, "x->y")[0]

    before, after = predicted(Pairs(x, y)), predicted(Pairs(*other))
    assert set(FAMILY) <= set(before)
    for name in before:
        assert (before[name][0].f[:10] == after[name][0].f[:10]).all(), name
        assert (before[name][0].f[10:] != after[name][0].f[10:]).any(), name


def test_an_unknown_word_to_choose_by_is_refused():
    with pytest.raises(IsthmusError, match="select: needed one of target_overlap, bridge_rate, index, loss, got 'r2'"):
        check_select("r2")


def test_names_lead_to_the_family():
    assert len({repr(mapping(name)) for name in FAMILY}) == len(FAMILY)
    with pytest.raises(IsthmusError, match="mapping: needed one of lin, nn, ridge"):
        mapping("ridgee")


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Snap(criterion="mse"), "criterion: needed one of target_overlap, bridge_rate, index, got 'mse'"),
        (lambda: Snap(shares=[2.0]), "shares: needed a list of numbers from 0 to 1, got \\[2.0\\]"),
        (lambda: Snap(steps=[]), "steps: needed a list of whole numbers from 0 to 100, got \\[\\]"),
        (lambda: Snap(slack=2.0), "slack: needed a number from 0 to 1, got 2.0. Use 0.02"),
        (lambda: Snap(margin=-1.0), "margin: needed a number of 0 or more"),
        (lambda: Snap(apart=[-1.0]), "apart: needed a list of numbers from 0 to 10"),
        (lambda: Snap(width=0.0), "width: needed a list of positive numbers"),
        (lambda: Snap(apart=0.3), "apart: needed a list of numbers from 0 to 10, got 0.3. Use \\[0\\]"),
        (lambda: Snap(rounds=[1.5]), "rounds: needed a list of whole numbers from 1 to 100, got \\[1.5\\]"),
        (lambda: Snap(neighbors=0), "neighbors: needed a whole number of 1 or more, got 0. Use 20"),
        (lambda: Snap(folds=2.5), "folds: needed a whole number of 2 or more, got 2.5. Use 3"),
        (lambda: Snap(folds=float("nan")), "folds: needed a whole number of 2 or more, got nan"),
        (lambda: Snap(k=True), "k: needed a whole number of 1 or more, got True"),
        (lambda: Snap(seed=-1), "seed: needed a whole number from 0"),
        (lambda: Snap(seed=1.5), "seed: needed a whole number from 0 to 2\\^32 - 1, got 1.5"),
        (lambda: KernelRidge(penalties=[]), "penalties: needed a list of positive numbers, got \\[\\]"),
        (lambda: KernelRidge(anchors=0), "anchors: needed a whole number of 1 or more, got 0"),
        (lambda: CCA(rank=9), "rank: needed 1 to 4"),
        (lambda: CCA(shares=[2]), "shares: needed shares in"),
        (lambda: ReverseRidge(cutoff=1.0), "cutoff: needed a share in"),
        (lambda: Contrastive(temperature=-1.0), "needed a positive number, got -1.0"),
        (lambda: Contrastive(batch=0), "batch: needed a whole number of 2 or more, got 0. Use 256"),
        (lambda: Relational(batch=1), "batch: needed a whole number of 2 or more, got 1"),
        (lambda: RCSLS(neighbors=2.5), "neighbors: needed a whole number of 1 or more, got 2.5. Use 10"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_refuses(xy, make, match):
    with pytest.raises(IsthmusError, match=match):
        make().fit(*xy)


def test_an_audit_compares_the_family_with_the_papers_mappings(rng):
    x = rng.normal(size=(120, 5))
    pairs = Pairs(x, np.sin(2 * x[:, :3]), name="waves")
    found = audit(pairs, ["lin", "nn", "ridge", "kernel-ridge"], split=hold_out(120, 0.25), k=5)
    for row in found.rows:
        compared = row.role == "mapping" and row.mapping not in ("lin", "nn")
        assert (row.p_against_lin is not None) == (row.p_against_nn is not None) == compared
    controls = [row.mapping for row in found.rows if row.role == "control" and row.direction == "x->y"]
    assert controls == ["identity", "untrained-lin", "untrained-nn", "untrained-ridge"]


def test_saving_again_gives_the_same_bytes(rng, tmp_path):
    one, path = Snap(apart=(0.3,)).fit(rng.normal(size=(30, 3)), rng.normal(size=(30, 2))), tmp_path / "map.safetensors"
    assert len({save(one, path) or path.read_bytes() for _ in range(12)}) == 1
