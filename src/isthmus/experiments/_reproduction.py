"""A table of the paper beside ours: what each figure became, and remarks in words, from the cells that were run.

Both conventions of self are shown, because the published figures fit only one where an item is its own first neighbor. One
search without self at K - 1 serves both: with self, an overlap p without becomes (1 + (K - 1) p) / K. So `ours` is at K
with self and `ours_without_self` at K - 1 without, like the converted published figure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from isthmus._html import html_table
from isthmus.datasets import PaperSet
from isthmus.experiments._published import PUBLISHED_BASELINE, PublishedOverlap, without_self
from isthmus.experiments._results import Done
from isthmus.measures import Quantity
from isthmus.neighbors import Metric
from isthmus.statistics import bonferroni, rank_sum_p, smallest_rank_sum_p

PUBLISHED_K = 10


@dataclass(frozen=True, slots=True)
class ReproducedOverlap:
    """One figure of a table, published and ours. Overlaps in [0, 1]; what could not be run, or is not asked for, is None.

    Args:
        table, set, direction, model, image_features, text_features, loss, metric, overlap: as of `PublishedOverlap`.
        published: as printed, at K = 10 with self.
        published_without_self: the same without self, at K = 9.
        ours: mean over folds or seeds, at k with self.
        ours_without_self: the same without self, at k - 1.
        difference: ours - published, where k is 10; difference_without_self likewise.
        ours_sd: standard deviation of `ours` over folds or seeds.
        folds, seeds: how many; one of them is 1.
        diverged: of these, those whose loss left the finite numbers; they are left out of the means.
        baseline, baseline_without_self: mNNO(X, Y) of the same test items.
        k, n_test: neighbors with self; items among which neighbors were sought, the fewest of all folds.
        rank_sum_p: two-sided rank-sum test of input against target overlaps over folds or seeds, the paper's.
        rank_sum_p_bonferroni: corrected for all pairs of the table that were run.
        smallest_p: the smallest p that so many folds or seeds can reach.
        missing: the files that were missing.
    """

    table: int
    set: str
    direction: str
    model: str
    image_features: str
    text_features: str
    loss: str
    metric: Metric
    overlap: Literal["input", "target"]
    published: float
    published_without_self: float
    ours: float | None = None
    ours_without_self: float | None = None
    difference: float | None = None
    difference_without_self: float | None = None
    ours_sd: float | None = None
    folds: int | None = None
    seeds: int | None = None
    diverged: int | None = None
    baseline: float | None = None
    baseline_without_self: float | None = None
    k: int | None = None
    n_test: int | None = None
    rank_sum_p: float | None = None
    rank_sum_p_bonferroni: float | None = None
    smallest_p: float | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A table of the paper beside ours: its rows in the order of reading, and remarks in words.

    Args:
        rows: each target overlap follows its input overlap.
        remarks: whether input exceeds target everywhere, and mNNO(X, Y) beside the range that the paper gives.
        missing: files that were needed and not there.
        learned: title and recipe of the mappings, where a run has the table's in several ways; else empty.
    """

    table: int
    rows: tuple[ReproducedOverlap, ...]
    remarks: tuple[str, ...]
    missing: tuple[str, ...]
    learned: str = ""

    def records(self) -> list[dict[str, Any]]:
        """The rows as flat records, ready for JSON or a data frame."""
        return [asdict(row) for row in self.rows]

    def _repr_html_(self) -> str:
        columns = (
            "set",
            "direction",
            "model",
            "image_features",
            "text_features",
            "overlap",
            "published",
            "ours",
            "difference",
        )
        return html_table(f"Table {self.table}: published and ours", self.records(), columns, " ".join(self.remarks))


_OVERLAPS: dict[str, Quantity] = {"input": "input_overlap", "target": "target_overlap"}


class Features(NamedTuple):
    """A set of the paper with two kinds of features."""

    set: PaperSet
    image: Literal["resnet", "vgg128"]
    text: str

    @classmethod
    def of(cls, figure: "PublishedOverlap | ReproducedOverlap") -> "Features":
        """Those that a figure is about."""
        return cls(figure.set, figure.image_features, figure.text_features)  # type: ignore[arg-type]


class Which(NamedTuple):
    """A mapping of a table; all of them have one loss."""

    features: Features
    direction: str
    model: str

    @classmethod
    def of(cls, figure: PublishedOverlap) -> "Which":
        """The one that a figure is about."""
        return cls(Features.of(figure), figure.direction, figure.model)


