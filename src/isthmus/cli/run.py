"""`isthmus run`: an experiment, and where it was stopped, its rest."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus._errors import DataError
from isthmus.cli import _options

Argument, Option = typer.Argument, typer.Option


def run(
    spec: Annotated[
        str | None,
        Argument(
            metavar="SPEC.toml | NAME",
            help="A spec, or one in the package.",
            autocompletion=_options.sets_or_files(_options.SPECS),
        ),
    ] = None,
    out: Annotated[Path | None, Option(metavar="DIR", help="Where results go; runs/NAME if left out.")] = None,
    data: Annotated[
        Path | None,
        Option(metavar="DIR", help="The folder that data files are named relative to; that of the spec, if left out."),
    ] = None,
    processes: Annotated[int | None, Option(help="Cells done at once; one a core if left out.")] = None,
    list_specs: Annotated[bool, Option("--list", help="Show the specs in the package.")] = False,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """Run an experiment: many mappings, learned and measured on held-out items.

    What the folder holds already is not done again: stop it with Ctrl-C, and the same command goes on where it stopped.

    Examples:
        isthmus run imagenet-words
        isthmus run spec.toml --out results --processes 2
        isthmus run iapr --data DIR
    """
    from isthmus.cli import _output  # noqa: PLC0415 - the command line starts before numpy does

    if list_specs:
        _list(json=json, csv=csv)
        return
    if spec is None:
        raise DataError("spec: needed a TOML file or a name, got none. `isthmus run --list` shows the names.")
    import os  # noqa: PLC0415
    import warnings  # noqa: PLC0415

    from isthmus.experiments import read_spec  # noqa: PLC0415
    from isthmus.experiments import run as run_spec  # noqa: PLC0415
    from isthmus.neighbors import cores  # noqa: PLC0415

    # The process that tidies up after others outlives a stop, and would complain of what the stop left to it.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
    what = read_spec(spec, data)
    folder = out or Path("runs", what.name)
    with warnings.catch_warnings(record=True) as caught, _output.progress() as progress:
        warnings.simplefilter("always")
        results = run_spec(what, folder, processes=cores() if processes is None else processes, progress=progress)
    for warning in caught:
        _output.note(f"isthmus: warning: {warning.message}")
    records = results.records()

    def shown() -> Iterable[Any]:
        from isthmus.report import results_tables  # noqa: PLC0415

        yield from results_tables([
            each for each in records if all(each[name] == records[0][name] for name in ("k", "metric", "include_self"))
        ])  # fmt: skip
        _output.note(f"{len(results.cells)} cells in {folder}; `isthmus show {folder}` shows all {len(records)} lines")

    _output.write(records, shown, json=json, csv=csv, then=["show", str(folder), "--sort", "-bridge_rate"])


def _list(*, json: bool, csv: bool) -> None:
    from isthmus.cli import _output  # noqa: PLC0415
    from isthmus.experiments import ready_specs  # noqa: PLC0415

    records = ready_specs()

    def shown() -> list[Any]:
        from rich.table import Table  # noqa: PLC0415

        table = Table(title="experiments in the package")
        for column in ("name", "what", "needs"):
            table.add_column(column, overflow="fold")
        for record in records:
            table.add_row(record["name"], record["what"], record["needs"] or "nothing")
        return [table]

    _output.write(records, shown, json=json, csv=csv, then=["run", "imagenet-words"])
