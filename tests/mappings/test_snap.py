"""Snap: places in the graph, the pull, hubs set apart, and its choice, against loops and laws."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from isthmus import bridge
from isthmus.datasets import load as load_set
from isthmus.mappings import Criterion, Snap, snap
from isthmus.mappings._graph import graph_coordinates
from isthmus.mappings._hubs import Hubs, learn_hubs
from isthmus.mappings._kernels import gaussian, kernel_smoother, typical_square
from isthmus.mappings._smoother import Smoother
from isthmus.neighbors import search
from isthmus.pairs import hold_out, k_fold


def seeds():
    return st.integers(0, 10_000).map(np.random.default_rng)


def test_snap_against_a_loop(rng):
    f, targets = rng.normal(size=(6, 4)), rng.normal(size=(15, 4))
    targets /= np.linalg.norm(targets, axis=1)[:, None]
    for found, one in zip(snap(f, targets, 5, 10.0), f, strict=True):
        cosine = targets @ one / np.linalg.norm(one)
        best = sorted(range(15), key=lambda j: -cosine[j])[:5]
        weights = np.exp(10.0 * cosine[best])
        np.testing.assert_allclose(found, weights @ targets[best] / weights.sum())


@given(seeds())
def test_graph_coordinates_hold_the_walk(rng):
    index = search(rng.normal(size=(14, 3)), 4).index
    graph = np.eye(14)
    for item, row in enumerate(index):
        for other in row:
            graph[item, other] += 0.5
            graph[other, item] += 0.5
    degree = graph.sum(axis=1)
    walk = graph / np.sqrt(np.outer(degree, degree))
    vectors, values = graph_coordinates(index, 12)
    root = np.sqrt(degree / degree.sum())
    four_steps = np.linalg.matrix_power(walk, 4) - np.outer(root, root)
    missing = (np.linalg.eigvalsh(walk)[: 14 - 1 - len(values)] ** 4).sum()  # of coordinates that were left out
    assert np.abs((vectors * values**2) @ (vectors * values**2).T - four_steps).max() <= missing + 1e-9


def test_graph_coordinates_of_many_items_are_those_of_few(rng, monkeypatch):
    from isthmus.mappings import _graph

    index = search(rng.normal(size=(60, 3)), 5).index
    dense, sparse = (monkeypatch.setattr(_graph, "ANCHORS", most) or _graph.graph_coordinates(index, 8) for most in (60, 59))
    np.testing.assert_allclose(sparse[1], dense[1], atol=1e-8)
    np.testing.assert_allclose((sparse[0] * sparse[1]) @ sparse[0].T, (dense[0] * dense[1]) @ dense[0].T, atol=1e-6)


def test_snap_gives_a_little_overlap_for_the_index(rng):
    z = rng.normal(size=(200, 4))
    y = np.hstack([np.tanh(z @ rng.normal(size=(4, 3))), rng.normal(size=(200, 1))])
    splits = k_fold(200, 3, 0)
    with threadpool_limits(1):
        exact, slack = (Snap(slack=share).best_choice(z, y, splits)[1] for share in (0.0, 0.1))
        index = [Snap("index", slack=share).best_choice(z, y, splits)[1] for share in (0.0, 0.1)]
    assert 0.9 * exact <= slack <= exact
    assert index[0] == index[1]  # which is told by the folds alone


def test_snap_chooses_on_folds_that_part_no_equal_items(rng, monkeypatch):
    x, y = rng.normal(size=(2, 40, 3))
    x[20:30], y[30:] = x[:10], y[10:20]
    seen = []
    choose = Snap.best_choice
    monkeypatch.setattr(Snap, "best_choice", lambda self, x, y, splits: seen.extend(splits) or choose(self, x, y, splits))
    Snap(k=3).fit(x, y)
    assert len(seen) == 3
    for split in seen:
        assert not np.isin(x[split.test], x[split.train]).any()
        assert not np.isin(y[split.test], y[split.train]).any()


def test_snap_learns_places_in_the_graph_in_the_targets_space(rng):
    z = rng.normal(size=(240, 3))
    y = np.hstack([np.tanh(2 * z), rng.normal(size=(240, 3))])  # half of the target is not in the input
    split = hold_out(240, 0.25)
    one = Snap(steps=(4,), shares=(0.0,), rounds=(1,)).fit(z[split.train], y[split.train])
    f, truth = one.predict(z[split.test]), y[split.test] - y[split.train].mean(axis=0)
    cosine = (f * truth).sum(axis=1) / np.linalg.norm(f, axis=1) / np.linalg.norm(truth, axis=1)
    assert one.choice_.steps == 4
    assert cosine.mean() > 0.4  # 0 for a rotation that leads elsewhere


@given(seeds())
def test_cosines_shrink_as_promised(rng):
    hubs = Hubs(rng.normal(size=4), rng.normal(size=(3, 2)), np.zeros(2))
    kernel = rng.normal(size=(30, 4))
    excess = [max(sum(a * b for a, b in zip(row, hubs.weights, strict=True)) + 0.5, 0) for row in kernel]
    np.testing.assert_allclose(hubs.shrink(kernel, 0.4), np.exp(-0.4 * np.array(excess)))
    assert (hubs.shrink(kernel, 0.0) == 1).all()


def test_hubs_are_learned_as_said(rng):
    """Lists counted by loops; the regression has one penalty, hence is linear in what it learns."""
    x, y = rng.normal(size=(40, 3)) ** 3, rng.normal(size=(40, 5))
    smoother, scores = Smoother.of(x), []
    for space in (x, y):
        counts = np.zeros(40)
        for item in range(40):
            order = sorted((j for j in range(40) if j != item), key=lambda j: np.linalg.norm(space[j] - space[item]))
            counts[order[:6]] += 1
        logs = [np.log(1 + count) for count in counts]
        scores.append((np.array(logs) - np.mean(logs)) / np.std(logs))
    expected = smoother.weights(((scores[0] - scores[1]) / np.sqrt(2))[:, None], 0.3)[:, 0]
    hubs = learn_hubs(smoother, x, y, 6, "euclidean", [0.3])
    np.testing.assert_allclose(hubs.weights, expected, atol=1e-12)
    back = learn_hubs(smoother, y, x, 6, "euclidean", [0.3])
    np.testing.assert_allclose(back.weights, -hubs.weights)  # hubs of the target are not set apart, but spared


def test_hubs_of_the_input_are_told_from_those_of_the_target(rng):
    """Against the lists of items that were not there when it was learned."""
    x = rng.normal(size=(600, 12)) * rng.uniform(0.3, 1.5, (600, 1))  # what is in the middle is near to all
    y = rng.normal(size=(600, 2))
    square = typical_square(x[:400])
    kernel = gaussian(x[:400], x[:400], square)
    new = gaussian(x[400:], x[:400], square) - kernel.mean(axis=0)
    one, other = (
        learn_hubs(kernel_smoother(kernel), *spaces, 20, "euclidean", [0.01, 0.1, 1.0], square)
        for spaces in ((x[:400], y[:400]), (y[:400], x[:400]))
    )
    lists = np.bincount(search(x[400:], 10, "euclidean").index.ravel(), minlength=200)
    assert np.corrcoef(one.shrink(new, 0.3), lists)[0, 1] < -0.5
    assert (other.shrink(new, 0.3)[lists > 20] > 0.95).all()


def test_what_cannot_be_predicted_sets_nothing_apart(rng):
    """Hubs that have nothing to do with the inputs: new items are about average, and get about the same."""
    x, y = rng.normal(size=(300, 40)), rng.normal(size=(300, 40))
    middle = rng.normal(size=300)
    spaces = [each * np.exp(0.5 * sign * middle)[:, None] for each, sign in ((x, 1), (y, -1))]  # hubs, told by length alone
    square = typical_square(x)
    kernel = gaussian(x, x, square)
    hubs = learn_hubs(kernel_smoother(kernel), *spaces, 20, "euclidean", [0.1, 1.0, 10.0, 100.0], square)
    new = gaussian(rng.normal(size=(300, 40)), x, square) - kernel.mean(axis=0)
    assert (new @ hubs.weights).std() < 0.2


@given(seeds())
def test_own_directions_are_the_items_own(rng):
    """Nearly orthogonal to others' in many dimensions, however alike the inputs are; of equal inputs the same."""
    x = rng.normal(size=(60, 8))
    hubs = learn_hubs(Smoother.of(x), x, rng.normal(size=(60, 50)), 5, "cosine", [1.0], typical_square(x))
    own = hubs.own_directions(np.concatenate([x, x[:1], x[:1] + 0.2 * rng.normal(size=8)]))
    np.testing.assert_allclose(np.linalg.norm(own, axis=1), 1)
    cosine = own[:60] @ own[:60].T - np.eye(60)
    assert 0.08 < np.sqrt((cosine**2).mean()) < 0.25  # 1 / sqrt(50) = .14 for random ones
    np.testing.assert_allclose(own[60], own[0])
    assert abs(own[61] @ own[0]) < 0.7


