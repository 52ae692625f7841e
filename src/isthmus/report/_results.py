"""The records of an experiment as one table."""

from typing import Any

from rich.table import Table
from rich.text import Text

from isthmus.experiments import Level

_CONVENTION = {True: "in", False: "out"}


def results_table(records: list[dict[str, Any]], level: Level = "summary") -> Table:
    """One line a record: overlaps with their spread over cells, rates, index, tests and verdict; for cells, its training.

    Example:
        >>> record = {"direction": "x->y", "mapping": "nn", "input_overlap": 0.5, "target_overlap": None}
        >>> results_table([record]).row_count
        1
    """
    table = Table(
        caption="self: whether an item is its own neighbor; p: rank sum over cells (Bonferroni), paired over items (Holm)",
        caption_justify="left",
    )
    for name in ("direction", "mapping", "loss"):
        table.add_column(name, overflow="fold")
    for name in ("K", "metric", "self", *(("part", "seed") if level == "cells" else ("cells",))):
        table.add_column(name, justify="right", overflow="fold")
    for name in ("input\noverlap", "target\noverlap", "echo\nrate", "bridge\nrate", "bridge index\n(95 % interval)"):
        table.add_column(name, justify="right", overflow="fold")
    for name in ("epochs", "train loss") if level == "cells" else ("p rank\nsum", "p\npaired"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("verdict", overflow="fold")
    for record in records:
        table.add_row(*map(Text, _line(record, level)), style="dim" if record.get("role") == "control" else None)
    return table


def _line(record: dict[str, Any], level: Level) -> list[str]:
    get = record.get
    spread = {name: f" ±{get(f'{name}_sd'):.3f}" if get(f"{name}_sd") is not None else "" for name in ("input", "target")}
    index = _number(get("bridge_index"), "+.3f")
    if get("bridge_index_low") is not None:
        index += f" [{get('bridge_index_low'):+.3f}, {get('bridge_index_high'):+.3f}]"
    diverged = get("diverged")
    verdict = "(control)" if get("role") == "control" else get("verdict") or ""
    if diverged:
        verdict = "diverged" if level == "cells" or not get("verdict") else f"{verdict} ({diverged} diverged)"
    return [
        str(get("direction")), str(get("mapping")), get("loss") or "", str(get("k")), str(get("metric")),
        _CONVENTION[bool(get("include_self"))],
        *([str(get("part")), str(get("seed"))] if level == "cells" else [str(get("cells"))]),
        _number(get("input_overlap")) + spread["input"], _number(get("target_overlap")) + spread["target"],
        _number(get("echo_rate")), _number(get("bridge_rate")), index,
        *(
            [_number(get("epochs"), "d"), _number(get("train_loss"), ".4g")] if level == "cells"
            else [_number(get("rank_sum_p_bonferroni"), ".2g"), _number(get("paired_p_holm"), ".2g")]
        ),
        verdict,
    ]  # fmt: skip


def _number(value: float | None, form: str = ".3f") -> str:
    return "" if value is None else format(value, form)
