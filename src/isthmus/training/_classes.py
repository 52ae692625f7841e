"""Classes of items as arrays: what max-margin asks to know which items may stand against each other."""

from collections.abc import Collection, Sequence
from numbers import Number
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
        MappingError: no labels for max-margin, not one an item, some of another form than the first, or None, nan or a table
            of text.

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
    if isinstance(labels, ndarray) and labels.ndim not in (1, 2):
        raise MappingError(
            f"labels: needed one axis of items, or a table, got {labels.ndim} axes. Give every item its class."
        )
    if len(labels) != n:
        raise MappingError(f"labels: needed one an item ({n}), got {len(labels)}. Give every item its class.")
    return _of_array(labels) if isinstance(labels, ndarray) and labels.dtype != object else _of_list(list(labels))


def _of_array(labels: ndarray) -> ndarray:
    for row, item in enumerate(labels):
        if np.any(item != item):  # noqa: PLR0124 - nan alone differs from itself
            raise _unfit(labels, row)
    if labels.ndim == 1 or labels.shape[1] == 1:
        return np.unique(labels.ravel(), return_inverse=True)[1].astype(np.int32)
    if labels.dtype.kind not in "biuf":
        raise MappingError(
            f"labels: needed numbers in a table of items by classes, got {labels.dtype} in one of "
            f"{len(labels)}x{labels.shape[1]}. Pass a list with a set of names for each item."
        )
    return (labels != 0).astype(np.uint8)


def _of_list(items: list[Any]) -> ndarray:
    one_each = not items or _is_name(items[0])
    named = [[item] if one_each else item for item in items]
    for row, names in enumerate(named):
        if _is_name(items[row]) != one_each or not isinstance(names, Collection) or not all(map(_is_name, names)):
            raise _unfit(items, row)
    try:
        numbers = {name: number for number, name in enumerate(sorted({name for names in named for name in names}))}
    except TypeError as error:
        raise MappingError(f"labels: needed names of one kind, text or numbers, got both ({error}). Choose one.") from error
    if one_each:
        return np.array([numbers[name] for [name] in named], dtype=np.int32)
    table = np.zeros((len(items), len(numbers)), dtype=np.uint8)
    for row, names in enumerate(named):
        table[row, [numbers[name] for name in names]] = 1
    return table


def _is_name(item: Any) -> bool:
    """Whether an item is what a class may be called; nan is nothing of the kind."""
    return isinstance(item, (str, bytes, Number, np.generic)) and bool(item == item)  # noqa: PLR0124


def _unfit(labels: Sequence[Any] | ndarray, row: int) -> MappingError:
    """What to say of an item whose label is none, or of another form than that of the first item."""
    first = f"{labels[0]!r} in row 0 and " if row else ""
    return MappingError(
        f"labels: needed one class an item, or a set of classes an item, got {first}{labels[row]!r} in row {row}. "
        "Label all items alike, or drop those that have no label."
    )


def of_other_classes(classes: Any) -> Any:
    """Whether items i and j are different items that share no class, b x b, for JAX arrays as of `encode_classes`."""
    import jax.numpy as jnp  # noqa: PLC0415

    if classes.ndim == 1:
        return classes[:, None] != classes
    table = classes.astype(jnp.float32)
    return (table @ table.T == 0) & ~jnp.eye(len(table), dtype=bool)  # an item without a class shares none with itself
