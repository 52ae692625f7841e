"""How sure: arrays in, numbers out."""

from isthmus.statistics._intervals import (
    POPULATIONS,
    Interval,
    IntervalKind,
    check_kind,
    half_sample_error,
    halves,
    ratio_error,
)
from isthmus.statistics._tests import permutation_p, sign_flip_p

__all__ = [
    "POPULATIONS",
    "Interval",
    "IntervalKind",
    "check_kind",
    "half_sample_error",
    "halves",
    "permutation_p",
    "ratio_error",
    "sign_flip_p",
]
