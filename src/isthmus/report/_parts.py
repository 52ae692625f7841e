"""Where the neighbors of f(x) come from, as stacked bars."""

from isthmus.report._colors import PARTS
from isthmus.report._figure import Figure, shortened
from isthmus.report._rows import Rows, facts, records_of, slug

_SAID = {"shared": "both spaces", "echoed": "only the input", "bridged": "only the target", "novel": "neither"}


def parts_bars(rows: Rows, source: str = "X", target: str = "Y") -> Figure:
    """The four parts of the k neighbors that a mapped item has, a bar for each mapping and control.

    Args:
        rows: of one direction, k, metric and self convention of an audit, or summary records of a run.
        source: name of the input.
        target: name of the target.

    Example:
        >>> import numpy as np
        >>> from isthmus import Pairs, audit
        >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> rows = [row for row in audit(Pairs(x, y), ["ridge"], k=3, folds=2).rows if row.direction == "x->y"]
        >>> round(sum(parts_bars(rows).records[0][part] for part in ("shared", "echoed", "bridged", "novel")), 6)
        3.0
    """
    import altair as alt  # noqa: PLC0415 - heavy, and only pages and notebooks need it

    found = [row for row in records_of(rows) if row["shared"] is not None]
    k = found[0]["k"]
    legend = {part: f"{part}: {said}" for part, said in _SAID.items()}
    values = []
    for row in found:
        start = 0.0
        for part in PARTS:
            middle = start + row[part] / 2
            values.append({
                "mapping": row["mapping"], "part": legend[part], "from": start, "to": start + row[part], "middle": middle,
                "share": row[part] / k, "said": f"{row[part]:.1f}",
            })  # fmt: skip
            start += row[part]
    names = [row["mapping"] for row in found]
    y = alt.Y("mapping:N", sort=names, title=None)
    base = alt.Chart(alt.InlineData(values)).encode(y=y)
    scale = alt.Scale(domain=list(legend.values()), range=list(PARTS.values()))
    x = alt.X("from:Q", title=f"mean number of the K={k} neighbors of f(x)", scale=alt.Scale(domain=[0, k], nice=False))
    bars = base.mark_bar(stroke=None).encode(
        x=x, x2="to:Q", color=alt.Color(
            "part:N", scale=scale, title=None, legend=alt.Legend(orient="top", columns=2)
        ),
    )  # fmt: skip
    room = base.transform_filter("datum.share * width >= 19")  # pixels that a number takes, in a figure of any width
    words = room.mark_text(color="#ffffff", fontSize=11.5).encode(x="middle:Q", text="said:N")
    chart = alt.layer(bars, words).properties(width=460, height={"step": 26})
    records = [{"mapping": row["mapping"], "role": row["role"]} | {part: row[part] for part in PARTS} for row in found]
    caption = (
        f"The {k} nearest neighbors of a mapped item, by where they come from, as a mean over items: neighbors of the item "
        "in both spaces (shared), only in the input (echoed), only in the target (bridged), in neither (novel). "
        f"{facts(found[0])}"
    )
    title = f"{shortened(source)} → {shortened(target)}: where mapped neighbors come from"
    return Figure(slug("parts", found[0]), title, caption, chart, records)
