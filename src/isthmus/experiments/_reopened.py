"""A run read back as an audit: the rows of its summary, and the neighbor lists and names that its folder holds.

The page shows one kind of thing, an `Audit`. A folder of an older isthmus has neither neighbor lists nor names; then these
are empty, and `settings` says how many cells lack them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy import ndarray

from isthmus._errors import DataError
from isthmus.experiments._audit import Audit, AuditRow
from isthmus.experiments._cell import trained_by
from isthmus.experiments._detail import Detail, HubRow, hub_row
from isthmus.experiments._neighborhoods import Neighborhoods
from isthmus.experiments._plan import Cell
from isthmus.experiments._results import Done, Level, Results
from isthmus.experiments._spec import Data
from isthmus.pairs import Pairs

NAMES = "pairs.json"
_NONE = {"gain", "gain_low", "gain_high", "mse", "r2", "p_against_lin", "p_against_nn"}  # None means None there, not nan


class Names(Struct, frozen=True):
    """What the spaces and the items of a run are called; kept with its results, since the data may move.

    Args:
        x_space, y_space: the two spaces.
        ids, labels: of the items; labels are left out where items have several.
        paper: set, image features and text features, where the data are a set of the paper.
    """

    x_space: str
    y_space: str
    ids: tuple[str, ...]
    labels: tuple[str, ...] | None
    paper: tuple[str, str, str] | None = None

    @classmethod
    def of(cls, pairs: Pairs, labels: ndarray | None, data: Data) -> "Names":
        """The names of the pairs that a spec's data are."""
        own = pairs.labels
        if own is None and labels is not None and np.ndim(labels) == 1:
            own = tuple(map(str, labels.tolist()))
        is_paper = data.authors is not None and data.set is not None
        paper = (str(data.set), str(data.image_features), str(data.text_features)) if is_paper else None
        return cls(pairs.x_space, pairs.y_space, pairs.ids, own, paper)


def reopened(folder: str | Path, results: Results) -> Audit:
    """The results of a folder as an audit: its rows at every k and metric under the first self convention.

    Mappings that differ in their loss or recipe only are named after it. `settings` holds the number of cells planned,
    done, diverged, and of those of mappings that lack neighbor lists.

    Raises:
        DataError: no cell with counts yet, or damaged files.
    """
    folder = Path(folder)
    alive = [done for done in results.cells if done.tallies]
    if not alive:
        raise DataError(
            f"{folder}: needed a run with at least one cell done, got {len(results.cells)} of {results.planned}. "
            "Let `isthmus run` go on, then report."
        )
    titles = _titles([done.cell for done in results.cells])
    convention = alive[0].cell.measure.include_self[0]
    records = [each for each in results.records() if each["include_self"] == convention and each["n_test"] is not None]
    records.sort(key=lambda each: (each["direction"], *_place(each, alive[0].cell)))
    keep = [done for done in alive if done.cell.keeps_neighbors]
    lists = {done: _lists(done, titles[_which(done.cell)]) for done in keep}
    neighborhoods = _pooled([each for each in lists.values() if each is not None])
    names, first = _names(folder), alive[0].cell
    settings: dict[str, Any] = {
        "folds": first.folds, "seed": first.drawn_by, "planned": results.planned, "done": len(results.cells),
        "seeds": max(1, len({done.cell.seed for done in alive if done.cell.role == "mapping"})),
        "paper": None if names is None else names.paper,
        "diverged": len(results.cells) - len(alive), "without_neighbors": sum(each is None for each in lists.values()),
    }  # fmt: skip
    return Audit(
        first.pairs,
        "x" if names is None else names.x_space,
        "y" if names is None else names.y_space,
        tuple(_row(each, titles) for each in records),
        settings,
        Detail(hubs=tuple(_hubs(neighborhoods))),
        ids=() if names is None else names.ids,
        labels=None if names is None else names.labels,
        neighborhoods=neighborhoods,
    )


