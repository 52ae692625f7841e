"""Joining, splitting and scaling: laws, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from isthmus import IsthmusError, Pairs
from isthmus.pairs import Scaling, Split, Vectors, align, equal_items, hold_out, k_fold, read_split

names = st.lists(st.text("abcdefgh", min_size=1, max_size=2), unique=True, min_size=1, max_size=12)


@given(names, names)
def test_a_join_pairs_equal_ids_and_names_the_rest(a, b):
    x = Vectors(np.array([[float(i)] for i in range(len(a))]), tuple(a), "x")
    y = Vectors(np.array([[float(i)] for i in range(len(b))]), tuple(b), "y")
    common = [item for item in a if item in b]
    if not common:
        with pytest.raises(IsthmusError, match="x, y: needed ids in common, got none"):
            align(x, y)
        return
    pairs = align(x, y)
    assert list(pairs.ids) == common
    assert [a[int(i)] for i in pairs.x[:, 0]] == [b[int(i)] for i in pairs.y[:, 0]] == common
    assert set(pairs.alignment.only_x) == set(a) - set(b)
    assert set(pairs.alignment.only_y) == set(b) - set(a)
    assert pairs.alignment.kept == len(common)


def test_without_ids_rows_are_paired_and_lengths_must_agree():
    x, y = Vectors(np.ones((3, 2)), None, "x"), Vectors(np.ones((3, 4)), ("a", "b", "c"), "y")
    assert align(x, y).ids == ("a", "b", "c")
    with pytest.raises(IsthmusError, match=r"x, y: needed as many rows in both, got 3 and 2. There are no ids in x and y"):
        align(x, Vectors(np.ones((2, 2)), None, "y"))


def test_labels_follow_their_ids():
    x, y = (Vectors(np.ones((2, 2)), ids, "v") for ids in (("a", "b"), ("b", "a")))
    assert align(x, y, labels={"a": "pet", "b": "owl"}).labels == ("pet", "owl")


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"y": np.ones((2, 2))}, "x, y: needed as many rows in both, got 3 and 2"),
        ({"ids": ("a", "a", "b")}, "ids: needed unique ids, got 'a' in rows 0 and 1"),
        ({"ids": ("a",)}, "ids: needed one id a row, got 1 ids for 3 rows"),
        ({"labels": ("p",)}, "labels: needed one label a row"),
        ({"x": np.full((3, 1), np.nan)}, "x: needed finite numbers"),
    ],
)
def test_pairs_refuse(change, match):
    with pytest.raises(IsthmusError, match=match):
        Pairs(**{"x": np.ones((3, 2)), "y": np.ones((3, 1)), **change})


def test_swap_and_take():
    pairs = Pairs(np.eye(3), np.arange(6.0).reshape(3, 2), ("a", "b", "c"), ("p", "q", "r"), "n", "left", "right")
    assert pairs.swap().x_space == "right"
    part = pairs.take(np.array([2, 0]))
    assert part.ids == ("c", "a")
    assert part.labels == ("r", "p")
    assert part.y.tolist() == [[4, 5], [0, 1]]


@given(st.integers(2, 60), st.integers(2, 10), st.integers(0, 5))
def test_folds_are_those_of_scikit_learn(n, folds, seed):
    if folds > n:
        with pytest.raises(IsthmusError, match="folds: needed between 2 and"):
            k_fold(n, folds, seed)
        return
    theirs = KFold(folds, shuffle=True, random_state=seed).split(np.zeros(n))
    for split, (train, test) in zip(k_fold(n, folds, seed), theirs, strict=True):
        assert (split.train == train).all()
        assert (split.test == test).all()


@given(st.integers(2, 60), st.floats(0.01, 0.99))
def test_a_hold_out_takes_its_share(n, fraction):
    split = hold_out(n, fraction)
    assert sorted([*split.train, *split.test]) == list(range(n))
    assert len(split.test) == min(max(round(n * fraction), 1), n - 1)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=20), st.integers(0, 99))
def test_equal_items_are_joined_and_not_parted(items, seed):
    x, y = np.array(items, dtype=float).T[:, :, None]
    expected = list(range(len(items)))
    for _ in items:  # each takes the first of those it shares x or y with, until nothing moves
        expected = [min(expected[j] for j, b in enumerate(items) if a[0] == b[0] or a[1] == b[1]) for a in items]
    groups = equal_items(x, y)
    assert groups.tolist() == expected
    if len(set(expected)) < 2:
        return
    for split in (hold_out(len(x), 0.3, seed, groups), *k_fold(len(x), 2, seed, groups)):
        assert sorted([*split.train, *split.test]) == list(range(len(x)))
        for side in (x, y):
            assert not np.isin(side[split.test], side[split.train]).any()


def test_without_equal_items_groups_change_nothing(rng):
    groups = equal_items(*rng.normal(size=(2, 23, 2)))
    for mine, theirs in zip(
        (hold_out(23, 0.3, 5, groups), *k_fold(23, 4, 5, groups)), (hold_out(23, 0.3, 5), *k_fold(23, 4, 5)), strict=True
    ):
        assert (mine.train == theirs.train).all()
        assert (mine.test == theirs.test).all()


def test_a_published_split(data_folder):
    split = read_split(data_folder / "iapr_tc12_test" / "split_1570_392.tsv", tuple(map(str, range(1962))))
    assert (len(split.train), len(split.test)) == (1570, 392)
    assert (np.diff(split.train) < 0).any()  # the order of training, not of the rows


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("index\tset\n0\ttrain\n", "needed the columns index .or id. and part, got index, set"),
        ("index\tpart\n0\ttrain\n9\ttest\n", "needed one of the 3 items, got index '9' in line 3"),
        ("id\tpart\na\ttrain\na\ttest\n", "needed an item named once, got id 'a' in line 3"),
        ("id\tpart\na\tdev\n", "needed part train or test, got 'dev' in line 2"),
        ("id\tpart\na\ttrain\n", "needed items in both parts, got none in test"),
    ],
)
def test_splits_refuse(tmp_path, text, match):
    (tmp_path / "split.tsv").write_text(text)
    with pytest.raises(IsthmusError, match=match):
        read_split(tmp_path / "split.tsv", ("a", "b", "c"))


def test_rows_have_moved_after_a_join_that_left_items_out(tmp_path):
    (tmp_path / "split.tsv").write_text("index\tpart\n0\ttrain\n1\ttest\n")
    with pytest.raises(IsthmusError, match="needed the column id, since the join left items out"):
        read_split(tmp_path / "split.tsv", ("a", "b"), by_row=False)


@pytest.mark.parametrize(
    ("train", "test", "got"),
    [([0, 1], [1, 2], "row 1"), ([0], [2, 2], "row 2"), ([0], [], "no test row"), ([-1], [0], "row -1")],
)
def test_a_split_that_leaks_is_refused(train, test, got):
    with pytest.raises(IsthmusError, match=f"split: needed each row at most once.*got {got}"):
        Split(np.array(train), np.array(test, dtype=int))


@pytest.mark.parametrize("kind", ["none", "center", "isotropic", "scale", "standardize"])
def test_affine_scalings_can_be_undone(rng, kind):
    v = rng.normal(3, 5, size=(20, 4))
    scaling = Scaling.fit(v[:10], kind)
    np.testing.assert_allclose(scaling.undo(scaling.apply(v)), v)


def test_standardize_agrees_with_scikit_learn_and_sees_only_the_training_part(rng):
    v = rng.normal(3, 5, size=(20, 4))
    theirs = StandardScaler().fit(v[:10])
    np.testing.assert_allclose(Scaling.fit(v[:10], "standardize").apply(v), theirs.transform(v))


def test_isotropic_gives_rows_of_length_one_and_keeps_proportions(rng):
    v = rng.normal(3, 5, size=(50, 4))
    scaled = Scaling.fit(v, "isotropic").apply(v)
    assert np.mean((scaled**2).sum(axis=1)) == pytest.approx(1)
    ratio = np.linalg.norm(scaled[0] - scaled[1]) / np.linalg.norm(v[0] - v[1])
    assert np.linalg.norm(scaled[2] - scaled[3]) / np.linalg.norm(v[2] - v[3]) == pytest.approx(ratio)


def test_scale_gives_rows_of_length_one_and_keeps_directions(rng):
    v = rng.normal(3, 5, size=(50, 4))
    scaled = Scaling.fit(v, "scale").apply(v)
    assert np.mean((scaled**2).sum(axis=1)) == pytest.approx(1)
    np.testing.assert_allclose(scaled / v, np.full((50, 4), scaled[0, 0] / v[0, 0]))


def test_constant_columns_and_zero_rows_are_defined():
    constant = np.full((5, 1), 0.1)
    assert Scaling.fit(constant, "standardize").apply(constant + 1).ravel() == pytest.approx(np.ones(5))
    assert (Scaling.fit(constant, "isotropic").apply(constant) == 0).all()
    assert (Scaling.fit(0 * constant, "scale").apply(0 * constant) == 0).all()
    assert Scaling.fit(np.eye(2), "unit").apply(np.array([[0.0, 0], [3, 4]])).tolist() == [[0, 0], [0.6, 0.8]]
