"""Laws of the overlap of two spaces, and the figures that are known for real ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import isthmus
from isthmus import IsthmusError
from isthmus.measures import chance, mnno, nno, overlap, positions, relabeled
from isthmus.neighbors import search
from oracles import overlap as slow_overlap

METRICS = ("cosine", "euclidean")
seeds = st.integers(0, 2**32 - 1)


def two_spaces(seed, n=40):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    return x, x[:, :3] + rng.normal(size=(n, 3))


@given(seeds, st.sampled_from(METRICS), st.booleans(), st.integers(1, 39))
def test_agrees_with_python_sets(seed, metric, include_self, k):
    x, y = two_spaces(seed)
    assert overlap(x, y, k, metric, include_self=include_self).counts.tolist() == slow_overlap(x, y, k, metric, include_self)


@given(arrays(np.float64, (12, 2), elements=st.integers(-1, 1).map(float)), seeds)
def test_agrees_with_python_sets_on_ties(x, seed):
    y = np.random.default_rng(seed).integers(-1, 2, size=(12, 2)).astype(float)
    for metric in METRICS:
        assert overlap(x, y, 4, metric).counts.tolist() == slow_overlap(x, y, 4, metric)


@given(seeds)
def test_identity_symmetry_scale_and_joint_permutation(seed):
    x, y = two_spaces(seed)
    order = np.random.default_rng(seed).permutation(len(x))
    result = overlap(x, y, 6)
    assert overlap(x, x, 6).mnno == 1
    assert overlap(y, x, 6).counts.tolist() == result.counts.tolist()
    assert overlap(4 * x, y, 6).counts.tolist() == result.counts.tolist()
    assert overlap(x[order], y[order], 6).counts.tolist() == result.counts[order].tolist()


@given(seeds, st.integers(2, 20))
def test_with_self_it_is_one_more_than_with_one_neighbor_less(seed, k):
    x, y = two_spaces(seed)
    with_self = overlap(x, y, k, include_self=True).counts
    assert (with_self == 1 + overlap(x, y, k - 1).counts).all()


def test_several_k_are_slices_of_one_search():
    x, y = two_spaces(1)
    for result in overlap(x, y, [3, 5, 11]):
        assert result.counts.tolist() == overlap(x, y, result.k).counts.tolist()


def test_nno_and_mnno_of_tables():
    x, y = two_spaces(2)
    a, b = search(x, 7), search(y, 7)
    assert nno(a, b).tolist() == slow_overlap(x, y, 7, "cosine")
    assert mnno(a, b) == np.mean(slow_overlap(x, y, 7, "cosine")) / 7
    with pytest.raises(IsthmusError, match="same items, depth and self convention"):
        nno(a, search(y, 6))


@given(arrays(np.int64, (4, 6), elements=st.integers(0, 9)), arrays(np.int64, (4, 3), elements=st.integers(0, 9)))
def test_positions_agree_with_list_index(a, b):
    # lists hold each item once
    b = np.array([list(dict.fromkeys([*row, 10, 11, 12]))[:3] for row in b.tolist()])
    slow = [[row.index(j) if j in row else 3 for j in line] for line, row in zip(a.tolist(), b.tolist(), strict=True)]
    assert positions(a, b).tolist() == slow


@pytest.mark.parametrize("include_self", [False, True])
def test_random_pairings_average_to_chance(include_self):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(30, 3)) ** 3, rng.normal(size=(30, 2)) ** 3  # skewed: hubs
    a, b = (search(v, 4, include_self=include_self).index for v in (x, y))
    totals = relabeled(a, b, draws=4000)
    level = chance(4, 30, include_self=include_self)
    assert totals.mean() / (30 * 4) == pytest.approx(level, abs=4 * totals.std() / (30 * 4) / np.sqrt(4000))


def test_relabeling_equals_searching_the_permuted_space():
    x, y = two_spaces(3)
    pairing = np.random.default_rng([7, 0x9E12]).permutation(40)
    expected = overlap(x, y[pairing], 5).counts.sum()
    assert relabeled(search(x, 5).index, search(y, 5).index, draws=1, seed=7)[0] == expected


def test_p_value_tells_related_from_unrelated_spaces(rng):
    x, y = two_spaces(0, n=100)
    assert overlap(x, y, 5).test() == 1 / 1000
    assert overlap(x, rng.normal(size=(100, 4)), 5).test() > 0.01


def test_half_samples_equal_a_direct_search():
    x, y = two_spaces(6, n=60)
    result = overlap(x, y, 4)
    half = np.zeros(60, dtype=bool)
    half[np.random.default_rng([9, 0x4A1F]).permutation(60)[:30]] = True
    direct = overlap(x[half], y[half], 4).mnno
    assert result._half_samples(draws=1, seed=9)[0] == pytest.approx(direct, abs=1e-12)


def test_intervals_cover_and_name_their_population():
    """Over fresh samples of one population the half-sample interval covers the population's value as often as it says."""
    truth = np.mean([overlap(*two_spaces(s, n=80), 5).mnno for s in range(1000, 1200)])
    covered = 0
    for seed in range(100):
        interval = overlap(*two_spaces(seed, n=80), 5).interval(draws=100)
        covered += interval.low <= truth <= interval.high
    assert 86 <= covered <= 98
    result = overlap(*two_spaces(0, n=80), 5)
    half, fixed = result.interval(), result.interval("fixed-graph")
    assert half.population == "new items drawn like these"
    assert "these have" in fixed.population
    assert fixed.standard_error == pytest.approx(np.std(result.counts / 5, ddof=1) / np.sqrt(80))


