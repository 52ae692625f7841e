"""Whole experiments: mappings learned, measured and compared; and what the paper printed."""

from isthmus.experiments._audit import Audit, AuditRow, Direction, audit
from isthmus.experiments._authors import authors_recipe, image_side, recipe_for
from isthmus.experiments._curves import EPOCHS, CurvePoint, Curves, curves, curves_of
from isthmus.experiments._figure2 import Figure2, figure2
from isthmus.experiments._plan import Cell, plan
from isthmus.experiments._published import (
    PUBLISHED_BASELINE,
    PublishedOverlap,
    PublishedSimilarity,
    published_overlaps,
    published_similarities,
    without_self,
)
from isthmus.experiments._reproduce import REPRODUCIBLE, reproduce
from isthmus.experiments._reproduction import ReproducedOverlap, Reproduction
from isthmus.experiments._results import Level, Results, open_results
from isthmus.experiments._run import run
from isthmus.experiments._sampled import audit_sample
from isthmus.experiments._spec import READY, Spec, read_spec, ready_specs

__all__ = [
    "EPOCHS",
    "PUBLISHED_BASELINE",
    "READY",
    "REPRODUCIBLE",
    "Audit",
    "AuditRow",
    "Cell",
    "CurvePoint",
    "Curves",
    "Direction",
    "Figure2",
    "Level",
    "PublishedOverlap",
    "PublishedSimilarity",
    "ReproducedOverlap",
    "Reproduction",
    "Results",
    "Spec",
    "audit",
    "audit_sample",
    "authors_recipe",
    "curves",
    "curves_of",
    "figure2",
    "image_side",
    "open_results",
    "plan",
    "published_overlaps",
    "published_similarities",
    "read_spec",
    "ready_specs",
    "recipe_for",
    "reproduce",
    "run",
    "without_self",
]
