"""Hubs: a few items that crowd into most neighbor lists, of the input, the target and the mapped input."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from isthmus.experiments import HubRow
from isthmus.report._colors import colors
from isthmus.report._figure import INK, Figure, shortened
from isthmus.report._rows import convention, slug


def hub_curves(hubs: Sequence[HubRow], source: str = "X", target: str = "Y") -> Figure:
    """How many items stand in many neighbor lists: X, Y and f(X) of each mapping, with the skewness of that number.

    Args:
        hubs: of one direction, k, metric and self convention: `audit(...).detail.hubs`; controls are left out.
        source: name of the input.
        target: name of the target.

    Example:
        >>> from isthmus import Pairs, audit
        >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> hubs = audit(Pairs(x, y), ["ridge"], k=3, folds=2).detail.hubs
        >>> list(dict.fromkeys(r["space"] for r in hub_curves([h for h in hubs if h.direction == "x->y"]).records))
        ['X', 'Y', 'ridge']
    """
    import altair as alt  # noqa: PLC0415 - heavy, and only pages and notebooks need it

    shown = [row for row in hubs if row.space != "identity" and not row.space.startswith("untrained-")]
    names = [_name(row.space) for row in shown]
    tints = {"X": INK, "Y": INK} | {_name(name): tint for name, tint in colors(
        row.space for row in shown if row.space not in ("X", "Y")
    ).items()}  # fmt: skip
    records, lines, bars = [], [], list[dict[str, Any]]()
    for row, name in zip(shown, names, strict=True):
        share = np.cumsum(row.counts[::-1])[::-1] / sum(row.counts)
        records += [
            {"space": row.space, "lists": lists, "items": items, "skewness": _known(row.skewness)}
            for lists, items in enumerate(row.counts) if items
        ]  # fmt: skip
        lines += [{"space": name, "lists": lists, "share": float(share[lists])} for lists in range(1, len(share))]
        bars.append({"space": name, "skewness": row.skewness, "said": f"{row.skewness:.1f}"})
    paint = alt.Color("space:N", legend=None, scale=alt.Scale(domain=list(tints), range=list(tints.values())))
    dash = alt.StrokeDash(
        "space:N", legend=None,
        scale=alt.Scale(domain=list(tints), range=[[1, 0] if name != "Y" else [5, 3] for name in tints]),
    )  # fmt: skip
    log = alt.Scale(type="log", nice=False)
    ticks = alt.Axis(values=[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], grid=False)
    shares = alt.Axis(format="~%", values=[1, 0.1, 0.01, 0.001, 0.0001])
    x = alt.X("lists:Q", title="neighbor lists that an item stands in", scale=log, axis=ticks)
    y = alt.Y("share:Q", title="share of items in at least as many", scale=log, axis=shares)
    left = alt.Chart(alt.InlineData(lines)).mark_line(strokeWidth=1.8).encode(x=x, y=y, color=paint, strokeDash=dash)
    known = [bar for bar in bars if not math.isnan(bar["skewness"])]  # where all items occur equally often, it has none
    base = alt.Chart(alt.InlineData(known)).encode(
        y=alt.Y("space:N", sort=names, title=None),
        x=alt.X("skewness:Q", title="skewness", axis=alt.Axis(tickCount=4)),
    )
    right = alt.layer(
        base.mark_bar(height=12).encode(color=paint), base.mark_text(align="left", dx=5, fontSize=11).encode(text="said:N")
    )
    chart = alt.hconcat(left.properties(width=280, height=240), right.properties(width=190, height={"step": 24}), spacing=30)
    first = shown[0]
    which = {"direction": first.direction, "metric": first.metric, "k": first.k, "include_self": first.include_self}
    caption = (
        f"First panel: the share of items that stand in at least so many of the others' neighbor lists; K on average. "
        "The further right a line reaches, the stronger its hubs: items that are near to everything. Dashed: Y. Second: the "
        f"skewness of that number, near 0 without hubs. N={sum(first.counts)} items, counted within their test sets, "
        f"{convention(which)}."
    )
    return Figure(slug("hubs", which), f"{shortened(source)} → {shortened(target)}: hubs", caption, chart, records)


def _name(space: str) -> str:
    return space if space in ("X", "Y") else f"f(X): {space}"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
