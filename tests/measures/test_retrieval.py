"""Retrieval against plain loops and scikit-learn, every figure of the data sets' descriptions, ties, chance, edge cases."""

from itertools import pairwise, permutations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from isthmus import IsthmusError, retrieval
from isthmus.measures import _ranking, foscttm


def distances(x, y, metric):
    if metric == "cosine":
        x, y = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300) for rows in (x, y))
        return np.array([[1 - float(a @ b) for b in y] for a in x])
    return np.array([[float(((a - b) ** 2).sum()) for b in y] for a in x])


def ranking(row, relevant):
    """Average precision, reciprocal rank and hits of one order, by counting."""
    found, precisions, first = 0, [], None
    for place, item in enumerate(row, start=1):
        if relevant[item]:
            found += 1
            precisions.append(found / place)
            first = first or place
    return sum(precisions) / found, 1 / first, first


def sets(share):
    """A few items on a coarse grid, with many ties."""
    return (
        st.integers(0, 10**6)
        .map(np.random.default_rng)
        .map(lambda rng: (rng.integers(0, 3, (7, 2)).astype(float), rng.integers(0, share, 7)))
    )


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("include_self", [False, True])
def test_one_space_against_a_loop_and_scikit_learn(rng, metric, include_self):
    x, labels = rng.normal(size=(60, 5)), rng.integers(0, 6, 60)
    result = retrieval(x, labels=labels, metric=metric, include_self=include_self, k=[1, 3])
    d = distances(x, x, metric)
    for i in range(60):
        others = [j for j in np.argsort(d[i]) if j != i]
        relevant = labels == labels[i]
        expected = ranking([i, *others] if include_self else others, relevant)
        if not include_self:
            assert np.isclose(average_precision_score(relevant[others], -d[i, others]), expected[0])
        assert np.isclose(result.per_query("map")[i], expected[0])
        assert np.isclose(result.per_query("mrr")[i], expected[1])
        assert result.per_query("recall@3")[i] == (expected[2] <= 3)
    assert np.isclose(result.map, result.per_query("map").mean())


def test_two_spaces_and_several_classes(rng):
    x, y = rng.normal(size=(40, 4)), rng.normal(size=(50, 4))
    ours, theirs = rng.random((40, 5)) < 0.3, rng.random((50, 5)) < 0.3
    ours[:, 0] = theirs[:, 0] = True
    ours[3] = False
    result = retrieval(x, y, ours, item_labels=theirs)
    d = distances(x, y, "cosine")
    expected = [average_precision_score((theirs & row).any(axis=1), -d[i]) for i, row in enumerate(ours) if i != 3]
    assert np.isclose(result.map, np.mean(expected))
    assert (result.unanswerable, np.isnan(result.per_query("map")).tolist().index(True)) == (1, 3)


def test_pairs_against_a_loop(rng):
    x = rng.normal(size=(50, 6))
    y = x + rng.normal(size=(50, 6))
    result = retrieval(x, y, metric="euclidean", k=[1, 5])
    ranks = [int((row < row[i]).sum()) + 1 for i, row in enumerate(distances(x, y, "euclidean"))]
    assert np.isclose(result.mrr, np.mean([1 / r for r in ranks]))
    assert np.isclose(result.map, result.mrr)
    assert result.recall(5) == np.mean([r <= 5 for r in ranks])
    assert np.isclose(result.foscttm, np.mean([(r - 1) / 49 for r in ranks]))
    back = [(row < row[i]).sum() / 49 for i, row in enumerate(distances(y, x, "euclidean"))]
    assert np.isclose(foscttm(x, y), (result.foscttm + np.mean(back)) / 2)


@given(sets(2))
def test_a_tie_counts_as_the_mean_over_all_its_orders(drawn):
    x, labels = drawn
    result = retrieval(x, labels=labels, metric="euclidean", k=[1, 2])
    d = distances(x, x, "euclidean")
    for i in range(len(x)):
        others = [j for j in range(len(x)) if j != i]
        relevant = labels == labels[i]
        if not relevant[others].any():
            assert np.isnan(result.per_query("map")[i])
            continue
        orders = [o for o in permutations(others) if all(d[i, a] <= d[i, b] for a, b in pairwise(o))]
        found = [ranking(order, relevant) for order in orders]
        assert np.isclose(result.per_query("map")[i], np.mean([f[0] for f in found]))
        assert np.isclose(result.per_query("mrr")[i], np.mean([f[1] for f in found]))
        assert np.isclose(result.per_query("recall@2")[i], np.mean([f[2] <= 2 for f in found]))


