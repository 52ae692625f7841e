"""Random pairings: the compiled count, thresholds, groups, the best of many, hubs, curves and matched comparisons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus import IsthmusError, overlap
from isthmus.measures import (
    calibrate,
    calibrate_best,
    chance,
    compare_matched,
    curve_over_k,
    curve_over_n,
    hub_expectation,
    measure,
)
from isthmus.neighbors import Neighbors, search, shared_entries
from isthmus.statistics import benjamini_hochberg, calibrated, holm, order_statistic_threshold, permutation_p, permutations

seeds = st.integers(0, 2**32 - 1)


def unrelated(seed, n=60, d=4):
    return np.random.default_rng(seed).normal(size=(2, n, d))


@given(seeds, st.integers(1, 39), st.integers(1, 39), st.booleans())
def test_shared_entries_agree_with_python_sets(seed, p, q, native):
    rng = np.random.default_rng(seed)
    a, b = (np.stack([rng.permutation(40)[:k] for _ in range(40)]) for k in (p, q))
    orders = np.stack([rng.permutation(40) for _ in range(3)])
    slow = [
        sum(len({order[j] for j in a[i]} & set(b[order[i]].tolist())) for i in range(40)) for order in orders.tolist()
    ]  # fmt: skip
    assert shared_entries(a, b, orders, native=native, threads=1 + seed % 3).tolist() == slow


def test_long_lists_agree_too():
    rng = np.random.default_rng(0)
    a, b = (search(rng.normal(size=(200, 3)), 150).index for _ in range(2))
    orders = np.concatenate(list(permutations(200, 20)))
    assert shared_entries(a, b, orders, native=True).tolist() == shared_entries(a, b, orders, native=False).tolist()


@pytest.mark.usefixtures("unchecked_shapes")
def test_shared_entries_refuse_other_items():
    table = np.array([[1], [0]])
    with pytest.raises(IsthmusError, match="a, b, permutations: needed as many items"):
        shared_entries(table, table, np.array([[0, 1, 2]]))
    with pytest.raises(ValueError, match="needed row numbers"):
        shared_entries(table, table, np.array([[0, 7]]), native=True)


def test_permutations_keep_to_groups_and_grow():
    groups = list("aabbbcc")
    some = np.concatenate(list(permutations(7, 50, seed=1, groups=groups)))
    assert all(np.array(groups)[order].tolist() == groups for order in some)
    assert len({tuple(order) for order in some}) > 10
    longer = np.concatenate(list(permutations(7, 80, seed=1, groups=groups)))
    assert (longer[:50] == some).all()
    with pytest.raises(IsthmusError, match="draws: needed a whole number of 1 or more, got 0"):
        list(permutations(7, 0))


def test_within_group_pairings_take_what_labels_explain_as_chance():
    """Two spaces that have nothing in common but their five clusters: above chance, but not within the clusters."""
    below = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.arange(5), 30)
        centers = rng.normal(size=(2, 5, 6)) * 4
        x, y = (center[labels] + rng.normal(size=(150, 6)) for center in centers)
        assert calibrate(x, y, draws=99).p_value == 0.01
        found = calibrate(x, y, draws=99, groups=labels)
        assert not found.chance_is_exact
        assert found.chance > 3 * chance(10, 150)
        below += found.p_value <= 0.05
    assert below <= 4


@given(seeds, st.integers(5, 60), st.floats(0.01, 0.5))
def test_above_the_threshold_means_a_small_p_value(seed, draws, alpha):
    rng = np.random.default_rng(seed)
    null, value = rng.integers(0, 9, draws).astype(float), float(rng.integers(0, 12))
    if value > order_statistic_threshold(value, null, alpha):
        assert permutation_p(value, null) <= alpha + 1e-12


def test_the_calibrated_score_is_that_of_the_published_package():
    """Algorithm 1 of calibrated-similarity, written out: tau of the m + 1 values, (b + 1)/(m + 1), (s - tau)/(1 - tau)."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 5))
    y = x + 2 * rng.normal(size=(80, 5))
    found = calibrate(x, y, draws=199)
    values = np.sort(np.append(found.null, found.value))
    tau = values[int(np.ceil(0.95 * 200)) - 1]
    assert found.threshold == tau
    assert found.p_value == (1 + (found.null >= found.value).sum()) / 200
    assert found.calibrated == pytest.approx(max(0, (found.value - tau) / (1 - tau)))
    assert calibrated(1.0, 1.0, 1.0) == 0.0
    with pytest.raises(IsthmusError, match="alpha"):
        order_statistic_threshold(0.0, found.null, 1.0)


