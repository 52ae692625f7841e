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
    epilog="Begin with `isthmus audit`, which needs no file. `isthmus help VERB` explains a verb, with examples.",
    context_settings={"max_content_width": 120},
)  # fmt: skip


def _verb(function: Callable[..., None], short: str, to: typer.Typer = app, name: str | None = None) -> None:
    """Add a verb; its examples keep their lines, which click would fill up."""
    help_text = (inspect.getdoc(function) or "").replace("Examples:", "\b\nExamples:")
    to.command(name, help=help_text, short_help=short)(function)


_verb(audit.audit, "Learn mappings: do they bridge, or echo their input?")
_verb(check.check, "Stop a pipeline where neighborhoods change too much.")
_verb(fit.fit, "Learn a mapping and save it.")
_verb(fit.apply, "Map vectors with a saved mapping.")
_verb(overlap.overlap, "How many nearest neighbors do spaces share (mNNO)?")
_verb(measure.measure, "How much are spaces alike by CKA, RSA, ...?")
_verb(retrieval.retrieval, "How well do the nearest items answer a query?")
_verb(concepts.concepts, "Do word vectors agree with people's ratings?")
_verb(run.run, "Run an experiment: many mappings, resumable.")
_verb(show.show, "The results of an experiment.")
_verb(report.report, "The page of an experiment, as one HTML file.")
_verb(reproduce.reproduce, "The paper's tables and figures beside ours.")
_verb(data.list_sets, "The named data sets, and those to fetch.", data.app, "list")
_verb(data.show, "What a set holds, its license, its source.", data.app)
_verb(data.fetch, "Fetch a set, whole and verified.", data.app)
_verb(data.convert, "Word vectors as an npy file that opens at once.", data.app)
app.add_typer(data.app, name="data")
_verb(features.text, "Vectors of texts.", features.app)
_verb(features.image, "Vectors of pictures, or of words by their pictures.", features.app)
app.add_typer(features.app, name="features")


@app.command("help", short_help="This text, or that of a verb.")
def explain(
    context: typer.Context,
    verb: Annotated[list[str] | None, typer.Argument(metavar="VERB", help="As in `isthmus help data fetch`.")] = None,
) -> None:
    """What isthmus does, or what a verb of it does."""
    where: Any = context.parent
    for name in verb or []:
        if not hasattr(where.command, "resolve_command"):
            break
        _, command, _ = where.command.resolve_command(where, [name])
        where = type(where)(command, info_name=name, parent=where)
    sys.stdout.write(f"{where.get_help()}\n")


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
    except SystemExit as left:  # typer's answer to a reader that has gone: 1, which would say that a limit was not kept
        if left.code == 1:
            os._exit(141)
        raise
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            where = error.ctx.command_path if error.ctx else "isthmus"
            message = " ".join(error.format_message().split()).rstrip(".")
            _complain(f"isthmus: {message}{'' if message.endswith('?') else '.'} See `{where} --help`.\n")
        sys.exit(2)
    except IsthmusError as error:
        message = " ".join(str(error).split())
        sys.stderr.write(f"isthmus: {message}\n")
        sys.exit(2)
    except MemoryError as error:
        _complain(
            f"isthmus: memory: needed more than there is, got {error}. Use fewer items, a smaller k or a smaller network.\n"
        )
        os._exit(2)
    except OSError as error:
        # A reader that has gone (a closed pipe) is typer's; what is left cannot be read or written.
        _complain(f"isthmus: files: needed places that can be read and written, got {error}. Check them and try again.\n")
        os._exit(2)  # the interpreter would try to flush once more
    sys.exit(code if isinstance(code, int) else 0)


__all__ = ["app", "main"]
