"""`isthmus reproduce`: the paper's tables again, and its figures."""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.cli import _next, _options

Argument, Option = typer.Argument, typer.Option
_CHARTS = (".html", ".svg", ".png")
_FORMATS = ("table", "markdown", "latex", "csv", "json")


def reproduce(
    context: typer.Context,
    what: Annotated[
        str,
        Argument(
            metavar="TABLE | FIGURE",
            help="table1 to table12, figure1 or figure2.",
            autocompletion=_options.one_of(_options.REPRODUCED),
        ),
    ],
    data: Annotated[Path | None, Option(metavar="DIR", help="The authors' files; without, only what they printed.")] = None,
    out: Annotated[Path | None, Option(metavar="DIR", help="Keep finished trainings; a stopped run goes on.")] = None,
    recipe: _options.Recipe = "paper",
    grid: Annotated[str | None, Option(help="paper: its whole cross-validation (slow); else fixed settings.")] = None,
    k: Annotated[int, Option("-k", "--k", help="Neighbors counted, the item itself among them.")] = 10,
    seed: Annotated[int, Option(help="The same seed gives the same numbers, byte for byte.")] = 0,
    processes: Annotated[int | None, Option(help="Trainings at once; one a core if left out.")] = None,
    hidden: Annotated[int, Option(help="Of table2 and table12: hidden units of f_nn.")] = 512,
    vectors: Annotated[str | None, Option(metavar="FILE", help="Of figure1: other vectors than the words here.")] = None,
    chart: Annotated[Path | None, Option(metavar="FILE", help="Of a figure: write it as .html, .svg or .png.")] = None,
    form: Annotated[
        str,
        Option("--format", help="table, markdown, latex, csv or json.", autocompletion=_options.one_of(_FORMATS)),
    ] = "table",
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """What the paper printed, what comes out here, and the difference, with self and without; or its figures.

    Needs the feature files that the authors publish; runs what they allow and names those that are missing.

    Examples:
        isthmus reproduce table1
        isthmus reproduce table1 --data authors/ --out cells/
        isthmus reproduce table7 --data authors/ --recipe authors-code --format latex
        isthmus reproduce table2 --data folder/
        isthmus reproduce figure1 --chart figure1.html
        isthmus reproduce figure2 --data authors/ --out cells/ --chart figure2.html
    """
    from isthmus._errors import DataError  # noqa: PLC0415

    plain = "json" if json else "csv" if csv else form
    if form not in ("table", plain):
        raise DataError(f"format: needed one of --{plain} and --format, got both, and {form}. Leave one out.")
    if out is not None and data is None:
        raise DataError("out: needed --data DIR to run anything, got none. Give the folder of the authors' files.")
    form, is_figure = plain, what in ("figure1", "figure2")
    if form not in (forms := ("table", "csv", "json") if is_figure else _FORMATS):
        raise DataError(f"format: needed {', '.join(forms[:-1])} or {forms[-1]}, got {form!r}. Choose one of them.")
    if chart is not None and not is_figure:
        raise DataError(f"chart: needed figure1 or figure2, got {what}, which has none. Leave it out.")
    if vectors is not None and what != "figure1":
        raise DataError(f"vectors: needed figure1, got {what}, which takes --data. Leave it out.")
    from isthmus.neighbors import cores  # noqa: PLC0415

    how = {"recipe": recipe, "grid": grid, "k": k, "seed": seed, "out": out}
    how["processes"] = cores() if processes is None else processes
    if what == "figure1":
        records, shown = _figure1(vectors, chart, {"k": k, "seed": seed})
    elif is_figure:
        records, shown = _figure2(data, chart, how)
    else:
        number = _number(what)
        records, shown = _table(number, data, form, {"hidden": hidden, "seed": seed} if number in (2, 12) else how)
    if form in ("markdown", "latex"):
        sys.stdout.writelines(shown())
        return
    then = None
    if is_figure and chart is None:
        then = _next.again(context, chart=f"{what}.html")
    elif not is_figure:
        then = ["data", "list"] if data is None else _next.again(context, form="latex")
    from isthmus.cli import _output  # noqa: PLC0415

    _output.write(records, shown, json=form == "json", csv=form == "csv", then=then)


_Found = tuple[list[dict[str, Any]], Callable[[], Iterable[Any]]]


def _table(table: int, data: Path | None, form: str, how: dict[str, Any]) -> _Found:
    from isthmus import experiments  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.cli import _output  # noqa: PLC0415

    of_similarities = table in experiments.SIMILARITY_TABLES
    run: Any = experiments.reproduce_similarities if of_similarities else experiments.reproduce
    with _output.progress() as progress:
        result = run(table, data, **how, progress=progress)
    _note_missing(result.missing)

    def shown() -> Iterable[Any]:
        from isthmus import report  # noqa: PLC0415

        if form == "table":
            yield from (report.similarity_tables if of_similarities else report.reproduction_tables)(result)
            yield from result.remarks
        else:
            yield (report.similarity_text if of_similarities else report.reproduction_text)(result, form)

    return result.records(), shown


def _figure1(vectors: str | None, chart: Path | None, how: dict[str, Any]) -> _Found:
    from isthmus.cli import _output, _sources  # noqa: PLC0415

    if chart is not None:
        _output.check_writable(chart, "chart", _CHARTS)
    if vectors is not None:
        how = how | {"vectors": _sources.vectors(vectors).values, "name": vectors}
    from isthmus.experiments import figure1  # noqa: PLC0415

    with _output.progress() as progress:
        result = figure1(**how, progress=progress)
    from isthmus.report import untrained_chart, untrained_table  # noqa: PLC0415

    if chart is not None:
        _save(untrained_chart(result), chart)
    return result.records(), lambda: [untrained_table(result)]


def _save(figure: Any, path: Path) -> None:
    from isthmus.cli import _output  # noqa: PLC0415
    from isthmus.pairs import whole  # noqa: PLC0415

    form = path.suffix.lower().removeprefix(".")
    with whole(path) as part:
        figure.save(str(part), format=form, **({"inline": True} if form == "html" else {}))  # a page that needs no network
    _output.note(f"chart: {path}")


def _figure2(data: Path | None, chart: Path | None, how: dict[str, Any]) -> _Found:
    from isthmus._errors import DataError  # noqa: PLC0415
    from isthmus.cli import _output  # noqa: PLC0415

    if data is None:
        raise DataError(
            "data: needed the folder of the authors' files, as figure 2 prints no numbers, got none. Give --data DIR "
            "with training_data/wiki/{TR,TS}_{vis_resnet,lang_biGRU}.csv or another set (docs/reproduce.md)."
        )
    if chart is not None:
        _output.check_writable(chart, "chart", _CHARTS)
    from isthmus.experiments import figure2  # noqa: PLC0415

    with _output.progress() as progress:
        result = figure2(data, **how, progress=progress)
    _note_missing(result.missing)
    from isthmus.report import learning_charts, learning_table  # noqa: PLC0415

    if chart is not None and result.curves:
        _save(learning_charts(result.curves), chart)
    return result.records(), lambda: [*([learning_table(result.curves)] if result.curves else []), *result.remarks]


def _note_missing(files: Sequence[str]) -> None:
    from isthmus.cli import _output  # noqa: PLC0415

    if files:
        _output.note(f"missing, so that not everything was run: {', '.join(files)}")


def _number(what: str) -> int:
    from isthmus._errors import DataError  # noqa: PLC0415

    match = re.fullmatch(r"table([1-9]\d?)", what)
    number = int(match[1]) if match else 0
    if not 1 <= number <= 12:
        raise DataError(f"table: needed table1 to table12, figure1 or figure2, got {what!r}. Choose one of them.")
    return number
