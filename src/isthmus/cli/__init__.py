"""The command line: one module a verb, and one edge where errors become one line and an exit code.

Exit codes: 0 done, 2 input that cannot be used (one line on standard error), 130 stopped with Ctrl-C. A traceback is a bug.
"""

import sys
from typing import Annotated

import typer

from isthmus import __version__
from isthmus._errors import IsthmusError
from isthmus.cli import audit, data, overlap

app = typer.Typer(
    name="isthmus", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=True,
    help="Does a mapping between two embedding spaces bridge them, or only echo its input?",
)  # fmt: skip
app.command()(audit.audit)
app.command()(overlap.overlap)
app.add_typer(data.app, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"isthmus {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Does a mapping between two embedding spaces bridge them, or only echo its input?"""
    del version


def main() -> None:
    """Run a verb and leave with its exit code."""
    try:
        app(standalone_mode=True)
    except IsthmusError as error:
        message = " ".join(str(error).split())
        sys.stderr.write(f"isthmus: {message}\n")
        sys.exit(2)
    except SystemExit as done:
        if done.code == 130:  # what typer makes of Ctrl-C
            sys.stderr.write("isthmus: stopped\n")
        raise


__all__ = ["app", "main"]
