"""Networks whose loss compares the items of a batch: contrastive, relational and RCSLS.

They look at directions only, those of displacements from the mean target, so lengths are free, and predictions are these
displacements: adding the mean would turn every direction towards it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus._shapes import Float
from isthmus.mappings._network import MLP
from isthmus.pairs import ScalingKind
from isthmus.training import Activation, Loss, Recipe


def _cosines(a: Any, b: Any) -> Any:
    import jax.numpy as jnp  # noqa: PLC0415 - jax is loaded where it trains

    lengths = [jnp.sqrt((each**2).sum(axis=-1, keepdims=True) + 1e-16) for each in (a, b)]
    return (a / lengths[0]) @ (b / lengths[1]).T


def contrastive_loss(f: Any, y: Any, temperature: float = 0.1) -> Any:
    """-log of the share of y_i among the batch's targets, weighed by exp(cos(f_i, y_j) / temperature); one value an item.

    InfoNCE (van den Oord et al. 2018, eq. 4), from both sides (Radford et al. 2021): the mean of the loss of f_i among the
    targets and of y_i among the predictions. A target equal to y_i is no negative of it.
    """
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    logits = _cosines(f, y) / temperature
    same = (y[:, None] == y[None]).all(axis=-1) & ~jnp.eye(len(y), dtype=bool)
    logits = jnp.where(same, -1e9, logits)
    own = jnp.diagonal(logits)
    return (jax.nn.logsumexp(logits, axis=1) + jax.nn.logsumexp(logits, axis=0)) / 2 - own


def relational_loss(f: Any, y: Any, temperature: float = 0.1) -> Any:
    """Cross-entropy of the neighbor distribution of f_i within the batch, relative to that of y_i; one value an item.

    p_ij is the softmax over j != i of cos(y_i, y_j) / temperature, q_ij the same of f; the value is -sum_j p_ij log q_ij,
    lowest where q = p (stochastic neighbor embedding, Hinton & Roweis 2002; Passalis & Tefas 2018).
    """
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    own = jnp.eye(len(f), dtype=bool)
    p, log_q = (
        of(jnp.where(own, -1e9, _cosines(v, v) / temperature), axis=1)
        for of, v in ((jax.nn.softmax, y), (jax.nn.log_softmax, f))
    )
    return -(p * log_q).sum(axis=1)


def rcsls_loss(f: Any, y: Any, neighbors: int = 10) -> Any:
    """-2 cos(f_i, y_i) + mean cos of f_i to its nearest targets + mean cos of y_i to its nearest predictions.

    The relaxed CSLS criterion (Joulin et al. 2018, eq. 5), with neighbors within the batch; one value an item.
    """
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    cosine = _cosines(f, y)
    k = min(neighbors, len(f))
    targets, predictions = (jax.lax.top_k(each, k)[0].mean(axis=1) for each in (cosine, cosine.T))
    return -2 * jnp.diagonal(cosine) + targets + predictions


@lru_cache(maxsize=32)
def _bound(loss: Callable[..., Any], setting: Any) -> Loss:
    """The loss with its setting: the same object for the same setting, so that one program serves all fits."""
    return lambda f, y: loss(f, y, setting)


class _Batchwise(MLP):
    """A network whose loss compares the items of a batch."""

    directions_only = True
    batch: int
    _own: Callable[[Any, Any, Any], Any]

    def _setting(self) -> float:
        raise NotImplementedError

    def _recipe(self) -> Recipe:
        return replace(super()._recipe(), batch=self.batch)

    def _target_kind(self) -> ScalingKind:
        return self._recipe().scaling  # the directions of displacements are what is learned here

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        setting = self._setting()
        if not 0 < setting < float("inf"):
            raise MappingError(f"temperature, neighbors: needed a positive number, got {setting}. Use 0.1 or 10.")
        for name, least, usual in (("neighbors", 1, 10), ("batch", 2, 256)):
            value = getattr(self, name, usual)
            if not isinstance(value, int | np.integer) or value < least:
                raise MappingError(f"{name}: needed a whole number of {least} or more, got {value}. Use {usual}.")
        self.loss = _bound(self._own, setting)
        try:
            super()._learn(x, y)
        finally:
            self.loss = "mse"

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        displacement: Float[ndarray, "m dy"] = super()._map(x) - self.target_scaling_.shift
        return displacement


class Contrastive(_Batchwise):
    """Network whose prediction of an item is nearer to that item's target than to the others of the batch (InfoNCE).

    See `contrastive_loss`. Predictions are displacements from the mean target whose directions alone were learned.

    Args:
        temperature: of the softmax over cosines, positive; small ones look at the nearest negatives only.
        hidden: units of each hidden layer; () for a linear mapping, None for one layer as wide as the recipe says.
        activation: "relu", "tanh" or "sigmoid".
        recipe: how it is learned, but for the batch.
        batch: items among which each is compared, 2 or more.
        seed: of the first weights and the order of training.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(60, 3))
        >>> Contrastive(hidden=(), recipe=Recipe(epochs=2, patience=0)).fit(x, x[:, :2]).predict(x).shape
        (60, 2)
    """

    _own = staticmethod(contrastive_loss)

    def __init__(
        self,
        temperature: float = 0.1,
        hidden: Sequence[int] | None = None,
        activation: Activation = "relu",
        recipe: str | Recipe = "paper",
        batch: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(hidden, activation, "mse", recipe, seed)
        self.temperature = temperature
        self.batch = batch

    def _setting(self) -> float:
        return self.temperature


class Relational(_Batchwise):
    """Network under which the neighbors of f(x) within a batch are distributed as those of y are.

    See `relational_loss`. Predictions are displacements from the mean target, turned as the training left them: the loss
    looks at f's own geometry only.

    Args:
        temperature: of both softmaxes over cosines, positive.
        hidden: units of each hidden layer; () for a linear mapping, None for one layer as wide as the recipe says.
        activation: "relu", "tanh" or "sigmoid".
        recipe: how it is learned, but for the batch.
        batch: items among which neighbors are compared, 2 or more.
        seed: of the first weights and the order of training.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(60, 3))
        >>> Relational(hidden=(), recipe=Recipe(epochs=2, patience=0)).fit(x, x[:, :2]).predict(x).shape
        (60, 2)
    """

    _own = staticmethod(relational_loss)

    def __init__(
        self,
        temperature: float = 0.1,
        hidden: Sequence[int] | None = None,
        activation: Activation = "relu",
        recipe: str | Recipe = "paper",
        batch: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(hidden, activation, "mse", recipe, seed)
        self.temperature = temperature
        self.batch = batch

    def _setting(self) -> float:
        return self.temperature


class RCSLS(_Batchwise):
    """Linear mapping that makes the CSLS between prediction and target high (relaxed CSLS of Joulin et al. 2018).

    See `rcsls_loss`. Joulin et al. start from Procrustes and bound the spectrum of W; here W starts at random and early
    stopping bounds it. Predictions are displacements from the mean target.

    Args:
        neighbors: within the batch, whose mean cosine is subtracted, 1 or more.
        recipe: how it is learned, but for the batch.
        batch: items among which neighbors are sought, 2 or more.
        seed: of the first weights and the order of training.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(60, 3))
        >>> RCSLS(recipe=Recipe(epochs=2, patience=0)).fit(x, x[:, :2]).predict(x).shape
        (60, 2)
    """

    _own = staticmethod(rcsls_loss)

    def __init__(self, neighbors: int = 10, recipe: str | Recipe = "paper", batch: int = 256, seed: int = 0) -> None:
        super().__init__((), "relu", "mse", recipe, seed)
        self.neighbors = neighbors
        self.batch = batch

    def _setting(self) -> int:
        return self.neighbors
