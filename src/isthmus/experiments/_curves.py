"""What learning does to neighborhoods: overlaps and errors over the epochs of one training, the paper's figure 2.

One mapping is learned once; its networks at some epochs are measured on the test items. The input and the target are
searched once, f(X) once an epoch. The curve goes on beyond the epoch that the recipe chose, so that an oracle, who knows the
test items and stops where their target overlap is best, can be told from the recipe: the paper claims that not even it
reverses the finding.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, product
from typing import Any, get_args

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._html import html_table
from isthmus._shapes import Float
from isthmus.experiments._audit import Direction
from isthmus.experiments._authors import recipe_for
from isthmus.mappings import MLP, mapping
from isthmus.measures import Bridge, Spaces, as_list
from isthmus.neighbors import Metric, Neighbors, search
from isthmus.pairs import Pairs, Split
from isthmus.training import Grid, Loss, Recipe

EPOCHS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)
"""Epochs of figure 2, 0 for the untrained start."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A mapping after some epochs: errors as means over items and dimensions of (f(x) - y)^2, the rest on test items."""

    epoch: int
    train_mse: float
    mse: float
    input_overlap: float
    target_overlap: float
    echo_rate: float
    bridge_rate: float
    bridge_index: float


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of one training, at one k and metric.

    Args:
        pairs: name of the paired sets.
        direction: "x->y" or "y->x".
        mapping: its name.
        loss: what it minimized.
        recipe: how it was learned.
        seed: of its randomness.
        n_train, n_test: items to learn from, and items measured.
        k: neighbors counted.
        metric: of the neighbors.
        include_self: whether an item counts as its own neighbor.
        baseline_overlap: mNNO(X, Y) of the test items, in [0, 1].
        chance: expected overlap under a random pairing.
        chosen: the epoch that the recipe chose.
        points: by epoch, 0 for the untrained network.
    """

    pairs: str
    direction: Direction
    mapping: str
    loss: str
    recipe: str
    seed: int
    n_train: int
    n_test: int
    k: int
    metric: Metric
    include_self: bool
    baseline_overlap: float
    chance: float
    chosen: int
    points: tuple[CurvePoint, ...]

    @property
    def oracle(self) -> int:
        """The measured epoch with the best target overlap on the test items, the first of equals; the start, 0, is none."""
        return max((point for point in self.points if point.epoch), key=lambda point: point.target_overlap).epoch

    @property
    def reversals(self) -> tuple[int, ...]:
        """Measured epochs, but for 0, with target above input overlap; none, the paper says, "for any number"."""
        return tuple(point.epoch for point in self.points if point.epoch and point.target_overlap > point.input_overlap)

    def at(self, epoch: int) -> CurvePoint:
        """The point of an epoch.

        Raises:
            MappingError: an epoch that was not measured.
        """
        for point in self.points:
            if point.epoch == epoch:
                return point
        known = ", ".join(str(point.epoch) for point in self.points)
        raise MappingError(f"epoch: needed one of {known}, got {epoch}. Ask for it in epochs=.")

    def records(self) -> list[dict[str, Any]]:
        """One flat record an epoch, ready for JSON or a data frame, with the keys of an audit's rows."""
        shared = {name: value for name, value in asdict(self).items() if name not in ("chosen", "points")}
        oracle = self.oracle
        return [
            shared | asdict(point) | {"chosen": point.epoch == self.chosen, "oracle": point.epoch == oracle}
            for point in self.points
        ]

    @classmethod
    def of_records(cls, records: Sequence[dict[str, Any]]) -> "tuple[Curves, ...]":
        """The curves of one training, each k, metric and convention, from their records one after the other."""
        found = []
        # JSON has no nan: a figure that is not defined is null there.
        records = [{name: float("nan") if each is None else each for name, each in record.items()} for record in records]
        for _, group in groupby(records, key=lambda record: (record["k"], record["metric"], record["include_self"])):
            own = list(group)
            points = tuple(CurvePoint(**{name: each[name] for name in CurvePoint.__dataclass_fields__}) for each in own)
            shared = {name: own[0][name] for name in cls.__dataclass_fields__ if name not in ("chosen", "points")}
            found.append(cls(**shared, chosen=next(each["epoch"] for each in own if each["chosen"]), points=points))
        return tuple(found)

    def _repr_html_(self) -> str:
        columns = ("epoch", "train_mse", "mse", "input_overlap", "target_overlap", "echo_rate", "bridge_rate")
        title = f"{self.pairs}: {self.mapping} over epochs, {self.direction}"
        convention = "included" if self.include_self else "excluded"
        note = (
            f"The recipe chose epoch {self.chosen}. N={self.n_test} test items, K={self.k}, {self.metric}, self "
            f"{convention}; mNNO(X, Y) {self.baseline_overlap:.3f}, chance {self.chance:.3f}."
        )
        return html_table(title, self.records(), columns, note)

    def __str__(self) -> str:
        points = [("chosen", self.at(self.chosen)), ("oracle", self.at(self.oracle))]
        parts = [f"{w}: epoch {p.epoch}, input {p.input_overlap:.3f}, target {p.target_overlap:.3f}" for w, p in points]
        finding = "epochs " + ", ".join(map(str, self.reversals)) if self.reversals else "no epoch measured"
        convention = "included" if self.include_self else "excluded"
        return (
            f"{self.mapping}, {self.direction}: {'; '.join(parts)}. Target above input overlap in {finding} "
            f"(N={self.n_test}, K={self.k}, {self.metric}, self {convention})"
        )


