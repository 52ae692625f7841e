"""`isthmus report`: the results of an experiment as one page."""

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli import _options

Argument, Option = typer.Argument, typer.Option


def report(
    folder: Annotated[Path, Argument(metavar="DIR", help="What `isthmus run` wrote.")],
    out: Annotated[
        Path | None, Option(metavar="FILE.html", help="Where the page goes; DIR/report.html if left out.")
    ] = None,
    images: Annotated[
        Path | None, Option(metavar="FOLDER", help="Pictures named by the items' ids, for thumbnails.")
    ] = None,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """One HTML file of an experiment, also of one that is still running: verdict, figures, every item, all numbers.

    The file opens offline, on any screen and in print, and asks nothing of any network.

    Examples:
        isthmus report runs/imagenet-words
        isthmus report runs/imagenet-words --out words.html
        isthmus report runs/emoji --images pictures
    """
    from isthmus.cli import _output  # noqa: PLC0415 - the command line starts before numpy does

    path = folder / "report.html" if out is None else out
    if folder.is_dir():
        _output.check_writable(path, "out")
    from isthmus.report import write_run_page  # noqa: PLC0415

    results = write_run_page(folder, path, images=images)
    record = {
        "file": str(path), "bytes": path.stat().st_size, "cells": len(results.cells), "planned": results.planned,
    }  # fmt: skip
    said = f"{record['cells']} of {record['planned']} cells, {record['bytes']:,} bytes"
    _output.note(f"wrote {path}")
    _output.write([record], lambda: [said], json=json, csv=csv, then=["show", str(folder)])
