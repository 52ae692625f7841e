"""Kindred measures against slow oracles and other libraries, their chance levels, and the invariances that they state."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance, procrustes

import isthmus
from isthmus import IsthmusError, overlap
from isthmus.measures import MEASURES, Paired, chance, mantel, measure, neighborhood_curves, register
from isthmus.measures._matching import closer
from isthmus.measures._measure import interval_from_halves
from isthmus.measures._ranks import rank_areas
from isthmus.pairs import low_signal
from isthmus.statistics import halves, permutations
from oracles import neighbor_lists, squared_distances

METRICS = ("cosine", "euclidean")
IN_ONE_SPACE = ("recall-at-k", "mrr", "foscttm")
seeds = st.integers(0, 2**32 - 1)


def two_spaces(seed, n=40, dx=5, dy=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dx)) + 0.3
    return x, x[:, :dy] + rng.normal(size=(n, dy))


def slow_lcs(a, b):
    @cache
    def length(u, v):
        if u == len(a) or v == len(b):
            return 0
        return 1 + length(u + 1, v + 1) if a[u] == b[v] else max(length(u + 1, v), length(u, v + 1))

    return length(0, 0)


def slow_edits(a, b):
    @cache
    def edits(u, v):
        if u == len(a) or v == len(b):
            return len(a) - u + len(b) - v
        return min(edits(u + 1, v) + 1, edits(u, v + 1) + 1, edits(u + 1, v + 1) + (a[u] != b[v]))

    return edits(0, 0)


def slow_rbo(a, b, p=0.9):
    agreement = [len(set(a[:d]) & set(b[:d])) / d for d in range(1, len(a) + 1)]
    return agreement[-1] * p ** len(a) + (1 - p) / p * sum(x * p**d for d, x in enumerate(agreement, 1))


LISTS = {
    "mutual-knn": lambda a, b: len(set(a) & set(b)) / len(a),
    "jaccard": lambda a, b: len(set(a) & set(b)) / len(set(a) | set(b)),
    "rbo": slow_rbo,
    "lcs-knn": lambda a, b: slow_lcs(tuple(a), tuple(b)) / len(a),
    "edit-distance-knn": lambda a, b: 1 - slow_edits(tuple(a), tuple(b)) / len(a),
}


@given(seeds, st.sampled_from(METRICS), st.integers(1, 8))
def test_list_measures_agree_with_python(seed, metric, k):
    x, y = two_spaces(seed, n=25)
    a, b = neighbor_lists(x, k, metric), neighbor_lists(y, k, metric)
    for name, slow in LISTS.items():
        expected = np.mean([slow(p, q) for p, q in zip(a, b, strict=True)])
        assert measure(x, y, name, k, metric).value == pytest.approx(expected, abs=1e-12), name
    back = np.mean([any(i in a[j] for j in b[i]) for i in range(len(x))])
    assert measure(x, y, "cycle-knn", k, metric).value == pytest.approx(back)


def slow_ranks(v, metric):
    lists = neighbor_lists(v, len(v) - 1, metric)
    ranks = np.zeros((len(v), len(v)), dtype=int)
    for i, row in enumerate(lists):
        ranks[i, row] = np.arange(1, len(v))
    return ranks


@given(seeds, st.sampled_from(METRICS), st.integers(1, 11))
def test_rank_measures_agree_with_full_rank_tables(seed, metric, k):
    x, y = two_spaces(seed, n=25)
    n, rx, ry = 25, slow_ranks(x, metric), slow_ranks(y, metric)
    norm = 2 / (n * k * (2 * n - 3 * k - 1))
    trust = 1 - norm * (rx - k)[(ry > 0) & (ry <= k) & (rx > k)].sum()
    cont = 1 - norm * (ry - k)[(rx > 0) & (rx <= k) & (ry > k)].sum()
    assert measure(x, y, "trustworthiness", k, metric).value == pytest.approx(trust)
    assert measure(x, y, "continuity", k, metric).value == pytest.approx(cont)
    assert measure(x, y, "information-imbalance", k, metric).value == pytest.approx(2 / n * ry[rx == 1].mean())
    assert measure(x, y, "information-imbalance-back", k, metric).value == pytest.approx(2 / n * rx[ry == 1].mean())
    curves = neighborhood_curves(x, y, metric)
    for size in range(1, n):
        assert curves.q_nx[size - 1] == pytest.approx(isthmus.overlap(x, y, size, metric).mnno)
    area = sum(r / size for size, r in zip(range(1, n - 1), curves.r_nx, strict=False)) / sum(1 / s for s in range(1, n - 1))
    assert curves.area == measure(x, y, "rnx-area", 5, metric).value == pytest.approx(area)
    assert rank_areas(Paired.of(x, y, 5, metric)).mean() == pytest.approx(area)
    assert measure(x, y, "lcmc", k, metric).value == pytest.approx(curves.lcmc[k - 1])
    assert measure(x, y, "rnx", k, metric).value == pytest.approx(curves.r_nx[k - 1])


def test_trustworthiness_is_scikit_learns():
    from sklearn.manifold import trustworthiness

    x, y = two_spaces(0, n=200)
    for metric in METRICS:
        # its metric is that of the first space only; the second is always Euclidean, as unit rows are under cosine
        unit = y / np.linalg.norm(y, axis=1, keepdims=True) if metric == "cosine" else y
        expected = trustworthiness(x, unit, n_neighbors=7, metric=metric)
        assert measure(x, y, "trustworthiness", 7, metric).value == pytest.approx(expected)


def slow_hsic(K, L, unbiased):
    n = len(K)
    if not unbiased:
        H = np.eye(n) - 1 / n
        return np.trace(K @ H @ L @ H)
    K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
    one = np.ones(n)
    return np.trace(K @ L) + one @ K @ one * (one @ L @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ K @ L @ one)


def slow_cka(x, y, unbiased):
    K, L = x @ x.T, y @ y.T
    own = slow_hsic(K, K, unbiased) * slow_hsic(L, L, unbiased)
    return slow_hsic(K, L, unbiased) / np.sqrt(own)


@pytest.mark.parametrize(("dx", "dy"), [(5, 3), (60, 3), (60, 90)])
def test_cka_agrees_with_gram_matrices(dx, dy):
    x, y = (np.random.default_rng(s).normal(size=(40, d)) + s for s, d in ((1, dx), (2, dy)))
    assert measure(x, y, "cka").value == pytest.approx(slow_cka(x, y, unbiased=False))
    assert measure(x, y, "cka-unbiased").value == pytest.approx(slow_cka(x, y, unbiased=True))


def test_unbiased_cka_keeps_negative_values_and_biased_rises_with_the_dimensions():
    found = [measure(*np.random.default_rng(s).normal(size=(2, 30, 200)), "cka-unbiased").value for s in range(20)]
    assert min(found) < 0 < max(found)
    assert measure(*np.random.default_rng(0).normal(size=(2, 30, 200)), "cka").value > 0.8


def slow_cknna(x, y, k, metric):
    if metric == "cosine":
        x, y = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (x, y))
    K, L = x @ x.T, y @ y.T
    A, B = np.zeros((2, len(x), len(x)))
    for i, (p, q) in enumerate(zip(neighbor_lists(x, k, metric), neighbor_lists(y, k, metric), strict=True)):
        A[i, p], B[i, q] = 1, 1

    def hsic(P, Q):  # of masked matrices, which are not symmetric
        n = len(P)
        middle = P.sum() * Q.sum() / ((n - 1) * (n - 2))
        return (P * Q.T).sum() + middle - 2 / (n - 2) * (P @ Q).sum()

    return hsic(A * B * K, A * B * L) / np.sqrt(hsic(A * K, A * K) * hsic(B * L, B * L))


@given(seeds, st.sampled_from(METRICS))
def test_cknna_agrees_with_masked_matrices(seed, metric):
    x, y = two_spaces(seed, n=30)
    assert measure(x, y, "cknna", 6, metric).value == pytest.approx(slow_cknna(x, y, 6, metric), nan_ok=True)


@pytest.mark.parametrize("metric", METRICS)
def test_rsa_is_the_correlation_of_all_distances(metric):
    x, y = two_spaces(3)
    a, b = distance.pdist(x, metric), distance.pdist(y, metric)
    assert measure(x, y, "rsa", 5, metric).value == pytest.approx(stats.spearmanr(a, b).statistic)
    assert measure(x, y, "rsa-pearson", 5, metric).value == pytest.approx(stats.pearsonr(a, b).statistic)
    order = np.random.default_rng(0).permutation(40)
    direct = stats.spearmanr(a, distance.pdist(y[order], metric)).statistic
    assert mantel(Paired.of(x, y, 5, metric), [order])[0] == pytest.approx(direct)


def test_rsa_of_a_row_without_direction_uses_its_cosine_of_0():
    x, y = two_spaces(4, n=12)
    x[3] = 0
    triangle = np.triu_indices(12, 1)
    expected = stats.spearmanr(squared_distances(x, "cosine")[triangle], squared_distances(y, "cosine")[triangle]).statistic
    assert measure(x, y, "rsa", 5).value == pytest.approx(expected)


def test_procrustes_is_scipys_and_pads():
    x, y = two_spaces(5, dx=4, dy=4)
    found = measure(x, y, "procrustes").value
    assert 1 - (1 - found**2 / 2) ** 2 == pytest.approx(procrustes(x, y)[2])
    padded = np.concatenate([y[:, :2], np.zeros((40, 2))], axis=1)
    assert measure(x, y[:, :2], "procrustes").value == pytest.approx(measure(x, padded, "procrustes").value)


def slow_canonical(x, y):
    """By the eigenvalues of inverted covariances."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    m = np.linalg.inv(x.T @ x) @ (x.T @ y) @ np.linalg.inv(y.T @ y) @ (y.T @ x)
    values, vectors = np.linalg.eig(m)
    order = np.argsort(-values.real)
    variables = (x @ vectors.real)[:, order]
    return np.sqrt(np.maximum(values.real[order], 0)), variables / np.linalg.norm(variables, axis=0), x


