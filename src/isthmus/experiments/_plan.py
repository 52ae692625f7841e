"""From a spec to its cells: one training, or one control, on one part of the data in one direction.

The key of a cell is a hash of everything that its result depends on and of nothing else: what the spec says about it, the
bytes of the data, the version of isthmus. Names of files are not in it, so results move with their folder.
"""

import hashlib
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from isthmus import __version__
from isthmus.experiments._audit import CONTROL_DRAWS, Direction
from isthmus.experiments._spec import Entry, Measure, Spec

IDENTITY = Entry("identity")

_FORM = 3  # of what cells hold: raised where stored ones would mean something else or lack something, and are made again


class Cell(Struct, frozen=True):
    """One training or control, as planned.

    Args:
        pairs: name of the experiment.
        direction: "x->y" or "y->x".
        role: "mapping" or "control".
        entry: what is learned; of an untrained twin, what gives it its architecture.
        part: number of the fold, 0 where there is a split.
        seed: of the weights.
        folds: their number, None where there is a split.
        drawn_by: seed of folds, halves and tests.
        measure: what is counted.
    """

    pairs: str
    direction: Direction
    role: Literal["mapping", "control"]
    entry: Entry
    part: int
    seed: int
    folds: int | None
    drawn_by: int
    measure: Measure

    @property
    def title(self) -> str:
        """What results call it."""
        untrained = self.role == "control" and self.entry != IDENTITY
        return f"untrained-{self.entry.shown}" if untrained else self.entry.shown

    @property
    def keeps_neighbors(self) -> bool:
        """Whether its neighbor lists are kept for the page: those of mappings, of their first seed."""
        return self.role == "mapping" and self.seed == self.drawn_by

    def described(self) -> "Cell":
        """The cell without names of files, whose bytes count as data."""
        named = self.entry.labels not in (None, "ids")
        return replace(self, entry=replace(self.entry, labels="file")) if named else self

    def key(self, data: str) -> str:
        """The name of the cell's folder.

        Args:
            data: digest of the bytes of what it is learned from and measured on.
        """
        text = msgspec.json.encode([self.described(), data, __version__, _FORM], order="sorted")
        return hashlib.sha256(text).hexdigest()[:32]


def twin_of(entry: Entry) -> Entry:
    """What the untrained twin of a mapping depends on: its architecture and scaling, not how it is learned."""
    kept = ("name", "title", "recipe", "activation", "initialization", "bias", "scaling", "hidden")
    return Entry(**{name: getattr(entry, name) for name in kept})


def folds_of(spec: Spec) -> int | None:
    """The number of folds, None where there is a split."""
    return None if spec.protocol.split is not None or spec.data.has_split else spec.protocol.folds or 5


def plan(spec: Spec) -> tuple[Cell, ...]:
    """The cells of an experiment, in the order of its results.

    A mapping is trained with each seed on each part; once where a seed means nothing (`Entry.trains`). The identity is
    measured once on each part, an untrained twin with three draws of its weights. Twins that differ in nothing are one.

    Example:
        >>> from isthmus.experiments import read_spec
        >>> cells = plan(read_spec("imagenet-words"))
        >>> len(cells), cells[0].title, cells[-1].title
        (250, 'identity', 'nn-5')
    """
    return tuple(_cells(spec))


def _cells(spec: Spec) -> Iterator[Cell]:
    folds, seed = folds_of(spec), spec.protocol.seed
    seeds = spec.protocol.seeds or (5 if folds is None else 1)
    twins = dict.fromkeys(map(twin_of, spec.mappings)) if spec.controls else {}
    for direction in spec.protocol.directions:
        for part in range(min(folds or 1, spec.protocol.parts or folds or 1)):
            what: list[tuple[Literal["mapping", "control"], Entry, int]] = []
            if spec.controls:
                what.append(("control", IDENTITY, seed))
            draws = range(seed + part * CONTROL_DRAWS, seed + (part + 1) * CONTROL_DRAWS)  # others in every part
            what += [("control", twin, draw) for twin in twins for draw in draws]
            for entry in spec.mappings:
                what += [("mapping", entry, seed + repetition) for repetition in range(seeds if entry.trains else 1)]
            for role, entry, own in what:
                yield Cell(spec.name, direction, role, entry, part, own, folds, seed, spec.measure)
