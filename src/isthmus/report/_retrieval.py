"""Retrieval on a terminal: a line a measure."""

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

_NAMES = {"map": "mAP", "mrr": "MRR", "foscttm": "FOSCTTM (lower is better)"}


def retrieval_table(records: list[dict[str, Any]]) -> Table:
    """One line for each set of queries, metric and measure.

    Args:
        records: of `isthmus.measures.Retrieval.records`.
    """
    left_out = {(each["queries"], each["unanswerable"]) for each in records if each["unanswerable"]}
    notes = [
        f"{Path(name).name}: {count} queries left out, for which nothing is relevant" for name, count in sorted(left_out)
    ]
    table = Table(
        title="retrieval",
        caption="; ".join(["interval over queries like these, among these candidates", *notes]),
        caption_justify="left",
    )
    for name in ("queries", "candidates", "relevant", "metric", "measure"):
        table.add_column(name, overflow="fold")
    for name in ("value", "95 % interval", "chance"):
        table.add_column(name, justify="right", overflow="fold")
    for each in records:
        same = "same, self in" if each["include_self"] else "same, self out"
        table.add_row(
            Text(f"{Path(each['queries']).name} ({each['n']})"),
            Text(same if each["queries"] == each["items"] else Path(each["items"]).name),
            each["relevant"], each["metric"], _NAMES.get(each["measure"], each["measure"].capitalize()),
            f"{each['value']:.4f}", f"[{each['ci_low']:.4f}, {each['ci_high']:.4f}]", f"{each['chance']:.4f}",
        )  # fmt: skip
    return table
