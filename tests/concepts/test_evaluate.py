"""Experiment 2: the known figures on real vectors, slow oracles, and the tests' own numbers."""

import numpy as np
import pytest
from scipy.stats import ranksums, spearmanr

from isthmus import IsthmusError
from isthmus.concepts import RatedPairs, compare, cover, evaluate, images, read_ratings, similarities, wanted
from isthmus.statistics import smallest_rank_sum_p
from isthmus.words import WordVectors

# README of the data: pairs, covered, Spearman (cosine, Euclidean) with 50 and with 100 dimensions.
KNOWN = {
    "wordsim353": (353, 353, 0.5033, 0.4636, 0.5327, 0.4893), "men": (3000, 3000, 0.6523, 0.6383, 0.6809, 0.6560),
    "semsim": (7576, 7546, 0.6060, 0.5807, 0.6177, 0.5717), "vissim": (7576, 7546, 0.4633, 0.4434, 0.4786, 0.4480),
    "simlex999": (999, 999, 0.2646, 0.2758, 0.2975, 0.3045), "simverb3500": (3500, 3498, 0.1526, 0.1610, 0.1788, 0.1845),
}  # fmt: skip


@pytest.fixture(scope="module")
def ratings(data_folder):
    return read_ratings(data_folder / "word_similarity")


@pytest.fixture(scope="module")
def glove(data_folder):
    words = (data_folder / "glove_subset/words.txt").read_text(encoding="utf-8").splitlines()
    with np.load(data_folder / "glove_subset/glove6b_subset.npz") as known:
        return [WordVectors.of(known[key], tuple(words), key) for key in ("glove50", "glove100")]


@pytest.fixture(scope="module")
def table(glove, ratings):
    return evaluate(glove, ratings, maps=["none", "lin"], draws=3)


def test_the_known_figures(table):
    found = {(row.benchmark, row.vectors, row.similarity): row for row in table.rows if row.map == "none"}
    assert len(found) == 24
    for benchmark, (pairs, covered, *rhos) in KNOWN.items():
        keys = [(v, s) for v in ("glove50", "glove100") for s in ("cosine", "euclidean")]
        for (vectors, similarity), rho in zip(keys, rhos, strict=True):
            row = found[benchmark, vectors, similarity]
            assert (row.pairs, row.covered) == (pairs, covered)
            assert row.spearman == pytest.approx(rho, abs=0.0005)
            assert row.ci_low < row.spearman < row.ci_high


def test_linear_maps_preserve_it(table):
    changes = [row.difference for row in table.rows if (row.map, row.similarity) == ("lin", "cosine")]
    assert len(changes) == 12
    assert max(map(abs, changes)) < 0.02


def test_every_pair_left_out_is_named(table, ratings):
    for vocabulary in table.vocabularies:
        for coverage, benchmark in zip(vocabulary.coverages, ratings, strict=True):
            lines = {benchmark.lines[row] for row in coverage.rows} | {pair.line for pair in coverage.left_out}
            assert lines == set(benchmark.lines)
            assert len(coverage.rows) + len(coverage.left_out) == len(benchmark)
    assert {(pair.missing, pair.reason) for pair in table.left_out} == {
        ("dunebuggy", "missing word"), ("misspend", "missing word"),
    }  # fmt: skip
    assert len(table.left_out) == 2 * (30 + 30 + 2)


def small(rng, n=40, d=6):
    words = tuple(f"w{number}" for number in range(n))
    sides = rng.integers(0, n, size=(2, 150))
    ratings = RatedPairs(
        "mine", tuple(words[i] for i in sides[0]), tuple(words[i] for i in sides[1]),
        rng.integers(1, 6, size=150).astype(float), tuple(range(150)),
    )  # fmt: skip
    return WordVectors(rng.normal(size=(n, d)).astype(np.float32), words, "small"), ratings


def slow_rho(values, row_of, ratings, similarity):
    found = []
    for a, b in zip(ratings.first, ratings.second, strict=True):
        p, q = (values[row_of[word]].astype(np.float64) for word in (a, b))
        cosine = p @ q / np.sqrt((p @ p) * (q @ q))
        found.append(cosine if similarity == "cosine" else 1 / (1 + np.sqrt(((p - q) ** 2).sum())))
    return spearmanr(np.round(found, 12), ratings.rating)[0]