def test_canonical_correlations():
    x, y = two_spaces(6, n=80, dx=4)[0], np.random.default_rng(7).normal(size=(80, 6))
    y[:, :2] += x[:, :2]
    rho, variables, centered = slow_canonical(x, y)
    assert measure(x, y, "cca").value == pytest.approx(rho.mean())
    weights = np.abs(variables.T @ centered).sum(axis=1)
    assert measure(x, y, "pwcca").value == pytest.approx(weights @ rho / weights.sum())
    tiny = np.concatenate([x, 1e-4 * np.random.default_rng(8).normal(size=(80, 3))], axis=1)
    assert measure(tiny, y, "svcca").value == pytest.approx(rho.mean(), abs=1e-4)  # far below 1 % of the variance


def test_singular_covariances_do_no_harm():
    x, y = two_spaces(9, n=80)
    twice = np.concatenate([x, x, np.ones((80, 2))], axis=1)
    for name in ("cca", "svcca", "cka", "procrustes"):
        assert measure(twice, y, name).value == pytest.approx(measure(x, y, name).value), name


def test_mutual_knn_is_mnno_and_everything_agrees_on_equal_spaces():
    x, y = two_spaces(10)
    assert measure(x, y, "mutual-knn", 7).value == isthmus.overlap(x, y, 7).mnno
    for found in measure(x, x, ["all"], 5):
        if found.measure.paired:
            assert found.value == pytest.approx(found.best, abs=1e-6), found.name


