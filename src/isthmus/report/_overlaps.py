"""Overlaps against the number of neighbors and of items, with the level that chance gives, since raw values move with both."""

from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, Literal

from isthmus.experiments import OverlapPoint
from isthmus.measures import CurvePoint
from isthmus.report._colors import colors
from isthmus.report._figure import INK, Figure
from isthmus.report._labels import spread_labels

_KINDS = {"input_overlap": "X, f(X): input overlap", "target_overlap": "Y, f(X): target overlap"}
_WIDTH, _HEIGHT = 250, 260


def overlap_over_k(
    points: Sequence[OverlapPoint] | Sequence[dict[str, Any]], source: str = "X", target: str = "Y"
) -> Figure:
    """Input and target overlap of each mapping against K, with mNNO(X, Y) and chance.

    Args:
        points: of one direction, metric and self convention: `audit(...).detail.over_k`, or the records of a run.
        source: name of the input.
        target: name of the target.
    """
    return _overlaps(points, "k", source, target)


def overlap_over_n(
    points: Sequence[OverlapPoint] | Sequence[dict[str, Any]], source: str = "X", target: str = "Y"
) -> Figure:
    """Input and target overlap of each mapping against N at a fixed K, with mNNO(X, Y) and chance.

    Args:
        points: of one direction, metric and self convention, such as `audit(...).detail.over_n`.
        source: name of the input.
        target: name of the target.
    """
    return _overlaps(points, "n", source, target)


def curve_figure(points: Sequence[CurvePoint], over: Literal["k", "n"], source: str = "X", target: str = "Y") -> Figure:
    """mNNO of two spaces against K or N with 95 % intervals and chance, from `isthmus.measures.curve_over_k` or `curve_over_n`.

    Args:
        points: the curve.
        over: what it is over.
        source: name of the first space.
        target: name of the second.

    Example:
        >>> import numpy as np
        >>> from isthmus.measures import curve_over_n
        >>> x, y = np.random.default_rng(0).normal(size=(2, 100, 3))
        >>> curve_figure(curve_over_n(x, y, [25, 50, 100], k=5), "n").title
        'mNNO(X, Y) over N'
    """
    import altair as alt  # noqa: PLC0415 - heavy, and only pages and notebooks need it

    records = [asdict(point) for point in points]
    known = [{key: None if value != value else value for key, value in record.items()} for record in records]  # noqa: PLR0124
    x = _across(alt, over, [record[over] for record in records])
    y = alt.Y("value:Q", title=f"mNNO({source}, {target})", scale=alt.Scale(zero=True))
    base = alt.Chart(alt.InlineData(known)).encode(x=x)
    band = base.mark_area(color="#0072B2", opacity=0.2).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(color="#0072B2", point=alt.OverlayMarkDef(filled=True, color="#0072B2", size=45)).encode(y=y)
    chance = base.mark_line(color=INK, strokeDash=[4, 4], strokeWidth=1.2).encode(y="chance:Q")
    last = known[-1]
    words = [
        {over: last[over], "value": last[kind], "text": said} for kind, said in (("value", "mNNO"), ("chance", "chance"))
    ]
    names = alt.Chart(alt.InlineData(words)).mark_text(align="left", dx=8).encode(x=x, y=y, text="text:N")
    fixed = f"K={records[0]['k']}" if over == "n" else f"N={records[0]['n']}"
    caption = (
        f"Share of an item's K nearest neighbors that {source} and {target} have in common, mNNO, at {fixed} and self excluded; "
        "band: 95 % interval about new items drawn like these; dashed: chance, under a random pairing."
    )
    chart = alt.layer(band, chance, line, names).properties(width=380, height=260)
    return Figure(f"curve-over-{over}", f"mNNO({source}, {target}) over {over.upper()}", caption, chart, records)


def _across(alt: Any, over: str, values: Sequence[int]) -> Any:
    title = "K, neighbors counted" if over == "k" else "N, items among which neighbors are sought"
    scale = alt.Scale(type="log", nice=False, domain=[min(values), max(max(values), min(values) + 1)])
    ticks = sorted(set(values)) if len(set(values)) < 7 else [k for k in sorted(set(values)) if k in _TICKS]
    return alt.X(f"{over}:Q", title=title, scale=scale, axis=alt.Axis(values=ticks, grid=False))


_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


