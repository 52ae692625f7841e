"""Figures hold the numbers that they are drawn from, show texts as texts, and read on light and on dark."""

import csv
import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from isthmus import Pairs, audit
from isthmus._errors import DataError
from isthmus.experiments import curves, figure1, open_results, read_spec, reproduce, run
from isthmus.measures import curve_over_k, curve_over_n
from isthmus.neighbors import hubness, search
from isthmus.pairs import k_fold
from isthmus.report import (
    Figure,
    audit_figures,
    bridge_plane,
    curve_figure,
    learning_curves,
    overlap_over_k,
    parts_bars,
    published_dots,
    run_figures,
    spread_dots,
    untrained_figure,
)
from isthmus.report._colors import COLORS, PARTS, colors
from isthmus.report._figure import INK
from isthmus.report._labels import place_labels, spread_labels

HOSTILE = "<script>alert('&\"')</script> \u202eemoji \U0001f600 " + 500 * "x"
SPEC = """
name = "small"
[data]
x = "x.npy"
y = "y.npy"
[protocol]
folds = 3
[measure]
k = [3, 5]
[[mappings]]
name = "ridge"
"""


def side(found, direction="x->y"):
    return [row for row in found if row.direction == direction]


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 5))
    return Pairs(x, x @ rng.normal(size=(5, 4)) + rng.normal(size=(150, 4)), name="small", x_space="left", y_space="right")


@pytest.fixture(scope="module")
def found(pairs):
    return audit(pairs, ["ridge", "procrustes"], k=[5, 8], folds=3)


@pytest.fixture(scope="module")
def figures(found):
    return audit_figures(found)


@pytest.fixture(scope="module")
def drawn(figures):
    return {figure.name: figure.svg() for figure in figures}


def test_an_audit_gives_all_figures_of_each_direction_metric_and_k(figures):
    kinds = [name for name in ("bridge-plane", "parts", "spread", "hubs") for _ in range(2)]
    expected = [f"{kind}-{side}-cosine-k{k}" for side in ("x-y", "y-x") for kind, k in zip(kinds, 4 * [5, 8], strict=True)]
    expected += [f"overlap-over-{over}-{side}-cosine" for side in ("x-y", "y-x") for over in ("k", "n")]
    assert sorted(figure.name for figure in figures) == sorted(expected)


def test_every_figure_draws_itself_in_one_piece(figures, drawn):
    assert figures[0].png(scale=0.3).startswith(b"\x89PNG")
    for figure in figures:
        root = ElementTree.fromstring(drawn[figure.name])
        assert root.get("role") == "img", figure.name
        assert figure.caption in root.get("aria-label")
        assert len(list(csv.DictReader(io.StringIO(figure.csv())))) == len(figure.records)


def test_every_caption_says_n_k_metric_and_self(figures):
    for figure in figures:
        for fact in ("N=", "K=", "cosine", "self excluded"):
            assert fact in figure.caption, figure.name


def test_texts_and_axes_take_the_color_of_the_page(figures, drawn):
    assert INK not in figures[0].svg("currentColor")
    for name, svg in drawn.items():
        assert f'fill="{INK}"' in svg, name
        assert not re.search(r'(?:fill|stroke)="(?:#000|#000000|black)"', svg), name
        assert not re.search(r'<rect[^>]*fill="(?:white|#fff|#ffffff)"', svg), name  # no background of its own


