"""How sure: arrays in, numbers out."""

from isthmus.statistics._intervals import (
    POPULATIONS,
    Interval,
    IntervalKind,
    at_level,
    check_kind,
    half_differences,
    half_sample_error,
    halves,
    ratio_error,
)
from isthmus.statistics._permutations import calibrated, check_level, order_statistic_threshold, permutations
from isthmus.statistics._ranks import correlation_interval, rank_scores, spearman, spearman_influence
from isthmus.statistics._tests import (
    benjamini_hochberg,
    bonferroni,
    holm,
    permutation_p,
    rank_sum_p,
    sign_flip_p,
    sign_flip_ps,
    smallest_rank_sum_p,
)

__all__ = [
    "POPULATIONS",
    "Interval",
    "IntervalKind",
    "at_level",
    "benjamini_hochberg",
    "bonferroni",
    "calibrated",
    "check_kind",
    "check_level",
    "correlation_interval",
    "half_differences",
    "half_sample_error",
    "halves",
    "holm",
    "order_statistic_threshold",
    "permutation_p",
    "permutations",
    "rank_scores",
    "rank_sum_p",
    "ratio_error",
    "sign_flip_p",
    "sign_flip_ps",
    "smallest_rank_sum_p",
    "spearman",
    "spearman_influence",
]
