"""Whole experiments: mappings learned, measured and compared; and what the paper printed."""

from isthmus.experiments._audit import Audit, AuditRow, Direction, audit
from isthmus.experiments._published import (
    PUBLISHED_BASELINE,
    PublishedOverlap,
    PublishedSimilarity,
    published_overlaps,
    published_similarities,
    without_self,
)
from isthmus.experiments._reproduce import REPRODUCIBLE, ReproducedOverlap, Reproduction, reproduce

__all__ = [
    "PUBLISHED_BASELINE",
    "REPRODUCIBLE",
    "Audit",
    "AuditRow",
    "Direction",
    "PublishedOverlap",
    "PublishedSimilarity",
    "ReproducedOverlap",
    "Reproduction",
    "audit",
    "published_overlaps",
    "published_similarities",
    "reproduce",
    "without_self",
]