def test_ids_of_figures_on_one_page_do_not_meet():
    import altair as alt

    chart = alt.Chart(alt.InlineData([{"a": 1}, {"a": 2}])).mark_point(clip=True).encode(x="a:Q")  # clipping needs an id
    one, two = (Figure(name, "", "", chart, []).svg() for name in ("One <figure>", "two"))
    ids = [re.findall(r'id="([^"]+)"', each) for each in (one, two)]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    for svg, own in zip((one, two), ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(own)


def test_the_bridge_plane_holds_the_rates_and_the_landmarks(found):
    rows = [row for row in side(found.rows) if row.k == 5]
    records = {record["mapping"]: record for record in bridge_plane(rows).records}
    for row in rows:
        record = records[row.mapping]
        assert (record["echo rate"], record["bridge rate"]) == (row.echo_rate, row.bridge_rate)
        assert record["bridge rate low"] <= row.bridge_rate <= record["bridge rate high"]
    assert (records["identity"]["echo rate"], records["identity"]["bridge rate"]) == (1, 0)
    assert (records["perfect"]["echo rate"], records["perfect"]["bridge rate"]) == (0, 1)
    assert records["chance"]["echo rate"] == rows[0].chance  # self is excluded


@pytest.mark.parametrize("include_self", [False, True])
def test_random_vectors_lie_at_chance_in_the_plane(include_self):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 300, 8))
    rates = []
    for _ in range(6):
        found = audit(Pairs(x, y), mapped=rng.normal(size=(300, 8)), k=10, include_self=include_self)
        records = {record["mapping"]: record for record in bridge_plane(found.rows).records}
        rates += [records["given"]["echo rate"], records["given"]["bridge rate"]]
        spread = spread_dots(found.detail.parts).caption
    level = (9 if include_self else 10) / 299
    assert records["chance"]["echo rate"] == records["chance"]["bridge rate"] == pytest.approx(level)
    assert np.mean(rates) == pytest.approx(level, abs=0.0025)  # the other convention is 0.003 away, the overlap 0.09
    assert f"random vectors, {level:.3f}" in spread


def test_every_name_stands_in_the_bridge_plane(found):
    rows = [row for row in side(found.rows) if row.k == 5]
    drawn = bridge_plane(rows).svg()
    for name in ("ridge", "procrustes", "untrained-ridge", "identity", "perfect", "chance"):
        assert f">{name}</text>" in drawn


def test_parts_sum_to_k(found):
    for record in parts_bars([row for row in side(found.rows) if row.k == 8]).records:
        assert sum(record[part] for part in PARTS) == pytest.approx(8)


def test_rates_without_intervals_are_drawn_as_points(pairs):
    rows = side(audit(pairs, ["ridge"], k=20, folds=5).rows)  # half of a test set has fewer than 2K items
    assert np.isnan(rows[0].bridge_rate_low)
    figure = bridge_plane(rows)
    assert figure.records[-1]["bridge rate low"] == figure.records[-1]["bridge rate"]
    ElementTree.fromstring(figure.svg())


def test_a_space_mapped_onto_itself_has_a_figure(pairs):
    same = Pairs(pairs.x, pairs.x)
    for figure in audit_figures(audit(same, ["ridge"], k=3, folds=2)):  # no rates: nothing to bridge
        ElementTree.fromstring(figure.svg())


def test_intervals_of_the_rates_are_those_of_the_index_and_the_bridge(found):
    for row in found.rows:
        for name in ("echo_rate", "bridge_rate"):
            low, value, high = (getattr(row, f"{name}{end}") for end in ("_low", "", "_high"))
            assert 0 <= low <= value <= high <= 1
    wide = [row for row in found.rows if row.role == "mapping"]
    assert all(row.bridge_rate_low < row.bridge_rate_high for row in wide)


def test_what_lies_behind_an_audit_adds_up_to_its_rows(found):
    for row in found.rows:
        own = [
            part for part in found.detail.parts
            if (part.direction, part.mapping, part.k) == (row.direction, row.mapping, row.k)
        ]  # fmt: skip
        weights = [part.n for part in own]
        for name in ("input_overlap", "target_overlap", "baseline_overlap", "chance"):
            mean = np.average([getattr(part, name) for part in own], weights=weights)
            assert mean == pytest.approx(getattr(row, name)), (row.mapping, name)
        (at_k,) = (
            point for point in found.detail.over_k
            if (point.direction, point.mapping, point.k) == (row.direction, row.mapping, row.k)
        )  # fmt: skip
        assert at_k.target_overlap == pytest.approx(row.target_overlap)
    largest = [point for point in found.detail.over_n if point.n == max(p.n for p in found.detail.over_n)]
    first = {(p.direction, p.mapping): p for p in found.detail.parts if p.part == 0 and p.k == 5}
    for point in largest:
        assert point.target_overlap == pytest.approx(first[point.direction, point.mapping].target_overlap)