@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_maps_by_hand(rng, similarity, activation):
    vectors, ratings = small(rng)
    rows = evaluate(
        vectors, ratings, similarity=[similarity], hidden=[16, 8], activation=activation, output=32, draws=4, seed=5
    ).rows
    assert [(row.map, row.hidden, row.draws) for row in rows] == [
        ("none", None, None),
        ("lin", None, 4),
        ("nn", 16, 4),
        ("nn", 8, 4),
    ]
    function = {"tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "relu": lambda x: np.maximum(x, 0)}[activation]
    own = slow_rho(vectors.values, vectors.row_of, ratings, similarity)
    assert rows[0].spearman == pytest.approx(own, abs=2e-4)
    for row in rows[1:]:
        rhos = []
        for draw in range(4):
            weights = np.random.default_rng([5, draw, 0xE2])
            x = vectors.values
            if row.map == "nn":
                x = function(x @ weights.uniform(-1, 1, size=(6, row.hidden)).astype(np.float32))
            x = x @ weights.uniform(-1, 1, size=(x.shape[1], 32)).astype(np.float32)
            rhos.append(slow_rho(x, vectors.row_of, ratings, similarity))
        assert row.spearman == pytest.approx(np.mean(rhos), abs=2e-3)  # float32 sums in another order swap near ties
        assert row.sd == pytest.approx(np.std(rhos, ddof=1), abs=2e-3)
        assert row.difference == pytest.approx(row.spearman - rows[0].spearman)
        assert row.rank_sum_p_bonferroni == min(1, 3 * row.rank_sum_p)


def test_weights_are_uniform_without_bias():
    x = np.eye(50, dtype=np.float32)
    (image,) = images(x, output=2048, draws=1)
    assert (image.min(), image.max()) == (pytest.approx(-1, abs=1e-3), pytest.approx(1, abs=1e-3))
    assert image.var() == pytest.approx(1 / 3, rel=0.01)
    (zero,) = images(np.zeros((2, 5), dtype=np.float32), (9, 9), draws=1)
    assert not zero.any()
    one, two = (list(images(x, (4,), draws=draws)) for draws in (1, 2))
    assert np.array_equal(one[0], two[0])
    assert not np.array_equal(two[0], two[1])


def test_the_papers_test_of_ten_draws_against_ten_copies(rng):
    vectors, ratings = small(rng)
    row = evaluate(vectors, ratings, similarity=["cosine"], maps=["lin"], output=8).rows[1]
    assert smallest_rank_sum_p(10, 10) <= row.rank_sum_p <= 1
    rhos = np.array([
        spearmanr(similarities(image, *indices(vectors, ratings)), ratings.rating)[0] for image in images(vectors.values, output=8)
    ])  # fmt: skip
    own = spearmanr(similarities(vectors.values, *indices(vectors, ratings)), ratings.rating)[0]
    z = ranksums(rhos, np.full(10, own)).pvalue  # without a correction for ties: of the same size only
    assert abs(np.log10(row.rank_sum_p) - np.log10(z)) < 1.5


def indices(vectors, ratings):
    return [np.array([vectors.row_of[word] for word in side]) for side in (ratings.first, ratings.second)]


def test_same_bytes_again_and_alone(rng):
    vectors, ratings = small(rng)
    other = WordVectors(vectors.values[:, :3], vectors.words, "other")
    both = evaluate([vectors, other], ratings, output=16, draws=2).records()
    assert evaluate([vectors, other], ratings, output=16, draws=2).records() == both
    alone = evaluate(vectors, ratings, output=16, draws=2).rows
    assert [row.spearman for row in alone] == [row["spearman"] for row in both if row["vectors"] == "small"]
    assert evaluate(vectors, ratings, output=16, draws=2, seed=1).rows[1] != alone[1]


def test_traps_are_kept_or_not_as_asked():
    vectors = WordVectors(np.random.default_rng(0).normal(size=(5, 3)), ("a", "b", "c", "d", "e"), "x")
    rows = [("a", "b", 1.0), ("B", "A", 5.0), ("c", "c", 2.0), ("c", "d", 4.0), ("d", "e", 3.0)]
    first, second, values = zip(*rows, strict=True)
    ratings = RatedPairs("mine", first, second, np.array(values), (2, 3, 4, 5, 6))
    how = {"maps": ["none"], "similarity": ["cosine"]}

    def row(**more):
        (found,) = evaluate(vectors, ratings, **how, **more).rows
        return found.pairs, found.covered, found.repeated, found.identical

    assert row() == (5, 5, 1, 1)
    assert row(repeated="mean") == (4, 4, 0, 1)
    assert row(identical="drop") == (4, 4, 1, 0)
    (cased,) = evaluate(vectors, ratings, **how).vocabularies
    assert {find.how for find in cased.finds} == {"exact", "lower case"}
    assert similarities(vectors.values, np.array([2]), np.array([2])).tolist() == [1.0]
    assert similarities(vectors.values, np.array([2]), np.array([2]), "euclidean").tolist() == [1.0]


@pytest.mark.parametrize("scale", [2.0**-100, 2.0**100])
def test_the_scale_of_vectors_does_not_show(rng, scale):
    """1 / (1 + d) rounds to 1 where distances are tiny, so ranks are of distances."""
    words = tuple("abcdefgh")
    ratings = RatedPairs("mine", words[:-1], words[1:], np.arange(7.0), tuple(range(7)))
    x = rng.normal(size=(8, 4)).astype(np.float32)
    plain, scaled = (
        evaluate(WordVectors(values, words, "x"), ratings, maps=["none"]) for values in (x, x * np.float32(scale))
    )
    assert [row.spearman for row in plain.rows] == [row.spearman for row in scaled.rows]
    assert np.isfinite([row.spearman for row in plain.rows]).all()
    sets = [cover(WordVectors(values, words, name), [ratings]) for name, values in (("x", x), ("y", x * np.float32(scale)))]
    assert [each.difference for each in compare(sets)] == [0, 0]


def test_a_map_that_leaves_the_finite_numbers_is_named(rng):
    words = tuple("abcd")
    ratings = RatedPairs("mine", words[:-1], words[1:], np.arange(3.0), (1, 2, 3))
    vectors = WordVectors(np.full((4, 50), 3e38, dtype=np.float32) * rng.choice([-1, 1], (4, 50)), words, "huge.txt")
    assert np.isfinite(evaluate(vectors, ratings, maps=["none"]).rows[0].spearman)
    with pytest.raises(IsthmusError, match=r"lin of huge\.txt: needed numbers that stay finite in float32"):
        evaluate(vectors, ratings, output=8, draws=2)


def test_a_word_without_direction_is_left_out_with_a_reason():
    vectors = WordVectors(np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 1.0], [1.0, 1.0]]), ("o", "a", "b", "c"), "x")
    ratings = RatedPairs("mine", ("o", "a", "b", "a"), ("a", "b", "c", "c"), np.arange(4.0), (1, 2, 3, 4))
    result = evaluate(vectors, ratings, maps=["none"])
    assert {row.covered for row in result.rows} == {3}
    assert [(pair.line, pair.reason, pair.missing) for pair in result.left_out] == [(1, "zero vector", "o")]


