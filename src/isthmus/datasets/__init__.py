"""Named real data sets, those inside the package first, and the files that the paper's authors publish."""

from isthmus.datasets._authors import LABELS, PaperPairs, PaperSet, paper_files, read_paper_set
from isthmus.datasets._catalog import CATALOG, DEFAULT, DatasetCard, load

__all__ = [
    "CATALOG",
    "DEFAULT",
    "LABELS",
    "DatasetCard",
    "PaperPairs",
    "PaperSet",
    "load",
    "paper_files",
    "read_paper_set",
]