def test_hubs_are_those_of_the_test_sets(pairs, found):
    tables = [search(pairs.x[split.test], 5) for split in k_fold(len(pairs), 3, 0)]
    (row,) = (hub for hub in side(found.detail.hubs) if (hub.space, hub.k) == ("X", 5))
    assert sum(row.counts) == len(pairs)
    assert sum(lists * items for lists, items in enumerate(row.counts)) == 5 * len(pairs)
    assert len(row.counts) - 1 == max(hubness(table).largest for table in tables)


def test_detail_leaves_the_records_as_they_are(found):
    assert not any("detail" in record for record in found.records())
    assert all(not isinstance(value, (tuple, list, dict)) for record in found.records() for value in record.values())


def test_curves_of_two_spaces(pairs):
    over_k = curve_figure(curve_over_k(pairs.x, pairs.y, [1, 5, 20]), "k", "left", "right")
    over_n = curve_figure(curve_over_n(pairs.x, pairs.y, [40, 150], 5, "euclidean", draws=3), "n")
    assert "at N=150, cosine, self excluded" in over_k.caption
    assert "at K=5, euclidean, self excluded" in over_n.caption
    assert [record["k"] for record in over_k.records] == [1, 5, 20]
    assert over_n.records[-1]["chance"] == 5 / 149
    for figure in (over_k, over_n):
        ElementTree.fromstring(figure.svg())


def test_published_figures_are_there_without_data():
    figure = published_dots(reproduce(1))
    assert len(figure.records) == 48
    assert "not run" in figure.caption
    ElementTree.fromstring(figure.svg())


def test_learning_and_untrained_figures(pairs):
    learned = learning_curves(curves(pairs, "lin", k_fold(150, 3)[0], epochs=(0, 2, 5), k=5, recipe="authors-code"))
    assert {0, 2, 5} <= {record["epoch"] for record in learned.records}
    assert learned.title == "small: lin over epochs, x->y"
    untrained = untrained_figure(figure1(pairs.x.astype(np.float32), "small", k=5, draws=1))
    assert {record["depth"] for record in untrained.records} >= {0, 1}
    for figure in (learned, untrained):
        assert INK not in figure.svg("currentColor")


def test_a_run_has_the_figures_that_apply(tmp_path, pairs):
    np.save(tmp_path / "x.npy", pairs.x)
    np.save(tmp_path / "y.npy", pairs.y)
    (tmp_path / "spec.toml").write_text(SPEC, encoding="utf-8")
    run(read_spec(tmp_path / "spec.toml"), tmp_path / "out")
    results = open_results(tmp_path / "out")
    figures = run_figures(results, "words", "prototypes")
    assert {figure.name.split("-x-y")[0] for figure in figures if "-x-y" in figure.name} == {
        "bridge-plane", "parts", "spread", "overlap-over-k", "overlap-over-n",
    }  # fmt: skip
    points = tuple(point for done in results.cells for point in done.over_n)
    assert points == audit(pairs, ["ridge"], k=[3, 5], folds=3).detail.over_n
    assert any(figure.title.startswith("prototypes → words") for figure in figures)
    for figure in figures:
        ElementTree.fromstring(figure.svg())


def test_the_curve_over_n_has_room_for_many_neighbors(pairs, monkeypatch):
    monkeypatch.setattr("isthmus.experiments._detail.LARGEST", 20)
    over_n = audit(pairs, ["ridge"], k=30, folds=2).detail.over_n
    assert {(point.n, point.k) for point in over_n} == {(60, 30)}