def curves(
    pairs: Pairs,
    name: str,
    split: Split,
    *,
    direction: Direction = "x->y",
    loss: str | Loss = "mse",
    recipe: str | Recipe = "paper",
    learning_rate: float | None = None,
    grid: Grid | None = None,
    processes: int = 1,
    epochs: Sequence[int] | None = None,
    k: int = 10,
    metric: Metric = "cosine",
    include_self: bool = False,
    seed: int = 0,
) -> Curves:
    """Learns one mapping and measures it on the test items as it was after some epochs.

    Collell & Moens (2018), figure 2 and its discussion: test mNNO(f(X), Y) "never surpasses" test mNNO(f(X), X) "for any
    number of epochs, even with an oracle".

    Args:
        pairs: the two spaces, with labels where the loss needs them.
        name: "lin", "nn" or "nn-N".
        split: items to learn from and items to measure.
        direction: "x->y" or "y->x".
        loss: what it minimizes.
        recipe: how it is learned, by name or whole.
        learning_rate: in place of the recipe's.
        grid: settings to choose by cross-validation within the training part.
        processes: among which the models of the grid are divided.
        epochs: where to measure, up to the last of the recipe or of the grid; `EPOCHS` if left out. The start, 0, and the
            epoch that the recipe chose are measured in any case.
        k: neighbors counted.
        metric: "cosine" or "euclidean".
        include_self: count each item as its own neighbor, as the published code of the paper does.
        seed: of the first weights, the held-out items and the order of training.

    Raises:
        MappingError: a mapping that knows no epochs, an unknown direction, loss or recipe, an epoch that is out of reach, or
            a loss that left the finite numbers up to the chosen epoch.
        NeighborError: too few test items for k, or an unknown metric.

    Example:
        >>> from isthmus.pairs import k_fold
        >>> x = np.random.default_rng(0).normal(size=(120, 4))
        >>> found = curves(Pairs(x, x**2), "nn", k_fold(120, 3)[0], recipe="authors-code", epochs=(5, 50), k=3)
        >>> [point.epoch for point in found.points], found.chosen, found.at(50).train_mse < found.at(0).train_mse
        ([0, 5, 50], 50, True)
    """
    if direction not in get_args(Direction):
        raise MappingError(f"direction: needed x->y or y->x, got {direction!r}. Choose one.")
    side = pairs if direction == "x->y" else pairs.swap()
    settings = recipe_for(side, name, recipe, learning_rate)
    model = mapping(name, loss=loss, recipe=settings, seed=seed, grid=grid, processes=processes)
    if not isinstance(model, MLP):
        raise MappingError(f"mapping: needed one learned in epochs, lin, nn or nn-N, got {name!r}. Choose one of them.")
    last = settings.epochs if grid is None else grid.epochs
    model.checkpoints = tuple(each for each in EPOCHS if each <= last) if epochs is None else tuple({0, *epochs})
    labels = None if side.labels is None else [side.labels[row] for row in split.train]
    model.fit(side.x[split.train], side.y[split.train], labels)
    [found] = curves_of(
        model, side, split, k=k, metric=metric, include_self=include_self, name=name, direction=direction,
        recipe=recipe if isinstance(recipe, str) else "own",
    )  # fmt: skip
    return found