def titles(results: Results) -> dict[Cell, str]:
    """What each cell's mapping is called: its title, with the loss and recipe where these alone tell it from others."""
    named = _titles([done.cell for done in results.cells])
    return {done.cell: named[_which(done.cell)] for done in results.cells}


def titled(results: Results, level: Level) -> list[dict[str, Any]]:
    """The records of a run, settings in the order of the spec, mappings that differ in loss or recipe only told apart."""
    named = _titles([done.cell for done in results.cells])
    records = sorted(results.records(level), key=lambda each: _place(each, results.cells[0].cell))
    return [record | {"mapping": named[record["mapping"], record["loss"], record["recipe"]]} for record in records]


def _place(record: dict[str, Any], cell: Cell) -> tuple[int, int, int]:
    """Where the spec names the setting of a record: what it names first, a page opens with."""
    asked = cell.measure
    return (
        asked.metric.index(record["metric"]), asked.k.index(record["k"]), asked.include_self.index(record["include_self"])
    )  # fmt: skip


def _which(cell: Cell) -> tuple[str, str | None, str | None]:
    by = trained_by(cell)
    return cell.title, by["loss"], by["recipe"]


def _titles(cells: list[Cell]) -> dict[tuple[str, str | None, str | None], str]:
    """What each mapping is called: its title, with the loss and recipe where these tell it from others."""
    every = list(dict.fromkeys(map(_which, cells)))
    found = {}
    for title, loss, recipe in every:
        alike = [each for each in every if each[0] == title]
        told = [str(loss)] * (len({each[1] for each in alike}) > 1)
        told += [str(recipe)] * (len({each[2] for each in alike}) > 1)
        found[title, loss, recipe] = f"{title} ({', '.join(told)})" if told else title
    return found


def _row(record: dict[str, Any], titles: dict[tuple[str, str | None, str | None], str]) -> AuditRow:
    values = {name: record[name] for name in AuditRow.__dataclass_fields__ if name in record}
    values = {name: float("nan") if value is None and name not in _NONE else value for name, value in values.items()}
    return AuditRow(**values | {"mapping": titles[record["mapping"], record["loss"], record["recipe"]]})


def _names(folder: Path) -> Names | None:
    path = folder / NAMES
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Names)
    except msgspec.DecodeError as error:
        raise DataError(f"{path}: needed the names of the items, got {error}. Run the experiment again.") from error


def _lists(done: Done, title: str) -> Neighborhoods | None:
    import polars as pl  # noqa: PLC0415 - heavy

    path = done.folder / "neighbors.parquet"
    measure = done.cell.measure
    if not path.is_file():
        return None
    try:
        return Neighborhoods.decode(
            path.read_bytes(), done.cell.direction, title, measure.metric[0], measure.include_self[0]
        )  # fmt: skip
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise DataError(
            f"{path}: needed neighbor lists, got a damaged file ({error}). Remove its folder and run the experiment again."
        ) from error


def _pooled(lists: list[Neighborhoods]) -> tuple[Neighborhoods, ...]:
    """One a direction and mapping, its test sets one after the other."""
    groups: dict[tuple[str, str], list[Neighborhoods]] = {}
    for each in lists:
        groups.setdefault((each.direction, each.mapping), []).append(each)
    return tuple(map(Neighborhoods.pool, groups.values()))


def _hubs(neighborhoods: Sequence[Neighborhoods]) -> Iterator[HubRow]:
    """How often items stand in the lists of X, Y and each mapping."""
    for direction in dict.fromkeys(each.direction for each in neighborhoods):
        own = [each for each in neighborhoods if each.direction == direction]
        first = own[0]
        lists = {"X": first.x, "Y": first.y} | {each.mapping: each.f for each in own}
        for space, near in lists.items():
            counts = np.bincount(near.ravel(), minlength=int(first.items.max()) + 1)[first.items]
            yield hub_row(direction, space, first.k, first.metric, first.include_self, counts)
