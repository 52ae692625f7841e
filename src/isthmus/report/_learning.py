"""The curves of a training as a chart: the paper's figure 2, with what the recipe and what an oracle would have taken."""

from collections.abc import Sequence
from math import isnan
from typing import Any, Literal

from rich.table import Table
from rich.text import Text

from isthmus.experiments import CurvePoint, Curves
from isthmus.report._colors import PARTS
from isthmus.report._figure import INK, Figure, shortened

_OVERLAPS = {"input_overlap": "X, f(X)", "target_overlap": "Y, f(X)"}
_ERRORS = {"train_mse": "train", "mse": "test"}


def learning_chart(curves: Curves) -> Any:
    """Overlaps (above) and squared errors (below) on the epochs of one training, an Altair chart.

    Dashed: mNNO(X, Y) of the two spaces. Upright lines: the epoch that the recipe chose, and the oracle's, where the target
    overlap on the test items is best. Epochs are spaced by the logarithm of 1 + epoch, since most happens in the first.

    Example:
        >>> import numpy as np
        >>> from isthmus import Pairs
        >>> from isthmus.experiments import curves
        >>> from isthmus.pairs import k_fold
        >>> x = np.random.default_rng(0).normal(size=(90, 4))
        >>> found = curves(Pairs(x, x**2), "lin", k_fold(90, 3)[0], recipe="authors-code", epochs=(5, 50), k=3)
        >>> learning_chart(found).to_dict()["title"]["text"]
        'pairs: lin, x->y'
    """
    import altair as alt  # noqa: PLC0415 - heavy, and only pages and notebooks need it

    title = alt.TitleParams(f"{curves.pairs}: {curves.mapping}, {curves.direction}", subtitle=caption(curves))
    overlaps, errors = _panels(curves, 480, (260, 140), "right")
    return alt.vconcat(overlaps, errors, title=title).resolve_scale(color="independent")


def _panels(curves: Curves, width: int, heights: tuple[int, int], legends: Literal["right", "top"]) -> tuple[Any, Any]:
    """Overlaps and errors, without words."""
    import altair as alt  # noqa: PLC0415 - heavy

    epoch = alt.X("epoch:Q", scale=alt.Scale(type="symlog"), axis=alt.Axis(values=[p.epoch for p in curves.points]))

    def lines(named: dict[str, str], title: str, colors: list[str]) -> Any:
        values = [
            {"epoch": point.epoch, "of": label, title: getattr(point, field)}
            for point in curves.points
            for field, label in named.items()
        ]
        color = alt.Color(
            "of:N",
            title=title,
            scale=alt.Scale(domain=list(named.values()), range=colors),
            legend=alt.Legend(orient=legends),
        )
        chart = alt.Chart(alt.InlineData(values)).mark_line(point=True)
        return chart.encode(x=epoch, y=alt.Y(f"{title}:Q", scale=alt.Scale(zero=True)), color=color)

    marks = [{"epoch": curves.chosen, "mark": "chosen", "place": 0}, {"epoch": curves.oracle, "mark": "oracle", "place": 1}]
    upright = alt.Chart(alt.InlineData(marks)).mark_rule(color=INK).encode(x=epoch)
    place = alt.Y("place:Q", axis=None, scale=alt.Scale(domain=[0, 12]))  # one above the other, where both epochs are one
    words = alt.Chart(alt.InlineData(marks)).mark_text(align="left", dx=4, dy=-10, color=INK)
    words = words.encode(x=epoch, y=place, text="mark:N")
    baseline = (
        alt.Chart(alt.InlineData([{"mNNO": curves.baseline_overlap}]))
        .mark_rule(strokeDash=[4, 4], color=INK).encode(y="mNNO:Q")
    )  # fmt: skip
    overlaps = alt.layer(lines(_OVERLAPS, "mNNO", [PARTS["echoed"], PARTS["bridged"]]) + baseline + upright, words)
    overlaps = overlaps.resolve_scale(y="independent").properties(width=width, height=heights[0])
    errors = (lines(_ERRORS, "MSE", [PARTS["novel"], PARTS["shared"]]) + upright).properties(width=width, height=heights[1])
    return overlaps, errors


def learning_curves(curves: Curves, source: str | None = None, target: str | None = None) -> Figure:
    """The chart of one training as a figure, with its points for data.

    Args:
        curves: of `isthmus.experiments.curves`, or of a cell of a run.
        source: name of the input, for the title; without both names it has that of the pairs, and the direction.
        target: name of the target.
    """
    import altair as alt  # noqa: PLC0415 - heavy

    title = f"{curves.pairs}: {curves.mapping} over epochs, {curves.direction}"
    if source is not None and target is not None:
        title = f"{shortened(source)} → {shortened(target)}: {curves.mapping} over epochs"
    said = (
        "What each epoch of one training does: overlap of the mapped items' neighbors with those of the input and of the "
        "target (first panel), squared error on the items learned from and on the test items (second)."
    )
    chart = alt.hconcat(*_panels(curves, 250, (260, 260), "top"), spacing=20).resolve_scale(color="independent")
    which = [curves.mapping, curves.direction.replace("->", "-"), curves.metric, f"k{curves.k}"]
    name = "-".join(["learning", *which, *(["self"] * curves.include_self)])
    return Figure(name, title, " ".join([said, *caption(curves)]), chart, curves.records())


def learning_charts(curves: Sequence[Curves]) -> Any:
    """The charts of several trainings, three side by side as in the figure, an Altair chart."""
    import altair as alt  # noqa: PLC0415 - heavy

    return alt.concat(*map(learning_chart, curves), columns=3).resolve_scale(color="independent")


def learning_table(curves: Sequence[Curves]) -> Table:
    """A line an epoch of each training: errors, overlaps, rates, and which epoch the recipe or an oracle takes."""
    first = curves[0]
    convention = "included" if first.include_self else "excluded"
    table = Table(title=Text(f"{first.mapping} over epochs: {first.metric}, K={first.k}, self {convention}"))
    table.add_column("training", overflow="fold")
    for name in ("epoch", "train MSE", "test MSE", "input", "target", "echo rate", "bridge rate"):
        table.add_column(name, justify="right")
    table.add_column("")
    for each in curves:
        table.add_section()
        for number, point in enumerate(each.points):
            marks = [name for name, epoch in (("chosen", each.chosen), ("oracle", each.oracle)) if point.epoch == epoch]
            marks += ["reversed"] * (point.epoch in each.reversals)
            table.add_row(Text("" if number else each.pairs), *_cells(point), ", ".join(marks))
    return table


def _cells(point: CurvePoint) -> list[str]:
    values = (point.input_overlap, point.target_overlap, point.echo_rate, point.bridge_rate)
    errors = (f"{error:.4g}" for error in (point.train_mse, point.mse))
    return [str(point.epoch), *errors, *("" if isnan(value) else f"{value:.3f}" for value in values)]


def caption(curves: Curves) -> list[str]:
    """What the chart was made with, in two lines."""
    convention = "included" if curves.include_self else "excluded"
    return [
        f"N={curves.n_test} test items (learned from {curves.n_train}), K={curves.k}, {curves.metric}, self {convention}; "
        f"loss {curves.loss}, recipe {curves.recipe}, seed {curves.seed}.",
        f"Dashed: mNNO(X, Y), {curves.baseline_overlap:.3f}; chance {curves.chance:.3f}. Chosen: epoch {curves.chosen}; "
        f"oracle (best test target overlap): epoch {curves.oracle}.",
    ]
