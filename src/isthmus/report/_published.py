"""A table of the paper beside ours, as a picture: two marks a line, and how far apart they are."""

from typing import Any

from isthmus.experiments import Reproduction
from isthmus.report._colors import PARTS
from isthmus.report._figure import Figure

_SHORT = {"image->text": "I→T", "text->image": "T→I"}
_TINTS = {"input overlap": PARTS["echoed"], "target overlap": PARTS["bridged"]}


def published_dots(result: Reproduction) -> Figure:
    """Input and target overlap of a table: as published (hollow) and ours (filled, with the spread over folds or seeds).

    Args:
        result: of `isthmus.experiments.reproduce`; without data only the published figures are there.

    Example:
        >>> from isthmus.experiments import reproduce
        >>> published_dots(reproduce(1)).records[0]["published"]
        0.681
    """
    import altair as alt  # noqa: PLC0415 - heavy, and only pages and notebooks need it

    records = result.records()
    values = [_value(row) for row in records]
    lines = list(dict.fromkeys(value["line"] for value in values))
    y = alt.Y("line:N", sort=lines, title=None, axis=alt.Axis(grid=True))
    tints = alt.Scale(domain=list(_TINTS), range=list(_TINTS.values()))
    paint = alt.Color("of:N", title=None, scale=tints, legend=alt.Legend(orient="top", symbolOpacity=1))
    scale = alt.Scale(zero=True)

    def marks(data: list[dict[str, Any]], of: str) -> Any:
        return alt.Chart(alt.InlineData(data)).encode(x=alt.X(f"{of}:Q", title="mNNO", scale=scale), y=y, color=paint)

    ours = [value for value in values if value["ours"] is not None]
    chart = alt.layer(
        marks(ours, "published").mark_rule(strokeWidth=1, opacity=0.7).encode(x2="ours:Q"),
        marks(ours, "low").mark_rule(strokeWidth=4, opacity=0.35).encode(x2="high:Q"),
        marks(values, "published").mark_point(size=75, strokeWidth=1.8, opacity=1),
        marks(ours, "ours").mark_point(filled=True, size=60, opacity=1),
    ).properties(width=380, height={"step": 20})  # fmt: skip
    first = next((row for row in records if row["ours"] is not None), records[0])
    run = (
        f"Ours: filled, thick bar: one standard deviation over {first['folds']} folds and {first['seeds']} seed"
        f"{'s' * ((first['seeds'] or 1) > 1)}; N={first['n_test']} test items, K={first['k']}. "
        if first["ours"] is not None else "Ours: not run, as the data are not there. "
    )  # fmt: skip
    way = f"; ours: {result.learned}" if result.learned else ""
    caption = (
        f"Table {result.table} of Collell and Moens (2018): overlap of the mapped items' neighbors with those of the input "
        f"and of the target{way}. Published: hollow, K=10. {run}{first['metric'].capitalize()}, self included, as in print; "
        "the data of this figure have it without self too."
    )
    name, title = f"published-table-{result.table}", f"Table {result.table}: published and ours"
    if result.learned:  # a run has the table in several ways
        name, title = f"{name}-{result.learned}", f"{title} ({result.learned})"
    return Figure(name, title, caption, chart, records)


def _value(row: dict[str, Any]) -> dict[str, Any]:
    ours, sd = row["ours"], row["ours_sd"] or 0.0
    return {
        "line": f"{row['set']} {_SHORT[row['direction']]}  {row['model']}  {row['image_features']}, {row['text_features']}",
        "of": f"{row['overlap']} overlap", "published": row["published"], "ours": ours,
        "low": None if ours is None else ours - sd, "high": None if ours is None else ours + sd,
    }  # fmt: skip
