"""Snap: learn where a target lies among the targets, then pull predictions towards the training targets near them.

A regression answers with a mean over what is likely, and means lie inside the target's cloud, in an order that the input
gave: that is the echo. Three remedies, all about neighborhoods. What is learned can be the place in the graph of the
targets' neighbors instead of the direction of the target: items that share many neighbors get like coordinates, and what
tells them apart by less than that (which the input cannot know) is left out. Predictions are pulled to the training targets,
which is where the cloud really is. And hubs of the input are set apart. What helps is chosen by the neighborhoods of
predictions on folds of the training items.
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
from isthmus.mappings._criterion import Criterion, Quantity, check_quantity, folds_of
from isthmus.mappings._hubs import Hubs, learn_hubs
from isthmus.mappings._kernel_ridge import ANCHORS, check_positive, draw_anchors
from isthmus.mappings._kernels import gaussian, kernel_smoother, typical_square
from isthmus.mappings._nearest import directions
from isthmus.mappings._ridge import Ridge
from isthmus.mappings._untrained import Untrained
from isthmus.neighbors import Metric, search
from isthmus.pairs import Scaling, ScalingKind, Split

COORDINATES = 200  # at most; those of the graph that follow weigh next to nothing


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


def graph_coordinates(index: Int[ndarray, "n k"], dimensions: int) -> tuple[Float[ndarray, "n d"], Float[ndarray, " d"]]:
    """Eigenvectors and eigenvalues, largest first, of the walk on a neighbor graph: where each item lies in it.

    The graph joins an item with itself by 1 and with a neighbor by 1/2, or 1 if each is the other's. S = D^(-1/2) A D^(-1/2)
    with the degrees D. The rows of V diag(values^(t/2)) have the inner products S^t, up to its first, trivial eigenvector:
    items are alike from which walks of t steps end at the same places (Coifman & Lafon 2006, "Diffusion maps").

    Args:
        index: neighbor lists without the items themselves.
        dimensions: coordinates, of which those with a positive value are returned, at most n - 2.

    Example:
        >>> ring = np.stack([np.arange(1, 9) % 8, np.arange(-1, 7) % 8], axis=1)  # each item between two neighbors
        >>> graph_coordinates(ring, 2)[1].round(3).tolist()
        [0.805, 0.805]
    """
    from scipy.linalg import eigh  # noqa: PLC0415
    from scipy.sparse import csr_array, eye_array  # noqa: PLC0415
    from scipy.sparse.linalg import LinearOperator, eigsh  # noqa: PLC0415

    n, k = index.shape
    lists = csr_array((np.full(n * k, 0.5), (np.repeat(np.arange(n), k), index.ravel())), shape=(n, n))
    graph = (lists + lists.T + eye_array(n)).tocsr()
    root = np.sqrt(graph.sum(axis=1))
    trivial = root / np.linalg.norm(root)
    dimensions = min(dimensions, n - 2)
    walk: Any
    if n <= ANCHORS:
        walk = graph.toarray() / root / root[:, None] - np.outer(trivial, trivial)
        values, vectors = eigh(walk, subset_by_index=(n - dimensions, n - 1))
    else:
        walk = LinearOperator(
            (n, n), lambda v: graph @ (v.ravel() / root) / root - trivial * (trivial @ v.ravel()), dtype=float
        )
        values, vectors = eigsh(walk, dimensions, which="LA", v0=np.random.default_rng(0).normal(size=(n,)))
    kept = values > np.finfo(float).eps * n
    return vectors[:, kept][:, ::-1], values[kept][::-1]


class Choice(NamedTuple):
    """Steps of the walk (0: directions of the targets), power of the metric, the snap, and how far hubs are set apart."""

    steps: int
    power: float
    share: float
    rounds: int
    apart: float

    @classmethod
    def of(cls, place: tuple[int, float], pull: tuple[float, int, float]) -> "Choice":
        """What is learned, and what is done with its predictions."""
        return cls(place[0], place[1], pull[0], pull[1], pull[2])


class Learned(NamedTuple):
    """A kernel ridge regression and what its predictions are pulled to: g(x) = (k(x) - row) dual.

    Args:
        inputs: anchors; width: of the kernel; row: its mean over the training items.
        dual: weights, one row an anchor.
        targets: of the anchors, as rows of length 1.
        hubs: where they are set apart.
    """

    inputs: Float[ndarray, "m dx"]
    width: Float[ndarray, ""]
    row: Float[ndarray, " m"]
    dual: Float[ndarray, "m dy"]
    targets: Float[ndarray, "m dy"]
    hubs: Hubs | None = None

    def pulled(
        self, x: Float[ndarray, "n dx"], pulls: Sequence[tuple[float, int, float]], neighbors: int, sharpness: float
    ) -> Iterator[Float[ndarray, "n dy"]]:
        """Predictions, for each share and number of rounds of the snap and strength with which hubs are set apart."""
        kernel = gaussian(x, self.inputs, float(self.width)) - self.row
        snapped = [directions(kernel @ self.dual)]
        own = self.hubs.own_directions(x) if self.hubs is not None else None
        for share, rounds, apart in pulls:
            while share and len(snapped) <= rounds:
                snapped.append(directions(snap(snapped[-1], self.targets, neighbors, sharpness)))
            f = (1 - share) * snapped[0] + share * snapped[rounds if share else 0]
            if apart and self.hubs is not None and own is not None:
                # coordinates in the graph are fewer than those of the targets that they are turned into
                f = np.pad(f, ((0, 0), (0, own.shape[1] - f.shape[1]))) + self.hubs.spread(kernel, apart)[:, None] * own
            yield f


def spread_metric(f: Float[ndarray, "n d"], power: float) -> Float[ndarray, "d d"]:
    """(C / largest variance)^(-power / 2) with C the covariance of f; empty directions stay empty.

    Example:
        >>> spread_metric(np.array([[4.0, 0.0], [-4.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), 0.5).tolist()
        [[1.0, 0.0], [0.0, 2.0]]
    """
    _, s, vt = np.linalg.svd(f - f.mean(axis=0), full_matrices=False)
    kept = s > s.max(initial=0.0) * 1e-6
    metric: Float[ndarray, "d d"] = (vt[kept].T * (s[kept] / s.max(initial=0.0)) ** -power) @ vt[kept]
    return metric


class Snap(Mapping):
    """Kernel ridge to the targets' places, pulled to those of training items: f = l ((1 - share) g/|g| + share s/|s| + e r).

    g is a kernel ridge regression, by a Gaussian kernel between inputs that are scaled and brought to length 1, of

    - (steps = 0) the directions u_i of y_i - mean(y), its predictions seen in the metric (C / largest variance)^(-power/2),
      C the covariance of leave-one-out predictions: directions that the regression shrank count for more; or
    - (steps > 0) the `graph_coordinates` of the targets after so many steps, in the rotation closest to the u_i.

    s pulls g with `snap` to what was learned of the training items, `rounds` times, and l is the mean of |y - mean(y)|. r is
    an own direction of each input, as good as random, and e(x) its length: 0 for what is clearly more of a hub among targets
    than among inputs, as far as that can be predicted, and the longer the other way round. Cosines with every other shrink
    by `apart` times that excess, on a logarithmic scale, so that it is in fewer lists. Items with equal x stay equal.

    Predictions are displacements from the mean target, since the mean would turn every direction towards it; and, where hubs
    are not set apart, of typical length, since only directions are learned. To predict y itself, use KernelRidge.

    Args:
        criterion: that chooses, on folds of the training items: "target_overlap", "bridge_rate" or "index", the last one
            among those whose target overlap is above that of ridge regression by `margin`, since noise has a high index too.
        slack: for the target overlap, the share of its maximum that is given for the highest index, in [0, 1].
        margin: for the index, by what share of that of ridge the target overlap has to be above it, 0 or more.
        steps: candidates for the steps of the walk, 0 or more.
        powers: candidates for the power of the metric, in [0, 1].
        shares: candidates for the share of the snap, in [0, 1].
        rounds: candidates for the number of repetitions, 1 or more.
        apart: candidates for the strength with which hubs of the input are set apart, 0 or more; above 0 they are tried at
            the largest share only, if 0 is among them.
        neighbors: training targets that a prediction is assigned to, 1 or more.
        sharpness: of the assignment, 0 or more.
        penalties: of the kernel ridge; squared error of leave-one-out predictions chooses.
        width: of its kernel, in median squared distances.
        scaling: of the inputs.
        k: neighbors in the graph of the targets, and that are counted among as many items as three folds have each; hubs are
            counted in lists of `folds` times as many.
        folds: 3 have the size of a test set of a quarter of all items; of more, each is smaller, and so many fewer neighbors
            are counted in it: overlaps and hubs depend on their share. Items with equal x or y are in the same one.
        anchors: most training items that are used as centers and targets; of more, a random part.
        seed: of the folds and that part.
        metric: of the criterion's neighbors and of the hubs; the graph of the targets is by cosine.

    Attributes:
        choice_: the chosen steps, power, share, rounds and strength; score_: their criterion on the folds.
        learned_: the regression and its targets.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> z = rng.normal(size=(200, 3))
        >>> mapping = Snap().fit(z[:150], np.tanh(z[:150, ::-1]))
        >>> mapping.predict(z[150:]).shape, mapping.score_ > 0.5
        ((50, 3), True)
    """

    directions_only = True

    def __init__(
        self,
        criterion: Quantity = "target_overlap",
        slack: float = 0.02,
        margin: float = 0.05,
        steps: Sequence[int] = (0, 2, 4, 8),
        powers: Sequence[float] = (0.0, 0.5),
        shares: Sequence[float] = (0.0, 0.5, 0.75, 1.0),
        rounds: Sequence[int] = (1, 2),
        apart: Sequence[float] = (0.0, 0.1, 0.2, 0.3, 0.45),
        neighbors: int = 20,
        sharpness: float = 10.0,
        penalties: Sequence[float] = (0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0),
        width: float = 0.5,
        scaling: ScalingKind = "standardize",
        k: int = 10,
        folds: int = 3,
        anchors: int = ANCHORS,
        seed: int = 0,
        metric: Metric = "cosine",
    ) -> None:
        self.criterion = criterion
        self.slack = slack
        self.margin = margin
        self.steps = steps
        self.powers = powers
        self.shares = shares
        self.rounds = rounds
        self.apart = apart
        self.neighbors = neighbors
        self.sharpness = sharpness
        self.penalties = penalties
        self.width = width
        self.scaling = scaling
        self.k = k
        self.folds = folds
        self.anchors = anchors
        self.seed = seed
        self.metric = metric

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        self._check()
        self.length_ = float(np.linalg.norm(y - y.mean(axis=0), axis=1).mean())
        self.scaling_ = Scaling.fit(x, self.scaling)
        self.choice_, self.score_ = self.best_choice(x, y, folds_of(x, y, self.folds, self.seed, least=4))
        learned, turn = next(self._regressions(self._inputs(x), x, y, [self.choice_[:2]], self.choice_.apart > 0))
        if turn is not None:
            learned = learned._replace(dual=learned.dual @ turn, targets=learned.targets @ turn)
        self.learned_ = learned

    def best_choice(
        self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], splits: Sequence[Split]
    ) -> tuple[Choice, float]:
        """The choice with the highest criterion over splits, and that criterion; of the first choices, nan without a split.

        For the target overlap, the highest index among those that are hardly below the highest overlap; for the index, among
        those that overlap more than ridge by the margin; if none does, the highest overlap.
        """
        places = list(dict.fromkeys((int(t), 0.0 if t else float(p)) for t, p in product(self.steps, self.powers)))
        pulls = list(dict.fromkeys(
            (float(s), int(r) if s else 1, float(a)) for a, s, r in product(self.apart, self.shares, self.rounds)
            if s == max(self.shares) or not a or 0 not in self.apart
        ))  # fmt: skip
        if not splits or len(places) == len(pulls) == 1:
            return Choice.of(places[0], pulls[0]), float("nan")
        floor, inputs = 0.0, directions(Scaling.fit(x, self.scaling).apply(x))
        table: dict[Quantity, Float[ndarray, "p q"]]
        table = {name: np.zeros((len(places), len(pulls))) for name in ("target_overlap", "bridge_rate", "index")}
        k = max(1, round(self.k * 3 / max(self.folds, 3)))
        for split in splits:
            train, test = split.train, split.test
            weight = len(test) / sum(len(each.test) for each in splits)
            score = Criterion(x[test], y[test], k, self.metric)
            learners = self._regressions(inputs[train], x[train], y[train], places, max(self.apart) > 0)
            for row, (learned, _) in enumerate(learners):
                for column, f in enumerate(learned.pulled(inputs[test], pulls, self.neighbors, self.sharpness)):
                    for name, value in score(f).items():
                        table[name][row, column] += weight * value
            if self.criterion == "index":
                ridge = Ridge(scaling=self.scaling).fit(x[train], y[train])
                floor += (1 + self.margin) * weight * score(ridge.predict(x[test]))["target_overlap"]
        overlaps = table["target_overlap"]
        if self.criterion == "target_overlap":
            floor = (1 - self.slack) * overlaps.max()
        scores = table["bridge_rate" if self.criterion == "bridge_rate" else "index"]
        best = divmod(int(np.argmax(np.where(overlaps >= min(floor, overlaps.max()), scores, -np.inf))), len(pulls))
        return Choice.of(places[best[0]], pulls[best[1]]), float(table[self.criterion][best])

    def _regressions(
        self,
        inputs: Float[ndarray, "n dx"],
        x: Float[ndarray, "n dx"],
        y: Float[ndarray, "n dy"],
        places: Sequence[tuple[int, float]],
        apart: bool,
    ) -> Iterator[tuple[Learned, Float[ndarray, "r dy"] | None]]:
        """What is learned of the targets' places, for each number of steps and power, and what turns it into their space.

        Places in the graph have few coordinates, and turning them keeps their neighborhoods: choices do without.
        """
        chosen = draw_anchors(len(x), self.anchors, self.seed)
        square = typical_square(inputs)
        width = self.width * square
        kernel = gaussian(inputs, inputs[chosen], width)
        smoother = kernel_smoother(kernel, kernel[chosen] if len(chosen) < len(x) else None)
        hubs = None
        if apart:
            k = self.k * self.folds
            hubs = learn_hubs(smoother, x, y, k, self.metric, self.penalties, square, self.seed)
        units = directions(y - y.mean(axis=0))
        if any(steps for steps, _ in places) and len(x) > 2:
            index = search(y, min(self.k, len(y) - 1)).index
            vectors, values = graph_coordinates(index, min(COORDINATES, y.shape[1]))
        for steps, group in groupby(places, key=lambda place: place[0]):
            goal, turn = units, None
            if steps and len(x) > 2 and len(values):  # in a graph that joins all with all, no item has a place
                goal = vectors * values ** (steps / 2)
                u, _, vt = np.linalg.svd(goal.T @ units, full_matrices=False)
                turn = u @ vt
            centered = goal - goal.mean(axis=0)
            penalty, _, left_out = smoother.best(centered, self.penalties)
            dual, targets = smoother.weights(centered, penalty), directions(centered[chosen])
            for _, power in group:
                seen = dual @ spread_metric(left_out, power) if power else dual
                yield Learned(inputs[chosen], np.array(width), kernel.mean(axis=0), seen, targets, hubs), turn

    def _inputs(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dx"]:
        return directions(self.scaling_.apply(x))

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        pulls = [self.choice_[2:]]
        return self.length_ * next(self.learned_.pulled(self._inputs(x), pulls, self.neighbors, self.sharpness))

    def _check(self) -> None:
        check_quantity(self.criterion)
        check_positive("penalties", self.penalties)
        check_positive("width", [self.width])
        if not 0 <= self.slack <= 1:
            raise MappingError(f"slack: needed a share from 0 to 1, got {self.slack}. Use 0.02.")
        for name, least, most in (
            ("steps", 0, 100), ("powers", 0, 1), ("shares", 0, 1), ("rounds", 1, 100), ("apart", 0, 10),
        ):  # fmt: skip
            values = getattr(self, name)
            if not len(values) or not all(least <= value <= most for value in values):
                raise MappingError(f"{name}: needed numbers from {least} to {most}, got {list(values)}. Use {least}, say.")
        if not 0 <= self.margin < np.inf:
            raise MappingError(f"margin: needed a number of 0 or more, got {self.margin}. Use 0.05.")
        if not 0 <= self.sharpness < np.inf:
            raise MappingError(f"sharpness: needed a number of 0 or more, got {self.sharpness}. Use 10.")
        if self.k < 1 or self.folds < 2 or self.neighbors < 1:
            raise MappingError(
                f"k, folds, neighbors: needed at least 1, 2 and 1, got {self.k}, {self.folds} and {self.neighbors}. "
                "Use 10, 3 and 20."
            )

    def _state(self) -> dict[str, ndarray]:
        learned, hubs = self.learned_._asdict(), self.learned_.hubs
        del learned["hubs"]
        return learned | ({} if hubs is None else hubs._asdict()) | {
            "choice": np.array(self.choice_), "numbers": np.array([self.length_, self.score_]),
            "shift": self.scaling_.shift, "scale": self.scaling_.scale,
        }  # fmt: skip

    def _restore(self, state: dict[str, ndarray]) -> None:
        hubs = Hubs(**{name: state[name] for name in Hubs._fields}) if "frequencies" in state else None
        self.learned_ = Learned(**{name: state[name] for name in Learned._fields if name != "hubs"}, hubs=hubs)
        self.length_, self.score_ = (float(each) for each in state["numbers"])
        steps, power, share, rounds, apart = state["choice"]
        self.choice_ = Choice(int(steps), float(power), float(share), int(rounds), float(apart))
        self.scaling_ = Scaling(self.scaling, state["shift"], state["scale"])
        self.n_features_in_, self.n_outputs_ = self.learned_.inputs.shape[1], self.learned_.targets.shape[1]

    def twin(self, seed: int = 0) -> Mapping:
        """A random linear mapping on equally scaled inputs."""
        return Untrained(scaling=self.scaling, target_scaling="isotropic", seed=seed)
