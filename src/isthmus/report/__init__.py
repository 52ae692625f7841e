"""What a reader sees: tables on a terminal, a page in a browser."""

from isthmus.report._concepts import comparison_table, concept_tables
from isthmus.report._figure import Figure
from isthmus.report._figures import audit_figures, run_figures
from isthmus.report._hubs import hub_curves
from isthmus.report._learning import learning_chart, learning_charts, learning_curves, learning_table
from isthmus.report._overlaps import curve_figure, overlap_over_k, overlap_over_n
from isthmus.report._page import write_page, write_run_page
from isthmus.report._parts import parts_bars
from isthmus.report._plane import bridge_plane
from isthmus.report._published import published_dots
from isthmus.report._reproduction import reproduction_tables, reproduction_text
from isthmus.report._results import results_tables
from isthmus.report._retrieval import retrieval_table
from isthmus.report._similarities import similarity_tables, similarity_text
from isthmus.report._spread import spread_dots
from isthmus.report._tables import (
    approximate_table,
    audit_answer,
    audit_tables,
    hub_table,
    limits_table,
    measure_table,
    overlap_table,
)
from isthmus.report._thumbnails import pictures_of
from isthmus.report._untrained import untrained_chart, untrained_figure, untrained_table

__all__ = [
    "Figure",
    "approximate_table",
    "audit_answer",
    "audit_figures",
    "audit_tables",
    "bridge_plane",
    "comparison_table",
    "concept_tables",
    "curve_figure",
    "hub_curves",
    "hub_table",
    "learning_chart",
    "learning_charts",
    "learning_curves",
    "learning_table",
    "limits_table",
    "measure_table",
    "overlap_over_k",
    "overlap_over_n",
    "overlap_table",
    "parts_bars",
    "pictures_of",
    "published_dots",
    "reproduction_tables",
    "reproduction_text",
    "results_tables",
    "retrieval_table",
    "run_figures",
    "similarity_tables",
    "similarity_text",
    "spread_dots",
    "untrained_chart",
    "untrained_figure",
    "untrained_table",
    "write_page",
    "write_run_page",
]
