"""What a folder of cells says: a record a cell, and a summary over folds and seeds with intervals and tests.

Folds and seeds are pooled item by item, as `audit` pools them, so that a summary and an audit of the same mappings show the
same figures. Two tests ask whether input and target overlap differ: the paper's, a rank sum over the overlaps of the cells,
which with five of them cannot fall below 0.0079; and a paired one over items. Each is corrected for all mappings that stand
in one table, that is at one k, metric and self convention.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct

from isthmus._errors import DataError
from isthmus._html import html_table
from isthmus.experiments._audit import AuditRow, row_of
from isthmus.experiments._cell import read_tallies, trained_by
from isthmus.experiments._curves import Curves
from isthmus.experiments._detail import OverlapPoint
from isthmus.experiments._plan import IDENTITY, Cell, twin_of
from isthmus.experiments._store import is_done, write_file
from isthmus.experiments._tally import Errors, Tally
from isthmus.neighbors import Metric
from isthmus.statistics import bonferroni, holm, rank_sum_p, smallest_rank_sum_p

PLAN = "plan.json"
Level = Literal["cells", "summary"]
"""One record a training, or one a mapping."""
_Key = tuple[int, Metric, bool]
_OF_CELLS = ("part", "seed", "epochs", "train_loss", "steady", "diverged")
_OF_SUMMARIES = (
    "cells", "diverged", "unsteady", "input_sd", "target_sd", "rank_sum_p", "rank_sum_p_bonferroni", "smallest_p",
    "paired_p", "paired_p_holm",
)  # fmt: skip


class Planned(Struct, frozen=True):
    """A cell and the name of its folder."""

    key: str
    cell: Cell


def _read_records(path: Path) -> list[dict[str, Any]]:
    """Those of a file that not every cell has."""
    return msgspec.json.decode(path.read_bytes()) if path.is_file() else []


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """A cell that is there.

    Args:
        cell: what it was planned as.
        about: what `cell.json` says of it.
        tallies: its counts, none where it diverged.
        folder: where it stands.
        curves: over epochs, where they were asked for.
        over_n: overlaps over the number of items, of the first part of a mapping's first seed.
    """

    cell: Cell
    about: dict[str, Any]
    tallies: dict[_Key, Tally]
    folder: Path
    curves: tuple[Curves, ...] = ()
    over_n: tuple[OverlapPoint, ...] = ()

    @classmethod
    def read(cls, folder: Path, cell: Cell) -> "Done":
        about = msgspec.json.decode((folder / "cell.json").read_bytes())
        if about["diverged"]:
            return cls(cell, about, {}, folder)
        items, halves = ((folder / name).read_bytes() for name in ("items.parquet", "halves.parquet"))
        tallies = read_tallies(items, halves, cell.measure, cell.part)
        curves, sizes = (_read_records(folder / name) for name in ("curves.json", "sizes.json"))
        return cls(cell, about, tallies, folder, Curves.of_records(curves), tuple(OverlapPoint(**each) for each in sizes))

    @property
    def errors(self) -> Errors | None:
        """The sums of which MSE and R2 are made."""
        return None if self.about.get("errors") is None else Errors(**self.about["errors"])


def _whole(folder: Path, cell: Cell) -> Done:
    """A cell as it stands in its folder.

    Raises:
        DataError: a missing or damaged file.
    """
    import polars as pl  # noqa: PLC0415 - heavy

    try:
        return Done.read(folder, cell)
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{folder}: needed a whole cell, got a damaged one ({error}). Remove this folder and run the experiment again."
        ) from error


class Results:
    """The cells of an experiment that are there.

    Args:
        planned: how many cells there are to be.
        cells: those that are there, in the order of the plan.
    """

    def __init__(self, planned: int, cells: Sequence[Done]) -> None:
        self.planned = planned
        self.cells = tuple(cells)

    @classmethod
    def of(cls, folder: Path, planned: Sequence[Planned]) -> "Results":
        """The cells of a plan that a folder holds.

        Raises:
            DataError: a cell whose files are missing or damaged.
        """
        there = [each for each in planned if is_done(folder, each.key)]
        return cls(len(planned), [_whole(folder / "cells" / each.key, each.cell) for each in there])

    def records(self, level: Level = "summary") -> list[dict[str, Any]]:
        """Flat records with the keys of `AuditRow` and of the level; what is not defined is None.

        Args:
            level: "cells", one record a training, k, metric and self convention; "summary", one a mapping, over folds and
                seeds. Where all cells diverged, the figures are None.

        Raises:
            DataError: another level.
        """
        if level not in ("cells", "summary"):
            raise DataError(f"level: needed cells or summary, got {level!r}. Choose one.")
        return [dict(record) for record in (self._summary if level == "summary" else self._cells)]

    def _repr_html_(self) -> str:
        columns = (
            "direction",
            "mapping",
            "role",
            "k",
            "metric",
            "include_self",
            "echo_rate",
            "bridge_rate",
            "bridge_index",
            "verdict",
        )
        return html_table(f"{len(self.cells)} of {self.planned} cells are there", self.records(), columns)

    @cached_property
    def _summary(self) -> list[dict[str, Any]]:
        groups: dict[tuple[Any, ...], list[Done]] = {}
        for done in self.cells:
            groups.setdefault((done.cell.direction, done.cell.role, done.cell.entry), []).append(done)
        records = _records(list(groups.values()), groups)
        for record, group, key in records:
            overlaps = [
                [done.tallies[key].value(of) for done in group if done.tallies] for of in ("input_overlap", "target_overlap")
            ]  # fmt: skip
            tested = record["role"] == "mapping" and overlaps[0]
            values = {
                "cells": len(group), "diverged": sum(not done.tallies for done in group),
                "unsteady": sum(not done.about.get("steady", True) for done in group),
                "input_sd": _spread(overlaps[0]), "target_sd": _spread(overlaps[1]),
                "rank_sum_p": rank_sum_p(*map(np.array, overlaps)) if tested else None,
                "smallest_p": smallest_rank_sum_p(len(overlaps[0]), len(overlaps[1])) if tested else None,
                "paired_p": record["p_value"] if tested else None,
            }  # fmt: skip
            record |= {name: values.get(name) for name in _OF_SUMMARIES}
        _correct([record for record, _, _ in records])
        return [record for record, _, _ in records]

    @cached_property
    def _cells(self) -> list[dict[str, Any]]:
        groups: dict[tuple[Any, ...], list[Done]] = {}
        for done in self.cells:
            groups.setdefault((done.cell.direction, done.cell.role, done.cell.entry), []).append(done)
        records = _records([[done] for done in self.cells], groups)
        for record, (done,), _ in records:
            values = {"part": done.cell.part, "seed": done.cell.seed} | done.about
            record |= {name: values.get(name) for name in _OF_CELLS}
        return [record for record, _, _ in records]


def _records(
    groups: Sequence[list[Done]], all_groups: dict[tuple[Any, ...], list[Done]]
) -> list[tuple[dict[str, Any], list[Done], _Key]]:
    """A record for each group of cells and each k, metric and convention; the gain is over the twin on the same parts."""
    found: list[tuple[dict[str, Any], list[Done], _Key]] = []
    for group in groups:
        cell, measure = group[0].cell, group[0].cell.measure
        live = [done for done in group if done.tallies]
        parts = {done.cell.part for done in live}
        is_mapping = cell.role == "mapping" and cell.entry != IDENTITY
        twins = all_groups.get((cell.direction, "control", twin_of(cell.entry)), []) if is_mapping else []
        twins = [done for done in twins if done.cell.part in parts]
        errors = Errors.pool([done.errors for done in live])
        for metric in measure.metric:
            for k in measure.k:
                for include_self in measure.include_self:
                    key = (k, metric, include_self)
                    if not live:
                        found.append((_flat(None, cell, key), group, key))
                        continue
                    tally = Tally.pool([done.tallies[key] for done in live])
                    twin = [Tally.pool([done.tallies[key] for done in twins])] if twins else []
                    row = row_of(cell.pairs, cell.direction, cell.title, cell.role, tally, twin, errors)
                    found.append((_flat(row, cell, key), group, key))
    return found


def _flat(row: AuditRow | None, cell: Cell, key: _Key) -> dict[str, Any]:
    if row is None:
        values: dict[str, Any] = dict.fromkeys(AuditRow.__dataclass_fields__)
        values |= {"pairs": cell.pairs, "direction": cell.direction, "mapping": cell.title, "role": cell.role}
        values |= dict(zip(("k", "metric", "include_self"), key, strict=True))
    else:
        values = asdict(row)
    values = {name: None if value != value else value for name, value in values.items()}  # noqa: PLR0124 - nan
    front = ("pairs", "direction", "mapping")
    return {name: values[name] for name in front} | trained_by(cell) | values


def _spread(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _correct(records: Iterable[dict[str, Any]]) -> None:
    """Correct the p-values of each table for their number."""
    tables: dict[_Key, list[dict[str, Any]]] = {}
    for record in records:
        if record["rank_sum_p"] is not None:
            tables.setdefault((record["k"], record["metric"], record["include_self"]), []).append(record)
    for table in tables.values():
        for name, corrected, correct in (
            ("rank_sum_p", "rank_sum_p_bonferroni", bonferroni), ("paired_p", "paired_p_holm", holm),
        ):  # fmt: skip
            known = [record for record in table if record[name] is not None]
            for record, p in zip(known, correct(np.array([record[name] for record in known])), strict=True):
                record[corrected] = float(p)


def encode_plan(planned: Sequence[Planned]) -> bytes:
    """The plan as it stands in the folder."""
    return b"[\n" + b",\n".join(map(msgspec.json.encode, planned)) + b"\n]\n"


def open_results(folder: str | Path) -> Results:
    """What a folder holds of the experiment that was run there last; cells that are missing are left out.

    Raises:
        DataError: a folder without an experiment, or with damaged cells.
    """
    path = Path(folder) / PLAN
    if not path.is_file():
        raise DataError(f"{folder}: needed a folder that `isthmus run` wrote, found no {PLAN} in it. Check the path.")
    try:
        planned = msgspec.json.decode(path.read_bytes(), type=tuple[Planned, ...])
    except msgspec.DecodeError as error:
        raise DataError(f"{path}: needed the plan of an experiment, got {error}. Run the experiment again.") from error
    return Results.of(Path(folder), planned)


def export(results: Results, folder: Path) -> None:
    """Write the records of both levels as JSON and parquet.

    Raises:
        DataError: a full disk, or a folder that cannot be written to.
    """
    import polars as pl  # noqa: PLC0415 - heavy

    levels: tuple[tuple[str, Level], ...] = (("results", "summary"), ("cells", "cells"))
    for name, level in levels:
        records = results.records(level)
        lines = b",\n".join(b"  " + msgspec.json.encode(record) for record in records)
        write_file(folder, f"{name}.json", b"[\n" + lines + b"\n]\n")
        frame = pl.DataFrame(records, infer_schema_length=None)
        empty = [column for column, kind in frame.schema.items() if kind == pl.Null]
        buffer = io.BytesIO()
        frame.with_columns(pl.col(empty).cast(pl.Float64)).write_parquet(buffer)
        write_file(folder, f"{name}.parquet", buffer.getvalue())
