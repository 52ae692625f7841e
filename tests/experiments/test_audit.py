"""The main job on the embedded data: known figures, controls, and the same bytes every time."""

import dataclasses
import io

import numpy as np
import pytest

import isthmus
from isthmus import IsthmusError, Pairs, audit, bridge
from isthmus.pairs import Split, k_fold

NAMES = ["ridge", "lin", "nn"]


@pytest.fixture(scope="module")
def default():
    return audit(isthmus.load(), NAMES)


def row(result, direction, mapping):
    return next(r for r in result.rows if (r.direction, r.mapping) == (direction, mapping))


def test_ridge_agrees_with_the_reference(default):
    for direction, target, echo in (("x->y", 0.215, 0.567), ("y->x", 0.203, 0.418)):
        ridge = row(default, direction, "ridge")
        assert ridge.target_overlap == pytest.approx(target, abs=0.02)
        assert ridge.input_overlap == pytest.approx(echo, abs=0.06)
        assert ridge.baseline_overlap == pytest.approx(0.192, abs=0.0005)


def test_controls_and_laws_of_the_rows(default):
    assert len(default.rows) == 2 * 7
    for each in default.rows:
        assert each.shared + each.echoed + each.bridged + each.novel == pytest.approx(10)
        assert each.bridge_index == pytest.approx(each.bridge_rate - each.echo_rate)
        assert each.bridge_index_low <= each.bridge_index <= each.bridge_index_high
        assert each.chance == pytest.approx(10 / 197, abs=0.0005)
        assert (each.n_test, each.n_neighborhood) == (989, 197)
    for direction in ("x->y", "y->x"):
        identity = row(default, direction, "identity")
        assert (identity.bridge_index, identity.echo_rate, identity.bridge_rate) == (-1, 1, 0)
        assert identity.mse is None


def trained_beat_untrained(result):
    for each in result.rows:
        if each.role == "mapping":
            twin = row(result, each.direction, f"untrained-{each.mapping}")
            assert each.bridge_rate > twin.bridge_rate
            assert each.gain == pytest.approx(each.bridge_rate - twin.bridge_rate)
            assert each.gain_low > 0
            assert each.verdict == "echoes the input"


def test_every_trained_mapping_beats_its_untrained_twin(default):
    trained_beat_untrained(default)


@pytest.mark.parametrize("name", ["imagenet-glosses", "emoji"])
def test_on_500_items_of_the_other_embedded_sets_too(name):
    pairs = isthmus.load(name)
    some = np.random.default_rng(0).permutation(len(pairs))[:500]
    trained_beat_untrained(audit(pairs.take(some), ["ridge", "lin", "nn"], folds=2))


@pytest.mark.parametrize("direction", ["x->y", "y->x"])
def test_a_row_is_what_the_steps_give_by_hand(direction):
    pairs = isthmus.load()
    side = pairs if direction == "x->y" else pairs.swap()
    found = row(audit(pairs, ["ridge"], k=[5, 10]), direction, "ridge")
    parts, squared = [], 0.0
    for split in k_fold(len(pairs)):
        f = isthmus.Ridge().fit(side.x[split.train], side.y[split.train]).predict(side.x[split.test])
        parts.append(bridge(side.x[split.test], f, side.y[split.test], 5))
        squared += ((f - side.y[split.test].astype(float)) ** 2).sum()
    assert found.k == 5
    assert found.echoed == pytest.approx(np.concatenate([p.echoed for p in parts]).mean())
    assert found.bridged == pytest.approx(np.concatenate([p.bridged for p in parts]).mean())
    assert found.mse == pytest.approx(squared / side.y.size)


@pytest.fixture
def small(rng):
    x = rng.normal(size=(90, 5))
    return Pairs(x, np.tanh(x @ rng.normal(size=(5, 4))) + 0.1 * rng.normal(size=(90, 4)))


