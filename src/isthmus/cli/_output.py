"""What every verb shares: records on standard output in one of three forms, everything else on standard error."""

import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from isthmus._errors import DataError
from isthmus._shapes import Progress

if TYPE_CHECKING:
    from numpy import ndarray

    from isthmus.measures import OverlapResult

_SECONDS_BETWEEN_LINES = 2.0


def write(
    records: Sequence[dict[str, Any]],
    tables: Callable[[], Iterable[Any]],
    *,
    json: bool,
    csv: bool,
    then: Sequence[str] | None = None,
) -> None:
    """What a verb found: as JSON, as CSV, or as it is shown to a reader, with the command that may come next.

    Args:
        records: flat; a text, number, truth value or None by name.
        tables: makes what a reader sees, tables of rich and lines of text; not called for the other forms.
        json: a list of records, one a line; what is not defined (nan) becomes null.
        csv: a header and a line a record; what is not defined is empty.
        then: arguments of `isthmus` that would come next, shown on a terminal only.
    """
    if json or csv:
        plain = [{key: _plain(value) for key, value in record.items()} for record in records]
        sys.stdout.write((_as_json if json else _as_csv)(plain))
        return
    shown = console()
    for each in tables():
        shown.print(each, soft_wrap=isinstance(each, str), markup=False, emoji=False, highlight=False)
    if then is not None:
        suggest(then)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return readable(value)
    return None if isinstance(value, float) and not isfinite(value) else value


def _as_json(records: list[dict[str, Any]]) -> str:
    import msgspec  # noqa: PLC0415 - only when there is something to write

    lines = ",\n".join(f"  {msgspec.json.encode(record).decode()}" for record in records)
    return f"[\n{lines}\n]\n" if records else "[]\n"


def _as_csv(records: list[dict[str, Any]]) -> str:
    import polars as pl  # noqa: PLC0415 - heavy

    return pl.DataFrame(records, infer_schema_length=None).write_csv() if records else ""


def readable(text: str) -> str:
    """A text that can be written in UTF-8: bytes of a file's name that are none become a replacement sign.

    Example:
        >>> readable("caf\\udce9.txt") == "caf" + 3 * "\\ufffd" + ".txt"
        True
    """
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def write_table(path: Path, records: list[dict[str, Any]], columns: Sequence[str]) -> None:
    """A TSV file, whole or not at all; only its header where there are no records."""
    lines = ["\t".join(columns), *("\t".join(str(record[name]) for name in columns) for record in records)]
    from isthmus.pairs import whole  # noqa: PLC0415 - the command line starts before numpy does

    with whole(path) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")


def check_writable(path: Path, name: str = "report", endings: Sequence[str] = (".html", ".htm")) -> None:
    """Refuse a place that cannot be written before hours of work, not after.

    Args:
        path: the place.
        name: of the option that it was given with.
        endings: that it may have, the one to propose first.

    Raises:
        DataError: another ending, something that stands there and is no regular file, or a folder that
            does not exist or cannot be written.
    """
    if path.suffix.lower() not in endings:
        listed = " or ".join(each for each in endings if each != ".htm")
        raise DataError(f"{name}: needed a file ending in {listed}, got {str(path)!r}. Name it out{endings[0]}, say.")
    path = path.resolve()
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"{name}: needed a regular file, got {path}, which is something else. Choose another place.")
        with TemporaryFile(dir=path.parent):  # rights alone do not tell: root has all, and a file system may refuse
            pass
    except OSError as error:
        raise DataError(
            f"{name}: needed a folder that can be written to, got {path.parent} ({error.strerror}). Choose another place."
        ) from error


def note(text: str) -> None:
    """A line for the reader, on standard error."""
    sys.stderr.write(f"{text}\n")


def note_ties(a: str, b: str, result: "OverlapResult") -> None:
    """Say where many lists hang on row numbers: two sets of equal rows, or of rows without a direction, seem to agree."""
    if result.k < 2:
        return
    for name, table in ((a, result.a), (b, result.b)):
        tied = int((table.distance[:, 0] == table.distance[:, result.k - 1]).sum())
        if tied:
            note(
                f"{name}: {tied} of {len(table)} items have {result.k} nearest neighbors at one and the same distance (equal"
                " rows, or rows of zeros); which these are is decided by row number, and such sets seem to agree"
            )


def note_equal(name: str, values: "ndarray", k: int) -> None:
    """Say where more than k rows are equal: their neighbors are decided by row number, and such sets seem to agree."""
    import numpy as np  # noqa: PLC0415 - heavy

    _, which, count = np.unique(values[:, 0], return_inverse=True, return_counts=True)
    alike = values[count[which] > k]  # whole rows are compared only where their first numbers are: seldom, and then few
    count = np.unique(alike, axis=0, return_counts=True)[1]
    equal = int(count[count > k].sum())
    if equal:
        note(
            f"{name}: {equal} of {len(values)} items are equal to {k} others or more; which of them are neighbors is decided"
            " by row number, and such sets seem to agree"
        )


def suggest(arguments: Sequence[str]) -> None:
    """The command that may come next: one dim line, only where a reader sees it."""
    if sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        line = Text(f"next: {shlex.join(['isthmus', *map(str, arguments)])}", style="dim")
        Console(stderr=True).print(line, soft_wrap=True)


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress callback: a bar on a terminal that can move its cursor, else a line every other second."""
    if sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415

        console = Console(stderr=True)
        if not console.is_dumb_terminal:
            with _bar(console) as bar:
                yield _counting_passes(bar)
            return
    last = 0.0

    def line(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            note(f"{what} ({done} of {total})")

    yield _counting_passes(line)


def _counting_passes(progress: Progress) -> Progress:
    """What is begun again under the same name, as the search of another space, is told apart by its number."""
    passes: dict[str, tuple[int, int]] = {}

    def counted(what: str, done: int, total: int) -> None:
        number, before = passes.get(what, (1, -1))
        number += done < before
        passes[what] = number, done
        progress(what if number == 1 else f"{what}, pass {number}", done, total)

    return counted


@contextmanager
def _bar(console: Any) -> Iterator[Progress]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.completed} of {task.total}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


def console() -> Any:
    """Where tables go: standard output, wide enough for a table where it is no terminal."""
    from rich.console import Console  # noqa: PLC0415

    return Console(width=None if sys.stdout.isatty() else 132)