def _overlaps(points: Any, over: Literal["k", "n"], source: str, target: str) -> Figure:
    import altair as alt  # noqa: PLC0415 - heavy

    records = [asdict(point) if is_dataclass(point) else dict(point) for point in points]
    first = records[0]
    controls = {"identity"} | {r["mapping"] for r in records if r["role"] == "control" and over == "k"}
    shown = [r for r in records if r["mapping"] != "identity"]
    tints = colors(record["mapping"] for record in records)
    paint = alt.Color("mapping:N", legend=None, scale=alt.Scale(domain=list(tints), range=list(tints.values())))
    x = _across(alt, over, [record[over] for record in records])
    top = max(max(record[kind] for kind in (*_KINDS, "baseline_overlap")) for record in shown)
    y = alt.Y(
        "overlap:Q", title="mNNO", scale=alt.Scale(domain=[0, min(1.0, 1.08 * top)], nice=False), axis=alt.Axis(tickCount=5)
    )
    last = max(record[over] for record in records)
    panels = []
    for kind, said in _KINDS.items():
        lines = [
            {
                **{key: r[key] for key in (over, "mapping")},
                "overlap": r[kind],
                "kind": "untrained" if r["mapping"] in controls else "mapping",
            }
            for r in shown
        ]
        one = [r for r in records if r["mapping"] == first["mapping"]]
        flat = [
            {over: r[over], "overlap": r[name], "of": label}
            for r in one
            for name, label in (("baseline_overlap", "X, Y"), ("chance", "chance"))
        ]
        base = alt.Chart(alt.InlineData(lines)).encode(x=x, y=y, color=paint)
        solid = base.transform_filter("datum.kind === 'mapping'").mark_line(strokeWidth=2)
        dots = base.transform_filter("datum.kind === 'mapping'").mark_point(filled=True, size=34, opacity=1)
        thin = base.transform_filter("datum.kind === 'untrained'").mark_line(strokeWidth=1.2, opacity=0.85)
        hollow = base.transform_filter("datum.kind === 'untrained'").mark_point(shape="triangle-up", size=26, opacity=1)
        levels = alt.Chart(alt.InlineData(flat)).mark_line(color=INK, strokeWidth=1.3).encode(
            x=x, y=y, strokeDash=alt.StrokeDash("of:N", legend=None, scale=alt.Scale(domain=["X, Y", "chance"], range=[[7, 3], [2, 3]])),
        )  # fmt: skip
        ends = [(line["mapping"], line["overlap"], line["mapping"]) for line in lines if line[over] == last]
        ends += [(level["of"], level["overlap"], "identity") for level in flat if level[over] == last]
        heights = spread_labels([_HEIGHT * (1 - value / (1.08 * top)) for _, value, _ in ends], _HEIGHT)
        words = [
            {"text": text, "overlap": (1 - height / _HEIGHT) * 1.08 * top, "mapping": name, over: last}
            for (text, _, name), height in zip(ends, heights, strict=True)
        ]
        tinted = alt.Color(
            "mapping:N", legend=None, scale=alt.Scale(domain=[*tints, "identity"], range=[*tints.values(), INK])
        )
        names = (
            alt.Chart(alt.InlineData(words))
            .mark_text(align="left", dx=8, fontSize=11)
            .encode(x=x, y=y, text="text:N", color=tinted)
        )
        panels.append(
            alt.layer(levels, thin, hollow, solid, dots, names).properties(width=_WIDTH, height=_HEIGHT, title=said)
        )
    chart = alt.hconcat(*panels, spacing=20)
    where = f"N={first['n']}" if over == "k" else f"K={first['k']}"
    parts = (
        "means over all test items, sought within each test set"
        if over == "k"
        else "means over random parts of one test set"
    )
    caption = (
        f"Share of an item's K nearest neighbors that two spaces have in common, mNNO, against {over.upper()}: between input and "
        f"mapped input (left), between target and mapped input (right); {parts}. Long dashes: the two spaces themselves, "
        f"mNNO(X, Y); short dashes: chance. {where}, {first['metric']}, self {'included' if first['include_self'] else 'excluded'}."
    )
    name = "-".join(
        [f"overlap-over-{over}", first["direction"].replace("->", "-"), first["metric"], *(["self"] * first["include_self"])]
    )
    return Figure(name, f"{source} → {target}: overlap over {over.upper()}", caption, chart, records)
