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

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.mappings._candidates import check_candidates, check_number, check_positive
from isthmus.mappings._contract import Mapping
from isthmus.mappings._criterion import Criterion, Quantity, check_quantity, folds_of
from isthmus.mappings._graph import graph_coordinates
from isthmus.mappings._hubs import Hubs, learn_hubs
from isthmus.mappings._kernel_ridge import ANCHORS, draw_anchors
from isthmus.mappings._kernels import gaussian, kernel_smoother, typical_square
from isthmus.mappings._nearest import directions
from isthmus.mappings._pull import Choice, Learned, spread_metric
from isthmus.mappings._ridge import Ridge
from isthmus.mappings._untrained import Untrained
from isthmus.neighbors import Metric, search
from isthmus.pairs import Scaling, ScalingKind, Split, check_seed

COORDINATES = 200  # at most; those of the graph that follow weigh next to nothing


class Snap(Mapping):
    """Kernel ridge to the targets' places, pulled to those of training items, hubs apart: f = l (c v/|v| + sqrt(1 - c^2) r).

    v = (1 - share) g/|g| + share s/|s|. g is a kernel ridge regression, by a Gaussian kernel between inputs that are scaled
    and brought to length 1, of

    - (steps = 0) the directions u_i of y_i - mean(y), its predictions seen in the metric (C / largest variance)^(-power/2),
      C the covariance of leave-one-out predictions: directions that the regression shrank count for more; or
    - (steps > 0) the `graph_coordinates` of the targets after so many steps, in the rotation closest to the u_i.

    s pulls g with `snap` to what was learned of the training items, `rounds` times. r is an own direction of each input, as
    good as random, and c = exp(-apart * excess), by which cosines with all others shrink, so that an item is in fewer lists:
    the more of a hub it is among inputs than among targets, as far as that can be predicted (`learn_hubs`), the greater is
    the excess. l is the mean of |y - mean(y)|. Items with equal x stay equal.

    Predictions are displacements from the mean target, since the mean would turn every direction towards it; and of equal
    length, since only directions are learned. To predict y itself, use KernelRidge.

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
        k: neighbors in the graph of the targets, and that are counted among as many items as three folds have each (of few
            items at most half of the others). Hubs are counted in lists of 3 times as many, among all items.
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
        apart: Sequence[float] = (0.0, 0.15, 0.3, 0.45, 0.6),
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
        k = max(1, round(self.k * 3 / max(len(splits), 3)))
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
            k = self.k * min(self.folds, 3)
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
        check_seed(self.seed)
        for name, least, most in (
            ("steps", 0.0, 100.0), ("powers", 0.0, 1.0), ("shares", 0.0, 1.0), ("rounds", 1.0, 100.0), ("apart", 0.0, 10.0),
        ):  # fmt: skip
            check_candidates(name, getattr(self, name), least, most, whole=name in ("steps", "rounds"))
        check_number("slack", self.slack, 0.0, 1.0, 0.02)
        check_number("margin", self.margin, 0.0, np.inf, 0.05)
        check_number("sharpness", self.sharpness, 0.0, np.inf, 10.0)
        for name, least, usual in (("k", 1.0, 10.0), ("folds", 2.0, 3.0), ("neighbors", 1.0, 20.0)):
            check_number(name, getattr(self, name), least, np.inf, usual, whole=True)

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
