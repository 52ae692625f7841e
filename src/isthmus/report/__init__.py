"""What a reader sees: tables on a terminal, a page in a browser."""

from isthmus.report._concepts import comparison_table, concept_tables
from isthmus.report._figure import Figure
from isthmus.report._learning import learning_chart, learning_charts, learning_table
from isthmus.report._page import write_page
from isthmus.report._parts import parts_bars
from isthmus.report._plane import bridge_plane
from isthmus.report._reproduction import reproduction_tables, reproduction_text
from isthmus.report._results import results_tables
from isthmus.report._retrieval import retrieval_table
from isthmus.report._similarities import similarity_tables, similarity_text
from isthmus.report._tables import (
    approximate_table,
    audit_answer,
    audit_tables,
    hub_table,
    limits_table,
    measure_table,
    overlap_table,
)
from isthmus.report._untrained import untrained_chart, untrained_table

__all__ = [
    "Figure",
    "approximate_table",
    "audit_answer",
    "audit_tables",
    "bridge_plane",
    "comparison_table",
    "concept_tables",
    "hub_table",
    "learning_chart",
    "learning_charts",
    "learning_table",
    "limits_table",
    "measure_table",
    "overlap_table",
    "parts_bars",
    "reproduction_tables",
    "reproduction_text",
    "results_tables",
    "retrieval_table",
    "similarity_tables",
    "similarity_text",
    "untrained_chart",
    "untrained_table",
    "write_page",
]