def test_the_published_package_says_the_same_of_the_same_pairings():
    reason = "needs pip install 'isthmus[benchmark]'"
    torch, other = (pytest.importorskip(name, reason=reason) for name in ("torch", "calibrated_similarity"))
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 5))
    y = x + 3 * rng.normal(size=(60, 5))
    orders = iter(np.concatenate(list(permutations(60, 99))).astype(np.int64))

    def mutual_knn(a, b):
        return torch.tensor(overlap(a.numpy(), b.numpy()).mnno)

    _, p, tau = other.calibrate(
        torch.tensor(x), torch.tensor(y), mutual_knn, K=99, perm_fn=lambda *_: torch.tensor(next(orders))
    )
    found = calibrate(x, y, draws=99)
    assert float(p) == pytest.approx(found.p_value)
    assert float(tau) == pytest.approx(found.threshold)


@pytest.mark.parametrize("name", ["procrustes", "information-imbalance"])
def test_distances_are_calibrated_the_other_way_round(name):
    x, y = unrelated(0)
    related, not_related = calibrate(x, x + 0.1 * y, name, 5, draws=99), calibrate(x, y, name, 5, draws=99)
    assert related.p_value == 0.01
    assert related.value < related.threshold < related.chance
    assert related.calibrated > 0.5
    assert not_related.p_value > 0.01


@pytest.mark.parametrize("name", ["mutual-knn", "cka-unbiased", "rsa", "trustworthiness"])
def test_type_one_error_is_at_most_nominal(name):
    """60 unrelated pairs at level 0.1: more than 13 rejections have a probability below 0.005."""
    rejected = sum(calibrate(*unrelated(seed, n=30), name, 4, draws=39, seed=seed).p_value <= 0.1 for seed in range(60))
    assert rejected <= 13


def test_the_best_of_many_knows_how_many_there_were():
    alone, together = 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        xs, ys = list(rng.normal(size=(4, 30, 3))), list(rng.normal(size=(4, 30, 3)))
        found = calibrate_best(xs, ys, k=4, draws=39, seed=seed)
        together += found.p_value <= 0.1
        alone += min(calibrate(x, y, k=4, draws=39, seed=seed).p_value for x in xs for y in ys) <= 0.1
    assert together <= 10
    assert alone >= 20


def test_the_best_of_one_is_a_calibration_and_p_values_hold_together():
    x, y = unrelated(3)
    one, single = calibrate_best([x], [y], draws=99, seed=5), calibrate(x, y, draws=99, seed=5)
    assert (one.value, one.threshold, one.p_value) == (single.value, single.threshold, single.p_value)
    found = calibrate_best([x, y], [y, x + 0.3 * y], "procrustes", draws=99)
    assert found.values[found.best] == found.value == found.values.min()
    assert found.p_values.min() == found.p_value
    with pytest.raises(IsthmusError, match="Xs, Ys: needed one space"):
        calibrate_best([], [y])
    with pytest.raises(IsthmusError, match="Xs, Ys: needed as many items"):
        calibrate_best([x], [y[:50]])
    with pytest.raises(IsthmusError, match="name: needed a measure of paired items"):
        calibrate(x, y, "hubness-x")


