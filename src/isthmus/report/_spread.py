"""How much a figure hangs on the test set and the seed: a dot for each."""

from typing import Any

import numpy as np

from isthmus.report._colors import colors
from isthmus.report._figure import INK, Figure, shortened
from isthmus.report._rows import Rows, chance_rate, convention, records_of, slug

_RATES = {"echo_rate": "echo rate", "bridge_rate": "bridge rate"}


def spread_dots(parts: Rows, source: str = "X", target: str = "Y") -> Figure:
    """Echo and bridge rate on each test set and with each seed, and their mean.

    Args:
        parts: of one direction, k, metric and self convention: `audit(...).detail.parts`, or the records of a run's cells.
        source: name of the input.
        target: name of the target.

    Example:
        >>> import numpy as np
        >>> from isthmus import Pairs, audit
        >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> parts = audit(Pairs(x, y), ["ridge"], k=3, folds=2).detail.parts
        >>> [record["part"] for record in spread_dots([p for p in parts if p.direction == "x->y"]).records][-2:]
        [0, 1]
    """
    import altair as alt  # noqa: PLC0415 - heavy, and only pages and notebooks need it

    found = [row for row in records_of(parts) if row["echo_rate"] is not None]
    rest = ("n", "chance", "echo_rate", "bridge_rate", "input_overlap", "target_overlap", "baseline_overlap")
    records = [
        {"mapping": row["mapping"], "part": row["part"], "seed": row.get("run", row.get("seed"))}
        | {name: row.get("n_test") if name == "n" and "n" not in row else row[name] for name in rest}
        for row in found
    ]
    shown = [record for record in records if record["mapping"] != "identity"] or records
    names = list(dict.fromkeys(record["mapping"] for record in shown))
    tints = colors(row["mapping"] for row in found)
    paint = alt.Color("mapping:N", legend=None, scale=alt.Scale(domain=list(tints), range=list(tints.values())))
    trained, twins = (
        [record for record in shown if record["mapping"].startswith("untrained-") is which] for which in (False, True)
    )
    level = float(np.mean([chance_rate(row) for row in found]))
    panels: list[Any] = []
    for rate, said in _RATES.items():
        x = alt.X(f"{rate}:Q", title=said, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=4))
        y = alt.Y("mapping:N", sort=names, title=None)
        upright = alt.Chart(alt.InlineData([{rate: level}])).mark_rule(color=INK, strokeDash=[2, 3]).encode(x=x)
        dots, hollow, means = (alt.Chart(alt.InlineData(data)).encode(x=x, y=y) for data in (trained, twins, shown))
        layers = (
            upright, dots.mark_point(filled=True, size=46, opacity=0.7).encode(color=paint),
            hollow.mark_point(shape="triangle-up", size=36, opacity=0.8).encode(color=paint),
            means.mark_tick(thickness=2, height=16, color=INK, opacity=1).encode(x=alt.X(f"mean({rate}):Q")),
        )  # fmt: skip
        panels.append(alt.layer(*layers).properties(width=240, height={"step": 24}))
    sets = len({record["part"] for record in records})
    seeds = sum(record["mapping"] == names[-1] for record in shown)
    caption = (
        f"Echo rate (first panel) and bridge rate (second) on each of {sets} test set{'s' * (sets > 1)}, a dot for each set "
        f"and seed ({seeds} for a mapping; hollow: untrained twins); upright line: their mean; dashed: random vectors, "
        f"{level:.3f}. N={min(r['n'] for r in records)} items or more in a test set, {convention(found[0])}."
    )
    title = f"{shortened(source)} → {shortened(target)}: by test set and seed"
    return Figure(slug("spread", found[0]), title, caption, alt.hconcat(*panels, spacing=16), records)