@pytest.mark.parametrize("name", [name for name, each in MEASURES.items() if each.chance is not None])
@pytest.mark.parametrize("metric", METRICS)
def test_exact_chance_is_the_mean_of_random_pairings(name, metric):
    rng = np.random.default_rng(11)
    x, y = rng.normal(size=(30, 4)) ** 3, rng.normal(size=(30, 6)) ** 3  # skewed: hubs
    if name in IN_ONE_SPACE:
        y = y[:, :4]
    found = measure(x, y, name, 4, metric, draws=1500)
    assert found.chance_is_exact
    assert found.null.mean() == pytest.approx(found.chance, abs=4.5 * found.null.std() / np.sqrt(1500))


def transformed(v, what, rng):
    d = v.shape[1]
    if what == "rotation":
        return v @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    if what == "scale":
        return 4 * v  # a power of two, so that no tie is broken by rounding
    if what == "translation":
        return v + rng.normal(size=d)
    return v @ (np.diag(8.0 ** np.arange(d)) @ np.linalg.qr(rng.normal(size=(d, d)))[0])


@pytest.mark.parametrize("metric", [*METRICS, "csls"])
@pytest.mark.parametrize("what", ["rotation", "scale", "translation", "linear"])
@pytest.mark.parametrize("name", MEASURES)
def test_invariances_hold_as_stated_and_no_others_do(name, what, metric):
    """Where one is stated it holds for either space; where it is not, it fails for one of the two at least."""
    rng = np.random.default_rng(12)
    x, y = two_spaces(13, n=150, dx=6, dy=6 if name in IN_ONE_SPACE else 5)
    if metric == "csls" and name in ("rsa", "rsa-pearson", *IN_ONE_SPACE):  # csls is no distance
        with pytest.raises(IsthmusError, match="metric: needed cosine or euclidean for (RSA|retrieval), got 'csls'"):
            measure(x, y, name, 6, metric)
        return
    value = measure(x, y, name, 6, metric).value
    changed = [
        measure(transformed(x, what, rng), y, name, 6, metric).value, measure(x, transformed(y, what, rng), name, 6, metric).value
    ]  # fmt: skip
    holds = np.allclose(changed, value, rtol=0, atol=1e-9)
    assert holds == (what in MEASURES[name].invariances(metric)), (value, changed)


