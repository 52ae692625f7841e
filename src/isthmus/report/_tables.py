"""What a reader sees on a terminal: the numbers with what is needed to judge them, and the answer in a sentence."""

import math
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from isthmus.experiments import Audit, AuditRow
from isthmus.measures import ApproximateOverlap, Bridge, Kept, MeasureResult, OverlapResult
from isthmus.report._answers import answers


def audit_tables(audit: Audit) -> list[Table]:
    """One table for each direction, metric and k of an audit; after it, where there are several mappings, their ranking."""
    tables = []
    for (direction, metric, k), group in groupby(audit.ranked(), key=lambda row: (row.direction, row.metric, row.k)):
        rows = list(group)
        first = rows[0]
        source, target = ends(audit, direction)
        title = f"{source} -> {target}" if " ~ " in audit.pairs else f"{audit.pairs}: {source} -> {target}"
        table = Table(
            title=Text(title),
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
        mappings = [row for row in rows if row.role == "mapping"]
        if len(mappings) > 1:
            tables.append(_ranking(audit, f"{title}, K={k}, {metric}", mappings))
    return tables


def _ranking(audit: Audit, title: str, rows: list[AuditRow]) -> Table:
    """Mappings by target overlap, with what is known of their differences from the paper's two."""
    table = Table(title=Text(title), caption=audit.reading, caption_justify="left")
    table.add_column("rank", justify="right")
    table.add_column("mapping", overflow="fold")
    _columns(table, ["target overlap", "95 % interval", *(f"p against {name}" for name in audit.compared_with)], right=True)
    for rank, row in enumerate(rows, 1):
        against = [getattr(row, f"p_against_{name}") for name in audit.compared_with]
        low, high = row.target_overlap_low, row.target_overlap_high
        table.add_row(*map(Text, (
            str(rank), row.mapping, f"{row.target_overlap:.3f}", _between(low, high, ".3f"),
            *("" if p is None else f"{p:.2g}" for p in against),
        )))  # fmt: skip
    return table


_FEW = "half of a test set has fewer than 2K items"


def ends(audit: Audit, direction: str) -> tuple[str, str]:
    """The names of the input and the target of a direction."""
    ends = (audit.x_space, audit.y_space)
    return ends if direction == "x->y" else ends[::-1]


def _cells(row: AuditRow) -> list[str]:
    return [
        row.mapping,
        *(_number(value, ".3f") for value in (row.input_overlap, row.target_overlap, row.echo_rate, row.bridge_rate)),
        f"{_number(row.bridge_index, '+.3f')} {_between(row.bridge_index_low, row.bridge_index_high, '+.3f')}".strip(),
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
        >>> print(audit_answer(audit(Pairs(x, y), ["ridge"], k=3, folds=2)).splitlines()[0][:45])
        x -> y: the mapping that bridges most, ridge,
    """
    return "\n".join(
        f"{each.source} -> {each.target}: {each.subject} {each.finding}.{each.why and ' '}{each.why}"
        for each in answers(audit)
    )


def overlap_table(results: list[tuple[str, str, OverlapResult]], records: list[dict[str, Any]]) -> Table:
    """One line for each pair of sets, metric and k."""
    sampled = any(result.sample is not None for _, _, result in results)
    table = Table(title="mean nearest neighbor overlap (mNNO)", caption=_interval_caption(records), caption_justify="left")
    _columns(table, ["sets", "N", *(["sampled"] if sampled else []), "K", "metric", "self"])
    _columns(table, ["mNNO", "95 % interval", "chance", "adjusted", "p"], right=True)
    for (a, b, result), record in zip(results, records, strict=True):
        table.add_row(
            _names(a, b), str(result.n), *([str(result.sample or "all")] if sampled else []), str(result.k), result.a.metric,
            "in" if result.a.includes_self else "out", f"{result.mnno:.4f}", _interval(record), f"{result.chance:.4f}",
            _number(result.adjusted), f"{record['p_value']:.2g}",
        )  # fmt: skip
    return table


def limits_table(found: list[Kept], result: OverlapResult | Bridge, *, sure: bool) -> Table:
    """One line a limit, and whether it is kept."""
    judged = "the whole 95 % interval" if sure else "the estimate"
    space = result.a if isinstance(result, OverlapResult) else result.spaces[0].x
    caption = (
        f"{result.n} items, K={result.k}, {space.metric}, self {'included' if space.includes_self else 'excluded'}; "
        f"{judged} has to keep a limit"
    )
    table = Table(title="limits", caption=caption, caption_justify="left")
    _columns(table, ["quantity", "limit"])
    _columns(table, ["value", "95 % interval"], right=True)
    _columns(table, ["kept"])
    for each in found:
        table.add_row(
            each.quantity.replace("_", " "), f"{'at least' if each.bound == 'min' else 'at most'} {each.limit:g}",
            f"{each.value:.4f}", _between(each.low, each.high), "yes" if each.kept else "NO",
        )  # fmt: skip
    return table


def approximate_table(results: list[tuple[str, str, ApproximateOverlap]]) -> Table:
    """One line for each pair of sets, metric and k, from approximate neighbors; these never stand among exact ones."""
    samples = ", ".join(dict.fromkeys(str(result.sample) for _, _, result in results))
    table = Table(
        title=f"mean nearest neighbor overlap (mNNO), approximate neighbors ({results[0][2].method}), self excluded",
        caption=f"recall and bias on {samples} items searched exactly; corrected = mNNO - bias, with a 95 % interval",
        caption_justify="left",
    )
    _columns(table, ["sets", "N", "K", "metric"])
    _columns(table, ["mNNO", "recall a", "recall b", "bias", "corrected", "95 % interval", "chance"], right=True)
    for a, b, result in results:
        table.add_row(
            _names(a, b), str(result.n), str(result.k), result.metric, f"{result.mnno:.4f}", f"{result.recall_a:.3f}",
            f"{result.recall_b:.3f}", f"{result.bias:+.4f}", f"{result.corrected.estimate:.4f}",
            _interval({"ci_low": result.corrected.low, "ci_high": result.corrected.high}), f"{result.chance:.4f}",
        )  # fmt: skip
    return table


def hub_table(records: list[dict[str, Any]]) -> Table:
    """How unevenly items occur in the neighbor lists of each space."""
    table = Table(
        title="hubs",
        caption="k-occurrence: how many neighbor lists an item stands in; antihubs stand in none",
        caption_justify="left",
    )
    _columns(table, ["set", "N", "K", "metric"])
    _columns(table, ["skewness of the k-occurrence", "antihubs", "largest k-occurrence"], right=True)
    seen = set()
    for record in records:
        for space in ("a", "b"):
            line = (
                Path(record[space]).name, str(record["n"]), str(record["k"]), record["metric"],
                f"{record[f'skewness_{space}']:.2f}", f"{record[f'antihubs_{space}']:.1%}", str(record[f"largest_{space}"]),
            )  # fmt: skip
            if line not in seen:  # a set may be paired with several others, with all of its items or with some
                seen.add(line)
                table.add_row(Text(line[0]), *line[1:])
    return table


def _columns(table: Table, names: list[str], *, right: bool = False) -> None:
    for name in names:
        table.add_column(name, justify="right" if right or name in ("N", "K", "sampled") else "left", overflow="fold")


def _names(a: str, b: str) -> Text:
    return Text(f"{Path(a).name} ~ {Path(b).name}")


def _interval(record: dict[str, Any]) -> str:
    return _between(record["ci_low"], record["ci_high"])


def _interval_caption(records: list[dict[str, Any]]) -> str:
    return "interval about " + "; ".join(dict.fromkeys(str(record["ci_population"]) for record in records))


def measure_table(results: list[tuple[str, str, MeasureResult]]) -> Table:
    """Kindred measures of pairs of sets, each with its chance level.

    Example:
        >>> import numpy as np
        >>> from isthmus.measures import measure
        >>> x = np.random.default_rng(0).normal(size=(30, 3))
        >>> measure_table([("a", "b", measure(x, x, "cka"))]).row_count
        1
    """
    first = results[0][2]
    table = Table(caption=f"{first.n} items; chance: mean over random pairings; intervals 95 %", caption_justify="left")
    for name in ("sets", "measure"):
        table.add_column(name, overflow="fold")
    for name in ("value", "interval", "chance", "p", "calibrated"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("does not see", overflow="fold")
    for a, b, result in results:
        interval = result.interval
        table.add_row(*map(Text, (
            f"{a} ~ {b}", result.name + ("" if result.k is None else f" K={result.k}"), _number(result.value),
            "" if interval is None else _between(interval.low, interval.high),
            _number(result.chance), _number(result.p_value), _number(result.calibrated),
            result.note or ", ".join(sorted(result.invariances)),
        )))  # fmt: skip
    return table


def _number(value: float, form: str = ".4f") -> str:
    """What is not defined stays empty."""
    return "" if math.isnan(value) else format(value, form)


def _between(low: float, high: float, form: str = ".4f") -> str:
    return "" if math.isnan(low) else f"[{low:{form}}, {high:{form}}]"