@given(st.integers(0, 10**6))
def test_the_order_of_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    x, labels, order = rng.integers(0, 3, (30, 3)), rng.integers(0, 4, 30), rng.permutation(30)
    a, b = retrieval(x, labels=labels), retrieval(x[order], labels=labels[order])
    assert np.allclose(a.per_query("map")[order], b.per_query("map"), rtol=0, atol=1e-12, equal_nan=True)


def exact(x, y, metric):
    """Distances from differences, in the longest floats there are."""
    x, y = (rows.astype(np.longdouble) for rows in (x, y))
    if metric == "cosine":
        x, y = (rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True)) for rows in (x, y))
    return np.sqrt(((x[:, None] - y[None]) ** 2).sum(axis=2))


@pytest.mark.parametrize("few", [0, 10**9])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [1e3, 1e5, 1e7])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_clusters_that_are_far_apart_are_ranked_within(rng, monkeypatch, metric, offset, kind, few):
    """A product loses distances within clusters beside those between them, and small angles beside the length of rows."""
    monkeypatch.setattr(_ranking, "_FEW", few)
    x = np.repeat([[1, 1, 1], [offset, 1, 1]], 40, axis=0) + rng.normal(size=(80, 3))
    x = (x if metric == "euclidean" else x * [offset, 1, 1]).astype(kind)  # a bundle of directions
    x[3], x[50] = x[2], x[49]
    y = (x + 0.1 * rng.normal(size=x.shape)).astype(kind)
    told = 0
    for result, d in [
        (retrieval(x, y, metric=metric, k=1), exact(x, y, metric)),
        (retrieval(x, labels=np.arange(80) % 5, metric=metric, k=1), exact(x, x, metric)),
    ]:
        for i, row in enumerate(d):
            others = np.arange(80) if result.pairs else np.delete(np.arange(80), i)
            relevant = others == i if result.pairs else others % 5 == i % 5
            order = np.argsort(row[others])
            apart = np.diff(row[others][order]) > 1e-11 * (1 if metric == "cosine" else row[others][order][1:])
            tie = np.append(0, np.cumsum(apart))[np.argsort(order)]  # what may tie, and so the best and the worst order
            worst, best = (ranking(np.lexsort((first, tie)), relevant) for first in (relevant, ~relevant))
            told += best == worst
            assert worst[0] - 1e-9 <= result.per_query("map")[i] <= best[0] + 1e-9
            assert worst[1] - 1e-9 <= result.per_query("mrr")[i] <= best[1] + 1e-9
    assert told > 20


@given(st.integers(0, 10**6), st.sampled_from(["cosine", "euclidean"]))
def test_sorting_only_what_is_near_something_relevant_changes_nothing(seed, metric):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, rng.integers(2, 50), (60, 3)).astype(float)
    x[0] *= rng.choice([1, 1e9])  # nearly all others fall into one bin
    labels = rng.integers(0, 20, 60)
    found = []
    for few in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_ranking, "_FEW", few)
            result = retrieval(x, labels=labels, metric=metric)
            found.append(np.stack([result.per_query(measure) for measure in result.measures]))
    assert np.array_equal(*found, equal_nan=True)


@pytest.mark.parametrize("few", [0, 10**9])
def test_one_class_and_one_item_a_class(rng, monkeypatch, few):
    monkeypatch.setattr(_ranking, "_FEW", few)
    x = rng.normal(size=(9, 2))
    assert np.isclose(retrieval(x, labels=["a"] * 9).map, 1)
    assert retrieval(x, labels=list("abcdefghi")).unanswerable == 9
    same = retrieval(np.ones((9, 2)), labels=list("aaabbbccc"))
    assert np.isclose(same.mrr, same.chance("mrr"))


