"""The paper's figure 2 again: errors and overlaps over the epochs of a network, on the authors' files.

Its caption names the model, nn, and the sets from left to right; features and direction it leaves open, and the text beside
it speaks of all cases of table 1. So each of them is learned once, with the published split or on the first fold.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from isthmus._errors import DataError
from isthmus._html import html_table
from isthmus._shapes import Progress
from isthmus.datasets import PaperSet
from isthmus.experiments._curves import EPOCHS, Curves
from isthmus.experiments._published import published_overlaps
from isthmus.experiments._reproduce import absent_files, check_asked, entry_of, run_all, spec_of
from isthmus.experiments._reproduction import PUBLISHED_K, Which
from isthmus.experiments._spec import Measure, Protocol
from isthmus.training import Grid

_PANELS: tuple[PaperSet, ...] = ("wiki", "iapr", "imagenet")


@dataclass(frozen=True, slots=True)
class Figure2:
    """The curves of a network, one for each case whose files are there, and remarks in words.

    Args:
        curves: sets change first, as in the figure from left to right.
        remarks: whether an oracle, who stops at the best epoch of the test items, reverses the finding.
        missing: files that were needed and not there.
    """

    curves: tuple[Curves, ...]
    remarks: tuple[str, ...]
    missing: tuple[str, ...]

    def records(self) -> list[dict[str, Any]]:
        """One flat record an epoch, as of `Curves.records`."""
        return [record for each in self.curves for record in each.records()]

    def _repr_html_(self) -> str:
        return "".join(curves._repr_html_() for curves in self.curves) + html_table(
            "Remarks", [{"": r} for r in self.remarks]
        )


def figure2(
    data: str | Path,
    *,
    recipe: str = "paper",
    grid: str | Grid | None = None,
    k: int = PUBLISHED_K,
    seed: int = 0,
    processes: int = 1,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Figure2:
    """Train and test MSE, input and target overlap and the rates of nn over epochs; cosine neighbors, with self, as printed.

    Without self an overlap p at K becomes (K p - 1) / (K - 1) at K - 1: which of two is larger stays.

    Args:
        data: folder of the authors' files, as `isthmus.datasets.paper_files` describes.
        recipe: "paper" or "authors-code".
        grid: as of `reproduce`.
        k: neighbors, with self.
        seed: of the folds, of which ImageNet takes the first, and of the training.
        processes: among which the trainings are divided.
        out: folder where finished trainings are kept, in its folder figure2.
        progress: called with what is being done, the trainings done and the trainings in all.

    Raises:
        DataError: no set whose files are all there, files that cannot be read, or k below 2.
        MappingError: an unknown recipe or grid, or a grid with the recipe "authors-code".
    """
    axes = check_asked(recipe, grid, k, seed)
    cases = dict.fromkeys(Which.of(figure) for figure in published_overlaps(1) if figure.model == "nn")
    missing: dict[str, None] = {}
    specs = []
    for image, direction, name in product(("resnet", "vgg128"), ("image->text", "text->image"), _PANELS):
        [which] = (w for w in cases if (w.features.set, w.features.image, w.direction) == (name, image, direction))
        absent = absent_files(data, which.features)
        missing |= dict.fromkeys(absent)
        if not absent:
            entry = entry_of(which, "mse", recipe, axes)
            measure = Measure((k,), include_self=(True,), epochs=EPOCHS)
            protocol = Protocol(parts=1, seeds=1, seed=seed)
            specs.append(spec_of(str(data), which.features, direction, [entry], protocol, measure))
    if not specs:
        raise DataError(f"data: needed the files of one set, found not all of {', '.join(missing)}. Put them into {data}.")
    results = run_all(specs, None if out is None else Path(out, "figure2"), processes, progress)
    curves = tuple(each for one in results for done in one.cells for each in done.curves)
    gone = tuple(done.cell.pairs for one in results for done in one.cells if not done.curves)
    return Figure2(curves, tuple(_remarks(curves, gone)), tuple(missing))


def _remarks(curves: tuple[Curves, ...], gone: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{each.pairs}: {each}." for each in curves)
    reversed_by = {
        "An oracle": [each.pairs for each in curves if each.oracle in each.reversals],
        "Some epoch measured": [each.pairs for each in curves if each.reversals],
    }
    for who, where in reversed_by.items():
        yield f"{who} reverses the finding in {', '.join(where) or 'none'} of {len(curves)} networks; in print, in none."
    if gone:
        yield f"The training left the finite numbers in {', '.join(gone)}."
