"""What a reader sees on a terminal: the numbers with what is needed to judge them, and the answer in a sentence."""

import math
from itertools import groupby
from pathlib import Path

from rich.table import Table
from rich.text import Text

from isthmus.experiments import Audit, AuditRow
from isthmus.measures import OverlapResult


def audit_tables(audit: Audit) -> list[Table]:
    """One table for each direction, metric and k of an audit."""
    tables = []
    for (direction, metric, k), group in groupby(audit.rows, key=lambda row: (row.direction, row.metric, row.k)):
        rows = list(group)
        first = rows[0]
        source, target = ends(audit, direction)
        table = Table(
            title=Text(f"{source} -> {target}" if " ~ " in audit.pairs else f"{audit.pairs}: {source} -> {target}"),
            caption=(
                f"{first.n_test} test items, neighbors among {first.n_neighborhood}, K={k}, {metric}, self "
                f"{'included' if first.include_self else 'excluded'}; baseline overlap of the two spaces "
                f"{first.baseline_overlap:.3f}, chance {first.chance:.3f}"
                + (
                    ""
                    if first.n_neighborhood // 2 >= 2 * k
                    else f"; no intervals, since {_FEW}: use a smaller K or fewer folds"
                )
            ),
            caption_justify="left",
        )
        table.add_column("mapping", overflow="fold")
        for name in ("input\noverlap", "target\noverlap", "echo\nrate", "bridge\nrate"):
            table.add_column(name, justify="right", overflow="fold")
        table.add_column("bridge index\n(95 % interval)", justify="right", overflow="fold")
        table.add_column("R2", justify="right", overflow="fold")
        table.add_column("verdict", overflow="fold")
        for row in rows:
            table.add_row(*map(Text, _cells(row)), style="dim" if row.role == "control" else None)
        tables.append(table)
    return tables


_FEW = "half of a test set has fewer than 2K items"


def ends(audit: Audit, direction: str) -> tuple[str, str]:
    """The names of the input and the target of a direction."""
    ends = (audit.x_space, audit.y_space)
    return ends if direction == "x->y" else ends[::-1]


def _cells(row: AuditRow) -> list[str]:
    return [
        row.mapping,
        *(f"{value:.3f}" for value in (row.input_overlap, row.target_overlap, row.echo_rate, row.bridge_rate)),
        f"{row.bridge_index:+.3f} [{row.bridge_index_low:+.3f}, {row.bridge_index_high:+.3f}]",
        "" if row.r2 is None or row.role == "control" else f"{row.r2:.3f}",
        row.verdict if row.role == "mapping" else "(control)",
    ]


def audit_answer(audit: Audit) -> str:
    """The answer in one sentence a direction: the mapping with the highest bridge rate, and its verdict.

    At the first k and metric, where there are several.

    Example:
        >>> import numpy as np
        >>> from isthmus import Pairs, audit
        >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> print(audit_answer(audit(Pairs(x, y), ["ridge"], k=3, folds=2)).splitlines()[0][:32])
        x -> y: the best mapping, ridge,
    """
    sentences = []
    for direction in dict.fromkeys(row.direction for row in audit.rows):
        best = audit.best(direction)
        source, target = ends(audit, direction)
        if math.isnan(best.bridge_rate):
            sentences.append(f"{source} -> {target}: both have the same neighbors, so there is nothing to bridge.")
            continue
        name = "the given mapping" if best.mapping == "given" else f"the best mapping, {best.mapping},"
        twin = best.bridge_rate - (best.gain or 0.0)
        sentences.append(
            f"{source} -> {target}: {name} {_PHRASES[best.verdict]}. It keeps {best.echo_rate:.0%} of the neighbors that "
            f"only its input has and recovers {best.bridge_rate:.0%} of those that only the target has "
            f"(its untrained twin: {twin:.0%})."
        )
    return "\n".join(sentences)


_PHRASES = {
    "carries the target": "carries the target",
    "echoes the input": "echoes the input",
    "no better than untrained": "is no better than untrained",
    "undecided": "leaves it undecided whether it carries the target or echoes the input",
}


def overlap_table(results: list[tuple[str, str, OverlapResult]], records: list[dict[str, object]]) -> Table:
    """One line for each pair of sets, metric and k."""
    table = Table(title="mean nearest neighbor overlap (mNNO)")
    for name, justify in (("sets", "left"), ("N", "right"), ("K", "right"), ("metric", "left"), ("self", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for name in ("mNNO", "95 % interval", "chance", "adjusted", "p"):
        table.add_column(name, justify="right", overflow="fold")
    for (a, b, result), record in zip(results, records, strict=True):
        interval = f"[{record['ci_low']:.4f}, {record['ci_high']:.4f}]"
        table.add_row(
            Text(f"{Path(a).name} ~ {Path(b).name}"), str(result.n), str(result.k), result.a.metric,
            "in" if result.a.includes_self else "out", f"{result.mnno:.4f}", interval, f"{result.chance:.4f}",
            f"{result.adjusted:.4f}", f"{record['p_value']:.2g}",
        )  # fmt: skip
    return table