def test_where_there_are_no_hubs_nothing_is_set_apart(rng):
    x = rng.normal(size=(60, 5))
    few = rng.normal(size=(60, 3))
    for y, k in ((x, 5), (few, 59)):  # the same hubs; lists of all others, in which all are alike
        apart, without = (Snap(k=k, apart=(each,)).fit(x, y).predict(x) for each in (0.3, 0.0))
        np.testing.assert_array_equal(apart, without)


def test_predictions_are_of_one_length(rng):
    """Training items' as well, whose hubs are known better than those of others."""
    x = rng.normal(size=(120, 60)) ** 3
    y = rng.normal(size=(120, 20)) ** 3 + 5
    for apart in (0.0, 0.45):
        one = Snap(apart=(apart,)).fit(x[:80], y[:80])
        length = np.linalg.norm(y[:80] - y[:80].mean(axis=0), axis=1).mean()
        # an own direction leans towards the prediction or away from it by chance
        np.testing.assert_allclose(np.linalg.norm(one.predict(x), axis=1), length, rtol=0.5 if apart else 1e-9)


def test_fewer_neighbors_are_counted_in_smaller_folds(rng, monkeypatch):
    from isthmus.mappings import _snap

    counted = []
    monkeypatch.setattr(_snap, "Criterion", lambda x, y, k, metric: counted.append(k) or Criterion(x, y, k, metric))
    x = rng.normal(size=(100, 4))
    for folds in (2, 3, 5):
        counted.clear()
        Snap(folds=folds).fit(x, np.tanh(x))
        assert counted == [{2: 10, 3: 10, 5: 6}[folds]] * folds