def slow_partners(x, y, k, metric):
    """Recall@K, MRR and the fraction of samples closer than the match, of x among y: means over all orders of ties."""
    squared = np.array([[float(((a - b) ** 2).sum()) for b in y] for a in x])
    if metric == "cosine":
        squared = np.array([[1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b) or 1) for b in y] for a in x])
    found = []
    for i, row in enumerate(squared):
        before = sum(value < row[i] - 1e-9 for value in row)
        tied = sum(abs(value - row[i]) <= 1e-9 for value in row)
        ranks = range(before + 1, before + tied + 1)
        found.append([
            np.mean([rank <= k for rank in ranks]), np.mean([1 / rank for rank in ranks]),
            np.mean([(rank - 1) / (len(y) - 1) for rank in ranks]),
        ])  # fmt: skip
    return np.mean(found, axis=0)


@given(seeds, st.sampled_from(METRICS), st.integers(1, 8), st.booleans())
def test_retrieval_of_partners_agrees_with_a_loop(seed, metric, k, on_a_grid):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 3, (2, 12, 2)).astype(float) if on_a_grid else rng.normal(size=(2, 12, 3))
    orders = np.stack([np.arange(12), rng.permutation(12), rng.permutation(12)])
    slow = [slow_partners(x, y[order], k, metric) for order in orders]
    back = [slow_partners(y[order], x, k, metric)[2] for order in orders]
    expected = [
        [one[0] for one in slow],
        [one[1] for one in slow],
        [(a[2] + b) / 2 for a, b in zip(slow, back, strict=True)],
    ]
    pair = Paired.of(x, y, k, metric)
    for name, values in zip(IN_ONE_SPACE, expected, strict=True):
        assert MEASURES[name].under(pair, orders) == pytest.approx(values), name
        assert measure(x, y, name, k, metric).value == pytest.approx(values[0]), name


