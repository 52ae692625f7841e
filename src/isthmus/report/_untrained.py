"""The paper's figure 1: a manifold of three classes under untrained maps, and the neighbors that they keep."""

from dataclasses import asdict
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from isthmus.experiments import CLASSES, Figure1, Panel
from isthmus.report._colors import COLORS
from isthmus.report._figure import INK, Figure

_SHAPES = {"square": "square", "triangle": "triangle-up", "circle": "circle"}


def untrained_chart(figure: Figure1) -> Any:
    """Above: the manifold and what maps of growing depth make of it. Below: input overlap against depth; an Altair chart.

    Each panel is shifted and scaled to its own middle and spread, which changes no neighborhood.

    Example:
        >>> from isthmus.experiments import figure1
        >>> x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
        >>> sorted(untrained_chart(figure1(x, "x", k=5, draws=1)).to_dict())[-1]
        'vconcat'
    """
    import altair as alt  # noqa: PLC0415 - heavy, and only charts need it

    panels = []
    for panel in figure.panels:
        points = panel.points - panel.points.mean(axis=0)
        points /= np.sqrt((points**2).sum(axis=1).mean()) or 1
        values = [
            {"a": round(float(a), 4), "b": round(float(b), 4), "class": CLASSES[number]}
            for (a, b), number in zip(points, figure.classes, strict=True)
        ]
        scale = alt.Scale(domain=[-2, 2])
        shape = alt.Shape("class:N", scale=alt.Scale(domain=list(CLASSES), range=[_SHAPES[each] for each in CLASSES]))
        title = alt.TitleParams(
            _title(panel), subtitle=f"X, f(X): {panel.input_overlap:.2f}; same class: {panel.same_class:.2f}"
        )
        panels.append(
            alt.Chart(alt.InlineData(values), title=title).mark_point(filled=True, size=28)
            .encode(x=alt.X("a:Q", axis=None, scale=scale), y=alt.Y("b:Q", axis=None, scale=scale))
            .encode(color=alt.Color("class:N", scale=alt.Scale(domain=list(CLASSES), range=COLORS[:3])), shape=shape)
            .properties(width=170, height=170)
        )  # fmt: skip
    first = figure.overlaps[0]
    values = [
        {"depth": each.depth, "input overlap": round(each.input_overlap, 6), "activation": each.activation,
         "width": f"{each.width} units"}
        for each in figure.overlaps
    ]  # fmt: skip
    depths = sorted({each.depth for each in figure.overlaps})
    lines = (
        alt.Chart(alt.InlineData(values)).mark_line(point=True)
        .encode(
            x=alt.X("depth:Q", title="hidden layers", axis=alt.Axis(values=depths)),
            y=alt.Y("input overlap:Q", title="mNNO(X, f(X))", scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("activation:N", scale=alt.Scale(range=COLORS[3:])),
        )
    )  # fmt: skip
    rule = alt.Chart(alt.InlineData([{"chance": first.chance}])).mark_rule(strokeDash=[4, 4], color=INK).encode(y="chance:Q")
    title = alt.TitleParams(f"Untrained maps of {first.vectors}", subtitle=caption(figure))
    by_width = [
        alt.layer(lines.transform_filter(f"datum.width === '{width}'"), rule).properties(width=320, height=220, title=width)
        for width in dict.fromkeys(value["width"] for value in values)
    ]
    below = alt.hconcat(*by_width, title=title)
    return alt.vconcat(alt.concat(*panels, columns=3, spacing=24), below).resolve_scale(
        color="independent", shape="independent"
    )


def untrained_figure(figure: Figure1) -> Figure:
    """Figure 1 of the paper as a figure, with the overlaps of all depths for data.

    Args:
        figure: of `isthmus.experiments.figure1`.
    """
    said = (
        "Above: a manifold of three classes, and what untrained maps of growing depth make of it. Below: the share of "
        f"neighbors that untrained maps of {figure.overlaps[0].vectors} keep, by hidden layers; dashed: chance."
    )
    return Figure(
        "untrained", f"Untrained maps of {figure.overlaps[0].vectors}", f"{said} {caption(figure)}.",
        untrained_chart(figure), [asdict(each) for each in figure.overlaps],
    )  # fmt: skip


def untrained_table(figure: Figure1) -> Table:
    """Input overlap of untrained maps: a line for each activation and width, a column for each depth."""
    depths = list(dict.fromkeys(each.depth for each in figure.overlaps))
    table = Table(
        title=Text(f"input overlap mNNO(X, f(X)) of untrained maps of {figure.overlaps[0].vectors}"),
        caption=caption(figure), caption_justify="left",
    )  # fmt: skip
    for name in ("activation", "units"):
        table.add_column(name)
    for depth in depths:
        table.add_column("linear" if depth == 0 else f"{depth} hidden", justify="right")
    for activation, width in dict.fromkeys((each.activation, each.width) for each in figure.overlaps):
        row = {each.depth: each for each in figure.overlaps if (each.activation, each.width) == (activation, width)}
        table.add_row(activation, str(width), *(f"{row[depth].input_overlap:.3f} ({row[depth].sd:.3f})" for depth in depths))
    return table


def caption(figure: Figure1) -> str:
    """What the overlaps were measured with."""
    first = figure.overlaps[0]
    return (
        f"N={first.n}, {first.dimension} dimensions into {first.output}, K={first.k}, {first.metric}, self excluded; mean "
        f"(sd) of {first.draws} draws, weights uniform on [-1, 1], no bias; chance {first.chance:.3f}"
    )


def _title(panel: Panel) -> str:
    if panel.depth is None:
        return "before"
    return "linear" if panel.depth == 0 else f"{panel.depth} hidden layer{'s' if panel.depth > 1 else ''}"
