"""Anchor attention: an item is described by its similarities to training anchors, and these weigh the anchors' targets.

Relative representations (Moschella et al. 2023) compare spaces through similarities to shared anchors; read as attention,
with the anchors' inputs as keys and their targets as values, they map one space into the other (Nadaraya 1964, Watson 1964).
"""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.mappings._candidates import check_positive
from isthmus.mappings._contract import Mapping
from isthmus.mappings._kernel_ridge import ANCHORS, draw_anchors
from isthmus.mappings._nearest import directions
from isthmus.mappings._untrained import Untrained
from isthmus.pairs import Scaling, ScalingKind

SHARPNESS: tuple[float, ...] = (2.0, 5.0, 10.0, 20.0, 40.0)


def softmax(logits: Float[ndarray, "m n"]) -> Float[ndarray, "m n"]:
    """exp(l) over its sum, row by row; -inf has weight 0.

    Example:
        >>> softmax(np.array([[0.0, 0.0, -np.inf]])).tolist()
        [[0.5, 0.5, 0.0]]
    """
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    share: Float[ndarray, "m n"] = weights / weights.sum(axis=1, keepdims=True)
    return share


class AnchorAttention(Mapping):
    """f(x) = sum_a w_a(x) y_a with w(x) = softmax(sharpness * cos(x, x_a)) over training anchors a.

    Args:
        sharpness: candidates, of which the lowest squared error of leave-one-out predictions of the anchors chooses.
        anchors: most training items that are used; of more, a random part.
        scaling: of the inputs, before the cosine.
        seed: of the random part.

    Attributes:
        sharpness_: the chosen one; inputs_, targets_: directions and targets of the anchors.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(300, 2))
        >>> AnchorAttention().fit(x, np.abs(x / np.linalg.norm(x, axis=1)[:, None])).score(x, np.abs(x)) > 0
        True
    """

    def __init__(
        self, sharpness: Sequence[float] = SHARPNESS, anchors: int = ANCHORS, scaling: ScalingKind = "center", seed: int = 0
    ) -> None:
        self.sharpness = sharpness
        self.anchors = anchors
        self.scaling = scaling
        self.seed = seed

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        check_positive("sharpness", self.sharpness)
        chosen = draw_anchors(len(x), self.anchors, self.seed)
        self.scaling_ = Scaling.fit(x, self.scaling)
        self.inputs_, self.targets_ = directions(self.scaling_.apply(x))[chosen], y[chosen]
        cosine = self.inputs_ @ self.inputs_.T
        if len(chosen) > 1:
            np.fill_diagonal(cosine, -np.inf)
        errors = [((softmax(each * cosine) @ self.targets_ - self.targets_) ** 2).sum() for each in self.sharpness]
        self.sharpness_ = float(self.sharpness[int(np.argmin(errors))])

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        cosine = directions(self.scaling_.apply(x)) @ self.inputs_.T
        return softmax(self.sharpness_ * cosine) @ self.targets_

    def _state(self) -> dict[str, ndarray]:
        return {
            "inputs": self.inputs_, "targets": self.targets_, "sharpness": np.array(self.sharpness_),
            "shift": self.scaling_.shift, "scale": self.scaling_.scale,
        }  # fmt: skip

    def _restore(self, state: dict[str, ndarray]) -> None:
        self.inputs_, self.targets_, self.sharpness_ = state["inputs"], state["targets"], float(state["sharpness"])
        self.scaling_ = Scaling(self.scaling, state["shift"], state["scale"])
        self.n_features_in_, self.n_outputs_ = self.inputs_.shape[1], self.targets_.shape[1]

    def twin(self, seed: int = 0) -> Mapping:
        """A random linear mapping on equally scaled inputs."""
        return Untrained(scaling=self.scaling, target_scaling="isotropic", seed=seed)