def test_retrieval_in_the_registry_is_that_of_the_verb():
    x, y = two_spaces(19, n=300, dy=5)
    for metric in METRICS:
        found = isthmus.retrieval(x, y, k=7, metric=metric)
        assert measure(x, y, "recall-at-k", 7, metric).value == pytest.approx(found.recall(7))
        assert measure(x, y, "mrr", 7, metric).value == pytest.approx(found.mrr)
        assert measure(x, y, "foscttm", 7, metric).value == pytest.approx(isthmus.measures.foscttm(x, y, metric=metric))


@pytest.mark.parametrize("name", IN_ONE_SPACE)
def test_retrieval_in_the_registry_has_interval_and_p_value_and_needs_one_space(name):
    x, y = two_spaces(20, n=80, dy=5)
    found = measure(x, y, name, 5, draws=39, half_samples=40)
    assert found.interval.low < found.value < found.interval.high
    assert found.p_value == 1 / 40
    assert 0 < found.calibrated < 1
    with pytest.raises(IsthmusError, match="X, Y: needed the same width, to measure distances between them, got 5 and 3"):
        measure(x, y[:, :3], name, 5)
    (noted,) = (each for each in measure(x, y[:, :3], ["all"], 5) if each.name == name)
    assert np.isnan(noted.value)
    assert "needed the same width" in noted.note


def test_intervals_are_centered_and_named():
    x, y = two_spaces(14, n=80)
    found = measure(x, y, "cka-unbiased", half_samples=40)
    assert found.interval.low < found.value < found.interval.high
    shares = {each.name: each.interval for each in measure(x, y, ["mutual-knn", "lcmc", "rnx"], half_samples=40)}
    adjusted = 1 / (1 - 10 / 79)
    assert shares["lcmc"].standard_error == pytest.approx(shares["mutual-knn"].standard_error)
    assert shares["rnx"].standard_error == pytest.approx(adjusted * shares["mutual-knn"].standard_error)
    assert overlap(x, y).interval(draws=40).low == pytest.approx(shares["mutual-knn"].low)
    assert found.interval.population == "new items drawn like these"
    assert np.isnan(measure(x[:30], y[:30], "jaccard", 10, half_samples=10).interval.low)


@pytest.mark.parametrize(("name", "n", "d"), [("trustworthiness", 40, 4), ("continuity", 40, 4), ("cca", 40, 25)])
def test_a_value_stays_where_a_half_is_too_small_for_the_measure(name, n, d):
    x, y = two_spaces(14, n=n, dx=d, dy=d)
    value = measure(x, y, name).value
    found = measure(x, y, name, half_samples=6)
    assert found.value == value
    assert np.isfinite(value)
    assert np.isnan(found.interval.low)


@pytest.mark.parametrize("name", ["jaccard", "rbo", "lcs-knn", "edit-distance-knn", "cycle-knn", "recall-at-k", "mrr"])
def test_means_over_items_are_brought_to_the_level_of_the_whole_by_the_variance_of_items(name):
    x, y = two_spaces(3, n=80, dy=5)
    pair, each = Paired.of(x, y, 5), MEASURES[name]
    parts = [pair.part(mask) for (mask,) in halves([80], 20)]
    values = np.array([each.value(part) for part in parts]).reshape(-1, 2)
    ratio = np.var(each.items(pair)) / np.mean([np.var(each.items(part)) for part in parts])
    items = each.items(pair)
    floor = np.var(items) / 80 if min(items.sum(), 80 - items.sum()) < each.rare else 0.0
    expected = np.sqrt(max(np.mean(np.diff(values, axis=1) ** 2) * ratio / 4, floor))
    assert measure(x, y, name, 5, half_samples=20).interval.standard_error == pytest.approx(expected)


def test_half_samples_search_among_the_half():
    x, y = two_spaces(15, n=60)
    mask = np.zeros(60, dtype=bool)
    mask[::2] = True
    part = Paired.of(x, y, 5).part(mask)
    assert MEASURES["mutual-knn"].value(part) == isthmus.overlap(x[mask], y[mask], 5).mnno