def test_given_vectors_are_measured_as_they_are(small):
    perfect = audit(small, mapped=small.y, k=5).rows[-1]
    assert (perfect.mapping, perfect.direction, perfect.verdict) == ("given", "x->y", "carries the target")
    assert (perfect.bridge_index, perfect.mse, perfect.r2) == (1, 0, 1)
    noise = audit(small, mapped=np.random.default_rng(0).normal(size=(90, 4)), k=5).rows[-1]
    assert noise.verdict == "no better than untrained"


def test_seeds_repeat_and_splits_are_kept(small):
    split = Split(np.arange(60), np.arange(60, 90))
    result = audit(small, ["nn"], split=split, seeds=2, k=4)
    assert {r.n_test for r in result.rows} == {30}
    one, two = (audit(small, ["nn"], split=split, seed=s, k=4).rows[-1].echoed for s in (0, 1))
    assert result.rows[-1].echoed == pytest.approx((one + two) / 2)


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(small):
    one, two, other = (audit(small, NAMES, k=4, folds=3, seed=s) for s in (0, 0, 1))
    assert repr(one.rows) == repr(two.rows)  # nan is nan
    assert repr(one.rows) != repr(other.rows)


def test_best_is_the_highest_bridge_rate_not_the_highest_index(default):
    best = default.best("y->x")
    assert best.bridge_rate == max(r.bridge_rate for r in default.rows if r.direction == "y->x" and r.role == "mapping")


def test_progress_ends_where_it_said(small):
    calls = []
    audit(small, ["ridge"], k=4, folds=2, progress=lambda *call: calls.append(call))
    assert [done for _, done, _ in calls] == list(range(calls[0][2]))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"k": 45, "folds": 2}, "k: needed 1 to 44, since the smallest test part has 45 items, got 45"),
        ({"k": 0}, "k: needed 1 to 17"),
        ({"folds": 1}, "folds: needed between 2 and"),
        ({"mappings": ["magic"]}, "mapping: needed one of lin, nn, ridge"),
        ({"mappings": []}, "mapping: needed at least one name"),
        ({"mapped": np.ones((90, 3))}, "mapped: needed f.X. with the shape of y, 90x4, got 90x3"),
        ({"mapped": np.ones((9, 4))}, "got 9x4"),
        ({"mapped": np.full((90, 4), np.inf)}, "mapped: needed finite numbers, got inf in row 0"),
        ({"folds": 90, "k": 1}, "k: needed 1 to 0, since the smallest test part has 1 items"),
        ({"split": Split(np.arange(1), np.arange(1, 90))}, "split: needed at least 2 items to learn from"),
        ({"split": Split(np.arange(50), np.arange(50, 99))}, "split: needed rows from 0 to 89, got 98"),
        ({"loss": "hinge"}, "loss: needed one of cosine, max-margin, mse"),
        ({"recipe": "quick"}, "recipe: needed one of"),
        ({"learning_rate": 0.1, "mappings": ["ridge", "snap"]}, "learning_rate: needed a mapping .* got ridge, snap"),
        ({"loss": "hinge", "mappings": ["lin"]}, "loss: needed one of cosine, max-margin, mse"),
    ],
)
def test_refuses(small, settings, match):
    with pytest.raises(IsthmusError, match=match):
        audit(small, **{"mappings": ["ridge"], "k": 4, **settings})


def test_what_is_not_defined_stays_empty_in_tables(small):
    from rich.console import Console

    from isthmus.report import audit_tables

    console = Console(record=True, width=200, file=io.StringIO())
    for table in audit_tables(audit(small, ["ridge"], k=29, folds=3)):  # lists of all others are the same in any space
        console.print(table)
    assert "ridge" in (shown := console.export_text())
    assert "nan" not in shown


def test_max_margin_takes_the_labels_of_the_pairs():
    pairs = isthmus.load("emoji").take(np.arange(120))
    found = audit(pairs, ["lin"], loss="max-margin", folds=2, k=5)
    assert [row.mapping for row in found.rows if row.role == "mapping"] == ["lin", "lin"]
    bare = isthmus.Pairs(pairs.x, pairs.y)
    with pytest.raises(IsthmusError, match="labels: needed a class for each item for the max-margin loss"):
        audit(bare, ["lin"], loss="max-margin", folds=2, k=5)


