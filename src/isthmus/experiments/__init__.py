"""Whole experiments: mappings learned, measured and compared; and what the paper printed."""

from isthmus.experiments._audit import Audit, AuditRow, Direction, audit
from isthmus.experiments._authors import authors_recipe, check_learning_rate, image_side, recipe_for
from isthmus.experiments._curves import EPOCHS, CurvePoint, Curves, curves, curves_of
from isthmus.experiments._detail import Detail, HubRow, OverlapPoint, PartRow
from isthmus.experiments._figure1 import (
    CLASSES,
    Figure1,
    Panel,
    UntrainedOverlap,
    figure1,
    manifold,
    mapped_manifold,
    untrained_overlaps,
)
from isthmus.experiments._figure2 import Figure2, figure2
from isthmus.experiments._neighborhoods import Neighborhoods
from isthmus.experiments._plan import Cell, plan
from isthmus.experiments._published import (
    PUBLISHED_BASELINE,
    PublishedOverlap,
    PublishedSimilarity,
    published_overlaps,
    published_similarities,
    without_self,
)
from isthmus.experiments._reopened import reopened, titled, titles
from isthmus.experiments._reproduce import REPRODUCIBLE, beside_published, reproduce
from isthmus.experiments._reproduction import ReproducedOverlap, Reproduction
from isthmus.experiments._results import Level, Results, open_results
from isthmus.experiments._run import run
from isthmus.experiments._sampled import audit_sample
from isthmus.experiments._similarities import (
    SIMILARITY_TABLES,
    ReproducedSimilarity,
    SimilarityReproduction,
    reproduce_similarities,
)
from isthmus.experiments._spec import READY, Spec, read_spec, ready_specs

__all__ = [
    "CLASSES",
    "EPOCHS",
    "PUBLISHED_BASELINE",
    "READY",
    "REPRODUCIBLE",
    "SIMILARITY_TABLES",
    "Audit",
    "AuditRow",
    "Cell",
    "CurvePoint",
    "Curves",
    "Detail",
    "Direction",
    "Figure1",
    "Figure2",
    "HubRow",
    "Level",
    "Neighborhoods",
    "OverlapPoint",
    "Panel",
    "PartRow",
    "PublishedOverlap",
    "PublishedSimilarity",
    "ReproducedOverlap",
    "ReproducedSimilarity",
    "Reproduction",
    "Results",
    "SimilarityReproduction",
    "Spec",
    "UntrainedOverlap",
    "audit",
    "audit_sample",
    "authors_recipe",
    "beside_published",
    "check_learning_rate",
    "curves",
    "curves_of",
    "figure1",
    "figure2",
    "image_side",
    "manifold",
    "mapped_manifold",
    "open_results",
    "plan",
    "published_overlaps",
    "published_similarities",
    "read_spec",
    "ready_specs",
    "recipe_for",
    "reopened",
    "reproduce",
    "reproduce_similarities",
    "run",
    "titled",
    "titles",
    "untrained_overlaps",
    "without_self",
]