def test_reordering_equals_measuring_the_permuted_space():
    x, y = two_spaces(16)
    (order,) = next(permutations(40, 1, seed=3))
    wide = y
    for name, each in MEASURES.items():
        if each.paired:
            y = two_spaces(16, dy=5)[1] if name in IN_ONE_SPACE else wide
            pair = Paired.of(x, y, 5)
            expected = measure(x, y[order], name, 5).value
            assert each.value(pair.reordered(order)) == pytest.approx(expected, abs=1e-10), name
            assert each.under(pair, order[None])[0] == pytest.approx(expected, abs=1e-10), name


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input_is_refused_in_one_line():
    x, y = two_spaces(17)
    cases = [
        ((x, y[:30]), {}, "X, Y: needed as many items in both, got 40 and 30"),
        ((x, y, "cosinus"), {}, "measure: needed one of"),
        ((x, y, "trustworthiness", 20), {}, "k: needed less than 20"),
        ((x, y, "jaccard", 40), {}, "k, X: needed"),
        ((x[:3], y[:3], "cka-unbiased", 2), {}, "needed 4 items or more"),
        ((x, y, "cknna", 1), {}, "k: needed 2 or more"),
        ((np.random.default_rng(0).normal(size=(20, 50)), y[:20], "cca"), {}, "X: needed .* 19 dimensions of 20 items"),
        ((np.ones((40, 3)), y, "svcca"), {}, "X: needed .* a constant space"),
        ((x, y, "jaccard"), {"draws": 9, "groups": list(range(40))}, "groups: needed a label that two items share"),
        ((x, y, "jaccard"), {"draws": 9, "groups": [0, 1]}, "groups: needed one label"),
        ((x * np.nan, y), {}, "X: needed"),
    ]
    for arguments, more, message in cases:
        with pytest.raises(IsthmusError, match=message):
            measure(*arguments, **more)


def test_constant_spaces_give_nan_or_a_note_and_never_a_warning():
    x, y = two_spaces(18)
    for found in measure(np.ones((40, 3)), y, ["all"], 5, draws=5, half_samples=3):
        assert np.isfinite(found.value) or np.isnan(found.value)
        assert found.record()["measure"] == found.name
    assert np.isnan(measure(np.ones((40, 3)), y, "cka").value)
    assert np.isnan(measure(np.ones((40, 3)), y, "rsa", metric="euclidean").value)
    assert measure(x[:, :1] * 0, y, ["all"], 5)[0].value == pytest.approx(chance(5, 40), abs=0.2)


def test_several_measures_say_what_each_lacks_and_fail_only_together():
    x, y = two_spaces(18)
    bad, good = measure(np.ones((40, 3)), y, ["cca", "mutual-knn"], 5)
    assert "constant space" in bad.note
    assert (good.note, good.n) == ("", 40)
    assert measure(np.ones((40, 3)), y, "cka").note.startswith("no value: not defined")
    with pytest.raises(IsthmusError, match="constant space"):
        measure(np.ones((40, 3)), y, ["cca", "svcca"], 5)
    assert [each.name for each in measure(x, y, "all", 5)] == list(MEASURES)
    with pytest.raises(IsthmusError, match="groups: needed one label for each of 40 items, got 2"):
        measure(x, y, "all", 5, draws=9, groups=[0, 1])


def test_what_is_missing_is_told():
    x, y = two_spaces(18)
    assert measure(x, y, half_samples=1).note == "no interval: needed 2 half-samples or more, got 1"
    assert measure(x, y, k=11, half_samples=9).note == "no interval: half of 40 items are too few for k=11"
    assert measure(x, y, k=10, half_samples=9).note == ""
    assert "fewer than 19 draws" in measure(x, y, draws=18).note
    assert measure(x, y, draws=19).note == ""
    assert "fewer than 99 draws" in measure(x, y, draws=98, alpha=0.01).note


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"draws": 2.5}, "draws: needed a whole number of 0 or more, got 2.5"),
        ({"draws": -1}, "draws: needed a whole number of 0 or more, got -1"),
        ({"half_samples": "9"}, "half_samples: needed a whole number of 0 or more, got '9'"),
        ({"alpha": 2}, "alpha: needed a level between 0 and 1, got 2"),
        ({"alpha": "a"}, "alpha: needed a level between 0 and 1, got 'a'"),
        ({"k": True}, "k: needed a whole number, got True"),
        ({"k": 2.5}, "k: needed a whole number, got 2.5"),
    ],
)
def test_settings_that_are_no_such_numbers_are_refused(settings, message):
    x, y = two_spaces(18)
    with pytest.raises(IsthmusError, match=message):
        measure(x, y, **settings)


