"""Snap: predict a direction by kernel ridge, then pull it towards the training targets that lie near it.

A regression answers with a mean over what is likely, and means lie inside the target's cloud, in an order that the input
gave: that is the echo. The training targets are where the cloud really is. Pulled to them, predictions take their neighbors
from the target. How far, along which metric and with which kernel is chosen by the neighborhoods of predictions on folds of
the training items, as large as a test set would be.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, product
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._shapes import Float, Int
from isthmus.mappings._anchor_attention import softmax
from isthmus.mappings._contract import Mapping
from isthmus.mappings._criterion import Criterion, Quantity, check_quantity
from isthmus.mappings._kernel_ridge import ANCHORS, KERNEL_PENALTIES, WIDTHS, check_positive, draw_anchors
from isthmus.mappings._kernels import gaussian, kernel_smoother, typical_square
from isthmus.mappings._nearest import directions
from isthmus.mappings._ridge import Ridge
from isthmus.mappings._untrained import Untrained
from isthmus.pairs import Scaling, ScalingKind, Split, k_fold


def snap(
    f: Float[ndarray, "m d"], targets: Float[ndarray, "n d"], neighbors: int, sharpness: float
) -> Float[ndarray, "m d"]:
    """Mean of the nearest targets, weighed by softmax(sharpness * cosine).

    Args:
        f: predictions.
        targets: rows of length 1.
        neighbors: targets that count for each prediction; all where there are fewer.
        sharpness: 0 or more; 0 weighs them alike.

    Example:
        >>> snap(np.array([[2.0, 0.1]]), np.eye(2), 1, 10.0)
        array([[1., 0.]])
    """
    cosine = directions(f) @ targets.T
    neighbors = min(neighbors, len(targets))
    index = np.argpartition(-cosine, neighbors - 1, axis=1)[:, :neighbors]
    weights = np.zeros_like(cosine)
    np.put_along_axis(weights, index, softmax(sharpness * np.take_along_axis(cosine, index, axis=1)), axis=1)
    pulled: Float[ndarray, "m d"] = weights @ targets
    return pulled


class Choice(NamedTuple):
    """What follows the first regression: the second kernel's weight, the power of the metric, and how the snap is done."""

    second: float
    power: float
    share: float
    rounds: int
    neighbors: int


class Regression(NamedTuple):
    """Kernel ridge regression of directions on anchors, with or without a kernel that compares first predictions.

    Args:
        inputs: anchors; width: of the kernel between inputs.
        first, first_row: weights and mean kernel row of the first regression.
        seen: directions of the first regression's leave-one-out predictions for the anchors; seen_width: of their kernel.
        second, dual, row: weight of that kernel, and weights and mean row with it.
    """

    inputs: Float[ndarray, "m dx"]
    width: float
    first: Float[ndarray, "m dy"]
    first_row: Float[ndarray, " m"]
    seen: Float[ndarray, "m dy"]
    seen_width: float
    second: float
    dual: Float[ndarray, "m dy"]
    row: Float[ndarray, " m"]

    def predict(self, x: Float[ndarray, "n dx"]) -> Float[ndarray, "n dy"]:
        """Displacements from the mean direction."""
        kernel = gaussian(x, self.inputs, self.width)
        if self.second:
            like = gaussian(directions((kernel - self.first_row) @ self.first), self.seen, self.seen_width)
            kernel = (1 - self.second) * kernel + self.second * like
        f: Float[ndarray, "n dy"] = (kernel - self.row) @ self.dual
        return f