def test_several_mappings_are_ranked_with_intervals_and_tests_wherever_a_reader_looks(rng):
    """On the terminal, on the page, in a notebook, as records: controls, then mappings by target overlap, at each setting."""
    from rich.console import Console

    from isthmus.report import audit_tables
    from isthmus.report._page import page

    x = rng.normal(size=(120, 5))
    pairs = Pairs(x, np.tanh(x @ rng.normal(size=(5, 4))) + 0.3 * rng.normal(size=(120, 4)), name="waves")
    found = audit(pairs, ["nearest", "lin", "nn", "procrustes", "ridge"], k=[4, 5], folds=2)
    assert found.compared_with == ["lin", "nn"]
    records = found.records()
    assert sorted(map(str, records)) == sorted(str(dataclasses.asdict(row)) for row in found.rows)
    order = [(row.direction, row.k) for row in found.rows]
    assert [(record["direction"], record["k"]) for record in records] == order
    for setting in dict.fromkeys(order):
        mine = [record for record in records if (record["direction"], record["k"]) == setting]
        roles = [record["role"] for record in mine]
        assert roles == sorted(roles)  # controls first
        overlaps = [record["target_overlap"] for record in mine if record["role"] == "mapping"]
        assert overlaps == sorted(overlaps, reverse=True)
        assert len(set(overlaps)) >= 3
    for record in records:
        assert record["target_overlap_low"] < record["target_overlap"] < record["target_overlap_high"]
    assert [row.mapping for row in found.rows if row.role == "mapping"][:5] == [
        "nearest",
        "lin",
        "nn",
        "procrustes",
        "ridge",
    ]

    console = Console(width=100, record=True, file=io.StringIO())
    tables = audit_tables(found)
    for table in tables:
        console.print(table)
    shown = console.export_text()
    assert len(tables) == 8  # numbers and ranking of two directions and two k
    first = [record for record in records if record["role"] == "mapping"][:5]
    ranking = next(part for part in shown.split("rank ")[1:])
    places = [ranking.index(f"{rank} │ {record['mapping']} ") for rank, record in enumerate(first, 1)]
    assert places == sorted(places)
    html, notebook = page(found), found._repr_html_()
    for record in first:
        low, high = record["target_overlap_low"], record["target_overlap_high"]
        assert f"[{low:.3f}, {high:.3f}]" in ranking
        assert f'>{low:.3f}</td><td class="n">{high:.3f}<' in html
        if record["p_against_lin"] is not None:
            assert f"{record['p_against_lin']:.2g}" in ranking
            assert f'>{record["p_against_lin"]:.2g}</td><td class="n">{record["p_against_nn"]:.2g}</td><td>' in html
            assert f"<td>{record['p_against_lin']:.4g}</td><td>{record['p_against_nn']:.4g}</td>" in notebook
    for text in (" ".join(shown.split()), html, notebook):
        assert "Mappings are ranked by target overlap; p against lin and nn: paired test of target overlap, Holm." in text
    for text in (html[html.index('id="numbers"') :], notebook):
        places = [text.index(f">{record['mapping']}<") for record in records[: len(records) // 4]]
        assert places == sorted(places)


def test_one_mapping_has_no_ranking(rng):
    from isthmus.report import audit_tables

    found = audit(Pairs(*rng.normal(size=(2, 60, 4))), ["ridge"], k=3, folds=2)
    assert found.reading == ""
    assert found.compared_with == []
    assert len(audit_tables(found)) == 2
    assert "p against" not in found._repr_html_()


def test_the_interval_of_the_target_overlap_is_that_of_the_bridge(rng):
    x, y = rng.normal(size=(2, 90, 4))
    f = x + y
    (row,) = (row for row in audit(Pairs(x, y), mapped=f, k=5).rows if row.mapping == "given")
    expected = bridge(x, f, y, 5).interval("target_overlap")
    found = (row.target_overlap, row.target_overlap_low, row.target_overlap_high)
    assert found == pytest.approx((expected.estimate, expected.low, expected.high))