@pytest.mark.parametrize("name", ["cka", "procrustes", "rsa"])
def test_a_layer_without_a_value_takes_no_part_in_the_best_of_many(name):
    x, y = unrelated(4, n=40)
    flat = np.ones((40, 3))
    settings = {"metric": "euclidean", "draws": 19}
    found, alone = calibrate_best([flat, x, y], [flat, y], name, **settings), calibrate_best([x, y], [y], name, **settings)
    assert found.best == (2, 1)
    missing = [[True, True], [True, False], [True, False]]
    assert np.isnan(found.values).tolist() == np.isnan(found.p_values).tolist() == missing
    assert (found.value, found.threshold, found.p_value) == (alone.value, alone.threshold, alone.p_value)
    assert (found.p_values[1:, 1] == alone.p_values[:, 0]).all()
    with pytest.raises(IsthmusError, match=f"Xs, Ys: needed a pair for which {name} is defined, got none"):
        calibrate_best([flat], [x, y], name, **settings)


def test_nan_has_no_p_value():
    null = np.arange(5.0)
    assert np.isnan(permutation_p(np.nan, null))
    assert np.isnan(permutation_p(1.0, np.append(null, np.nan)))


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([None, "a"] * 30, "got None for item 0"),
        (["a", float("nan")] * 30, "got nan for item 1"),
        ([["a"], ["b", "c"]] * 30, r"got \['a'\] for item 0"),
        (np.zeros((60, 2)), r"got \[0.0, 0.0\] for item 0"),
        (["a"] * 59, "one label for each of 60 items, got 59"),
        (np.array(3), "one label for each of 60 items, got 1"),
    ],
)
def test_groups_that_are_no_labels_are_refused(groups, message):
    with pytest.raises(IsthmusError, match=f"groups: needed .*{message}"):
        calibrate(*unrelated(0), draws=9, groups=groups)


def test_a_number_and_its_text_are_different_labels():
    (orders,) = permutations(40, 50, groups=[1, "1"] * 20)
    assert (orders % 2 == np.arange(40) % 2).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_corrections_agree_with_scipy_and_are_ordered(p):
    from scipy.stats import false_discovery_control

    found = benjamini_hochberg(np.array(p))
    assert found == pytest.approx(false_discovery_control(p))
    assert (found <= holm(np.array(p)) + 1e-12).all()


def test_hub_expectation_is_that_of_shuffled_degree_preserving_lists():
    """Lists redrawn with fixed in- and out-degrees by switching entries, long enough to forget where they began."""
    rng = np.random.default_rng(4)
    n, k = 40, 5
    x, y = rng.normal(size=(n, 12)), rng.normal(size=(n, 12))
    a, b = search(x, k, "euclidean"), search(y, k, "euclidean")
    y[:, 0] = x[:, 0] * 3  # shared hubs: the items near the center of a common direction
    x[:, 0] *= 3
    a, b = search(x, k, "euclidean"), search(y, k, "euclidean")

    def switched(index):
        lists = [set(row) for row in index.tolist()]
        for _ in range(5 * n * k):
            i, j = rng.integers(0, n, 2)
            u, v = rng.choice(sorted(lists[i])), rng.choice(sorted(lists[j]))
            if i != j and u not in lists[j] and v not in lists[i] and u != j and v != i:
                lists[i] ^= {u, v}
                lists[j] ^= {u, v}
        return lists

    shares = []
    for _ in range(15):
        p, q = switched(a.index), switched(b.index)
        shares.append(np.mean([len(s & t) for s, t in zip(p, q, strict=True)]) / k)
    error = np.std(shares) / np.sqrt(len(shares))
    assert hub_expectation(a, b) == pytest.approx(np.mean(shares), abs=4 * error + 0.002)