@pytest.mark.parametrize("include_self", [False, True])
def test_chance_is_the_mean_over_random_orders(rng, include_self):
    x, labels = rng.normal(size=(24, 3)), rng.integers(0, 5, 24)
    result = retrieval(x, labels=labels, include_self=include_self, k=[1, 4])
    drawn = [retrieval(rng.normal(size=(24, 3)), labels=labels, include_self=include_self, k=[1, 4]) for _ in range(600)]
    for measure in result.measures:
        values = [each.value(measure) for each in drawn]
        assert abs(np.mean(values) - result.chance(measure)) < 4 * np.std(values) / np.sqrt(len(values)) + 1e-12


def test_chance_of_pairs(rng):
    result = retrieval(rng.normal(size=(20, 2)), rng.normal(size=(20, 2)), k=[3])
    assert np.isclose(result.chance("foscttm"), 0.5)
    assert np.isclose(result.chance("recall@3"), 3 / 20)
    assert np.isclose(result.chance("mrr"), np.mean([1 / r for r in range(1, 21)]))
    constant = retrieval(np.ones((20, 2)), np.ones((20, 2)), k=[3])
    assert [constant.value(m) for m in constant.measures] == [constant.chance(m) for m in constant.measures]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_equal_rows_and_zero_rows_tie(metric):
    x = np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 6.0], [0.0, 0.0], [-0.0, 0.0], [1e200, 1e200]])
    result = retrieval(x[:5], labels=["a", "b", "a", "b", "b"], metric=metric)
    if metric == "cosine":  # the first three point in one direction, so the second and third tie seen from the first
        assert np.isclose(result.per_query("map")[0], (1 + 1 / 2) / 2)
    assert retrieval(x, labels=list("abcdef")).unanswerable == 6
    assert np.isfinite(retrieval(x, labels=list("aabbab"), metric=metric).map)


def test_nothing_relevant_is_left_out_and_counted(rng):
    x = rng.normal(size=(6, 2))
    result = retrieval(x, labels=["a", "a", "b", "c", "d", "e"])
    assert (result.unanswerable, result.n) == (4, 6)
    assert np.isclose(result.map, result.per_query("map")[:2].mean())
    alone = retrieval(x, labels=list("abcdef"))
    assert np.isnan([alone.map, alone.mrr, alone.chance("map"), alone.interval("map").low]).all()
    assert retrieval(x, labels=list("abcdef"), include_self=True).map == 1
    assert np.isnan(retrieval(x[:1], labels=["a"]).map)


def test_blocks_threads_and_scale_do_not_show(rng, monkeypatch):
    x, labels = rng.normal(size=(90, 5)).astype(np.float32), rng.integers(0, 4, 90)
    whole = retrieval(x, labels=labels, metric="euclidean")
    assert np.array_equal(
        whole.per_query("map"), retrieval(x * 2.0**100, labels=labels, metric="euclidean").per_query("map")
    )
    for block in (1, 1000):
        monkeypatch.setattr(_ranking, "_PAIRS_AT_ONCE", block)
        monkeypatch.setattr(_ranking, "cores", lambda: 3)
        assert np.allclose(whole.per_query("map"), retrieval(x, labels=labels, metric="euclidean").per_query("map"))


def test_interval_covers_the_mean_of_other_queries(rng):
    items, labels = rng.normal(size=(200, 4)), rng.integers(0, 4, 200)
    means = rng.normal(size=(4, 4))
    asked = rng.integers(0, 4, 4000)
    queries = means[asked] + rng.normal(size=(4000, 4))
    truth = retrieval(queries, items, asked, item_labels=labels).map
    inside = 0
    for start in range(0, 4000, 100):
        rows = slice(start, start + 100)
        interval = retrieval(queries[rows], items, asked[rows], item_labels=labels).interval("map")
        inside += interval.low <= truth <= interval.high
    assert inside >= 34  # of 40