def regress(
    x: Float[ndarray, "n dx"],
    units: Float[ndarray, "n dy"],
    chosen: Int[ndarray, " m"],
    width: float,
    penalties: Sequence[float],
    seconds: Sequence[float],
) -> tuple[dict[float, Regression], Float[ndarray, "n dy"]]:
    """The regression for each weight of the second kernel, and the first one's leave-one-out predictions.

    The second kernel compares these predictions with those of new items. Its own leave-one-out errors would be too low,
    since the features of an item's neighbors hold that item's target; so it takes the penalty of the first.

    Args:
        x: scaled inputs.
        units: directions of the targets.
        chosen: rows that are anchors.
        width: of the kernel between inputs.
        penalties: candidates, of which leave-one-out errors choose.
        seconds: weights in [0, 1).
    """
    inner = len(chosen) < len(x)
    centered = units - units.mean(axis=0)
    kernel = gaussian(x, x[chosen], width)
    smoother = kernel_smoother(kernel, kernel[chosen] if inner else None)
    penalty, _, left_out = smoother.best(centered, penalties)
    first, first_row = smoother.weights(centered, penalty), kernel.mean(axis=0)
    like_width = typical_square(directions(left_out))
    seen = directions(left_out)[chosen]
    found = {}
    for second in dict.fromkeys(seconds):
        dual, row = first, first_row
        if second:
            like = gaussian(directions(left_out), seen, like_width)
            mixed = (1 - second) * kernel + second * like
            dual = kernel_smoother(mixed, mixed[chosen] if inner else None).weights(centered, penalty)
            row = mixed.mean(axis=0)
        found[second] = Regression(x[chosen], width, first, first_row, seen, like_width, second, dual, row)
    return found, left_out


def spread_metrics(f: Float[ndarray, "n d"], powers: Sequence[float]) -> dict[float, ndarray]:
    """For each power, (C / largest variance)^(-power / 2) with C the covariance of f; empty directions stay empty.

    Example:
        >>> spread_metrics(np.array([[4.0, 0.0], [-4.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), [0.5])[0.5].tolist()
        [[1.0, 0.0], [0.0, 2.0]]
    """
    found: dict[float, ndarray] = {0.0: np.eye(f.shape[1])}
    if any(powers):
        _, s, vt = np.linalg.svd(f - f.mean(axis=0), full_matrices=False)
        kept = s > s.max(initial=0.0) * 1e-6
        found |= {power: (vt[kept].T * (s[kept] / s.max(initial=0.0)) ** -power) @ vt[kept] for power in powers if power}
    return found


class _Pulled:
    """Predictions and what repeated snaps make of them; choices that share their snaps share the work."""

    def __init__(self, g: Float[ndarray, "m d"], targets: Float[ndarray, "n d"], sharpness: float) -> None:
        self.g, self.targets, self.sharpness = directions(g), targets, sharpness
        self.snapped: dict[tuple[int, int], ndarray] = {}

    def after(self, rounds: int, neighbors: int) -> Float[ndarray, "m d"]:
        """Directions after so many snaps."""
        if not rounds:
            return self.g
        if (rounds, neighbors) not in self.snapped:
            before = self.after(rounds - 1, neighbors)
            self.snapped[rounds, neighbors] = directions(snap(before, self.targets, neighbors, self.sharpness))
        return self.snapped[rounds, neighbors]

    def finished(self, choice: Choice) -> Float[ndarray, "m d"]:
        """(1 - share) g + share s, both at length 1."""
        if not choice.share:
            return self.g
        return (1 - choice.share) * self.g + choice.share * self.after(choice.rounds, choice.neighbors)


