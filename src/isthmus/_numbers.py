"""Numbers that callers set, checked before anything is computed."""

from numbers import Integral, Real
from typing import Any

import numpy as np

from isthmus._errors import IsthmusError


def is_number(value: Any, whole: bool = False) -> bool:
    """Whether it is a real (whole) number; True and False are none."""
    return isinstance(value, Integral if whole else Real) and not isinstance(value, bool | np.bool_)


def check_number(
    name: str,
    value: Any,
    least: float,
    most: float,
    usual: float,
    whole: bool = False,
    error: type[IsthmusError] = IsthmusError,
) -> None:
    """Refuse what is no number of this range, or no whole one where these are needed; infinity never is.

    Raises:
        IsthmusError: such a value; of the kind that `error` says.
    """
    if not is_number(value, whole) or not (least <= value <= most and np.isfinite(value)):
        limit = f"of {least:g} or more" if most == np.inf else f"from {least:g} to {most:g}"
        raise error(f"{name}: needed a {'whole ' if whole else ''}number {limit}, got {value!r}. Use {usual:g}.")
