"""The records of an experiment as one table."""

from collections.abc import Callable
from typing import Any

from rich.table import Table
from rich.text import Text

from isthmus.experiments import Level

_Record = dict[str, Any]


def results_tables(records: list[_Record], level: Level = "summary") -> list[Table]:
    """A table a direction, a line a record: overlaps with their spread, rates, index, tests and verdict; of cells, training.

    What is the same in all lines stands in the title.

    Example:
        >>> record = {"direction": "x->y", "mapping": "nn", "k": 10, "input_overlap": 0.5, "target_overlap": None}
        >>> print(results_tables([record])[0].title)
        x->y, K=10
    """
    directions = dict.fromkeys(record["direction"] for record in records)
    return [_table([record for record in records if record["direction"] == each], level) for each in directions]


def _table(records: list[_Record], level: Level) -> Table:
    shared = {
        name: form for name, form in _WHICH.items() if len({record.get(name) for record in records}) == 1
    }  # fmt: skip
    named = ", ".join(filter(None, (form(records[0]) for form in shared.values())))
    table = Table(title=Text(named), caption=_CAPTIONS[level], caption_justify="left")
    columns = {name: form for name, form in _WHICH.items() if name not in shared} | _COLUMNS[level]
    table.add_column("mapping", overflow="fold", min_width=max(len(record["mapping"]) for record in records))
    for name in columns:
        table.add_column(name.replace("_", " "), justify="right", overflow="fold")
    table.add_column("verdict", overflow="fold")
    for record in records:
        line = [record["mapping"], *(form(record) for form in columns.values()), _verdict(record, level)]
        table.add_row(*map(Text, line), style="dim" if record.get("role") == "control" else None)
    return table


def _number(name: str, form: str = ".3f", spread: str = "") -> Callable[[_Record], str]:
    def text(record: _Record) -> str:
        value, around = record.get(name), record.get(spread)
        return ("" if value is None else format(value, form)) + ("" if around is None else f"\n±{around:.3f}")

    return text


def _index(record: _Record) -> str:
    low, high = (_number(f"bridge_index_{end}", "+.3f")(record) for end in ("low", "high"))
    return _number("bridge_index", "+.3f")(record) + (f"\n[{low}, {high}]" if low else "")


def _verdict(record: _Record, level: Level) -> str:
    diverged, verdict = record.get("diverged"), record.get("verdict") or ""
    if record.get("role") == "control":
        return "(control)"
    if not diverged:
        return verdict
    return f"{verdict} ({diverged} diverged)" if verdict and level == "summary" else "diverged"


def _convention(record: _Record) -> str:
    return {True: "self included", False: "self excluded", None: ""}[record.get("include_self")]


_WHICH: dict[str, Callable[[_Record], str]] = {
    "direction": lambda record: record["direction"],
    "loss": lambda record: record.get("loss") or "",
    "k": lambda record: f"K={record['k']}",
    "metric": lambda record: record.get("metric") or "",
    "include_self": _convention,
}

_MEASURED: dict[str, Callable[[_Record], str]] = {
    "input\noverlap": _number("input_overlap", spread="input_sd"),
    "target\noverlap": _number("target_overlap", spread="target_sd"),
    "echo\nrate": _number("echo_rate"),
    "bridge\nrate": _number("bridge_rate"),
    "bridge index\n(95 % interval)": _index,
}

_COLUMNS: dict[Level, dict[str, Callable[[_Record], str]]] = {
    "cells": {"part": _number("part", "d"), "seed": _number("seed", "d"), **_MEASURED, "epochs": _number("epochs", "d"),
              "train\nloss": _number("train_loss", ".4g")},
    "summary": {"cells": _number("cells", "d"), **_MEASURED, "p rank\nsum": _number("rank_sum_p_bonferroni", ".2g"),
                "p\npaired": _number("paired_p_holm", ".2g")},
}  # fmt: skip

_CAPTIONS: dict[Level, str] = {
    "cells": "part: number of the fold; epochs and loss of the training",
    "summary": "±: standard deviation over cells; p: input against target overlap, rank sum over cells (Bonferroni) and "
    "paired over items (Holm)",
}
