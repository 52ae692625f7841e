"""Word pairs rated by people: how well similarities of vectors agree with them, also after untrained maps (experiment 2)."""

from isthmus.concepts._compare import Comparison, compare
from isthmus.concepts._coverage import Coverage, LeftOut, Vocabulary, cover, wanted
from isthmus.concepts._evaluate import ConceptRow, Concepts, evaluate, in_common
from isthmus.concepts._maps import DRAWS, HIDDEN, MAPS, OUTPUT, MapKind, check_activation, check_sizes, images, untrained
from isthmus.concepts._ratings import BENCHMARKS, RatedPairs, benchmark_name, rating_files, read_ratings
from isthmus.concepts._similarity import SIMILARITIES, Similarity, check_similarity, similarities

__all__ = [
    "BENCHMARKS",
    "DRAWS",
    "HIDDEN",
    "MAPS",
    "OUTPUT",
    "SIMILARITIES",
    "Comparison",
    "ConceptRow",
    "Concepts",
    "Coverage",
    "LeftOut",
    "MapKind",
    "RatedPairs",
    "Similarity",
    "Vocabulary",
    "benchmark_name",
    "check_activation",
    "check_similarity",
    "check_sizes",
    "compare",
    "cover",
    "evaluate",
    "images",
    "in_common",
    "rating_files",
    "read_ratings",
    "similarities",
    "untrained",
    "wanted",
]