class Snap(Mapping):
    """Kernel ridge in directions, pulled to the training targets: f(x) = l ((1 - share) g/|g| + share s/|s|).

    The directions u_i of y_i - mean(y) are learned by kernel ridge regression; with `second` above 0, again with a kernel
    that also compares what the first one predicted, so that inputs with like predictions count as alike. g is its prediction
    in the metric (C / largest variance)^(-power/2), C the covariance of leave-one-out predictions: directions that the
    regression shrank count for more. s = `snap(g, u)`, repeated `rounds` times, and l is the mean of |y - mean(y)|.

    Predictions are displacements from the mean target, since the mean would turn every direction towards it; and of typical
    length, since only directions are learned. To predict y itself, use KernelRidge.

    Args:
        criterion: that chooses, on folds of the training items: "target_overlap", "bridge_rate" or "index", the last one
        among
            those whose target overlap is not below that of ridge regression, since noise has a high index too.
        shares: candidates for the share of the snap, in [0, 1].
        powers: candidates for the power of the metric, in [0, 1].
        seconds: candidates for the weight of the second kernel, in [0, 1).
        rounds: candidates for the number of repetitions, 1 or more.
        neighbors: candidates for the number of training targets that a prediction is assigned to, 1 or more.
        sharpness: of the assignment, 0 or more.
        penalties, widths: of the kernel ridge; squared error of leave-one-out predictions chooses.
        scaling: of the inputs.
        k: neighbors that the criterion counts among the items of a fold.
        folds: as many as make a fold the size of the test set one has in mind: neighborhoods depend on it.
        anchors: most training items that are used as centers and targets; of more, a random part.
        seed: of that part.

    Attributes:
        choice_: the chosen second, power, share, rounds and neighbors; score_: their criterion on the folds.
        regression_: the kernel ridge; width_: of its kernel.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> z = rng.normal(size=(200, 3))
        >>> mapping = Snap().fit(z[:150], np.tanh(z[:150, ::-1]))
        >>> mapping.predict(z[150:]).shape, mapping.score_ > 0.5
        ((50, 3), True)
    """

    def __init__(
        self,
        criterion: Quantity = "target_overlap",
        shares: Sequence[float] = (0.0, 0.5, 0.75, 1.0),
        powers: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0),
        seconds: Sequence[float] = (0.0, 0.5),
        rounds: Sequence[int] = (1, 2, 3),
        neighbors: Sequence[int] = (20,),
        sharpness: float = 10.0,
        penalties: Sequence[float] = KERNEL_PENALTIES,
        widths: Sequence[float] = WIDTHS,
        scaling: ScalingKind = "standardize",
        k: int = 10,
        folds: int = 3,
        anchors: int = ANCHORS,
        seed: int = 0,
    ) -> None:
        self.criterion = criterion
        self.shares = shares
        self.powers = powers
        self.seconds = seconds
        self.rounds = rounds
        self.neighbors = neighbors
        self.sharpness = sharpness
        self.penalties = penalties
        self.widths = widths
        self.scaling = scaling
        self.k = k
        self.folds = folds
        self.anchors = anchors
        self.seed = seed

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        self._check()
        self.scaling_ = Scaling.fit(x, self.scaling)
        scaled = self.scaling_.apply(x)
        self.length_ = float(np.linalg.norm(y - y.mean(axis=0), axis=1).mean())
        chosen = draw_anchors(len(x), self.anchors, self.seed)
        self.width_ = self._best_width(scaled, y, chosen)
        choices = self._choices()
        self.choice_, self.score_ = choices[0], float("nan")
        folds = min(self.folds, len(x) // 4)  # with fewer than 8 items there are no folds, and the first choice is taken
        if folds > 1 and len(choices) > 1:
            self.choice_, self.score_ = self._chosen(choices, x, scaled, y, k_fold(len(x), folds, self.seed))
        for _ in self._fitted(scaled, y, chosen, [self.choice_], scaled[:1]):
            pass  # leaves the parts of the chosen mapping

    def _chosen(
        self,
        choices: Sequence[Choice],
        x: Float[ndarray, "n dx"],
        scaled: Float[ndarray, "n dx"],
        y: Float[ndarray, "n dy"],
        splits: Sequence[Split],
    ) -> tuple[Choice, float]:
        """The choice with the highest criterion over folds; for the index, among those that overlap no less than ridge."""
        scores, overlaps = np.zeros((2, len(choices)))
        floor = 0.0
        for split in splits:
            train, test = split.train, split.test
            score, weight = Criterion(x[test], y[test], self.k), len(test) / len(x)
            part = draw_anchors(len(train), self.anchors, self.seed)
            for position, f in enumerate(self._fitted(scaled[train], y[train], part, choices, scaled[test])):
                found = score(f)
                scores[position] += weight * found[self.criterion]
                overlaps[position] += weight * found["target_overlap"]
            if self.criterion == "index":
                ridge = Ridge(scaling=self.scaling).fit(x[train], y[train])
                floor += weight * score(ridge.predict(x[test]))["target_overlap"]
        allowed = overlaps >= min(floor, overlaps.max())
        best = int(np.argmax(np.where(allowed, scores, -np.inf)))
        return choices[best], float(scores[best])

    def _fitted(
        self,
        x: Float[ndarray, "n dx"],
        y: Float[ndarray, "n dy"],
        chosen: Int[ndarray, " m"],
        choices: Sequence[Choice],
        new: Float[ndarray, "q dx"],
    ) -> Iterator[Float[ndarray, "q dy"]]:
        """Predictions of new items for each choice; the parts of the last one stay."""
        units = directions(y - y.mean(axis=0))
        regressions, left_out = regress(
            x, units, chosen, self.width_, self.penalties, [choice.second for choice in choices]
        )  # fmt: skip
        metrics = spread_metrics(left_out, list(dict.fromkeys(choice.power for choice in choices)))
        predicted = {second: each.predict(new) for second, each in regressions.items()}
        self.targets_ = units[chosen]
        for (second, power), group in groupby(choices, key=lambda choice: (choice.second, choice.power)):
            self.regression_, self.metric_ = regressions[second], metrics[power]
            pulled = _Pulled(predicted[second] @ self.metric_, self.targets_, self.sharpness)
            for choice in group:
                yield pulled.finished(choice) * self.length_

    def _best_width(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], chosen: Int[ndarray, " m"]) -> float:
        square, losses = typical_square(x), []
        if len(self.widths) == 1:
            return float(self.widths[0]) * square
        units = directions(y - y.mean(axis=0))
        for width in self.widths:
            kernel = gaussian(x, x[chosen], width * square)
            smoother = kernel_smoother(kernel, kernel[chosen] if len(chosen) < len(x) else None)
            losses.append(smoother.best(units, self.penalties)[1])
        return float(self.widths[int(np.argmin(losses))]) * square

    def _choices(self) -> list[Choice]:
        free = product(self.seconds, self.powers, self.shares, self.rounds, self.neighbors)
        # Without a share of the snap, its rounds and neighbors change nothing.
        return list(dict.fromkeys(
            Choice(float(a), float(b), float(c), int(d), int(e)) if c else Choice(float(a), float(b), 0.0, 1, 1)
            for a, b, c, d, e in free
        ))  # fmt: skip

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        g = self.regression_.predict(self.scaling_.apply(x)) @ self.metric_
        return _Pulled(g, self.targets_, self.sharpness).finished(self.choice_) * self.length_

    def _check(self) -> None:
        check_quantity(self.criterion)
        check_positive("penalties", self.penalties)
        check_positive("widths", self.widths)
        for name, least, most in (
            ("shares", 0, 1),
            ("powers", 0, 1),
            ("seconds", 0, 0.99),
            ("rounds", 1, 100),
            ("neighbors", 1, 10**9),
        ):
            values = getattr(self, name)
            if not len(values) or not all(least <= value <= most for value in values):
                raise MappingError(f"{name}: needed numbers from {least} to {most}, got {list(values)}. Use {least}, say.")
        if not 0 <= self.sharpness < np.inf:
            raise MappingError(f"sharpness: needed a number of 0 or more, got {self.sharpness}. Use 10.")
        if self.k < 1 or self.folds < 2:
            raise MappingError(
                f"k, folds: needed at least 1 neighbor and 2 folds, got {self.k} and {self.folds}. Use 10 and 3."
            )

    def _state(self) -> dict[str, ndarray]:
        parts = {name: np.asarray(part) for name, part in self.regression_._asdict().items()}
        return parts | {
            "targets": self.targets_, "metric": self.metric_, "choice": np.array(self.choice_),
            "numbers": np.array([self.length_, self.width_, self.score_]),
            "shift": self.scaling_.shift, "scale": self.scaling_.scale,
        }  # fmt: skip

    def _restore(self, state: dict[str, ndarray]) -> None:
        parts: dict[str, Any] = {
            name: state[name] if state[name].ndim else state[name].item() for name in Regression._fields
        }
        self.regression_ = Regression(**parts)
        self.targets_, self.metric_ = state["targets"], state["metric"]
        self.length_, self.width_, self.score_ = (float(each) for each in state["numbers"])
        second, power, share, rounds, neighbors = state["choice"]
        self.choice_ = Choice(float(second), float(power), float(share), int(rounds), int(neighbors))
        self.scaling_ = Scaling(self.scaling, state["shift"], state["scale"])
        self.n_features_in_, self.n_outputs_ = self.regression_.inputs.shape[1], self.targets_.shape[1]

    def twin(self, seed: int = 0) -> Mapping:
        """A random linear mapping on equally scaled inputs."""
        return Untrained(scaling=self.scaling, target_scaling="isotropic", seed=seed)
