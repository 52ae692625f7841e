"""Settings of mappings, numbers and lists of candidates, checked before anything is learned."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from isthmus import _numbers
from isthmus._errors import MappingError
from isthmus._numbers import is_number

check_number = partial(_numbers.check_number, error=MappingError)


def check_candidates(name: str, values: Any, least: float, most: float, whole: bool = False) -> None:
    """Refuse what is no list of such numbers.

    Raises:
        MappingError: such a list.
    """
    if not _is_list(values) or not all(is_number(each, whole) and least <= each <= most for each in values):
        kind = "whole numbers" if whole else "numbers"
        raise MappingError(
            f"{name}: needed a list of {kind} from {least:g} to {most:g}, got {_shown(values)}. Use [{least:g}], say."
        )


def check_positive(name: str, values: Any) -> None:
    """Refuse candidates that are no positive numbers, or none at all.

    Raises:
        MappingError: such a list.
    """
    if not _is_list(values) or not all(is_number(each) and 0 < each < np.inf for each in values):
        raise MappingError(f"{name}: needed a list of positive numbers, got {_shown(values)}. Use [1.0], say.")


def _is_list(values: Any) -> bool:
    return isinstance(values, Sequence | np.ndarray) and not isinstance(values, str) and len(values) > 0


def _shown(values: Any) -> str:
    return str(list(values)) if _is_list(values) else repr(values)
