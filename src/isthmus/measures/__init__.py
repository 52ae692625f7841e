"""How two spaces agree on neighborhoods, and what a mapping does to them."""

from isthmus.measures._approximation import ApproximateOverlap, approximate_overlap
from isthmus.measures._bridge import Bridge, Counts, Quantity, Spaces, bridge, differences_of
from isthmus.measures._calibration import (
    BestOfMany,
    CurvePoint,
    MatchedComparison,
    calibrate,
    calibrate_best,
    compare_matched,
    curve_over_k,
    curve_over_n,
    hub_expectation,
)
from isthmus.measures._kernels import mantel
from isthmus.measures._limits import Bound, Kept, Limited, keeps
from isthmus.measures._lists import as_list, depth_for, enough_for_halves, positions
from isthmus.measures._measure import MeasureResult, measure, neighborhood_curves
from isthmus.measures._overlap import OverlapResult, chance, mnno, nno, overlap, overlaps, relabeled
from isthmus.measures._paired import Paired
from isthmus.measures._ranks import RankCurves
from isthmus.measures._registry import MEASURES, Measure, register
from isthmus.measures._retrieval import Retrieval, foscttm, retrieval
from isthmus.measures._sampling import draw, searched
from isthmus.measures._verdict import Verdict, verdict

__all__ = [
    "MEASURES",
    "ApproximateOverlap",
    "BestOfMany",
    "Bound",
    "Bridge",
    "Counts",
    "CurvePoint",
    "Kept",
    "Limited",
    "MatchedComparison",
    "Measure",
    "MeasureResult",
    "OverlapResult",
    "Paired",
    "Quantity",
    "RankCurves",
    "Retrieval",
    "Spaces",
    "Verdict",
    "approximate_overlap",
    "as_list",
    "bridge",
    "calibrate",
    "calibrate_best",
    "chance",
    "compare_matched",
    "curve_over_k",
    "curve_over_n",
    "depth_for",
    "differences_of",
    "draw",
    "enough_for_halves",
    "foscttm",
    "hub_expectation",
    "keeps",
    "mantel",
    "measure",
    "mnno",
    "neighborhood_curves",
    "nno",
    "overlap",
    "overlaps",
    "positions",
    "register",
    "relabeled",
    "retrieval",
    "searched",
    "verdict",
]
