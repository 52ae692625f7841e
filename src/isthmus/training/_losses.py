"""What gradient descent makes small: functions of the predicted and the true vectors, one value an item.

They run inside compiled JAX programs and receive JAX arrays; a loss of your own is one such function.
"""

from collections.abc import Callable
from typing import Any

from isthmus._errors import MappingError

Loss = Callable[[Any, Any], Any]


def squared_error(f: Any, y: Any) -> Any:
    """Half of the squared distance, 1/2 |f(x) - y|^2 (Collell & Moens 2018, section 3.2), in squared units of y."""
    return 0.5 * ((f - y) ** 2).sum(axis=-1)


def cosine_distance(f: Any, y: Any) -> Any:
    """1 - cos(f(x), y), in [0, 2] (Collell & Moens 2018, section 3.2); the length floor 1e-8 keeps zero rows finite."""
    import jax.numpy as jnp  # noqa: PLC0415 - jax is loaded where it trains

    lengths = jnp.sqrt((f**2).sum(axis=-1) + 1e-16) * jnp.sqrt((y**2).sum(axis=-1) + 1e-16)
    return 1 - (f * y).sum(axis=-1) / lengths


LOSSES: dict[str, Loss] = {"cosine": cosine_distance, "mse": squared_error}


def check_loss(name: str) -> str:
    """The name of the loss, if there is one of this name.

    Raises:
        MappingError: an unknown name.

    Example:
        >>> check_loss("mse")
        'mse'
    """
    if name not in LOSSES:
        raise MappingError(f"loss: needed one of {', '.join(sorted(LOSSES))}, got {name!r}. Choose one.")
    return name
