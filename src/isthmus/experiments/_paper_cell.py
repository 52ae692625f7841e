"""One mapping of the paper's tables, learned once on one fold or with one seed, and measured on its test items.

The result is small and takes long to get, so that it can be kept: a file named by a hash of everything that it depends on,
written under another name and renamed, so that it is there whole or not at all.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from isthmus import __version__
from isthmus._errors import DataError, MappingError
from isthmus.datasets import PaperPairs
from isthmus.experiments._published import PublishedOverlap
from isthmus.mappings import MLP
from isthmus.measures import mnno
from isthmus.neighbors import Metric, search
from isthmus.pairs import Split
from isthmus.training import Grid, Recipe, steadily_decreases


class Training(NamedTuple):
    """What is learned: a mapping between two spaces with a loss."""

    set: str
    direction: str
    model: str
    image_features: str
    text_features: str
    loss: str

    @classmethod
    def of(cls, figure: PublishedOverlap) -> "Training":
        """The mapping that a figure is about."""
        return cls(*(getattr(figure, name) for name in cls._fields))


class Part(NamedTuple):
    """A fold, or the published split, and the seed of the weights."""

    number: int
    seed: int
    split: Split


class CellResult(msgspec.Struct, frozen=True):
    """What one training gave.

    Args:
        training, part, seed: which one it is.
        n_test: items measured.
        diverged: whether the loss left the finite numbers; then there are no overlaps.
        epochs: of training; steady: whether the training loss steadily decreased.
        overlaps: by metric, input, target and baseline overlap without self, at k - 1.
        mse: mean over test items and dimensions of (f(x) - y)^2.
    """

    training: dict[str, str]
    part: int
    seed: int
    n_test: int
    diverged: bool
    epochs: int | None = None
    steady: bool | None = None
    overlaps: dict[str, dict[str, float]] = {}
    mse: float | None = None


def cell(
    data: PaperPairs,
    training: Training,
    part: Part,
    settings: Recipe,
    grid: Grid | None,
    *,
    k: int,
    processes: int,
    out: str | Path | None,
) -> CellResult:
    """Train and measure, or take what a run before has left in `out`.

    Raises:
        DataError: a folder that cannot be written.
    """
    if out is None:
        return _train(data, training, part, settings, grid, k, processes)
    settled = (training, part.number, part.seed, k, __version__)
    key = hashlib.sha256(msgspec.json.encode((settled, settings, grid)) + _digest(data, part.split)).hexdigest()[:16]
    file = Path(out) / f"{training.set}-{part.number}-{part.seed}-{key}.json"
    if file.is_file():
        try:
            return msgspec.json.decode(file.read_bytes(), type=CellResult)
        except msgspec.MsgspecError as error:
            raise DataError(f"{file}: needed a training that was kept, got other content. Remove the file.") from error
    result = _train(data, training, part, settings, grid, k, processes)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}.part")
        unfinished.write_bytes(msgspec.json.encode(result) + b"\n")
        unfinished.replace(file)
    except OSError as error:
        raise DataError(f"out: needed a folder that can be written, got {error}. Choose another place.") from error
    return result


def _digest(data: PaperPairs, split: Split) -> bytes:
    digest = hashlib.sha256()
    for array in (data.pairs.x, data.pairs.y, split.train, split.test):
        digest.update(np.ascontiguousarray(array).data)
    digest.update(msgspec.json.encode([sorted(names) for names in data.classes or ()]))
    return digest.digest()


def _train(
    data: PaperPairs, training: Training, part: Part, settings: Recipe, grid: Grid | None, k: int, processes: int
) -> CellResult:
    sides = (data.pairs.x, data.pairs.y)
    x, y = sides if training.direction == "image->text" else sides[::-1]
    train, test = part.split.train, part.split.test
    labels = [data.classes[row] for row in train] if data.classes is not None and training.loss == "max-margin" else None
    about: dict[str, Any] = {
        "training": training._asdict(), "part": part.number, "seed": part.seed, "n_test": len(test),
    }  # fmt: skip
    mapping = MLP(
        (settings.hidden,) * layers(training.model), loss=training.loss, recipe=settings, seed=part.seed, grid=grid,
        processes=processes,
    )  # fmt: skip
    try:
        mapping.fit(x[train], y[train], labels)
    except MappingError as error:
        if str(error).startswith(("learning_rate:", "grid.learning_rate:")):
            return CellResult(**about, diverged=True)
        raise
    f = mapping.predict(x[test])
    overlaps: dict[str, dict[str, float]] = {metric: _overlaps(x[test], f, y[test], k, metric) for metric in _METRICS}
    steady = bool(steadily_decreases(mapping.loss_))
    mse = float(np.mean((f.astype(np.float64) - y[test]) ** 2))
    return CellResult(**about, diverged=False, epochs=len(mapping.loss_), steady=steady, overlaps=overlaps, mse=mse)


_METRICS: tuple[Metric, ...] = ("cosine", "euclidean")


def layers(model: str) -> int:
    """Hidden layers of a model of the tables.

    Example:
        >>> [layers(model) for model in ("lin", "nn", "nn-3", "nn-5")]
        [0, 1, 3, 5]
    """
    return 0 if model == "lin" else int(re.sub(r"\D", "", model) or 1)


def _overlaps(x: Any, f: Any, y: Any, k: int, metric: Metric) -> dict[str, float]:
    of_x, of_f, of_y = (search(vectors, k - 1, metric) for vectors in (x, f, y))
    return {"input": mnno(of_x, of_f), "target": mnno(of_y, of_f), "baseline": mnno(of_x, of_y)}
