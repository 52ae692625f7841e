"""The bridge plane: what a mapping keeps of its input on one axis, what it recovers of its target on the other."""

from typing import Any

from isthmus.report._colors import colors
from isthmus.report._figure import INK, Figure, shortened
from isthmus.report._labels import place_labels
from isthmus.report._rows import Rows, chance_rate, facts, records_of, slug

_SIDE = 320.0
_X, _Y = "echo rate", "bridge rate"
_SHAPES = {"mapping": "circle", "untrained": "triangle-up", "landmark": "cross"}
_SAID = (("carries the target", 0.16, 0.75, "perfect"), ("echoes the input", 0.6, 0.38, "perfect"))


def bridge_plane(rows: Rows, source: str = "X", target: str = "Y", *, whole: bool = True) -> Figure:
    """Mappings and controls of one direction, k, metric and self convention in the plane of echo and bridge rate.

    The whole plane, from 0 to 1, shows how far everything is from a perfect mapping; beside it the part where the mappings
    lie is enlarged, with their names and 95 % intervals.

    Args:
        rows: of an audit, or summary records of a run.
        source: name of the input.
        target: name of the target.
        whole: draw the whole plane too; without it the figure is half as wide.

    Example:
        >>> import numpy as np
        >>> from isthmus import Pairs, audit
        >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> rows = [row for row in audit(Pairs(x, y), ["ridge"], k=3, folds=2).rows if row.direction == "x->y"]
        >>> [record["mapping"] for record in bridge_plane(rows).records]
        ['identity', 'untrained-ridge', 'ridge', 'perfect', 'chance']
    """
    import altair as alt  # noqa: PLC0415 - heavy, and only pages and notebooks need it

    found = records_of(rows)
    values = [_value(row) for row in found if row["echo_rate"] is not None and row["bridge_rate"] is not None]
    values += [_landmark(name, x, y) for name, x, y in _landmarks(found)]
    near = [value for value in values if value["mapping"] not in ("identity", "perfect")]
    xs, ys = _range(near, _X), _range(near, _Y)
    tints = colors(row["mapping"] for row in found) | dict.fromkeys(("identity", "perfect", "chance"), INK)
    labels, leaders = _named(near, xs, ys)
    chart = _panel(near, xs, ys, tints, labels, leaders)
    if whole:
        full = (-0.03, 1.05)
        frame = {_X: xs[0], _Y: ys[0], "x2": xs[1], "y2": ys[1]}
        above = ys[1] + 0.05 if xs[1] > 0.87 else 0.07  # the identity's name stands clear of the frame
        said = [_word("perfect", 0.05, 1.0, "perfect"), _word("identity", 0.885, above, "identity")]
        said += [_word(*each) for each in _SAID]
        lines = [{_X: 1.0, _Y: 0.0, "x2": 1.0, "y2": above - 0.03, "mapping": "identity"}] if above > 0.1 else []
        left = _panel(values, full, full, tints, said, lines, frame).properties(title="The whole plane")
        chart = alt.hconcat(left, chart.properties(title="The framed part, enlarged"), spacing=36)
    title = f"{shortened(source)} → {shortened(target)}: bridge plane"
    return Figure(slug("bridge-plane", found[0]), title, _caption(found), chart, [_table(value) for value in values])


def _panel(
    values: list[dict[str, Any]],
    xs: tuple[float, float],
    ys: tuple[float, float],
    tints: dict[str, str],
    words: list[dict[str, Any]],
    leaders: list[dict[str, Any]],
    frame: dict[str, Any] | None = None,
) -> Any:
    """A square of the plane: points with their bars, words, lines from words to points, and a frame around a part of it."""
    import altair as alt  # noqa: PLC0415

    axis = alt.Axis(tickCount=5)
    scales = [alt.Scale(domain=ends, nice=False, zero=False) for ends in (xs, ys)]
    x = alt.X(f"{_X}:Q", scale=scales[0], axis=axis, title=f"{_X}: input-only neighbors kept")
    y = alt.Y(f"{_Y}:Q", scale=scales[1], axis=axis, title=f"{_Y}: target-only neighbors recovered")
    paint = alt.Color("mapping:N", legend=None, scale=alt.Scale(domain=list(tints), range=list(tints.values())))
    shape = alt.Shape("kind:N", legend=None, scale=alt.Scale(domain=list(_SHAPES), range=list(_SHAPES.values())))

    def drawn(data: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(data)).encode(x=x, y=y)

    points = drawn(values).encode(color=paint, shape=shape)
    bars = [
        {**value, _X: x1, _Y: y1, "x2": x2, "y2": y2}
        for value in values
        for x1, y1, x2, y2 in (
            (value[f"{_X} low"], value[_Y], value[f"{_X} high"], value[_Y]),
            (value[_X], value[f"{_Y} low"], value[_X], value[f"{_Y} high"]),
        )
    ]
    diagonal = [max(xs[0], ys[0]), min(xs[1], ys[1])]
    layers = [
        drawn([frame] if frame else []).mark_rect(fill=INK, fillOpacity=0.08, stroke=INK).encode(x2="x2:Q", y2="y2:Q"),
        drawn([{_X: end, _Y: end} for end in diagonal if diagonal[0] < diagonal[1]])
        .mark_line(color=INK, opacity=0.6, strokeDash=[3, 4], strokeWidth=1),
        drawn(leaders).mark_rule(strokeWidth=0.8, opacity=0.7).encode(x2="x2:Q", y2="y2:Q", color=paint),
        drawn(bars).mark_rule(strokeWidth=1.6, opacity=0.75).encode(x2="x2:Q", y2="y2:Q", color=paint),
        points.transform_filter("datum.kind !== 'untrained'").mark_point(size=95, filled=True, opacity=1),
        points.transform_filter("datum.kind === 'untrained'").mark_point(size=80, strokeWidth=2, opacity=1),
        drawn(words).mark_text(align="left").encode(text="text:N"),
    ]  # fmt: skip
    return alt.layer(*layers).properties(width=_SIDE, height=_SIDE)


