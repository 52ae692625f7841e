"""An audit of given vectors that are too many to search them all: a random sample is searched, exactly, among all.

The rows are those of an audit, with intervals about what a search of all items would have given. The controls, the input
itself and untrained twins, are measured on the same sample, so that what the samples have in common cancels in the gain.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float, Progress
from isthmus.experiments._audit import Audit, AuditRow, check_mapped
from isthmus.experiments._neighborhoods import Neighborhoods
from isthmus.experiments._tally import Errors
from isthmus.mappings import mapping
from isthmus.measures import Bridge, Quantity, Spaces, as_list, searched, verdict
from isthmus.neighbors import Metric, Neighbors, check_metric, search
from isthmus.pairs import Pairs
from isthmus.statistics import POPULATIONS, Interval, ratio_error

_TWINS = ("lin", "nn")
_INTERVALS: tuple[Quantity, ...] = ("index", "echo_rate", "bridge_rate", "target_overlap")


def audit_sample(
    pairs: Pairs,
    mapped: Any,
    *,
    k: int | Sequence[int] = 10,
    metric: Metric | Sequence[Metric] = "cosine",
    include_self: bool = False,
    sample: int | None = None,
    precision: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Audit:
    """Do these vectors carry the neighborhoods of their target? Estimated without bias from a random sample of the items.

    Args:
        pairs: the two spaces.
        mapped: f(X), one row a pair, as wide as y.
        k: neighbors counted, or several such numbers.
        metric: "cosine" or "euclidean", or both.
        include_self: count each item as its own neighbor.
        sample: number of items to draw; or
        precision: half width of the 95 % intervals of the three overlaps.
        seed: of the sample and of the twins' weights.
        progress: called with what is being done, the rows done and the rows in all.

    Raises:
        MappingError: mapped vectors that are not shaped like y.
        NeighborError: too few items for k, an unknown metric, or a sample that cannot be drawn.

    Example:
        >>> x, y = np.random.default_rng(0).normal(size=(2, 500, 4))
        >>> rows = audit_sample(Pairs(x, y), y + 0.1 * x, k=5, sample=100).rows
        >>> [(row.mapping, row.n_test, row.n_neighborhood) for row in rows][-1], rows[-1].verdict
        (('given', 100, 500), 'carries the target')
    """
    f = check_mapped(mapped, pairs)
    twins = {f"untrained-{name}": _twin(name, pairs, seed) for name in _TWINS}
    metrics: list[Metric] = [metric] if isinstance(metric, str) else list(dict.fromkeys(metric))
    rows: list[AuditRow] = []
    neighborhoods: list[Neighborhoods] = []
    for each in metrics:
        check_metric(each)
        found = searched(
            (pairs.x, f, pairs.y), as_list(k), each, include_self=include_self, sample=sample, precision=precision,
            seed=seed, find=partial(search, progress=progress), name="x",
        )  # fmt: skip
        others = {
            name: search(twin, found[0].depth, each, rows=found[0].rows, include_self=include_self, progress=progress)
            for name, twin in twins.items()
        }
        if each == metrics[0]:
            x, given, y = found
            neighborhoods.append(Neighborhoods.of(Spaces.of(x, given, y), as_list(k)[0], "x->y", "given"))
        for count in as_list(k):
            rows += _rows(pairs, f, found, others, count)
    settings = {"folds": None, "seeds": 1, "seed": seed, "given": True, "sample": sample, "precision": precision}
    return Audit(
        pairs.name, pairs.x_space, pairs.y_space, tuple(rows), settings, ids=pairs.ids, labels=pairs.labels,
        neighborhoods=tuple(neighborhoods),
    )  # fmt: skip


def _twin(name: str, pairs: Pairs, seed: int) -> Float[ndarray, "n dy"]:
    twin = mapping(name).twin(seed)
    assert twin is not None  # lin and nn have one
    return twin.fit(pairs.x, pairs.y).predict(pairs.x)


def _rows(
    pairs: Pairs, f: Float[ndarray, "n dy"], found: Sequence[Neighbors], twins: dict[str, Neighbors], k: int
) -> Iterator[AuditRow]:
    x, given, y = found
    controls = {name: Bridge.of([Spaces.of(x, table, y)], k) for name, table in {"identity": x, **twins}.items()}
    for name, bridge in controls.items():
        yield _row(pairs.name, name, "control", bridge, None, None)
    bridge = Bridge.of([Spaces.of(x, given, y)], k)
    best = max((controls[name] for name in twins), key=lambda twin: twin.bridge_rate)
    yield _row(pairs.name, "given", "mapping", bridge, best, Errors.of(f, pairs.y))


def _row(
    pairs: str,
    name: str,
    role: Literal["mapping", "control"],
    bridge: Bridge,
    twin: Bridge | None,
    errors: Errors | None,
) -> AuditRow:
    table = bridge.spaces[0].x
    index, echo, rate, target = (bridge.interval(of) for of in _INTERVALS)
    gain = None if twin is None else _gain(bridge, twin)
    return AuditRow(
        pairs=pairs, direction="x->y", mapping=name, role=role, n_test=bridge.n, n_neighborhood=table.items, k=bridge.k,
        metric=table.metric, include_self=table.includes_self, input_overlap=bridge.input_overlap,
        target_overlap=target.estimate, target_overlap_low=target.low, target_overlap_high=target.high,
        baseline_overlap=bridge.baseline_overlap, chance=bridge.chance,
        shared=float(bridge.shared.mean()), echoed=float(bridge.echoed.mean()), bridged=float(bridge.bridged.mean()),
        novel=float(bridge.novel.mean()), echo_rate=echo.estimate, echo_rate_low=echo.low, echo_rate_high=echo.high,
        bridge_rate=rate.estimate, bridge_rate_low=rate.low, bridge_rate_high=rate.high,
        bridge_index=index.estimate, bridge_index_low=index.low, bridge_index_high=index.high,
        interval_population=POPULATIONS["sample"], gain=gain.estimate if gain else None,
        gain_low=gain.low if gain else None, gain_high=gain.high if gain else None, p_value=index.p_value,
        mse=errors.mse if errors else None, r2=errors.r2 if errors else None, verdict=verdict(index, gain),
    )  # fmt: skip


def _gain(bridge: Bridge, twin: Bridge) -> Interval:
    """Bridge rate less the twin's: both have the neighbors that only the target has for their denominator."""
    more, (_, targets) = bridge.bridged - twin.bridged, bridge.counts.ratio("bridge_rate", bridge.k)
    error = ratio_error(more.astype(np.float64), targets, bridge.population)
    return Interval.around(bridge.bridge_rate - twin.bridge_rate, error, kind="sample")
