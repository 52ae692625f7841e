"""One cell done: learned, mapped, counted, as the files of its folder.

cell.json          what it is, what it was learned with, whether it diverged
rows.json          one record a k, metric and self convention
items.parquet      the counts of each test item
halves.parquet     their sums over random halves, from which intervals are pooled
neighbors.parquet  the neighbor lists at the first k, metric and self convention, of each mapping's first seed
sizes.json         of the first part among these: overlaps among random parts of its test items, a record a size
curves.json        `Curves.records`, one an epoch, k, metric and self convention, where epochs are asked for
grid.json          the models of the cross-validation, where there is a grid
"""

import io
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any, Literal

import msgspec
import numpy as np
from numpy import ndarray

from isthmus._errors import DataError, DivergenceError, MappingError
from isthmus._shapes import Bool, Float
from isthmus.experiments._curves import curves_of
from isthmus.experiments._detail import OverlapPoint, over_n
from isthmus.experiments._items import Items
from isthmus.experiments._neighborhoods import Neighborhoods
from isthmus.experiments._plan import IDENTITY, Cell
from isthmus.experiments._spec import Measure
from isthmus.experiments._tally import HALF_SAMPLES, Errors, Tally, half_masks, neighbor_table, tally
from isthmus.mappings import MLP, Identity, Mapping, Ridge, Snap, Untrained
from isthmus.measures import Counts, Spaces
from isthmus.neighbors import Metric, Neighbors
from isthmus.training import TrainingWarning, steadily_decreases

_COUNTS = ("fx", "fy", "fxy", "xy")
_WHICH = ("k", "metric", "include_self")
_CHOSEN = ("learning_rate", "hidden", "dropout", "margin")


def do_cell(cell: Cell, items: Items) -> dict[str, bytes]:
    """The files of a cell. A training that diverges gives a cell that says so, without counts.

    Args:
        cell: what to do.
        items: the data, opened for the spec that the cell belongs to.
    """
    split = items.splits[cell.part]
    x, y = (items.pairs.x, items.pairs.y) if cell.direction == "x->y" else (items.pairs.y, items.pairs.x)
    learned = _made(cell)
    try:
        f = _mapped(learned, cell, items, x, y)
    except DivergenceError:
        f = None
    about = msgspec.to_builtins(cell.described()) | {"n_train": len(split.train), "n_test": len(split.test)}
    about |= {"title": cell.title, "diverged": f is None} | _learning(learned, f is None)
    if f is None:
        return {"cell.json": _json(about), "rows.json": _json([])}
    errors = Errors.of(f, y[split.test])
    spaces = list(_spaces(f, cell, items))
    tallies = list(_tallies(spaces, cell, items))
    files = {
        "cell.json": _json(about | {"errors": None if errors is None else errors._asdict()}),
        "rows.json": _json(_rows(cell, tallies, errors)),
        "items.parquet": _table(tallies, lambda each: {"item": each.items, **each.counts._asdict()}, np.int32),
        "halves.parquet": _table(
            tallies,
            lambda each: {"draw": np.arange(len(each.halves)), **dict(zip((*_COUNTS, "n"), each.halves.T, strict=True))},
            np.int64,
        ),
    }
    if cell.keeps_neighbors:
        first = Neighborhoods.of(spaces[0], cell.measure.k[0], cell.direction, cell.title)
        files["neighbors.parquet"] = first.encode()
        if cell.part == 0:
            files["sizes.json"] = _json([asdict(point) for point in _over_n(cell, x[split.test], f, y[split.test])])
    if isinstance(learned, MLP):
        if cell.measure.epochs:
            files["curves.json"] = _json(list(_curves(learned, cell, items)))
        if cell.entry.grid is not None:
            files["grid.json"] = _json(learned.cross_validation_.records())
    return files


