"""What every verb shares: JSON on standard output, everything else on standard error, progress that knows its place."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from isthmus._errors import DataError
from isthmus._shapes import Progress

_SECONDS_BETWEEN_LINES = 2.0


def print_json(records: list[dict[str, Any]]) -> None:
    """A list of flat records, one a line; what is not defined (nan) becomes null."""
    import msgspec  # noqa: PLC0415 - only when there is something to write

    named = [
        {key: readable(value) if isinstance(value, str) else value for key, value in record.items()} for record in records
    ]
    lines = ",\n".join(f"  {msgspec.json.encode(record).decode()}" for record in named)
    sys.stdout.write(f"[\n{lines}\n]\n")


def readable(text: str) -> str:
    """A text that can be written in UTF-8: bytes of a file's name that are none become a replacement sign.

    Example:
        >>> readable("caf\\udce9.txt") == "caf" + 3 * "\\ufffd" + ".txt"
        True
    """
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def print_csv(records: list[dict[str, Any]]) -> None:
    """A header and a line a record; what is not defined is empty."""
    import polars as pl  # noqa: PLC0415 - heavy

    sys.stdout.write(pl.DataFrame(records, infer_schema_length=None).write_csv())


def check_forms(*, json: bool, csv: bool) -> None:
    """Refuse two forms at once.

    Raises:
        DataError: both are asked for.
    """
    if json and csv:
        raise DataError("csv: needed one of --json and --csv, got both. Leave one out.")


def print_plain(records: list[dict[str, Any]], *, json: bool, csv: bool) -> bool:
    """The records as JSON or CSV where one of them is asked for; whether it was."""
    if json:
        print_json(records)
    elif csv:
        print_csv(records)
    return json or csv


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


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress callback: a bar where standard error is a terminal, else a line every other second."""
    if sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        with Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total}"),
            TimeElapsedColumn(), console=Console(stderr=True), transient=True,
        ) as bar:  # fmt: skip
            task = bar.add_task("", total=None)
            yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
        return
    last = 0.0

    def line(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            note(f"{what} ({done} of {total})")

    yield line


def console() -> Any:
    """Where tables go: standard output, wide enough for a table where it is no terminal."""
    from rich.console import Console  # noqa: PLC0415

    return Console(width=None if sys.stdout.isatty() else 132)