class Ran(NamedTuple):
    """The cells of a mapping, or the files that were missing for them."""

    cells: tuple[Done, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def used(self) -> list[Done]:
        """The cells whose training did not diverge."""
        return [done for done in self.cells if done.tallies]

    def overlaps(self, of: Quantity, metric: Metric, k: int) -> np.ndarray:
        """One of the overlaps without self, at k - 1, in each cell."""
        tallies = [done.tallies[k - 1, metric, False] for done in self.used]
        return np.array([tally.value(of) for tally in tallies])


def rows_of(figures: Sequence[PublishedOverlap], ran: Mapping[Which, Ran], k: int) -> tuple[ReproducedOverlap, ...]:
    """The rows of a table, from the cells of its mappings.

    Args:
        figures: of one table, in the order of reading.
        ran: what was run.
        k: neighbors with self.
    """
    metric = figures[0].metric
    p_values = {
        which: rank_sum_p(*(one.overlaps(side, metric, k) for side in _OVERLAPS.values()))
        for which, one in ran.items() if one.used
    }  # fmt: skip
    corrected = dict(zip(p_values, bonferroni(np.array(list(p_values.values()))).tolist(), strict=True))
    rows = ((figure, Which.of(figure)) for figure in figures)
    return tuple(_row(figure, ran.get(which), k, p_values.get(which), corrected.get(which)) for figure, which in rows)


def _row(
    figure: PublishedOverlap, ran: Ran | None, k: int, p_value: float | None, corrected: float | None
) -> ReproducedOverlap:
    shared = {key: value for key, value in asdict(figure).items() if key not in ("printed_model", "mark")}
    row = ReproducedOverlap(**shared, published_without_self=without_self(figure.published))
    if ran is None or ran.missing:
        return replace(row, missing=", ".join(ran.missing) if ran else None)
    row = replace(
        row, folds=len({done.cell.part for done in ran.cells}), seeds=len({done.cell.seed for done in ran.cells}),
        diverged=len(ran.cells) - len(ran.used), k=k, n_test=min(done.about["n_test"] for done in ran.cells),
    )  # fmt: skip
    if not ran.used:
        return row
    without = ran.overlaps(_OVERLAPS[figure.overlap], figure.metric, k)
    base, mean = float(ran.overlaps("baseline_overlap", figure.metric, k).mean()), float(without.mean())
    ours, comparable = with_self(mean, k), k == PUBLISHED_K
    return replace(
        row, ours=ours, ours_without_self=mean,
        difference=ours - figure.published if comparable else None,
        difference_without_self=mean - row.published_without_self if comparable else None,
        ours_sd=float(without.std(ddof=1)) * (k - 1) / k if len(without) > 1 else None,
        baseline=with_self(base, k), baseline_without_self=base,
        rank_sum_p=p_value, rank_sum_p_bonferroni=corrected, smallest_p=smallest_rank_sum_p(len(without), len(without)),
    )  # fmt: skip


def with_self(p: float, k: int) -> float:
    """The overlap at k with self of an overlap at k - 1 without, in [0, 1]: (1 + (k - 1) p) / k, item by item.

    Example:
        >>> round(without_self(with_self(0.2, 10)), 6)
        0.2
    """
    return (1 + (k - 1) * p) / k


def remarks_of(
    figures: Sequence[PublishedOverlap],
    rows: Sequence[ReproducedOverlap],
    ran: Mapping[Which, Ran],
    baselines: Mapping[tuple[Features, Metric], float],
    k: int,
) -> Iterator[str]:
    """Whether input exceeds target everywhere, mNNO(X, Y) beside its published range, labels and trainings in doubt.

    Args:
        figures: of one table.
        rows: what `rows_of` made of them.
        ran: what was run.
        baselines: mNNO(X, Y) with self.
        k: neighbors with self.
    """
    table, pairs = figures[0].table, list(zip(rows[::2], rows[1::2], strict=True))
    above = sum(a.published > b.published for a, b in pairs)
    yield f"Table {table}, published: input overlap above target overlap in {above} of {len(pairs)} pairs."
    run = [(a.ours, b.ours) for a, b in pairs if a.ours is not None and b.ours is not None]
    if run:
        ours = sum(a > b for a, b in run)
        yield f"Table {table}, ours: in {ours} of the {len(run)} pairs that were run."
    low, high = PUBLISHED_BASELINE
    for (one, metric), value in baselines.items():
        place = "inside" if low <= round(value, 3) <= high else "outside"
        where = f"{place} the published range {low} to {high}" if k == PUBLISHED_K else "no published range at this K"
        tested = [b.ours for _, b in pairs if (Features.of(b), b.metric) == (one, metric) and b.ours is not None]
        lower = sum(ours < value for ours in tested)
        yield (
            f"mNNO(X, Y), {one.set}, {one.image} and {one.text}, {metric}, K={k} with self: {value:.3f}, {where}"
            + (f"; above our target overlap in {lower} of {len(tested)} rows." if tested else ".")
        )
    yield from _labels_in_doubt(figures)
    yield from _trainings_in_doubt(ran)


def _labels_in_doubt(figures: Sequence[PublishedOverlap]) -> Iterator[str]:
    """Tables 3 and 4 carry labels of rows that cannot all be right; see `PublishedOverlap.printed_model`."""
    places: dict[str, list[str]] = {}
    for figure in figures:
        if figure.overlap == "input" and figure.image_features == "resnet":
            places.setdefault(f"{figure.set} {figure.direction}", []).append(figure.printed_model)
    models = list(dict.fromkeys(figure.model for figure in figures))
    for place, printed in places.items():
        if printed != models:
            yield f"{place}: the rows are labeled {', '.join(printed)} in print, and taken for {', '.join(models)}."


def _trainings_in_doubt(ran: Mapping[Which, Ran]) -> Iterator[str]:
    """Those that the paper's check would not have let pass: every training loss steadily decreases."""
    about = [done.about for one in ran.values() for done in one.cells]
    for what, count in (
        ("left the finite numbers and is left out", sum(one["diverged"] for one in about)),
        ("did not steadily decrease", sum(one.get("steady") is False for one in about)),
    ):
        if count:
            yield f"The training loss {what} in {count} of {len(about)} trainings."