def _word(text: str, x: float, y: float, mapping: str) -> dict[str, Any]:
    return {"text": text, _X: x, _Y: y, "mapping": mapping}


def _value(row: dict[str, Any]) -> dict[str, Any]:
    kind = (
        "untrained" if row["mapping"].startswith("untrained-") else "landmark" if row["mapping"] == "identity" else "mapping"
    )
    ends = {
        f"{name} rate {end}": _or(row.get(f"{name}_rate_{end}"), row[f"{name}_rate"])
        for name in ("echo", "bridge") for end in ("low", "high")
    }  # fmt: skip
    return {"mapping": row["mapping"], "kind": kind, _X: row["echo_rate"], _Y: row["bridge_rate"]} | ends


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _landmark(name: str, x: float, y: float) -> dict[str, Any]:
    return {"mapping": name, "kind": "landmark", _X: x, _Y: y} | {
        f"{rate} {end}": value for rate, value in ((_X, x), (_Y, y)) for end in ("low", "high")
    }


def _landmarks(rows: list[dict[str, Any]]) -> list[tuple[str, float, float]]:
    marks = [("perfect", 0.0, 1.0), ("chance", chance_rate(rows[0]), chance_rate(rows[0]))]
    return marks if any(row["mapping"] == "identity" for row in rows) else [("identity", 1.0, 0.0), *marks]


def _range(values: list[dict[str, Any]], name: str) -> tuple[float, float]:
    """What an axis has to show, with some air."""
    low, high = min(value[f"{name} low"] for value in values), max(value[f"{name} high"] for value in values)
    air = 0.1 * max(high - low, 0.05)
    return max(low - air, -0.03), min(high + air, 1.05)


def _named(
    values: list[dict[str, Any]], xs: tuple[float, float], ys: tuple[float, float]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Names of the points at their places, and lines from points to names that stand off."""

    def across(x: float) -> float:
        return (x - xs[0]) / (xs[1] - xs[0]) * _SIDE

    def down(y: float) -> float:
        return (ys[1] - y) / (ys[1] - ys[0]) * _SIDE

    def back(left: float, middle: float) -> tuple[float, float]:
        return xs[0] + left / _SIDE * (xs[1] - xs[0]), ys[1] - middle / _SIDE * (ys[1] - ys[0])

    values = sorted(values, key=lambda value: value["kind"] != "mapping")  # mappings have their names nearest
    points = [(across(value[_X]), down(value[_Y])) for value in values]
    bars = [
        box for value, (x, y) in zip(values, points, strict=True)
        for box in (
            (across(value[f"{_X} low"]), y - 3, across(value[f"{_X} high"]), y + 3),
            (x - 3, down(value[f"{_Y} high"]), x + 3, down(value[f"{_Y} low"])),
        )
    ]  # fmt: skip
    labels, leaders = [], []
    placed = place_labels(points, [shortened(value["mapping"]) for value in values], (_SIDE, _SIDE), bars)
    for value, label in zip(values, placed, strict=True):
        labels.append(_word(label.text, *back(label.left, label.middle), value["mapping"]))
        if label.end is not None:
            x2, y2 = back(*label.end)
            leaders.append({_X: value[_X], _Y: value[_Y], "x2": x2, "y2": y2, "mapping": value["mapping"]})
    return labels, leaders


def _table(value: dict[str, Any]) -> dict[str, Any]:
    return {key: value[key] for key in ("mapping", "kind", _X, f"{_X} low", f"{_X} high", _Y, f"{_Y} low", f"{_Y} high")}


def _caption(rows: list[dict[str, Any]]) -> str:
    noise = f"{chance_rate(rows[0]):.3f}"
    return (
        "Of the neighbors that an item has only in the input, how many the mapping keeps (echo rate, across), and of those "
        "that it has only in the target, how many it recovers (bridge rate, upwards). Above the dotted line lies "
        "what carries the target more than it echoes the input: the identity is at (1, 0), a perfect mapping at (0, 1), "
        f"noise at chance, ({noise}, {noise}). Circles: mappings; hollow triangles: untrained twins; bars: 95 % intervals. "
        f"{facts(rows[0])}"
    )
