"""`isthmus reproduce`: the paper's tables again."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

Argument, Option = typer.Argument, typer.Option
_FORMATS = ("table", "markdown", "latex", "csv", "json")


def reproduce(
    what: Annotated[str, Argument(metavar="TABLE", help="table1, or table3 to table11.")],
    data: Annotated[Path | None, Option(metavar="DIR", help="The authors' files; without, only what they printed.")] = None,
    out: Annotated[Path | None, Option(metavar="DIR", help="Keep finished trainings; a stopped run goes on.")] = None,
    recipe: Annotated[str, Option(help="How mappings are learned: paper or authors-code.")] = "paper",
    grid: Annotated[str | None, Option(help="paper: its whole cross-validation (slow); else fixed settings.")] = None,
    k: Annotated[int, Option("-k", "--k", help="Neighbors counted, the item itself among them.")] = 10,
    seed: Annotated[int, Option(help="The same seed gives the same numbers, byte for byte.")] = 0,
    processes: Annotated[int, Option(help="Trainings at once.")] = 1,
    form: Annotated[str, Option("--format", help="table, markdown, latex, csv or json.")] = "table",
    json: Annotated[bool, Option("--json", help="Only JSON on standard output.")] = False,
) -> None:
    """What the paper printed, what comes out here, and the difference, with self and without.

    Needs the feature files that the authors publish; runs what they allow and names those that are missing.

    Examples:
        isthmus reproduce table1
        isthmus reproduce table1 --data authors/ --out cells/
        isthmus reproduce table7 --data authors/ --recipe authors-code --format latex
    """
    from isthmus._errors import DataError  # noqa: PLC0415
    from isthmus.cli import _output  # noqa: PLC0415 - the command line starts before numpy does

    form = "json" if json else form
    if form not in _FORMATS:
        raise DataError(f"format: needed {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}, got {form!r}. Choose one of them.")
    from isthmus.experiments import reproduce as run  # noqa: PLC0415

    with _output.progress() as progress:
        result = run(
            _table(what), data, recipe=recipe, grid=grid, k=k, seed=seed, processes=processes, out=out, progress=progress,
        )  # fmt: skip
    if result.missing:
        _output.note(f"missing, so that not every row was run: {', '.join(result.missing)}")
    if form == "json":
        _output.print_json(result.records())
        return
    from isthmus.report import reproduction_tables, reproduction_text  # noqa: PLC0415

    if form != "table":
        sys.stdout.write(reproduction_text(result, form))
        return
    console = _output.console()
    for table in reproduction_tables(result):
        console.print(table)
    for remark in result.remarks:
        console.print(remark, soft_wrap=True, markup=False)


def _table(what: str) -> int:
    from isthmus._errors import DataError  # noqa: PLC0415

    match = re.fullmatch(r"table([1-9]\d?)", what)
    number = int(match[1]) if match else 0
    if number in (2, 12) or what == "figure1":
        raise DataError(f"table: needed table1 or table3 to table11, got {what}, of experiment 2, which comes later.")
    if what == "figure2":
        raise DataError(
            "table: needed table1 or table3 to table11, got figure2, whose curves are isthmus.experiments.curves."
        )
    if not 1 <= number <= 12:
        raise DataError(f"table: needed table1 or table3 to table11, got {what!r}. Choose one of them.")
    return number