@pytest.mark.parametrize("name", ["mrr", "foscttm", "recall-at-k"])
def test_items_that_all_have_the_same_are_not_known_for_sure(name):
    """Every item stands eight times, so each has the same: of further items some may differ."""
    x = np.repeat(np.random.default_rng(0).normal(size=(10, 4)), 8, axis=0)
    found = measure(x, x, name, half_samples=20).interval
    assert found.high - found.low > 0.03


@pytest.mark.parametrize(("spread", "rare"), [(0.3, True), (0.8, False)])
def test_rare_misses_make_an_interval_no_narrower_than_independent_items(spread, rare):
    """They may be in no half at all; where there are many, halves alone tell."""
    x, noise = np.random.default_rng(0).normal(size=(2, 200, 8))
    pair = Paired.of(x, x + spread * noise, 1)
    each = MEASURES["recall-at-k"]
    value = each.value(pair)
    assert (min(value, 1 - value) * 200 < each.rare) == rare
    found = interval_from_halves(each, pair, value, [(value, value * (1 - value))] * 20)  # halves that do not differ
    assert found.standard_error == pytest.approx(np.sqrt(value * (1 - value) / 200) if rare else 3 / 200 / 1.96)
    assert 0 < found.low < value < found.high < 1
    assert np.isnan(interval_from_halves(each, pair, value, [(np.nan, np.nan)] * 20).low)


def test_foscttm_is_the_mean_of_what_its_items_have():
    x, y = two_spaces(21, n=50, dy=5)
    pair = Paired.of(x, y, 5, metric="euclidean")
    distances = distance.cdist(x, y)
    expected = [
        ((distances[i] < distances[i, i]).sum() + (distances[:, i] < distances[i, i]).sum()) / 2 / 49 for i in range(50)
    ]
    np.testing.assert_allclose(MEASURES["foscttm"].items(pair), expected)
    assert MEASURES["foscttm"].value(pair) == pytest.approx(np.mean(expected))
    order = np.random.default_rng(1).permutation(50)
    (shuffled,) = closer(pair, order[None])
    np.testing.assert_allclose(shuffled, MEASURES["foscttm"].items(Paired.of(x, y[order], 5, metric="euclidean")))


def test_no_interval_where_halves_cannot_tell():
    """Weights of pwcca hang on directions that equal correlations leave open: its spread shrinks slower than 1/sqrt(n)."""
    x, y = two_spaces(18)
    found = measure(x, y, "pwcca", half_samples=20)
    assert found.interval is None
    assert found.note.startswith("no interval: ")
    made = [[low_signal(n, 16, seed=seed) for seed in range(30)] for n in (200, 3200)]
    few, many = (np.std([measure(pairs.x, pairs.y, "pwcca").value for pairs in each]) for each in made)
    assert many > 1.5 * few / 4  # a fourth is what halves would take it to be


def test_a_name_is_taken_only_once():
    from dataclasses import replace

    with pytest.raises(IsthmusError, match="needed a new name"):
        register(replace(MEASURES["cka"], title="another"))


def test_known_values_of_real_sets():
    """Hubness of the registry is that of the table; mutual k-NN that of the embedded set, known from elsewhere."""
    pairs = isthmus.load("emoji")
    assert measure(pairs.x, pairs.y, "mutual-knn").value == pytest.approx(0.1882, abs=0.0005)
    from isthmus.neighbors import hubness, search

    assert measure(pairs.x, pairs.y, "hubness-y").value == hubness(search(pairs.y, 10)).skewness
