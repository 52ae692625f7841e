"""Nearest-neighbor regression: answer with the targets of the training items whose inputs are nearest."""

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._shapes import Float, Int
from isthmus.mappings._contract import Mapping
from isthmus.mappings._untrained import Untrained
from isthmus.pairs import Scaling, ScalingKind


def directions(v: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    """Rows at length 1; zero rows stay zero.

    Example:
        >>> directions(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
        [[0.6, 0.8], [0.0, 0.0]]
    """
    length = np.linalg.norm(v, axis=1, keepdims=True)
    return v / np.where(length > 0, length, 1.0)


def nearest(similarity: Float[ndarray, "m n"], k: int) -> Int[ndarray, "m k"]:
    """The k most similar columns of each row, most similar first; equal ones in their order.

    Example:
        >>> nearest(np.array([[0.1, 0.5, 0.5, 0.3]]), 3).tolist()
        [[1, 2, 3]]
    """
    order: Int[ndarray, "m k"] = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
    return order


class NearestNeighbors(Mapping):
    """f(x) = mean of y_i over the k training items i whose inputs have the highest cosine with x (Cover & Hart 1967).

    Args:
        k: neighbors, from 1 to the number of training items.
        scaling: of the inputs, before the cosine.

    Example:
        >>> x = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
        >>> mapping = NearestNeighbors(k=2, scaling="none").fit(x, np.array([[1.0], [3.0], [9.0]]))
        >>> mapping.predict(np.array([[2.0, 0.0]])).tolist()
        [[2.0]]
    """

    def __init__(self, k: int = 10, scaling: ScalingKind = "center") -> None:
        self.k = k
        self.scaling = scaling

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        check_count("k", self.k, len(x))
        self.scaling_ = Scaling.fit(x, self.scaling)
        self.inputs_, self.targets_ = directions(self.scaling_.apply(x)), y

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        index = nearest(directions(self.scaling_.apply(x)) @ self.inputs_.T, self.k)
        mean: Float[ndarray, "m dy"] = self.targets_[index].mean(axis=1)
        return mean

    def _state(self) -> dict[str, ndarray]:
        return {
            "inputs": self.inputs_, "targets": self.targets_, "shift": self.scaling_.shift, "scale": self.scaling_.scale,
        }  # fmt: skip

    def _restore(self, state: dict[str, ndarray]) -> None:
        self.inputs_, self.targets_ = state["inputs"], state["targets"]
        self.scaling_ = Scaling(self.scaling, state["shift"], state["scale"])
        self.n_features_in_, self.n_outputs_ = self.inputs_.shape[1], self.targets_.shape[1]

    def twin(self, seed: int = 0) -> Mapping:
        """A random linear mapping on equally scaled inputs."""
        return Untrained(scaling=self.scaling, target_scaling="isotropic", seed=seed)


def check_count(name: str, k: int, n: int) -> None:
    """Refuse a number of training items that is not between 1 and all of them.

    Raises:
        MappingError: such a number.
    """
    if not 1 <= k <= n:
        raise MappingError(f"{name}: needed 1 to {n}, the number of training items, got {k}. Use fewer, or give more items.")
