"""What lies behind the rows of an audit, for its figures: each test set by itself, other K, other N, hubs.

All but the curve over N is counted in the neighbor tables that the audit has searched anyway. The curve over N searches
random parts of one test set, of at most `LARGEST` items, so that it costs little where the audit is large.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float, Int
from isthmus.experiments._tally import Tally
from isthmus.measures import Spaces, chance, mnno
from isthmus.neighbors import Metric, k_occurrence, search

LARGEST = 2000
DRAWS = 5
_STEPS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500)


@dataclass(frozen=True, slots=True)
class PartRow:
    """A mapping or control on one test set, with one seed.

    Args:
        direction, mapping, role, k, metric, include_self: as of `AuditRow`.
        part: number of the test set, from 0.
        run: number of the repetition with other random weights, from 0.
        n: items of the test set.
        chance: expected overlap under a random pairing.
        input_overlap, target_overlap, baseline_overlap, echo_rate, bridge_rate, bridge_index: as of `AuditRow`.
    """

    direction: str
    mapping: str
    role: Literal["mapping", "control"]
    k: int
    metric: Metric
    include_self: bool
    part: int
    run: int
    n: int
    chance: float
    input_overlap: float
    target_overlap: float
    baseline_overlap: float
    echo_rate: float
    bridge_rate: float
    bridge_index: float


@dataclass(frozen=True, slots=True)
class OverlapPoint:
    """The three overlaps of a mapping or control at one number of items and of neighbors.

    Args:
        direction, mapping, role, metric, include_self: as of `AuditRow`.
        n: items among which neighbors were sought.
        k: neighbors counted.
        input_overlap, target_overlap, baseline_overlap: means over test sets, or over random parts of one.
        chance: expected overlap under a random pairing.
    """

    direction: str
    mapping: str
    role: Literal["mapping", "control"]
    metric: Metric
    include_self: bool
    n: int
    k: int
    input_overlap: float
    target_overlap: float
    baseline_overlap: float
    chance: float


@dataclass(frozen=True, slots=True)
class HubRow:
    """How often items stand in the neighbor lists of a space, counted within each test set.

    Args:
        direction, k, metric, include_self: as of `AuditRow`.
        space: "X", "Y", or the name of the mapping or control for f(X).
        counts: how many items stand in 0, 1, 2, ... lists.
        skewness: third standardized moment of that number; near 0 without hubs, nan where all are equal.
    """

    direction: str
    space: str
    k: int
    metric: Metric
    include_self: bool
    counts: tuple[int, ...]
    skewness: float


@dataclass(frozen=True, slots=True)
class Detail:
    """What lies behind the rows of an audit; empty where only a sample was searched."""

    parts: tuple[PartRow, ...] = ()
    over_k: tuple[OverlapPoint, ...] = ()
    over_n: tuple[OverlapPoint, ...] = ()
    hubs: tuple[HubRow, ...] = ()

    @classmethod
    def joined(cls, details: "Sequence[Detail]") -> "Detail":
        """Those of several directions and metrics, one after the other."""
        columns = ([getattr(each, name) for each in details] for name in cls.__dataclass_fields__)
        return cls(*(tuple(row for rows in column for row in rows) for column in columns))


class Sketch(NamedTuple):
    """What is kept of the neighbor tables of one mapping on one test set.

    Args:
        part, run: number of the test set, and of the repetition.
        tallies: its counts, one a k.
        sums: for each k of a ladder, neighbors that f and x, f and y, x and y have in common, over all items.
        occurrences: of f, how many lists each item stands in, for each k.
    """

    part: int
    run: int
    tallies: list[Tally]
    sums: dict[int, tuple[float, float, float]]
    occurrences: dict[int, Int[ndarray, " n"]]

    @classmethod
    def of(cls, spaces: Spaces, tallies: list[Tally], part: int, run: int) -> "Sketch":
        """The sketch of searched tables."""
        ks = [each.k for each in tallies]
        ladder = sorted({*ks, *(k for k in _STEPS if k <= min(spaces.x.depth, 5 * max(ks)))})
        counted = {k: spaces.counts(k) for k in ladder}
        sums = {k: (float(of.fx.sum()), float(of.fy.sum()), float(of.xy.sum())) for k, of in counted.items()}
        return cls(part, run, tallies, sums, {k: k_occurrence(spaces.f, k) for k in ks})


def detail_of(
    direction: str, sketches: Mapping[str, Sequence[Sketch]], roles: Mapping[str, Any], spaces: Mapping[str, Sequence[Any]]
) -> Detail:
    """The detail of one direction and metric, without the curve over N.

    Args:
        direction: "x->y" or "y->x".
        sketches: of each mapping and control, one a test set and repetition.
        roles: of each of them.
        spaces: the neighbor tables of "X" and "Y", one a test set.
    """
    parts, over_k, hubs = [], [], []
    first = next(iter(sketches.values()))[0].tallies
    metric, include_self, ks = first[0].metric, first[0].include_self, [each.k for each in first]
    for name, found in sketches.items():
        shared = (direction, name, roles[name])
        parts += [_part(shared, sketch, tally) for sketch in found for tally in sketch.tallies]
        sizes = [sketch.tallies[0].sets[0][1] for sketch in found]
        for k in found[0].sums:
            if any(k not in sketch.sums for sketch in found):  # tables of a small test set are less deep
                continue
            fx, fy, xy = (np.sum([sketch.sums[k] for sketch in found], axis=0) / (k * sum(sizes))).tolist()
            level = np.average([chance(k, size, include_self=include_self) for size in sizes], weights=sizes)
            over_k.append(OverlapPoint(*shared, metric, include_self, min(sizes), k, fx, fy, xy, float(level)))
    for k in ks:
        occurrences = {space: [k_occurrence(table, k) for table in tables] for space, tables in spaces.items()}
        occurrences |= {name: [sketch.occurrences[k] for sketch in found] for name, found in sketches.items()}
        hubs += [hub_row(direction, space, k, metric, include_self, np.concatenate(of)) for space, of in occurrences.items()]
    return Detail(tuple(parts), tuple(over_k), (), tuple(hubs))


def _part(shared: tuple[str, str, Any], sketch: Sketch, tally: Tally) -> PartRow:
    ((_, n),) = tally.sets
    return PartRow(
        *shared, tally.k, tally.metric, tally.include_self, sketch.part, sketch.run, n,
        chance(tally.k, n, include_self=tally.include_self), tally.value("input_overlap"), tally.value("target_overlap"),
        tally.value("baseline_overlap"), tally.value("echo_rate"), tally.value("bridge_rate"), tally.value("index"),
    )  # fmt: skip


def hub_row(direction: str, space: str, k: int, metric: Metric, include_self: bool, found: Int[ndarray, " n"]) -> HubRow:
    """The hubs of a space, from the number of lists that each item stands in."""
    centered = found - found.mean()
    spread = float(np.sqrt(np.mean(centered**2)))
    skewness = float(np.mean(centered**3)) / spread**3 if spread else float("nan")
    return HubRow(direction, space, k, metric, include_self, tuple(np.bincount(found).tolist()), skewness)


def over_n(
    direction: str,
    x: Float[ndarray, "n dx"],
    y: Float[ndarray, "n dy"],
    mapped: Mapping[str, tuple[Any, Float[ndarray, "n df"]]],
    k: int,
    metric: Metric,
    *,
    include_self: bool,
    seed: int,
) -> Iterator[OverlapPoint]:
    """The overlaps at a fixed k among random parts of one test set, halved again and again while they hold 2 k items.

    Args:
        direction: "x->y" or "y->x".
        x: inputs of the test set.
        y: their targets.
        mapped: role and f(X) of each mapping.
        k: neighbors counted.
        metric: "cosine" or "euclidean".
        include_self: count each item as its own neighbor.
        seed: of the parts.
    """
    sizes = [min(len(x), max(LARGEST, 2 * k))]
    while sizes[-1] // 2 >= 2 * k:
        sizes.append(sizes[-1] // 2)
    for n in sorted(sizes):
        rng = np.random.default_rng([seed, n, 0x0A11])
        values: dict[str, list[tuple[float, float, float]]] = {name: [] for name in mapped}
        for _ in range(1 if n == len(x) else DRAWS):
            rows = np.sort(rng.permutation(len(x))[:n])
            of_x, of_y = (search(v[rows], k, metric, include_self=include_self) for v in (x, y))
            for name, (_, f) in mapped.items():
                of_f = search(f[rows], k, metric, include_self=include_self)
                values[name].append((mnno(of_x, of_f), mnno(of_y, of_f), mnno(of_x, of_y)))
        for name, drawn in values.items():
            fx, fy, xy = np.mean(drawn, axis=0).tolist()
            level = chance(k, n, include_self=include_self)
            yield OverlapPoint(direction, name, mapped[name][0], metric, include_self, n, k, fx, fy, xy, level)