@pytest.mark.usefixtures("unchecked_shapes")
def test_hub_expectation_is_chance_without_hubs_and_refuses_parts():
    ring = Neighbors((np.arange(9)[:, None] + [1, 2]) % 9, np.zeros((9, 2)), "cosine", False)
    assert hub_expectation(ring, ring) == pytest.approx(chance(2, 9))
    with pytest.raises(IsthmusError, match="a, b: needed tables"):
        hub_expectation(ring, search(np.eye(5) + 0.1, 2))
    with pytest.raises(IsthmusError, match="a, b: needed neighbor tables, got ndarray"):
        hub_expectation(np.eye(5), ring)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("called", [calibrate, lambda x, y, name: calibrate_best([x], [y], name)])
def test_one_measure_is_calibrated_at_a_time(called):
    x, y = np.random.default_rng(0).normal(size=(2, 30, 3))
    for several in ("all", ["cka", "rsa"]):
        with pytest.raises(IsthmusError, match="name: needed one measure, got"):
            called(x, y, several)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("called", "message"),
    [
        (lambda x, y: calibrate(x, y, draws=0), "draws: needed a whole number of 1 or more, got 0"),
        (lambda x, y: calibrate_best([x], [y], seed=-1), "seed: needed a whole number"),
        (lambda x, y: curve_over_n(x, y, [30], draws=1), "draws: needed a whole number of 2 or more, got 1"),
        (lambda x, y: curve_over_n(x, y, [30], seed="a"), "seed: needed a whole number"),
        (lambda x, y: compare_matched((x, y), x), "second: needed X and Y, got ndarray"),
        (lambda x, y: compare_matched((x, y), (x, y), n=20.5), "n: needed a whole number of 2 or more, got 20.5"),
        (lambda x, y: measure(x, y, 5), "measure: needed one of"),
        (lambda x, y: measure(x, y, []), "measure: needed one name or more, got none"),
        (lambda _, __: holm([0.1, 2]), "p: needed a list of p-values from 0 to 1, got 2.0"),
        (lambda _, __: benjamini_hochberg([0.1, np.nan]), "p: needed a list of p-values from 0 to 1, got nan"),
        (lambda _, __: holm("a"), "p: needed p-values, got 'a'"),
    ],
)
def test_what_has_no_answer_is_refused(called, message):
    with pytest.raises(IsthmusError, match=message):
        called(*np.random.default_rng(0).normal(size=(2, 60, 4)))


def test_curves_carry_chance_and_fall_with_n():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(400, 6))
    y = x + rng.normal(size=(400, 6))
    over_n = curve_over_n(x, y, [60, 200, 400], k=5)
    assert [point.chance for point in over_n] == [5 / 59, 5 / 199, 5 / 399]
    assert over_n[0].value > over_n[1].value > over_n[2].value
    assert over_n[2].value == overlap(x, y, 5).mnno
    assert all(point.low < point.value < point.high for point in over_n)
    over_k = curve_over_k(x, y, [2, 5])
    assert [point.value for point in over_k] == [overlap(x, y, k).mnno for k in (2, 5)]
    with pytest.raises(IsthmusError, match="sizes: needed at most 400"):
        curve_over_n(x, y, [401])
    with pytest.raises(IsthmusError, match="k, sizes: needed more than 10 items"):
        curve_over_n(x, y, [10])


def test_matched_comparison_of_equal_populations_holds_0_where_raw_values_differ():
    def of(seed, n):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(n, 6))
        return x, x + rng.normal(size=(n, 6))

    covered = sum(
        (found := compare_matched(of(s, 80), of(500 + s, 320), k=5, draws=30, seed=s).difference).low <= 0 <= found.high
        for s in range(25)
    )
    assert covered >= 21
    assert overlap(*of(1, 80), 5).mnno > overlap(*of(2, 320), 5).mnno + 0.05


def test_more_draws_begin_with_fewer():
    x, y = unrelated(7)
    few, many = (measure(x, y, "cka", draws=draws, seed=2).null for draws in (20, 50))
    assert (many[:20] == few).all()