def test_the_margin_keeps_the_index_from_choosing_noise():
    """A margin that nothing has leaves the highest overlap; none leaves what is set apart more, up to the overlap of ridge."""
    pairs, splits = load_set("emoji").take(np.random.default_rng(2).permutation(1900)[:500]), k_fold(500, 3, 0)
    settings = {"steps": (0,), "powers": (0.0,), "shares": (1.0,), "rounds": (1,), "apart": (0.3, 1.0, 10.0)}
    with threadpool_limits(1):
        free, bound = (Snap("index", margin=each, **settings).best_choice(pairs.x, pairs.y, splits) for each in (0.0, 1e6))
        best = Snap(slack=0.0, **settings).best_choice(pairs.x, pairs.y, splits)
    assert bound[0] == best[0]
    assert bound[0].apart < free[0].apart < 10.0
    assert free[1] > bound[1]


def test_snap_sets_hubs_of_real_inputs_apart(rng):
    """Nothing is chosen here: the same predictions, with hubs among the others and apart."""
    pairs = load_set("emoji").swap().take(rng.permutation(1900)[:900])
    split, found = hold_out(900, 0.3), []
    for apart in (0.0, 0.3):
        one = Snap(steps=(0,), powers=(0.0,), shares=(1.0,), rounds=(1,), apart=(apart,))
        f = one.fit(pairs.x[split.train], pairs.y[split.train]).predict(pairs.x[split.test])
        found.append(bridge(pairs.x[split.test], f, pairs.y[split.test], 10))
    assert found[1].index > found[0].index + 0.02
    assert found[1].input_overlap < 0.9 * found[0].input_overlap
    hubs = np.bincount(search(pairs.x[split.test], 10).index.ravel(), minlength=len(f)) > 20
    in_lists = [np.bincount(each.spaces[0].f.index.ravel(), minlength=len(f))[hubs].mean() for each in found]
    assert in_lists[1] < in_lists[0]
