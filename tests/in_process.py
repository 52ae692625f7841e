"""The command line in this process: quick, and what it printed apart. Exit codes and one-line errors need a real process."""

import contextlib
import io

from jaxtyping import config

from isthmus.cli import app


@contextlib.contextmanager
def unchecked():
    """Without run-time checks of types: typer hands over contexts that are not instances of the class it exports."""
    config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", False)


def invoke(*arguments):
    """Standard output and standard error of a verb that must not fail."""
    out, err = io.StringIO(), io.StringIO()
    with unchecked(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        app([str(each) for each in arguments], prog_name="isthmus", standalone_mode=False)
    return out.getvalue(), err.getvalue()


def parsed(arguments):
    """The context of a verb for these arguments, which it does not run; a usage error if they are not valid."""
    from typer.main import get_command

    command = get_command(app)
    context = command.make_context("isthmus", [], resilient_parsing=True)
    rest = list(arguments)
    while hasattr(command, "get_command"):
        name = rest.pop(0)
        command = command.get_command(context, name)
        assert command is not None, arguments
        if hasattr(command, "get_command"):
            context = command.make_context(name, [], parent=context, resilient_parsing=True)
    with unchecked():
        return command.make_context(command.name, rest, parent=context)