def _made(cell: Cell) -> Mapping:
    if cell.entry == IDENTITY:
        return Identity()
    if cell.role == "control":
        return cell.entry.make(0).twin(cell.seed) or Untrained(seed=cell.seed)
    learned = cell.entry.make(cell.seed)
    if isinstance(learned, Snap):  # it chooses by the neighborhoods that are reported first, as in an audit
        learned.set_params(k=cell.measure.k[0], metric=cell.measure.metric[0], seed=cell.seed)
    if isinstance(learned, MLP):
        longest = learned.grid.epochs if learned.grid is not None else learned._recipe().epochs
        learned.checkpoints = tuple(epoch for epoch in cell.measure.epochs if epoch <= longest)
    return learned


def _mapped(
    learned: Mapping, cell: Cell, items: Items, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]
) -> Float[ndarray, "m d"]:
    """f(x) of the test items, from a mapping learned on the others.

    Raises:
        DivergenceError: the training, or its image of a test item, left the finite numbers.
    """
    split = items.splits[cell.part]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrainingWarning)  # it is on record, and the run counts them
        if isinstance(learned, MLP):
            labels = items.labels[cell.entry.labels]
            learned.fit(x[split.train], y[split.train], None if labels is None else labels[split.train])
        else:
            learned.fit(x[split.train], y[split.train])
    try:
        return learned.predict(x[split.test])
    except MappingError as error:  # the inputs are checked: it is their image that overflows
        raise DivergenceError(str(error)) from error


def _learning(learned: Mapping, diverged: bool) -> dict[str, Any]:
    """What a mapping was learned with, and how that went."""
    if isinstance(learned, Ridge):
        return {"penalty": learned.penalty_}
    if not isinstance(learned, MLP) or diverged:
        return {}
    settings = learned.cross_validation_.recipe if learned.grid is not None else learned._recipe()
    return {name: getattr(settings, name) for name in _CHOSEN} | {
        "hidden": list(learned._layers()), "epochs": len(learned.loss_), "train_loss": float(learned.loss_[-1]),
        "steady": steadily_decreases(learned.loss_),
    }  # fmt: skip


def _spaces(f: Float[ndarray, "m d"], cell: Cell, items: Items) -> Iterator[Spaces]:
    """The neighbor tables at every metric and self convention."""
    measure, rows = cell.measure, items.splits[cell.part].test
    spaces = ("x", "y") if cell.direction == "x->y" else ("y", "x")
    for metric in measure.metric:
        for include_self in measure.include_self:
            x, y = (_neighbors(items, space, cell.part, metric, include_self, measure.k) for space in spaces)
            identity = cell.entry == IDENTITY
            table = x if identity else neighbor_table(f, measure.k, metric, include_self=include_self, name=cell.title)
            yield Spaces.of(x, table, y, rows)


def _tallies(spaces: Iterable[Spaces], cell: Cell, items: Items) -> Iterator[Tally]:
    """The counts at every k, metric and self convention."""
    masks = _masks(items.sizes, cell.drawn_by)[cell.part]
    for each in spaces:
        yield from tally(each, cell.measure.k, cell.part, items.sizes, masks)


@lru_cache(maxsize=16)
def _neighbors(
    items: Items, space: Literal["x", "y"], part: int, metric: Metric, include_self: bool, ks: tuple[int, ...]
) -> Neighbors:
    """Neighbors of test items in their own space, kept for the next cell of the same part."""
    vectors = items.pairs.x if space == "x" else items.pairs.y
    return neighbor_table(vectors[items.splits[part].test], ks, metric, include_self=include_self, name=space)


@lru_cache(maxsize=1)
def _masks(sizes: tuple[int, ...], seed: int) -> list[list[Bool[ndarray, " n"]]]:
    return half_masks(sizes, seed)


def _rows(cell: Cell, tallies: Sequence[Tally], errors: Errors | None) -> list[dict[str, Any]]:
    about: dict[str, Any] = {
        "pairs": cell.pairs,
        "direction": cell.direction,
        "mapping": cell.title,
        "role": cell.role,
    } | trained_by(cell)
    about |= {"part": cell.part, "seed": cell.seed}
    ends = {"mse": errors.mse if errors else None, "r2": errors.r2 if errors else None}
    return [about | each.record() | ends for each in tallies]