@pytest.mark.parametrize(("n", "k"), [(12, 6), (22, 10), (38, 10)])
def test_an_interval_that_cannot_be_is_nan(n, k):
    interval = overlap(*two_spaces(0, n=n), k).interval()
    assert np.isnan([interval.low, interval.high]).all()


def test_the_smallest_interval_is_no_too_narrow_one():
    results = [overlap(*two_spaces(seed, n=40), 10) for seed in range(60)]
    spread = np.std([result.mnno for result in results])
    assert np.mean([result.interval(draws=60).standard_error for result in results]) > 0.8 * spread


@pytest.mark.usefixtures("unchecked_shapes")
def test_a_single_item_is_its_own_neighbor_and_k_may_be_a_numpy_number():
    assert overlap(np.ones((1, 2)), np.ones((1, 2)), 1, include_self=True).chance == 1
    assert overlap(*two_spaces(0), np.int64(5)).k == 5


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("k", [5.5, [], "ten"])
def test_k_that_is_no_number_is_refused(k):
    with pytest.raises(IsthmusError, match="k: needed"):
        overlap(*two_spaces(0), k)


def test_adjusted_is_zero_at_chance_one_at_agreement_and_undefined_for_all_neighbors():
    x, y = two_spaces(0)
    assert overlap(x, x, 5).adjusted == 1
    assert np.isnan(overlap(x, y, 39).adjusted)


IAPR = {
    ("cosine", False): (0.0625, 0.0816, 0.1351),
    ("cosine", True): (0.2449, 0.1706, 0.1616),
    ("euclidean", False): (0.0531, 0.0673, 0.1058),
    ("euclidean", True): (0.2400, 0.1580, 0.1345),
}


@pytest.mark.parametrize(("metric", "include_self"), IAPR)
def test_the_features_that_the_authors_published(data_folder, metric, include_self):
    file = data_folder / "iapr_tc12_test" / "iapr_tc12_test.npz"
    x, y = (isthmus.read(f"{file}:{key}").values for key in ("text_bigru64", "image_vgg128"))
    found = [result.mnno for result in overlap(x, y, [5, 10, 30], metric, include_self=include_self)]
    assert found == pytest.approx(IAPR[metric, include_self], abs=0.0005)


EMBEDDED = {
    "imagenet-words": (0.2513, 0.1687, 0.1872, 0.0974),
    "imagenet-glosses": (0.3919, 0.3216, 0.3019, 0.2213),
    "emoji": (0.2704, 0.1882, 0.2670, 0.1852),
}


@pytest.mark.parametrize("name", EMBEDDED)
def test_the_embedded_sets(name):
    pairs = isthmus.load(name)
    found = [
        overlap(pairs.x, pairs.y, 10, metric, include_self=include_self).mnno
        for metric in METRICS
        for include_self in (True, False)
    ]
    assert found == pytest.approx(EMBEDDED[name], abs=0.0005)


