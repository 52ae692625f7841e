"""An experiment run: every cell that is not there yet, on several processes, until all are there.

Each process takes a cell, claims it, and writes it whole; so a run may be stopped or killed at any moment, started again,
and even run twice at once on one folder: the runs then share the cells. No byte of the results depends on any of this.
"""

import warnings
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path

import msgspec

from isthmus._errors import DataError, MappingError
from isthmus._shapes import Progress
from isthmus.experiments._cell import do_cell
from isthmus.experiments._items import Items, open_items
from isthmus.experiments._plan import Cell, plan
from isthmus.experiments._reopened import NAMES, Names
from isthmus.experiments._results import PLAN, Planned, Results, encode_plan, export
from isthmus.experiments._spec import Spec
from isthmus.experiments._store import claim, is_done, prepare, write_cell, write_file
from isthmus.training import TrainingWarning, divided


def run(spec: Spec, folder: str | Path, *, processes: int = 1, progress: Progress | None = None) -> Results:
    """The results of an experiment; what its folder holds already is not done again.

    A cell stands in a folder named by a hash of its part of the spec, of the data's bytes and of the version of isthmus, so
    a folder may serve several experiments, and one that is changed repeats only what the change touches. Afterwards the
    folder holds results.json and results.parquet (the summary), cells.json and cells.parquet.

    Args:
        spec: what to run.
        folder: where results go; made if it is not there.
        processes: among which the cells are divided, best one a core.
        progress: called with the cells left in words, the cells done and the cells in all; raise in it to stop.

    Raises:
        DataError: data that cannot be used, a folder that cannot be written to, for want of room perhaps, or a process that
            was killed, for want of memory perhaps.
        MappingError: no labels for max-margin, or fewer than 1 process.
        NeighborError: too few test items for k.

    Warns:
        UserWarning: a split that leaves items out.
        TrainingWarning: trainings that diverged, or whose loss did not steadily decrease.

    Example:
        >>> import tempfile
        >>> from isthmus.experiments import read_spec
        >>> text = 'name = "two"\\n[data]\\nname = "emoji"\\n[[mappings]]\\nname = "ridge"\\n[protocol]\\nfolds = 2'
        >>> with tempfile.TemporaryDirectory() as place:
        ...     _ = Path(place, "two.toml").write_text(text)
        ...     results = run(read_spec(Path(place, "two.toml")), place)
        >>> [(each["mapping"], each["cells"]) for each in results.records()][:3]
        [('identity', 2), ('untrained-ridge', 6), ('ridge', 2)]
    """
    if processes < 1:
        raise MappingError(f"processes: needed 1 or more, got {processes}. Use 1.")
    folder = Path(folder)
    items = open_items(spec)
    _warn_of_omitted(items)
    planned = tuple(Planned(cell.key(items.digest_for(cell.entry)), cell.described()) for cell in plan(spec))
    cells = dict(zip((each.key for each in planned), plan(spec), strict=True))
    prepare(folder)
    write_file(folder, PLAN, encode_plan(planned))
    write_file(folder, NAMES, msgspec.json.encode(Names.of(items.pairs, items.labels[None], spec.data)))
    for wait in (False, True):  # first what no other run is doing, then what others did not finish
        missing = [key for key in cells if not is_done(folder, key)]
        _report(progress, len(missing), len(cells))
        work = [(spec, items.fingerprint, cells[key], folder, key, wait) for key in missing]
        try:
            for left, _ in enumerate(divided(_do, work, processes, ordered=False), start=1):
                _report(progress, len(missing) - left, len(cells))
        except BrokenProcessPool as error:
            raise DataError(
                f"processes: needed {processes} that live until all is done, got one that was killed, for want of memory "
                "perhaps. Run the same again with fewer of them: the cells that are done stay."
            ) from error
    results = Results.of(folder, planned)
    with claim(folder / "cells", "export", wait=True):
        export(results, folder)
    _warn(results)
    return results


def _report(progress: Progress | None, left: int, total: int) -> None:
    if progress is not None:
        progress(f"{left} cells left", total - left, total)


def _do(spec: Spec, fingerprint: str, cell: Cell, folder: Path, key: str, wait: bool) -> None:
    """Do a cell, unless it is there, or another process is at it and need not be waited for."""
    with claim(folder / "cells", key, wait=wait) as mine:
        if mine and not is_done(folder, key):
            write_cell(folder, key, do_cell(cell, _items(spec, fingerprint)))


@lru_cache(maxsize=1)
def _items(spec: Spec, fingerprint: str) -> Items:
    """The data, read once in each process; the fingerprint sees to it that all processes read the same."""
    items = open_items(spec)
    if items.fingerprint != fingerprint:
        raise DataError(f"data: needed the files of {spec.name} as they were when the run began, got others. Run it again.")
    return items


def _warn_of_omitted(items: Items) -> None:
    """Say how many items a split leaves out of both of its parts."""
    used = {int(row) for split in items.splits for rows in (split.train, split.test) for row in rows}
    if len(used) < len(items.pairs):
        warnings.warn(f"split: {len(items.pairs) - len(used)} of {len(items.pairs)} items are in no part", stacklevel=3)


def _warn(results: Results) -> None:
    """Say how many trainings did not go well; which ones, `records("cells")` tells."""
    outcomes = [done.about for done in results.cells if done.about["diverged"] or "steady" in done.about]
    diverged = sum(about["diverged"] for about in outcomes)
    unsteady = sum(not about.get("steady", True) for about in outcomes)
    if diverged or unsteady:
        warnings.warn(
            f"loss: needed a training loss that steadily decreases, got {diverged} of {len(outcomes)} trainings that "
            f"diverged and {unsteady} whose loss did not. Use smaller learning rates there; `records('cells')` names them.",
            TrainingWarning,
            stacklevel=3,
        )
