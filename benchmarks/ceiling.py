"""What could any function of x reach? Bounds on the target overlap, one set and direction at a time, for `mappings.py`.

If every x occurs once, a function can know every y: data alone bound nothing. So `best_lists` bounds under a model of
p(y|x), which is held to what ridge and kernel ridge reach on real targets, and `repeated_inputs` without one, where inputs
repeat.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from isthmus.mappings import Snap
from isthmus.mappings._kernels import gaussian, kernel_smoother, typical_square
from isthmus.mappings._nearest import directions
from isthmus.mappings._smoother import Smoother
from isthmus.measures import mnno
from isthmus.neighbors import search
from isthmus.pairs import Scaling, equal_items

K = 10
PENALTIES = Snap().penalties
RIDGE = tuple(10.0 ** np.arange(-1, 6))
NOISE = (0.4, 0.6, 0.8, 1.0, 1.25)
SKETCH = 100  # random directions in which a penalty is chosen: squared errors stay what they are, on average


def linear(x, train):
    """Of ridge regression from standardized inputs: (smoother, centered features of all items, penalties)."""
    inputs = Scaling.fit(x[train], "standardize").apply(x)
    return Smoother.of(inputs[train]), inputs - inputs[train].mean(axis=0), RIDGE


def kernel(x, train):
    """The same of kernel ridge regression, as Snap has it."""
    units = directions(Scaling.fit(x[train], "standardize").apply(x))
    similar = gaussian(units, units[train], Snap().width * typical_square(units[train]))
    return kernel_smoother(similar[train]), similar - similar[train].mean(axis=0), PENALTIES


def sketch(y):
    return y if y.shape[1] <= SKETCH else y @ np.random.default_rng(0).normal(size=(y.shape[1], SKETCH))


def left_out(smoother, y, penalties, groups):
    """For each item, the prediction from all items of other groups, at the penalty that does this best."""
    members = [np.flatnonzero(groups == each) for each in np.unique(groups[groups != np.arange(len(groups))])]

    def predictions(y, penalty):
        prediction, shrunk = smoother.leave_one_out(y, penalty), smoother.u * smoother.shrinkage(penalty)
        for rows in members:  # residuals of a block left out: (1 - H_gg)^-1 r_g
            block = np.eye(len(rows)) - 1 / len(y) - shrunk[rows] @ smoother.u[rows].T
            own = np.diag(block)[:, None] * (y[rows] - prediction[rows])
            prediction[rows] = y[rows] - np.linalg.solve(block, own)
        return prediction

    few = sketch(y)
    return predictions(y, min(penalties, key=lambda penalty: float(np.mean((few - predictions(few, penalty)) ** 2))))


def projection(smoother, features, y, train, test, penalties):
    """The matrix that takes centered training targets to predictions for the test items, penalty chosen on y."""
    penalty = smoother.best(sketch(y[train]), penalties)[0]
    return (features[test] @ smoother.back) @ (smoother.shrinkage(penalty)[:, None] * smoother.u.T)


def overlap_with(f, y):
    return mnno(search(f, K), search(y, K))


@dataclass
class Model:
    """p(y|x): y* = m(x) + noise * (residual of one of the items with the most similar inputs).

    m is kernel ridge regression from all other items (none that shares x or y), and the residuals are of the same; the
    nearest ones keep what is less certain less certain. Inner products of all that can be drawn are computed once.
    """

    mean: np.ndarray
    residuals: np.ndarray
    donors: np.ndarray  # items x donors

    @classmethod
    def of(cls, x, y, smoother, groups, donors=20):
        """The model, from all items and the smoother of their kernel."""
        mean = left_out(smoother, y, PENALTIES, groups)
        units = directions(Scaling.fit(x, "standardize").apply(x))
        return cls(mean, y - mean, np.argsort(-units @ units.T, axis=1, kind="stable")[:, :donors])

    def draw(self, rng, noise):
        """A target for every item."""
        drawn = rng.integers(self.donors.shape[1], size=len(self.mean))
        return self.mean + noise * self.residuals[self.donors[np.arange(len(drawn)), drawn]]

    def neighbors(self, rows, noise, draws, seed):
        """Neighbor lists of targets drawn for these items, one draw after another, as 0 and 1."""
        rng, m, r = (
            np.random.default_rng(seed),
            self.mean[rows].astype(np.float32),
            self.residuals.astype(np.float32) * noise,
        )
        used, place = np.unique(self.donors[rows], return_inverse=True)
        place, r = place.reshape(len(rows), -1), r[used]
        mm, mr, rr = m @ m.T, m @ r.T, r @ r.T
        for _ in range(draws):
            a = place[np.arange(len(rows)), rng.integers(place.shape[1], size=len(rows))]
            cross = mr[:, a]
            inner = mm + cross + cross.T + rr[np.ix_(a, a)]
            cosine = inner / np.sqrt(np.maximum(np.diag(inner), 1e-12))
            np.fill_diagonal(cosine, -np.inf)
            lists = np.zeros(cosine.shape, dtype=np.float32)
            np.put_along_axis(lists, np.argpartition(-cosine, K, axis=1)[:, :K], 1, axis=1)
            yield lists


def best_lists(model, rows, noise, draws):
    """Overlap on fresh draws of the best lists, top K of P(j in NN(y_i) | all x), and on those that chose them.

    No function of x has lists that are better on average, under this model; the second number bounds the error of the first.
    """
    chance = sum(model.neighbors(rows, noise, draws, seed=1))
    lists = np.zeros_like(chance)
    np.put_along_axis(lists, np.argpartition(-chance, K, axis=1)[:, :K], 1, axis=1)
    fresh = np.mean([(lists * each).sum(axis=1).mean() / K for each in model.neighbors(rows, noise, draws // 4, seed=2)])
    return float(fresh), float((lists * chance).sum(axis=1).mean() / draws / K)


def ceiling_under_a_model(x, y, split, learned, model, draws=400, tried=2):
    """Ridge and kernel ridge on real and on drawn targets, and the best lists, at noise 1 and where kernel ridge agrees."""
    train, test = split.train, split.test
    matrices = {
        name: projection(*one[:2], y, train, test, one[2])
        for name, one in (("ridge", linear(x, train)), ("kernel-ridge", learned))
    }

    def reached(y):
        center = y[train].mean(axis=0)
        return {name: overlap_with(matrix @ (y[train] - center) + center, y[test]) for name, matrix in matrices.items()}

    real, drawn = reached(y), {}
    for noise in NOISE:
        found = [reached(model.draw(np.random.default_rng(seed), noise)) for seed in range(tried)]
        drawn[noise] = {name: float(np.mean([each[name] for each in found])) for name in matrices}
    levels = [drawn[noise]["kernel-ridge"] for noise in NOISE]  # fall with the noise
    matched = float(np.interp(-real["kernel-ridge"], -np.maximum.accumulate(levels[::-1])[::-1], NOISE))
    return {
        "real": real, "drawn_noise_1": drawn[1.0], "matched_noise": matched,
        "drawn_matched": {name: float(np.interp(matched, NOISE, [drawn[c][name] for c in NOISE])) for name in matrices},
        "best_lists_noise_1": best_lists(model, test, 1.0, draws),
        "best_lists_matched": best_lists(model, test, matched, draws),
    }  # fmt: skip


def repeated_inputs(x, y, size, near=0.05, pools=20):
    """Agreement of the target neighborhoods of two items with equal x, and with nearly equal x; the bound that follows.

    Let P_j be the chance that j is among the K neighbors of a target of this x. Two independent targets share K a neighbors
    with K a = sum P_j^2, and no list of K holds more than sum over K of P_j <= sqrt(K sum P_j^2) = K sqrt(a) of one's
    neighbors on average (Cauchy-Schwarz): sqrt(a) bounds every function of x, on such inputs.

    Args:
        x: inputs.
        y: targets.
        size: of the sets among which neighbors are sought, that of the test set.
        near: share of the items; of all items with their nearest other input, those with the highest cosine.
        pools: random sets.
    """
    _, of_input = np.unique(x, axis=0, return_inverse=True)
    of_input = of_input.ravel()
    order = np.argsort(of_input, kind="stable")
    runs = np.split(order, np.flatnonzero(np.diff(of_input[order])) + 1)
    equal = [pair for run in runs if len(run) > 1 for pair in combinations(run.tolist(), 2)]
    units = directions(Scaling.fit(x, "standardize").apply(x))
    cosine = units @ units.T
    cosine[of_input[:, None] == of_input] = -np.inf
    nearest = np.argmax(cosine, axis=1)
    closest = np.argsort(-cosine.max(axis=1), kind="stable")[: round(near * len(x))]
    pairs = {"equal": equal, "near": [(int(i), int(nearest[i])) for i in closest]}
    targets, rng, found = directions(y), np.random.default_rng(0), {}
    for name, all_pairs in pairs.items():
        kept = np.array([pair for pair in all_pairs if (y[pair[0]] != y[pair[1]]).any()], dtype=int).reshape(-1, 2)
        two = kept[np.sort(rng.permutation(len(kept))[:1000])]
        shared = []
        for _ in range(pools if len(two) else 0):
            pool = rng.choice(len(y), size, replace=False)
            similar = targets[two] @ targets[pool].T
            similar[(two[:, :, None] == pool) | (two[:, ::-1, None] == pool)] = -np.inf
            first, second = np.argpartition(-similar, K, axis=2)[:, :, :K].transpose(1, 0, 2)
            shared.append((first[:, :, None] == second[:, None]).any(axis=2).mean())
        found[name] = {"pairs": len(two), "items": len(np.unique(two))}
        if len(two):
            found[name] |= {"agreement": float(np.mean(shared)), "bound": float(np.sqrt(np.mean(shared)))}
    return found


def others_seen(y, test, whole, groups):
    """Target overlap of kernel ridge in directions where each item is predicted from all items of other groups."""
    found = left_out(whole, directions(y - y.mean(axis=0)), PENALTIES, groups)
    return overlap_with(found[test], y[test])


def curve(x, y, split, learned, shares=(0.25, 0.5, 1.0), orders=2):
    """Target overlap of kernel ridge in directions, learned from growing parts of the training items."""
    for share in shares:
        found = []
        for seed in range(orders if share < 1 else 1):
            rows = np.sort(np.random.default_rng(seed).permutation(split.train)[: round(share * len(split.train))])
            smoother, features, penalties = kernel(x, rows) if share < 1 else learned
            goal = directions(y - y[rows].mean(axis=0))
            f = projection(smoother, features, goal, rows, split.test, penalties) @ (goal[rows] - goal[rows].mean(axis=0))
            found.append(overlap_with(f, y[split.test]))
        yield {"n_train": len(rows), "target_overlap": float(np.mean(found))}


def ceiling(x, y, split):
    """All of it for one direction, on the test items of the split; what each number means stands in docs/mappings.md."""
    groups = equal_items(x, y)
    learned, whole = kernel(x, split.train), kernel(x, np.arange(len(x)))[0]
    return {
        "model": ceiling_under_a_model(x, y, split, learned, Model.of(x, y, whole, groups)),
        "repeated_inputs": repeated_inputs(x, y, len(split.test)),
        "choice_on_test": Snap(slack=0.0).best_choice(x, y, [split])[1],
        "others_seen": others_seen(y, split.test, whole, groups),
        "curve": list(curve(x, y, split, learned)),
    }  # fmt: skip