KNOWN = [  # file:key of two spaces; cosine with and without self, Euclidean with and without self
    ("emoji_noto/text_features.npz:glove100_mean", "emoji_noto/image_lite0_1280.npz:image", 0.2586, 0.1740, 0.2528, 0.1684),
    ("emoji_noto/text_features.npz:glove100_name", "emoji_noto/image_lite0_1280.npz:image", 0.2429, 0.1579, 0.2373, 0.1533),
    ("imagenet1k_words/text_glove.npz:glove50", "imagenet1k_words/visual_lite0_1280.npz:weight", 0.2357, 0.1521, 0.1831, 0.0921),
    ("imagenet1k_words/text_glove.npz:glove100", "imagenet1k_words/visual_lite2_1280.npz:weight", 0.2525, 0.1729, 0.2069, 0.1193),
    ("openclipart/text_features.npz:minilm384", "openclipart/image_lite0_1280.npz:image", 0.2787, 0.1960, 0.2694, 0.1859),
    ("openclipart/text_features.npz:glove100_mean", "openclipart/image_lite0_1280.npz:image", 0.2625, 0.1776, 0.2516, 0.1658),
    ("openclipart/text_bigru64.npz:bigru64", "openclipart/image_lite0_1280.npz:image", 0.2366, 0.1504, 0.2303, 0.1428),
    ("things_words/text_glove.npz:glove50", "things_words/visual_spose.npz:spose66", 0.1908, 0.1048, 0.1795, 0.0930),
    ("things_words/text_glove.npz:glove100", "things_words/visual_spose.npz:spose66", 0.2040, 0.1202, 0.1836, 0.0966),
    ("things_words/text_glove.npz:glove100", "things_words/visual_spose.npz:spose49", 0.1907, 0.1060, 0.1735, 0.0871),
    ("things_words/visual_spose.npz:spose49", "things_words/visual_spose.npz:spose66", 0.5810, 0.5423, 0.5662, 0.5296),
    ("wiki_rasiwasia/wiki_raw_features.npz:image_train", "wiki_rasiwasia/wiki_raw_features.npz:text_train", 0.1090, 0.0109, 0.1093, 0.0110),
    ("wiki_rasiwasia/wiki_raw_features.npz:image_test", "wiki_rasiwasia/wiki_raw_features.npz:text_test", 0.1189, 0.0231, 0.1188, 0.0232),
]  # fmt: skip


def arrays_of(folder, *sources):
    loaded = []
    for source in sources:
        file, key = source.split(":")
        with np.load(folder / file) as archive:
            loaded.append(archive[key])
    usable = np.logical_and.reduce([np.isfinite(v).all(axis=1) for v in loaded])  # NaN rows mark words without a vector
    return [v[usable] for v in loaded]


def four_figures(x, y):
    return [
        overlap(x, y, 10, metric, include_self=include_self).mnno for metric in METRICS for include_self in (True, False)
    ]


@pytest.mark.parametrize(("x", "y", "a", "b", "c", "d"), KNOWN)
def test_raw_spaces_of_real_sets(data_folder, x, y, a, b, c, d):
    assert four_figures(*arrays_of(data_folder, x, y)) == pytest.approx((a, b, c, d), abs=0.0005)


OPENCLIPART_TEST = {
    "text_features.npz:minilm384": (0.2421, 0.1585, 0.2272, 0.1386),
    "text_features.npz:glove100_mean": (0.2198, 0.1335, 0.2025, 0.1133),
    "text_bigru64.npz:bigru64": (0.2157, 0.1262, 0.1997, 0.1108),
}


def column_of(path, name):
    import polars as pl

    return np.array(pl.read_csv(path, separator="\t", infer_schema=False)[name].to_list())


@pytest.mark.parametrize("text", OPENCLIPART_TEST)
def test_the_test_part_of_openclipart(data_folder, text):
    x, y = arrays_of(data_folder, f"openclipart/{text}", "openclipart/image_lite0_1280.npz:image")
    test = column_of(data_folder / "openclipart" / "items.tsv", "split") == "test"
    assert four_figures(x[test], y[test]) == pytest.approx(OPENCLIPART_TEST[text], abs=0.0005)


def test_emoji_without_flags(data_folder):
    pairs = isthmus.load("emoji")
    rows = column_of(data_folder / "emoji_noto" / "items.tsv", "group") != "flags"
    assert four_figures(pairs.x[rows], pairs.y[rows]) == pytest.approx((0.2876, 0.2063, 0.2835, 0.2027), abs=0.0005)


def test_whole_word_rows_of_imagenet(data_folder):
    folder = data_folder / "imagenet1k_words"
    rows = column_of(folder / "classes.tsv", "glove_match") == "whole"
    x, y = (np.load(folder / f)[k][rows] for f, k in (("text_glove.npz", "glove100"), ("visual_lite0_1280.npz", "weight")))
    assert four_figures(x, y) == pytest.approx((0.2626, 0.1827, 0.1894, 0.1004), abs=0.0005)


def test_two_classifiers_agree_on_prototypes(data_folder):
    x, y = arrays_of(
        data_folder, "imagenet1k_words/visual_lite0_1280.npz:weight", "imagenet1k_words/visual_lite2_1280.npz:weight"
    )
    assert overlap(x, y).mnno == pytest.approx(0.8065, abs=0.0005)
