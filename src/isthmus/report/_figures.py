"""All figures that an audit or a run gives, in the order in which a page shows them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from math import isnan
from operator import attrgetter, itemgetter
from typing import Any

from isthmus.experiments import Audit, Direction, Results, titled, titles
from isthmus.report._figure import Figure
from isthmus.report._hubs import hub_curves
from isthmus.report._learning import learning_curves
from isthmus.report._overlaps import overlap_over_k, overlap_over_n
from isthmus.report._parts import parts_bars
from isthmus.report._plane import bridge_plane
from isthmus.report._spread import spread_dots

_CURVE = ("direction", "metric", "include_self")
_SETTING = (*_CURVE, "k")
_OVER: dict[Callable[..., Figure], str] = {overlap_over_k: "k", overlap_over_n: "n"}
"""Curves need two points or more."""


def audit_figures(audit: Audit, direction: Direction | None = None) -> list[Figure]:
    """The figures of an audit: bridge plane, parts, test sets, overlap over K and N, hubs, for each direction, metric and k.

    Args:
        audit: what `isthmus.audit` found.
        direction: only this one.

    Example:
        >>> import numpy as np
        >>> from isthmus import Pairs
        >>> from isthmus import audit as make
        >>> x, y = np.random.default_rng(0).normal(size=(2, 90, 4))
        >>> [figure.name for figure in audit_figures(make(Pairs(x, y), ["ridge"], k=3, folds=2), "x->y")][:3]
        ['bridge-plane-x-y-cosine-k3', 'parts-x-y-cosine-k3', 'spread-x-y-cosine-k3']
    """
    detail = audit.detail
    figures: list[Figure] = []
    made: tuple[tuple[Callable[..., Figure], Sequence[Any], tuple[str, ...]], ...] = (
        (bridge_plane, _rated(audit.rows), _SETTING), (parts_bars, audit.rows, _SETTING),
        (spread_dots, _rated(detail.parts), _SETTING),
        (overlap_over_k, detail.over_k, _CURVE), (overlap_over_n, detail.over_n, _CURVE),
        (hub_curves, detail.hubs, _SETTING),
    )  # fmt: skip
    for side in dict.fromkeys(row.direction for row in audit.rows) if direction is None else (direction,):
        ends = (audit.x_space, audit.y_space) if side == "x->y" else (audit.y_space, audit.x_space)
        for make, rows, keys in made:
            groups = _grouped((row for row in rows if row.direction == side), attrgetter(*keys))
            figures += [
                make(group, *ends) for group in groups
                if make not in _OVER or len({getattr(row, _OVER[make]) for row in group}) > 1
            ]  # fmt: skip
    return figures


def run_figures(results: Results, source: str = "X", target: str = "Y") -> list[Figure]:
    """The figures of a run: bridge plane, parts, cells, overlap over the K that were asked for and over N, learning curves.

    Args:
        results: of `isthmus.experiments.run` or `open_results`.
        source: name of the space x.
        target: name of the space y.
    """
    summary = [row for row in titled(results, "summary") if row["echo_rate"] is not None]
    cells = [row for row in titled(results, "cells") if row["echo_rate"] is not None]
    names = titles(results)
    sizes = [asdict(point) | {"mapping": names[done.cell]} for done in results.cells for point in done.over_n]
    figures = []
    made: tuple[tuple[Callable[..., Figure], list[dict[str, Any]], tuple[str, ...]], ...] = (
        (bridge_plane, summary, _SETTING), (parts_bars, summary, _SETTING), (spread_dots, cells, _SETTING),
        (overlap_over_k, [row | {"n": row["n_neighborhood"]} for row in summary], _CURVE), (overlap_over_n, sizes, _CURVE),
    )  # fmt: skip
    for make, rows, keys in made:
        for group in _grouped(rows, itemgetter(*keys)):
            ends = (source, target) if group[0]["direction"] == "x->y" else (target, source)
            if make not in _OVER or len({row[_OVER[make]] for row in group}) > 1:
                figures.append(make(group, *ends))
    for done in results.cells:
        ends = (source, target) if done.cell.direction == "x->y" else (target, source)
        figures += [learning_curves(replace(curves, mapping=names[done.cell]), *ends) for curves in done.curves]
    return figures


def _rated(rows: Sequence[Any]) -> list[Any]:
    """Those that have rates: spaces with the same neighbors everywhere have none."""
    return [row for row in rows if not isnan(row.echo_rate)]


def _grouped(rows: Iterable[Any], key: Callable[[Any], Any]) -> list[list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return list(groups.values())
