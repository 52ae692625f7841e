"""The command line: one module a verb, and one edge where errors become one line and an exit code.

Exit codes: 0 done, 1 a limit not kept (`check`), 2 input that cannot be used (one line on standard error), 130 stopped with
Ctrl-C. A traceback is a bug.
"""

import contextlib
import inspect
import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from isthmus import __version__
from isthmus._errors import IsthmusError
from isthmus.cli import (
    audit,
    check,
    concepts,
    data,
    features,
    fit,
    measure,
    overlap,
    report,
    reproduce,
    retrieval,
    run,
    show,
)

app = typer.Typer(
    name="isthmus", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=True,
    help="Does a mapping between two embedding spaces bridge them, or only echo its input?",
)  # fmt: skip


def _verb(function: Callable[..., None], to: typer.Typer = app) -> None:
    """Add a verb; its examples keep their lines, which click would fill up."""
    to.command(help=(inspect.getdoc(function) or "").replace("Examples:", "\b\nExamples:"))(function)


_verb(audit.audit)
_verb(check.check)
_verb(fit.fit)
_verb(fit.apply)
_verb(overlap.overlap)
_verb(measure.measure)
_verb(retrieval.retrieval)
_verb(concepts.concepts)
_verb(run.run)
_verb(show.show)
_verb(report.report)
_verb(reproduce.reproduce)
_verb(data.show, data.app)
_verb(data.fetch, data.app)
_verb(data.convert, data.app)
app.add_typer(data.app, name="data")
_verb(features.text, features.app)
_verb(features.image, features.app)
app.add_typer(features.app, name="features")


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


_UsageError: Any = typer.BadParameter.__base__  # of click, which typer may carry under a name of its own


def _complain(line: str) -> None:
    with contextlib.suppress(OSError, AttributeError):  # standard error may be closed too
        sys.stderr.write(line)
        sys.stderr.flush()


def _stop(*_: object) -> None:
    """Ctrl-C: one line, and out at once.

    An exception could be swallowed by a callback of a library, and the interpreter's own end may crash in threads of one
    that still compute; results are written under another name and renamed, so there is nothing to tidy.
    """
    _complain("isthmus: stopped\n")
    os._exit(130)


def main() -> None:
    """Run a verb and leave with its exit code."""
    signal.signal(signal.SIGINT, _stop)
    if sys.stdout is None:
        _complain("isthmus: output: needed an open standard output, got a closed one. Redirect it to a file.\n")
        os._exit(2)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError):  # a terminal that knows fewer characters shows others as ?
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = app(prog_name="isthmus", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            where = error.ctx.command_path if error.ctx else "isthmus"
            message = " ".join(error.format_message().split()).rstrip(".")
            _complain(f"isthmus: {message}. See `{where} --help`.\n")
        sys.exit(2)
    except IsthmusError as error:
        message = " ".join(str(error).split())
        sys.stderr.write(f"isthmus: {message}\n")
        sys.exit(2)
    except MemoryError as error:
        _complain(f"isthmus: memory: needed more than there is, got {error}. Use a smaller k, --sample or --memory.\n")
        os._exit(2)
    except OSError as error:
        # A reader that has gone (a closed pipe) is typer's; what is left cannot be read or written.
        _complain(f"isthmus: files: needed places that can be read and written, got {error}. Check them and try again.\n")
        os._exit(2)  # the interpreter would try to flush once more


__all__ = ["app", "main"]