def test_hostile_names_are_texts(found):
    rows = [
        replace(row, mapping=HOSTILE if row.mapping == "ridge" else row.mapping) for row in side(found.rows) if row.k == 5
    ]
    for figure in (bridge_plane(rows, HOSTILE, "Y"), parts_bars(rows, "X", HOSTILE)):
        for shown in (figure.svg(), figure._repr_html_()):
            assert "<script>" not in shown
        ElementTree.fromstring(figure.svg())


def test_figures_are_the_same_each_time(pairs):
    one, two = (audit_figures(audit(pairs, ["ridge"], k=5, folds=2), "x->y") for _ in range(2))
    assert [figure.records for figure in one] == [figure.records for figure in two]
    assert one[0].svg() == two[0].svg()


def test_save_by_ending(figures, tmp_path):
    for ending, start in ((".svg", b"<svg"), (".png", b"\x89PNG"), (".csv", b"mapping"), (".json", b"{")):
        figures[0].save(tmp_path / f"figure{ending}")
        assert (tmp_path / f"figure{ending}").read_bytes().startswith(start)
    with pytest.raises(DataError, match=r"path: needed a file ending in \.svg, \.png, \.csv, \.json, got 'x\.bmp'"):
        figures[0].save("x.bmp")
    with pytest.raises(DataError, match="needed a file that can be written"):
        figures[0].save(tmp_path / "missing" / "x.svg")


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return np.dot((0.2126, 0.7152, 0.0722), [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts])


@pytest.mark.parametrize("color", [*COLORS, *PARTS.values()])
def test_marks_stand_out_on_light_and_dark(color):
    assert 1.05 / (luminance(color) + 0.05) >= 3
    assert (luminance(color) + 0.05) / (luminance("#121212") + 0.05) >= 3


@pytest.mark.parametrize("color", PARTS.values())
def test_white_numbers_can_be_read_in_the_bars(color):
    assert 1.05 / (luminance(color) + 0.05) >= 4.5


def test_names_have_the_color_of_the_ink(drawn):
    for name in ("bridge-plane-x-y-cosine-k5", "overlap-over-k-x-y-cosine"):
        fills = re.findall(r'<text[^>]* fill="([^"]+)"', drawn[name])
        assert set(fills) == {INK}, name


def test_a_mapping_keeps_its_color_in_every_company():
    assert colors(["nn", "given"])["nn"] == colors(["identity", "lin", "untrained-nn", "nn"])["nn"]
    names = ["lin mse", "nn mse", "lin cosine", "nn-3"]
    assert len(set(colors(names).values())) == len(names)


def boxes(labels):
    return [(each.left, each.middle - 7, each.left + 6.7 * len(each.text), each.middle + 7) for each in labels]


def test_names_of_a_crowd_do_not_cover_each_other(rng):
    points = [tuple(point) for point in rng.normal(160.0, 25.0, size=(12, 2)).tolist()]
    placed = boxes(place_labels(points, [f"mapping-{i}" for i in range(12)], (320.0, 320.0)))
    hits = sum(
        min(a[2], b[2]) - max(a[0], b[0]) > 2 and min(a[3], b[3]) - max(a[1], b[1]) > 2
        for i, a in enumerate(placed) for b in placed[:i]
    )  # fmt: skip
    assert hits <= 2
    assert all(box[0] > -40 and box[2] < 360 for box in placed)


def test_spread_labels_keep_their_order_and_distance(rng):
    heights = rng.uniform(0, 200, size=9).tolist()
    found = spread_labels(heights, 200.0)
    assert np.argsort(found).tolist() == np.argsort(heights).tolist()
    assert np.diff(np.sort(found)).min() >= 14 - 1e-9


def test_overlap_over_k_takes_records_too(found):
    points = side(found.detail.over_k)
    from dataclasses import asdict

    assert overlap_over_k([asdict(point) for point in points]).svg() == overlap_over_k(points).svg()