def trained_by(cell: Cell) -> dict[str, str | None]:
    """The loss and the recipe of a cell, where they mean something."""
    return {
        "loss": cell.entry.loss if cell.entry.has_loss and cell.role == "mapping" else None,
        "recipe": cell.entry.recipe if cell.entry.trains else None,
    }


def _over_n(
    cell: Cell, x: Float[ndarray, "m dx"], f: Float[ndarray, "m d"], y: Float[ndarray, "m dy"]
) -> Iterator[OverlapPoint]:
    """The curve over the number of items, at the first k, metric and self convention; all mappings have the same parts."""
    measure = cell.measure
    return over_n(
        cell.direction, x, y, {cell.title: (cell.role, f)}, measure.k[0], measure.metric[0],
        include_self=measure.include_self[0], seed=cell.drawn_by,
    )  # fmt: skip


def _curves(learned: MLP, cell: Cell, items: Items) -> Iterator[dict[str, Any]]:
    """What the network did after each epoch that was asked for and that its training reached, and after the chosen one.

    An epoch whose image of an item overflows is left out, as one is whose weights did.
    """
    side, split = items.pairs if cell.direction == "x->y" else items.pairs.swap(), items.splits[cell.part]
    x = side.x[np.concatenate([split.train, split.test])]
    learned.checkpoints_ = {each: kept for each, kept in learned.checkpoints_.items() if _has_image(learned.at(each), x)}
    for each in curves_of(
        learned, side, split, k=cell.measure.k, metric=cell.measure.metric, include_self=cell.measure.include_self,
        name=cell.title, direction=cell.direction, recipe=cell.entry.recipe,
    ):  # fmt: skip
        yield from replace(each, pairs=cell.pairs, loss=trained_by(cell)["loss"] or cell.entry.name).records()


def _has_image(learned: MLP, x: Float[ndarray, "n dx"]) -> bool:
    try:
        with np.errstate(all="ignore"):
            learned.predict(x)
    except MappingError:
        return False
    return True


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _table(tallies: Sequence[Tally], columns: Any, dtype: Any) -> bytes:
    """A parquet file with the columns of every tally, under its k, metric and convention."""
    import polars as pl  # noqa: PLC0415 - heavy

    frames = [
        pl.DataFrame({name: np.asarray(column).astype(dtype) for name, column in columns(each).items()}).select(
            pl.lit(each.k, pl.Int32).alias("k"), pl.lit(each.metric).alias("metric"),
            pl.lit(each.include_self).alias("include_self"), pl.all(),
        )
        for each in tallies
    ]  # fmt: skip
    buffer = io.BytesIO()
    pl.concat(frames).write_parquet(buffer)
    return buffer.getvalue()


def read_tallies(items: bytes, halves: bytes, measure: Measure, part: int) -> dict[tuple[int, Metric, bool], Tally]:
    """The counts that `do_cell` wrote.

    Raises:
        DataError: halves of another version of the library.
    """
    import polars as pl  # noqa: PLC0415

    tables = [dict(pl.read_parquet(io.BytesIO(each)).group_by(_WHICH, maintain_order=True)) for each in (items, halves)]
    found: dict[tuple[int, Metric, bool], Tally] = {}
    for metric in measure.metric:
        for include_self in measure.include_self:
            for k in measure.k:
                own = tables[0][k, metric, include_self]
                drawn = tables[1].get((k, metric, include_self))
                sums = np.empty((0, 5)) if drawn is None else drawn.select(*_COUNTS, "n").to_numpy().astype(np.float64)
                if len(sums) not in (0, HALF_SAMPLES):
                    raise DataError(
                        f"cells: needed {HALF_SAMPLES} halves, got {len(sums)}, of another version. Run the spec again."
                    )
                counts = Counts(*(own[name].to_numpy().astype(np.float64) for name in _COUNTS))
                rows = own["item"].to_numpy().astype(np.int64)
                found[k, metric, include_self] = Tally(k, metric, include_self, ((part, len(rows)),), rows, counts, sums)
    return found
