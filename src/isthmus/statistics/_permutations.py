"""Random pairings of items, and what a statistic under them says: a threshold, a p-value, a score that is 0 below chance."""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import IsthmusError
from isthmus._numbers import check_number, is_number
from isthmus._shapes import Float, Int
from isthmus.pairs import check_seed

_NUMBERS_AT_ONCE = 1 << 21


def permutations(
    n: int, draws: int, seed: int = 0, groups: Sequence[Any] | ndarray | None = None
) -> Iterator[Int[ndarray, "some n"]]:
    """Random permutations of 0..n-1, some at a time.

    Args:
        n: number of items.
        draws: how many in all.
        seed: of the draws; a longer run begins with a shorter one.
        groups: a label an item; items change places only with items of the same label, so what the labels explain stays.

    Raises:
        IsthmusError: no draws, another number of labels than items, a missing label or one that cannot be compared, or no
            label that two items share.

    Example:
        >>> [block.shape for block in permutations(4, 3)]
        [(3, 4)]
        >>> next(permutations(4, 1, groups=["a", "b", "a", "b"]))[0] % 2
        array([0, 1, 0, 1], dtype=int32)
    """
    check_number("draws", draws, 1.0, np.inf, 999.0, whole=True)
    check_seed(seed)
    members = None if groups is None else _members(groups, n)
    rng = np.random.default_rng([seed, 0x9E12])
    step = max(1, _NUMBERS_AT_ONCE // max(1, n))
    for start in range(0, draws, step):
        block = np.empty((min(step, draws - start), n), dtype=np.int32)
        for order in block:
            if members is None:
                order[:] = rng.permutation(n)
                continue
            order[:] = np.arange(n)
            for rows in members:
                order[rows] = rng.permutation(rows)
        yield block


def _members(groups: Sequence[Any] | ndarray, n: int) -> list[Int[ndarray, " m"]]:
    """Row numbers of the items of each label that several items have; 1 and "1" are different labels."""
    labels = np.atleast_1d(groups).tolist() if isinstance(groups, ndarray) else list(groups)
    if len(labels) != n:
        raise IsthmusError(f"groups: needed one label for each of {n} items, got {len(labels)}. Label every item.")
    rows: dict[Any, list[int]] = {}
    for row, label in enumerate(labels):
        if not _is_label(label):
            raise IsthmusError(
                f"groups: needed a text or a number for every item, got {label!r} for item {row}. Label it, or leave it out."
            )
        rows.setdefault(label, []).append(row)
    found = [np.array(each) for each in rows.values() if len(each) > 1]
    if not found:
        raise IsthmusError(
            f"groups: needed a label that two items share, got {n} different ones. Merge groups, or leave them out."
        )
    return found


def _is_label(label: Any) -> bool:
    """Whether it can stand for a group: neither missing nor a list of labels."""
    try:
        hash(label)
        return label is not None and bool(label == label)  # noqa: PLR0124 - nan
    except TypeError:
        return False


def order_statistic_threshold(observed: float, null: Float[ndarray, " draws"], alpha: float = 0.05) -> float:
    """The value that a statistic has to exceed to be above chance at level alpha.

    The ceil((1 - alpha)(m + 1))-th smallest of the m draws and the observed value, which is one of them under the null. The
    observed value exceeds it only if its p-value (b + 1)/(m + 1) is at most alpha.

    Args:
        observed: the statistic as observed; large is what is looked for.
        null: the statistic under random pairings.
        alpha: level of the test, in (0, 1).

    Raises:
        IsthmusError: alpha outside (0, 1).

    Example:
        >>> order_statistic_threshold(5.0, np.arange(19.0))
        17.0
    """
    check_level(alpha)
    values = np.sort(np.append(null, observed))
    place = ceil((1 - alpha) * len(values) - 1e-9)  # 0.95 * 200 is 190 here, not 191
    return float(values[max(1, place) - 1])


def check_level(alpha: float) -> None:
    """Refuse what is no level of a test.

    Raises:
        IsthmusError: no number between 0 and 1.
    """
    if not is_number(alpha) or not 0 < alpha < 1:
        raise IsthmusError(f"alpha: needed a level between 0 and 1, got {alpha!r}. Use 0.05.")


def calibrated(value: float, threshold: float, best: float) -> float:
    """How far a value lies between its threshold and the best there can be: 0 up to the threshold, 1 at the best.

    Example:
        >>> calibrated(0.75, 0.5, 1.0), calibrated(0.1, 0.5, 1.0), calibrated(0.25, 0.5, 0.0)
        (0.5, 0.0, 0.5)
    """
    if best == threshold:
        return 0.0
    return float(np.clip((value - threshold) / (best - threshold), 0.0, 1.0))