def test_benchmarks_without_a_covered_pair(rng):
    vectors, ratings = small(rng)
    foreign = RatedPairs("foreign", ("chien",), ("chat",), np.array([1.0]), (1,))
    with pytest.raises(
        IsthmusError, match=r"small: needed vectors for both words of a rated pair, got none for any of 1 pairs"
    ):
        evaluate(vectors, foreign)
    rows = evaluate(vectors, [ratings, foreign], output=8, draws=2).rows
    empty = [row for row in rows if row.benchmark == "foreign"]
    assert {(row.covered, np.isnan(row.spearman), row.rank_sum_p) for row in empty} == {(0, True, None)}
    assert all(np.isfinite(row.spearman) for row in rows if row.benchmark == "mine")


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"maps": ["deep"]}, "mapping: needed none, lin, nn, got 'deep'"),
        ({"similarity": ["dot"]}, "similarity: needed cosine or euclidean, got 'dot'"),
        ({"activation": "step"}, "activation: needed relu, sigmoid, tanh, got 'step'"),
        ({"repeated": "twice"}, "repeated: needed keep or mean"),
        ({"identical": "mean"}, "identical: needed keep or drop"),
        ({"draws": 0}, "draws: needed 1 or more"),
        ({"hidden": [0]}, "hidden, output, draws: needed 1 or more"),
        ({"seed": -1}, "seed: needed"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_refuses(rng, how, match):
    with pytest.raises(IsthmusError, match=match):
        evaluate(*small(rng), **how)


def test_refuses_names_that_repeat_and_nothing_to_rate(rng):
    vectors, ratings = small(rng)
    with pytest.raises(IsthmusError, match="vectors: needed a name for each, got small, small"):
        evaluate([vectors, vectors], ratings)
    with pytest.raises(IsthmusError, match="needed each benchmark once, got mine twice"):
        evaluate(vectors, [ratings, ratings])
    with pytest.raises(IsthmusError, match="needed at least one benchmark"):
        evaluate(vectors, [])


def test_two_embeddings_on_the_pairs_of_both(rng):
    vectors, ratings = small(rng)
    fewer = WordVectors(vectors.values[:30, :4] + 0.1, vectors.words[:30], "fewer")
    spaces = [cover(each, [ratings]) for each in (vectors, fewer)]
    (found,) = compare(spaces, ["cosine"])
    both = [row for row in range(150) if int(ratings.first[row][1:]) < 30 and int(ratings.second[row][1:]) < 30]
    shared = ratings.take(both)
    rhos = [slow_rho(each.values, each.row_of, shared, "cosine") for each in (vectors, fewer)]
    assert found.pairs == len(both) < 150
    assert (found.spearman_a, found.spearman_b) == pytest.approx(rhos, abs=2e-4)
    assert found.p_holm == found.p_value
    draws = []
    for _ in range(300):
        rows = rng.integers(0, len(both), size=len(both))
        again = shared.take(rows.tolist())
        draws.append(
            slow_rho(vectors.values, vectors.row_of, again, "cosine") - slow_rho(fewer.values, fewer.row_of, again, "cosine")
        )
    assert (found.ci_high - found.ci_low) / 2 / 1.96 == pytest.approx(np.std(draws), rel=0.15)
    rows = evaluate([vectors, fewer], ratings, maps=["none"], common=True)
    assert {row.covered for row in rows.rows} == {len(both)}
    assert {pair.reason for pair in rows.left_out if pair.vectors == "small"} == {"not in all vectors"}


def test_an_embedding_against_itself_and_against_noise(rng):
    vectors, ratings = small(rng)
    truth = similarities(vectors.values, *indices(vectors, ratings))
    ratings = RatedPairs("mine", ratings.first, ratings.second, truth, ratings.lines)
    same = WordVectors(2 * vectors.values, vectors.words, "twice")
    noise = WordVectors(rng.normal(size=vectors.values.shape), vectors.words, "noise")
    found = {each.b: each for each in compare([cover(each, [ratings]) for each in (vectors, same, noise)], ["cosine"])[:2]}
    assert (found["twice"].difference, found["twice"].p_value) == (pytest.approx(0), 1.0)
    assert found["noise"].p_value == pytest.approx(1e-4)
    assert found["noise"].ci_low > 0.5


def test_wanted_is_enough_of_a_vocabulary(glove, ratings):
    needed = wanted(ratings)
    some = [row for row, word in enumerate(glove[0].words) if word in needed]
    reduced = WordVectors(glove[0].values[some], tuple(glove[0].words[row] for row in some), "reduced")
    full, less = (cover(each, ratings) for each in (glove[0], reduced))
    assert full.finds == less.finds
    assert np.array_equal(full.values, less.values)


def test_an_image_of_zeros_has_no_direction_and_no_warning():
    x = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    with np.errstate(all="raise"):
        found = similarities(x, np.array([0, 1, 0]), np.array([1, 2, 0]))
    assert found.tolist() == pytest.approx([0, 5 / 50**0.5, 0])
