"""`isthmus data`: the named data sets."""

from typing import Annotated

import typer

app = typer.Typer(help="The named data sets.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def data() -> None:
    """The named data sets."""


@app.command("list")
def list_sets(json: Annotated[bool, typer.Option("--json", help="Only JSON on standard output.")] = False) -> None:
    """The named data sets, ready to use: `isthmus audit NAME`, `isthmus overlap NAME`."""
    from isthmus.cli import _output  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.datasets import CATALOG  # noqa: PLC0415

    cards = list(CATALOG.values())
    if json:
        _output.print_json([
            {
                "name": card.name, "items": card.items, "x": card.x_space, "x_width": card.x_width,
                "y": card.y_space, "y_width": card.y_width, "labels": card.labels, "license": card.license,
            }
            for card in cards
        ])  # fmt: skip
        return
    from rich.table import Table  # noqa: PLC0415

    table = Table(title="named data sets")
    for column in ("name", "items", "x", "y", "labels", "license"):
        table.add_column(column, overflow="fold")
    for card in cards:
        table.add_row(
            card.name, str(card.items), f"{card.x_space} ({card.x_width}-d)", f"{card.y_space} ({card.y_width}-d)",
            card.labels, card.license,
        )  # fmt: skip
    _output.console().print(table)
