"""`isthmus data`: the named data sets, and those that can be fetched."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli import _options

if TYPE_CHECKING:
    from isthmus.datasets import Source

Argument, Option = typer.Argument, typer.Option

_DAY = 86_400

app = typer.Typer(help="The named data sets, and those that can be fetched.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def data() -> None:
    """The named data sets, and those that can be fetched."""


def list_sets(json: _options.Json = False, csv: _options.Csv = False) -> None:
    """The named data sets, ready to use (`isthmus audit NAME`), and those to fetch (`isthmus data fetch NAME`)."""
    from isthmus.cli import _output  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.datasets import CATALOG, DEFAULT, sources  # noqa: PLC0415

    cards, published = list(CATALOG.values()), list(sources().values())
    records = [
        {
            "name": card.name, "items": card.items, "x": card.x_space, "x_width": card.x_width,
            "y": card.y_space, "y_width": card.y_width, "labels": card.labels, "license": card.license,
            "place": "package", "what": None,
        }
        for card in cards
    ] + [
        dict.fromkeys(("items", "x", "x_width", "y", "y_width", "labels"))
        | {"name": each.name, "license": each.license, "place": "fetch" if each.files else "by hand", "what": each.what}
        for each in published
    ]  # fmt: skip

    def shown() -> Iterable[Any]:
        from rich.table import Table  # noqa: PLC0415

        table = Table(title="named data sets")
        for column in ("name", "items", "x", "y", "labels", "license"):
            table.add_column(column, overflow="fold")
        for card in cards:
            table.add_row(
                card.name, str(card.items), f"{card.x_space} ({card.x_width}-d)", f"{card.y_space} ({card.y_width}-d)",
                card.labels, card.license,
            )  # fmt: skip
        yield table
        table = Table(
            title="data sets of others", caption="isthmus data show NAME, isthmus data fetch NAME", caption_justify="left"
        )
        for column in ("name", "what", "license", "fetch"):
            table.add_column(column, overflow="fold")
        for each in published:
            table.add_row(each.name, each.what, each.license, f"{len(each.files)} files" if each.files else "by hand")
        yield table

    _output.write(records, shown, json=json, csv=csv, then=["audit", DEFAULT])


def show(
    name: Annotated[str, Argument(metavar="NAME", autocompletion=_options.one_of((*_options.SETS, *_options.FETCHED)))],
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """What a data set holds, its license, where it comes from and how to use it."""
    from isthmus.cli import _output  # noqa: PLC0415
    from isthmus.datasets import CATALOG  # noqa: PLC0415

    records = _packaged(name) if name in CATALOG else _published(name)

    def shown() -> Iterable[str]:
        for number, record in enumerate(records):
            for key, value in record.items():
                if value is not None and (number == 0 or key in ("file", "url", "sha256", "size")):
                    yield f"{key + ':':<10} {value}"

    fetched = ["data", "fetch", name] if records[0]["place"] == "fetch" else None
    _output.write(records, shown, json=json, csv=csv, then=["audit", name] if records[0]["place"] == "package" else fetched)


def _packaged(name: str) -> list[dict[str, Any]]:
    from isthmus.datasets import CATALOG  # noqa: PLC0415

    card = CATALOG[name]
    return [
        {
            "name": name, "items": card.items, "x": f"{card.x_space} ({card.x_width}-d)",
            "y": f"{card.y_space} ({card.y_width}-d)", "labels": card.labels, "license": card.license, "place": "package",
            "use": f"isthmus audit {name}",
        }
    ]  # fmt: skip


def _published(name: str) -> list[dict[str, Any]]:
    """A record a file; one without a file for a set that must be fetched by hand."""
    from isthmus.datasets import source  # noqa: PLC0415

    found = source(name)
    about = {
        "name": found.name, "what": found.what, "license": found.license, "terms": found.terms, "page": found.page,
        "citation": found.citation, "use": found.use, "place": "fetch" if found.files else "by hand",
    }  # fmt: skip
    unknown = "not known: recorded at the first fetch"
    files = [
        {"file": each.path, "url": each.url, "sha256": each.sha256 or unknown, "size": each.size} for each in found.files
    ]
    return [about | each for each in files or [dict.fromkeys(("file", "url", "sha256", "size"))]]


def fetch(
    name: Annotated[
        str,
        Argument(
            metavar="NAME", help="One that `isthmus data list` shows.", autocompletion=_options.one_of(_options.FETCHED)
        ),
    ],
    to: Annotated[Path, Option(help="The folder where it goes; it is made.")] = Path("data"),
    accept_license: Annotated[bool, Option("--accept-license", help="You have read its terms and agree.")] = False,
    mirror: Annotated[str | None, Option(help="Take files from MIRROR/NAME/FILE instead, as in http://host/sets.")] = None,
    timeout: Annotated[float, Option(help="Seconds without a byte until a connection is given up.")] = 30.0,
    attempts: Annotated[int, Option(help="That may fail in a row without a byte more.")] = 5,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """Fetch a data set: every file whole and verified, or not at all. A fetch that was stopped goes on where it was.

    The terms of its license are shown first, and asked about on a terminal; elsewhere --accept-license says yes.

    Examples:
        isthmus data fetch glove-6b --to vectors/
        isthmus data fetch iapr-authors --to authors/ --accept-license
    """
    from isthmus._errors import DataError  # noqa: PLC0415
    from isthmus.cli import _output  # noqa: PLC0415
    from isthmus.datasets import CATALOG, Patience, source  # noqa: PLC0415
    from isthmus.datasets import fetch as get  # noqa: PLC0415

    if name in CATALOG:
        raise DataError(f"name: needed a set of others, got {name}, which the package holds. Use it: isthmus audit {name}.")
    if not 0 < timeout <= _DAY or attempts < 1:
        raise DataError(
            f"timeout, attempts: needed seconds up to {_DAY}, a day, and at least 1, got {timeout} and {attempts}. "
            "Leave them out."
        )
    found = source(name)
    agreed = accept_license or (bool(found.files) and _asked(found))
    with _output.progress() as progress:
        done = get(found, to, accept_license=agreed, mirror=mirror, patience=Patience(timeout, attempts), progress=progress)
    records = [
        {
            "name": name, "file": str(each.path), "sha256": each.sha256, "pinned": each.pinned,
            "folder": None if each.folder is None else str(each.folder),
        }
        for each in done
    ]  # fmt: skip

    def shown() -> Iterable[str]:
        for each in done:
            how = "as pinned" if each.pinned else "recorded in SHA256SUMS, nobody publishes one"
            yield f"{each.folder or each.path}  (SHA-256 {each.sha256[:12]}…, {how})"
        yield f"use: {found.use}"

    _output.write(records, shown, json=json, csv=csv, then=["data", "show", name])


def _asked(found: "Source") -> bool:
    """Show the terms; whether the user agrees, who is asked only on a terminal."""
    from isthmus.cli import _output  # noqa: PLC0415

    _output.note(f"{found.what}\nlicense: {found.license}. {found.terms}\npage: {found.page}\ncite: {found.citation}")
    return sys.stdin is not None and sys.stdin.isatty() and typer.confirm("Do you agree?", default=False, err=True)


def convert(
    source: Annotated[Path, typer.Argument(metavar="VECTORS", help="Word vectors: .txt, .vec or .bin, also with .gz.")],
    target: Annotated[Path, typer.Argument(metavar="OUT.npy", help="Where they go; the words into OUT.words.txt.")],
    words: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only these words and expressions, one a line, in this order.")
    ] = None,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """Word vectors as an npy file that opens at once and stays on the disk, and their words beside it.

    With --words, a row for each expression, of several words the mean of theirs, and OUT.found.tsv says how each was found.

    Examples:
        isthmus data convert glove.6B.300d.txt glove.npy
        isthmus data convert GoogleNews-vectors-negative300.bin.gz synsets.npy --words synsets.txt
    """
    from isthmus._places import check_not_read  # noqa: PLC0415
    from isthmus.cli import _output  # noqa: PLC0415
    from isthmus.words import (  # noqa: PLC0415
        Lookup,
        candidates,
        convert_words,
        look_up,
        read_list,
        read_words,
        words_beside,
        write_words,
    )

    _output.check_writable(target, "out", (".npy",))
    listed = target.with_name(f"{target.stem}.found.tsv")
    check_not_read([target, words_beside(target), listed], [source, words])
    repeated: list[str] = []
    if words is None:
        count = convert_words(source, target, duplicates="first", repeated=repeated)
        _tell_repeated(repeated)
        line, record = f"{count} words in {target}", {"file": str(target), "words": count, "repeated": len(repeated)}
        _output.write([record], lambda: [line], json=json, csv=csv, then=["overlap", str(target), "OTHER"])
        return
    expressions = list(dict.fromkeys(read_list(words)))
    needed = {form for expression in expressions for form in candidates(expression)}
    vectors = read_words(source, needed, duplicates="first")
    _tell_repeated(vectors.repeated)
    found: Lookup = look_up(vectors, expressions)
    write_words(target, found.expressions, found.values)
    _output.write_table(listed, [find.record() for find in found.finds], ("expression", "how", "matched", "missing"))
    counts = ", ".join(f"{count} {how}" for how, count in found.counts().items())
    line = f"{len(found.expressions)} of {len(expressions)} expressions in {target} ({counts}); {listed} names each"
    record = {"file": str(target), "words": len(found.expressions), "repeated": len(vectors.repeated)}
    record |= {"expressions": len(expressions), "found": str(listed)}
    _output.write([record], lambda: [line], json=json, csv=csv, then=["overlap", str(target), "OTHER"])


def _tell_repeated(words: Sequence[str]) -> None:
    """A line on words that were dropped, since they had a vector before."""
    from isthmus.cli import _output  # noqa: PLC0415

    if words:
        names = ", ".join(map(repr, words[:3])) + (", ..." if len(words) > 3 else "")
        _output.note(f"{len(words)} words occur again, the first vector counts ({names})")
