"""How far a long computation is, for those who call it from a notebook or a script.

The command line has a bar of its own. Here a notebook shows one line that moves in place, by what IPython has itself, so
that no widgets need be installed; elsewhere a line is written to standard error every other second.
"""

import sys
import time
from html import escape
from typing import Any

from isthmus._shapes import Progress


def progress(seconds: float | None = None) -> Progress:
    """A callback for every `progress=` argument: a moving bar in a notebook, lines on standard error elsewhere.

    Args:
        seconds: least time between two updates; if left out, 0.1 in a notebook and 2 elsewhere.

    Example:
        >>> import numpy as np
        >>> from isthmus import Pairs, audit, progress
        >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> len(audit(Pairs(x, y), ["ridge"], k=3, folds=2, progress=progress()).rows)
        6
    """
    display = _notebook()
    least = seconds if seconds is not None else (2.0 if display is None else 0.1)
    last = time.monotonic() - (0 if display is None else least)
    handle: Any = None

    def show(what: str, done: int, total: int) -> None:
        nonlocal last, handle
        if time.monotonic() - last < least and done < total:
            return
        last = time.monotonic()
        if display is None:
            sys.stderr.write(f"{what} ({done} of {total})\n")
            return
        bar = {"text/html": bar_html(what, done, total), "text/plain": f"{what} ({done} of {total})"}
        if handle is None:
            handle = display(bar, raw=True, display_id=True)
        else:
            handle.update(bar, raw=True)

    return show


def bar_html(what: str, done: int, total: int) -> str:
    """What a notebook shows.

    Example:
        >>> bar_html("x->y: lin", 3, 10)
        '<label><progress value="3" max="10"></progress> x-&gt;y: lin (3 of 10)</label>'
    """
    return f'<label><progress value="{done}" max="{total}"></progress> {escape(what)} ({done} of {total})</label>'


def _notebook() -> Any:
    """IPython's display where a kernel runs this, else None."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display  # noqa: PLC0415 - there, as this runs in it

    return display
