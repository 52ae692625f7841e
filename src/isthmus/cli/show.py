"""`isthmus show`: what a folder of results says."""

from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus._errors import DataError
from isthmus.cli import _next, _options

Argument, Option = typer.Argument, typer.Option


def show(
    context: typer.Context,
    folder: Annotated[Path, Argument(metavar="DIR", help="Where `isthmus run` wrote.")],
    cells: Annotated[bool, Option("--cells", help="One line a training instead of one a mapping.")] = False,
    where: Annotated[list[str] | None, Option(metavar="KEY=VALUE", help="Only such lines; several times for more.")] = None,
    sort: Annotated[str | None, Option(metavar="KEY", help="Sort by a key; -KEY sorts downwards.")] = None,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """The results of an experiment, also of one that is still running.

    Examples:
        isthmus show runs/iapr --where k=10 --where metric=cosine --sort -bridge_rate
        isthmus show runs/iapr --cells --csv
    """
    from isthmus.cli import _output  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.experiments import open_results  # noqa: PLC0415

    results = open_results(folder)
    level: Any = "cells" if cells else "summary"
    records = _chosen(results.records(level), where or [], sort)
    if not results.cells:
        _output.note(f"no cell of {results.planned} is done yet")
    elif where and not records:
        _output.note(f"no line has {' and '.join(where)}")
    if len(results.cells) < results.planned:
        _output.note(f"{len(results.cells)} of {results.planned} cells are done")

    def shown() -> list[Any]:
        from isthmus.report import results_tables  # noqa: PLC0415

        return list(results_tables(records, level))

    then = None
    if results.cells and not cells:
        then = _next.again(context, cells=True) if sort is not None else _next.again(context, sort="-bridge_rate")
    _output.write(records, shown, json=json, csv=csv, then=then)


def _chosen(records: list[dict[str, Any]], where: list[str], sort: str | None) -> list[dict[str, Any]]:
    """The records that have these values, sorted; those without a value for the sort key come last."""
    keys = list(records[0]) if records else []
    by = (sort or "").removeprefix("-")
    if sort is not None and keys and by not in keys:
        raise DataError(f"sort: needed one of {', '.join(keys)}, got {by!r}. Choose one of them.")
    for condition in where:
        key, equals, value = condition.partition("=")
        if not equals or (keys and key not in keys):
            raise DataError(f"where: needed key=value with one of {', '.join(keys)}, got {condition!r}. Write k=10, say.")
        records = [record for record in records if _text(record[key]) == value.strip()]
    if sort is None:
        return records
    there = [record for record in records if record[by] is not None]
    rest = [record for record in records if record[by] is None]
    return sorted(there, key=lambda record: record[by], reverse=sort.startswith("-")) + rest


def _text(value: Any) -> str:
    """A value as a condition names it: true and false in small letters, nothing for what is not defined."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
