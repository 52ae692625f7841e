"""Overlaps against the number of neighbors and of items, beside what chance gives, since raw values move with both."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from isthmus.measures import CurvePoint
from isthmus.report._colors import colors
from isthmus.report._figure import INK, Figure, shortened
from isthmus.report._labels import spread_labels
from isthmus.report._rows import Rows, records_of

_KINDS = {"input_overlap": "X, f(X): input overlap", "target_overlap": "Y, f(X): target overlap"}
_WIDTH, _HEIGHT = 250.0, 260.0
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


def overlap_over_k(points: Rows, source: str = "X", target: str = "Y") -> Figure:
    """Input and target overlap of each mapping against K, with mNNO(X, Y) and chance.

    Args:
        points: of one direction, metric and self convention: `audit(...).detail.over_k`, or the records of a run.
        source: name of the input.
        target: name of the target.
    """
    return _overlaps(points, "k", source, target)


def overlap_over_n(points: Rows, source: str = "X", target: str = "Y") -> Figure:
    """Input and target overlap of each mapping against N at a fixed K, with mNNO(X, Y) and chance.

    Args:
        points: of one direction, metric and self convention, such as `audit(...).detail.over_n`.
        source: name of the input.
        target: name of the target.
    """
    return _overlaps(points, "n", source, target)


def curve_figure(points: Sequence[CurvePoint], over: Literal["k", "n"], source: str = "X", target: str = "Y") -> Figure:
    """Overlap of two spaces against K or N, with 95 % intervals and chance.

    Args:
        points: of `isthmus.measures.curve_over_k` or `curve_over_n`.
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
    y = alt.Y("value:Q", title=f"mNNO({source}, {target})", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=5))
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
        f"Share of an item's K nearest neighbors that {source} and {target} have in common, mNNO, at {fixed}, "
        f"{records[0]['metric']}, self excluded; band: 95 % interval about new items drawn like these; dashed: chance, "
        "under a random pairing."
    )
    chart = alt.layer(band, chance, line, names).properties(width=380, height=260)
    return Figure(f"curve-over-{over}", f"mNNO({source}, {target}) over {over.upper()}", caption, chart, records)


def _across(alt: Any, over: str, values: Sequence[int]) -> Any:
    title = "K, neighbors counted" if over == "k" else "N, items among which neighbors are sought"
    scale = alt.Scale(type="log", nice=False, domain=[min(values), max(*values, min(values) + 1)])
    ticks = sorted(set(values)) if len(set(values)) < 7 else [k for k in sorted(set(values)) if k in _TICKS]
    return alt.X(f"{over}:Q", title=title, scale=scale, axis=alt.Axis(values=ticks, grid=False))


def _overlaps(points: Any, over: Literal["k", "n"], source: str, target: str) -> Figure:
    import altair as alt  # noqa: PLC0415 - heavy

    records = records_of(points)
    first = records[0]
    tints = colors(record["mapping"] for record in records) | {"identity": INK}
    x = _across(alt, over, [record[over] for record in records])
    panels = [_panel(records, over, kind, said, tints, x) for kind, said in _KINDS.items()]
    moving = sorted(record[over] for record in records)
    fixed = f"N={first['n']}" if over == "k" else f"K={first['k']}"
    where = f"{over.upper()}={moving[0]} to {moving[-1]}, {fixed}"
    pooled = (
        "means over all test items, sought within each test set" if over == "k" else "among random parts of one test set"
    )
    caption = (
        f"Share of an item's K nearest neighbors that two spaces have in common, mNNO, against {over.upper()}: input and "
        f"mapped input (first panel), target and mapped input (second); {pooled}. Long dashes: input and target themselves, "
        f"mNNO(X, Y); short dashes: chance. {where}, {first['metric']}, self "
        f"{'included' if first['include_self'] else 'excluded'}."
    )
    which = [first["direction"].replace("->", "-"), first["metric"], *(["self"] * first["include_self"])]
    title = f"{shortened(source)} → {shortened(target)}: overlap over {over.upper()}"
    return Figure("-".join([f"overlap-over-{over}", *which]), title, caption, alt.hconcat(*panels, spacing=20), records)


def _panel(records: list[dict[str, Any]], over: str, kind: str, said: str, tints: dict[str, str], x: Any) -> Any:
    """Lines of one overlap: mappings thick, untrained twins thin and hollow, the two levels dashed; names at the ends."""
    import altair as alt  # noqa: PLC0415 - heavy

    shown = [
        {over: r[over], "mapping": r["mapping"], "overlap": r[kind], "trained": r["role"] == "mapping"}
        for r in records if r["mapping"] != "identity"
    ]  # fmt: skip
    levels = [
        {over: r[over], "mapping": "identity", "overlap": r[name], "of": label}
        for r in records if r["mapping"] == records[0]["mapping"]
        for name, label in (("baseline_overlap", "X, Y"), ("chance", "chance"))
    ]  # fmt: skip
    top = min(1.0, 1.08 * max(value["overlap"] for value in (*shown, *levels)))
    last = max(record[over] for record in records)
    ends = [value for value in (*shown, *levels) if value[over] == last]
    heights = spread_labels([_HEIGHT * (1 - value["overlap"] / top) for value in ends], _HEIGHT)
    words = [
        value | {"text": value.get("of", value["mapping"]), "overlap": (1 - height / _HEIGHT) * top}
        for value, height in zip(ends, heights, strict=True)
    ]
    y = alt.Y("overlap:Q", title="mNNO", scale=alt.Scale(domain=[0, top], nice=False), axis=alt.Axis(tickCount=5))
    paint = alt.Color("mapping:N", legend=None, scale=alt.Scale(domain=list(tints), range=list(tints.values())))
    dash = alt.StrokeDash("of:N", legend=None, scale=alt.Scale(domain=["X, Y", "chance"], range=[[7, 3], [2, 3]]))

    def drawn(data: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(data)).encode(x=x, y=y, color=paint)

    trained, twins = ([value for value in shown if value["trained"] is which] for which in (True, False))
    return alt.layer(
        drawn(levels).mark_line(strokeWidth=1.3).encode(strokeDash=dash),
        drawn(twins).mark_line(strokeWidth=1.2), drawn(twins).mark_point(shape="triangle-up", size=26, opacity=1),
        drawn(trained).mark_line(strokeWidth=2), drawn(trained).mark_point(filled=True, size=34, opacity=1),
        drawn([each for each in words if each.get("trained")]).mark_point(filled=True, size=34, opacity=1, xOffset=10),
        drawn([each for each in words if each.get("trained") is False])
        .mark_point(shape="triangle-up", size=26, opacity=1, xOffset=10),
        alt.Chart(alt.InlineData(words)).mark_text(align="left", dx=17, fontSize=11).encode(x=x, y=y, text="text:N"),
    ).properties(width=_WIDTH, height=_HEIGHT, title=said)  # fmt: skip
