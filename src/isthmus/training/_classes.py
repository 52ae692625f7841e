"""Classes of items as arrays: what max-margin asks to know which items may stand against each other."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import MappingError
from isthmus.training._losses import MAX_MARGIN, Loss

Labels = Sequence[str] | Sequence[int] | Sequence[Collection[str]] | ndarray
"""One class an item, or a set of classes an item, or a table of items by classes that is not 0 where an item is in one."""


def encode_classes(labels: Labels | None, loss: str | Loss, n: int) -> ndarray:
    """Classes as numbers, n, or for items with several as a table of 0 and 1, n x classes; zeros where no loss needs them.

    Args:
        labels: as of `Pairs.labels` where every item has one class.
        loss: only "max-margin" needs them.
        n: number of items.

    Raises:
        MappingError: no labels for max-margin, or not one an item.

    Example:
        >>> encode_classes(("cat", "dog", "cat"), "max-margin", 3)
        array([0, 1, 0], dtype=int32)
        >>> encode_classes([{"sky"}, {"sky", "sea"}], "max-margin", 2)
        array([[0, 1],
               [1, 1]], dtype=uint8)
    """
    if loss != MAX_MARGIN:
        return np.zeros(n, dtype=np.int32)
    if labels is None:
        raise MappingError(
            "labels: needed a class for each item for the max-margin loss, got none. "
            "Pass labels=, the items' own names if each is a class of its own, or choose the loss mse or cosine."
        )
    if len(labels) != n:
        raise MappingError(f"labels: needed one an item ({n}), got {len(labels)}. Give every item its class.")
    if isinstance(labels, ndarray) and labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if isinstance(labels, ndarray) and labels.ndim == 2:
        return (labels != 0).astype(np.uint8)
    if isinstance(labels, ndarray) or isinstance(labels[0], (str, int, float, np.generic)):
        return np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.int32)
    several: list[Collection[str]] = [names for names in labels if isinstance(names, Collection)]
    columns = {name: column for column, name in enumerate(sorted({name for names in several for name in names}))}
    table = np.zeros((n, len(columns)), dtype=np.uint8)
    for row, names in enumerate(several):
        table[row, [columns[name] for name in names]] = 1
    return table


def of_other_classes(classes: Any) -> Any:
    """Whether items i and j are different items that share no class, b x b, for JAX arrays as of `encode_classes`."""
    import jax.numpy as jnp  # noqa: PLC0415

    if classes.ndim == 1:
        return classes[:, None] != classes
    table = classes.astype(jnp.float32)
    return (table @ table.T == 0) & ~jnp.eye(len(table), dtype=bool)  # an item without a class shares none with itself