FIGURES = {
    "iapr_tc12_test/iapr_tc12_test.npz": [
        ("text_bigru64", "labels", "all", False, 0.7191, 4), ("image_vgg128", "labels", "all", False, 0.4507, 4),
        ("text_bigru64", "labels", "all", True, 0.7219, 4), ("image_vgg128", "labels", "all", True, 0.4558, 4),
    ],
    "wiki_rasiwasia/wiki_raw_features.npz": [
        ("image_test", "label_test", "all", False, 0.1352, 4), ("text_test", "label_test", "all", False, 0.553, 3),
        ("image_train", "label_train", "all", False, 0.1275, 4), ("text_train", "label_train", "all", False, 0.5524, 4),
    ],
    "emoji_noto/image_lite0_1280.npz": [("image", "group", "all", False, 0.424, 3), ("image", "subgroup", "all", False, 0.346, 3)],
    "emoji_noto/text_features.npz": [
        ("minilm384", "group", "all", False, 0.498, 3), ("minilm384", "subgroup", "all", False, 0.510, 3),
    ],
    "emoji_noto/text_bigru64.npz": [("bigru64", "subgroup", "untrained", False, 0.540, 3)],
    "openclipart/image_lite0_1280.npz": [
        ("image", "label", "test", False, 0.291, 3), ("image", "sublabel", "test", False, 0.186, 3),
    ],
    "openclipart/text_features.npz": [
        ("minilm384", "label", "test", False, 0.587, 3), ("glove100_mean", "label", "test", False, 0.563, 3),
        ("minilm384", "sublabel", "test", False, 0.555, 3),
    ],
    "openclipart/text_bigru64.npz": [("bigru64", "label", "test", False, 0.871, 3)],
    "imagenet1k_words/visual_lite0_1280.npz": [("weight", "category", "all", False, 0.350, 3)],
    "imagenet1k_words/text_glove.npz": [("glove100", "category", "usable", False, 0.165, 3)],
    "imagenet1k_words/text_gloss_minilm_384.npz": [("minilm", "category", "all", False, 0.374, 3)],
}  # fmt: skip


@pytest.mark.parametrize(("file", "figure"), [(file, figure) for file, figures in FIGURES.items() for figure in figures])
def test_the_figures_of_the_data_sets(data_folder, file, figure):
    key, column, part, include_self, published, digits = figure
    arrays = np.load(data_folder / file)
    x = arrays[key]
    if column in arrays.files:
        labels = arrays[column]
    else:
        tables = [path for path in (data_folder / file).parent.glob("*.tsv") if path.name in ("items.tsv", "classes.tsv")]
        table = pl.read_csv(tables[0], separator="\t", infer_schema=False)
        labels = table[column].to_numpy()
        rows = {
            "all": lambda: np.ones(len(x), dtype=bool),
            "test": lambda: table["split"].to_numpy() == "test",
            "usable": lambda: table["glove_match"].to_numpy() != "none",
            "untrained": lambda: ~arrays["train_mask"].astype(bool),
        }[part]()
        x, labels = x[rows], labels[rows]
    found = retrieval(x, labels=labels, include_self=include_self).map
    assert abs(found - published) < 0.6 * 10**-digits, found  # some were measured before the features became float16


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (lambda x: (x,), {}, "labels: needed classes, or a second set"),
        (lambda x: (x, x[:, :2]), {}, "X, Y: needed the same width, to measure distances between them, got 3 and 2"),
        (lambda x: (x, x[:4]), {}, "X, Y: needed pairs, row by row, got 6 and 4 rows"),
        (lambda x: (x, None, [1, 2]), {}, r"labels: needed 6 classes, one a row, or a table of 6 rows by classes, got shape \(2,\)"),
        (lambda x: (x, x, np.eye(6)), {"item_labels": np.eye(6)[:, :5]}, "item_labels: needed the form of labels"),
        (lambda x: (x, None, np.full((6, 2), "a")), {}, "labels: needed a table of numbers"),
        (lambda x: (x, None, np.full((6, 2), 0.5)), {}, "labels: needed a table of 0 and 1"),
        (lambda x: (x, x), {"item_labels": [1] * 6}, "labels: needed classes of the queries too"),
        (lambda x: (x, x), {"include_self": False}, "include_self: needed the pair among the candidates"),
        (lambda x: (x, x), {"metric": "dot"}, "metric: needed cosine or euclidean"),
        (lambda x: (x, x), {"metric": "csls"}, "metric: needed cosine or euclidean for retrieval, got 'csls'"),
        (lambda x: (x, x), {"k": 0}, "k: needed 1 or more, got 0"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("unchecked_shapes")
def test_what_cannot_be_ranked_is_one_line(rng, arguments, options, message):
    with pytest.raises(IsthmusError, match=message):
        retrieval(*arguments(rng.normal(size=(6, 3))), **options)
    with pytest.raises(IsthmusError, match="measure: needed map, mrr"):
        retrieval(rng.normal(size=(6, 3)), labels=[1] * 6).value("recall@3")
