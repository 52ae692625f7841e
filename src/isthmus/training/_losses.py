"""What gradient descent makes small: functions of the predicted and the true vectors, one value an item.

They run inside compiled JAX programs and receive JAX arrays; a loss of your own is one such function of (f, y). Max-margin
alone looks at other items too, and therefore at their classes.
"""

from collections.abc import Callable
from typing import Any

from isthmus._errors import MappingError

Loss = Callable[[Any, Any], Any]
"""loss(f, y): predicted and true vectors, both b x d, to b values, in JAX operations that have a gradient.

The vectors are those of the target space, divided by one number where the recipe scales, and never shifted (`target_kind`).
"""

MAX_MARGIN = "max-margin"


def squared_error(f: Any, y: Any) -> Any:
    """Half of the squared distance, 1/2 |f(x) - y|^2 (Collell & Moens 2018, section 3.2), in squared units of y."""
    return 0.5 * ((f - y) ** 2).sum(axis=-1)


def cosine_distance(f: Any, y: Any) -> Any:
    """1 - cos(f(x), y), in [0, 2] (Collell & Moens 2018, section 3.2); the length floor 1e-8 keeps zero rows finite."""
    lengths = _length(f) * _length(y)
    return 1 - (f * y).sum(axis=-1) / lengths


def max_margin(f: Any, y: Any, others: Any, margin: Any) -> Any:
    """max(0, margin + |f(x) - y| - |f(x~) - y|), x~ the first item of another class that makes it positive.

    Collell & Moens (2018), section 3.2, who do not say in which order x~ is sought. Here it is sought among the items of the
    batch in their order, from the one after x on and around the end: were it from the first row on, a few rows would be
    pushed away from all others in every step. An item that has no x~, because all others satisfy the constraint or none is
    of another class, has loss 0. The gradient goes through f(x) and f(x~).

    Args:
        f: predicted vectors of a batch, b x d.
        y: true vectors, b x d.
        others: b x b, whether item j may be the x~ of item i.
        margin: the distance by which f(x~) should be farther from y than f(x) is, in units of y.
    """
    import jax.numpy as jnp  # noqa: PLC0415 - jax is loaded where it trains

    own = _length(f - y)
    # One product gives all distances. Its rounding only decides which item is taken; the value comes from differences.
    middle = y.mean(axis=0)
    p, q = f - middle, y - middle
    distance = jnp.sqrt(jnp.maximum((q**2).sum(axis=-1)[:, None] + (p**2).sum(axis=-1) - 2 * q @ p.T, 0))
    violates = others & (margin + own[:, None] > distance)
    row = jnp.arange(len(f))
    turn = (row - row[:, None] - 1) % len(f)  # 0 for the item after, len - 1 for the item itself
    first = jnp.argmin(jnp.where(violates, turn, len(f)), axis=1)
    value = jnp.maximum(margin + own - _length(f[first] - y), 0)
    return jnp.where(violates.any(axis=1), value, 0)


def _length(vectors: Any) -> Any:
    import jax.numpy as jnp  # noqa: PLC0415

    return jnp.sqrt((vectors**2).sum(axis=-1) + 1e-16)  # the floor gives a zero vector a gradient, 0


LOSSES: dict[str, Loss] = {"cosine": cosine_distance, "mse": squared_error}
"""Losses by name; max-margin, which needs classes, is apart."""


def check_loss(loss: str | Loss) -> str | Loss:
    """The loss, if it is a function or the name of one.

    Raises:
        MappingError: an unknown name.

    Example:
        >>> check_loss("mse")
        'mse'
    """
    if not callable(loss) and loss not in (*LOSSES, MAX_MARGIN):
        known = ", ".join(sorted((*LOSSES, MAX_MARGIN)))
        raise MappingError(f"loss: needed one of {known}, got {loss!r}. Choose one.")
    return loss