def curves_of(
    fitted: MLP,
    side: Pairs,
    split: Split,
    *,
    k: int | Sequence[int] = 10,
    metric: Metric | Sequence[Metric] = "cosine",
    include_self: bool | Sequence[bool] = False,
    name: str = "nn",
    direction: Direction = "x->y",
    recipe: str = "paper",
) -> tuple[Curves, ...]:
    """The curves of a mapping that was fitted with `checkpoints`, one for each metric, self convention and k.

    Args:
        fitted: a mapping from side.x to side.y.
        side: input and target, in this order.
        split: the items that it was learned from, and those to measure.
        k: neighbors counted, or several such numbers; all serve one search.
        metric: "cosine", "euclidean" or both.
        include_self: whether an item counts as its own neighbor, or both.
        name: of the mapping in the result.
        direction: in the result.
        recipe: its name in the result.

    Epochs after which the image of an item overflows are left out.

    Raises:
        MappingError: the image of an item overflows after the chosen epoch.
        NeighborError: too few test items for k, or an unknown metric.
    """
    x, y = side.x[split.test], side.y[split.test]
    chosen = len(fitted.loss_)
    networks = {epoch: fitted.at(epoch) for epoch in fitted.checkpoints_} | {chosen: fitted}
    predicted, errors = {}, {}
    for epoch in sorted(networks):
        try:
            learned, predicted[epoch] = networks[epoch].predict(side.x[split.train]), networks[epoch].predict(x)
        except MappingError:  # finite weights whose image of finite inputs overflows: the training diverges there
            if epoch == chosen:
                raise
            continue
        errors[epoch] = (_mse(learned, side.y[split.train]), _mse(predicted[epoch], y))
    loss = fitted.loss if isinstance(fitted.loss, str) else getattr(fitted.loss, "__name__", "own")
    ks = as_list(k)
    metrics = [metric] if isinstance(metric, str) else list(metric)
    conventions = [include_self] if isinstance(include_self, bool) else list(include_self)
    results = []
    for each, own in product(metrics, conventions):

        def neighbors(vectors: Float[ndarray, "n d"], what: str, each: Metric = each, own: bool = own) -> Neighbors:
            return search(vectors, max(ks), each, include_self=own, name=what)

        source, target = neighbors(x, side.x_space), neighbors(y, side.y_space)
        spaces = {epoch: Spaces.of(source, neighbors(f, "f(X)"), target, split.test) for epoch, f in predicted.items()}
        for count in ks:
            bridges = {epoch: Bridge.of([found], count) for epoch, found in spaces.items()}
            points = (_point(epoch, errors[epoch], bridge) for epoch, bridge in bridges.items())
            made_with = (loss, recipe, fitted.seed, len(split.train), len(split.test), count, each, own)
            levels = (bridges[chosen].baseline_overlap, bridges[chosen].chance)
            results.append(Curves(side.name, direction, name, *made_with, *levels, chosen, tuple(points)))
    return tuple(results)


def _point(epoch: int, errors: tuple[float, float], bridge: Bridge) -> CurvePoint:
    overlaps = (bridge.input_overlap, bridge.target_overlap, bridge.echo_rate, bridge.bridge_rate, bridge.index)
    return CurvePoint(epoch, *errors, *overlaps)


def _mse(f: Float[ndarray, "n d"], y: Float[ndarray, "n d"]) -> float:
    return float(np.mean((f.astype(np.float64) - y) ** 2))
