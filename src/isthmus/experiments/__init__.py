"""Whole experiments: mappings learned, measured and compared; and what the paper printed."""

from isthmus.experiments._audit import Audit, AuditRow, Direction, audit
from isthmus.experiments._plan import Cell, plan
from isthmus.experiments._published import (
    PUBLISHED_BASELINE,
    PublishedOverlap,
    PublishedSimilarity,
    published_overlaps,
    published_similarities,
    without_self,
)
from isthmus.experiments._results import Level, Results, open_results
from isthmus.experiments._run import run
from isthmus.experiments._spec import READY, Spec, read_spec, ready_specs

__all__ = [
    "PUBLISHED_BASELINE",
    "READY",
    "Audit",
    "AuditRow",
    "Cell",
    "Direction",
    "Level",
    "PublishedOverlap",
    "PublishedSimilarity",
    "Results",
    "Spec",
    "audit",
    "open_results",
    "plan",
    "published_overlaps",
    "published_similarities",
    "read_spec",
    "ready_specs",
    "run",
    "without_self",
]
