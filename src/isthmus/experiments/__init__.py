"""Whole experiments: mappings learned, measured and compared; and what the paper printed."""

from isthmus.experiments._audit import Audit, AuditRow, Direction, audit
from isthmus.experiments._authors import PaperSet, authors_recipe, image_side, recipe_for
from isthmus.experiments._curves import EPOCHS, CurvePoint, Curves, curves, curves_of
from isthmus.experiments._published import (
    PUBLISHED_BASELINE,
    PublishedOverlap,
    PublishedSimilarity,
    published_overlaps,
    published_similarities,
    without_self,
)

__all__ = [
    "EPOCHS",
    "PUBLISHED_BASELINE",
    "Audit",
    "AuditRow",
    "CurvePoint",
    "Curves",
    "Direction",
    "PaperSet",
    "PublishedOverlap",
    "PublishedSimilarity",
    "audit",
    "authors_recipe",
    "curves",
    "curves_of",
    "image_side",
    "published_overlaps",
    "published_similarities",
    "recipe_for",
    "without_self",
]
