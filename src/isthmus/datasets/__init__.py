"""Named real data sets, those inside the package first, the files that the paper's authors publish, and sets to fetch."""

from isthmus.datasets._archives import unpack
from isthmus.datasets._authors import LABELS, PaperPairs, PaperSet, paper_files, read_paper_set, read_paper_words
from isthmus.datasets._catalog import CATALOG, DEFAULT, DatasetCard, load
from isthmus.datasets._documents import Documents, read_documents, read_iapr, read_wiki
from isthmus.datasets._download import Patience, download
from isthmus.datasets._fetch import Fetched, RemoteFile, Source, fetch, source, sources
from isthmus.datasets._imagenet import ImageNetWords, imagenet_pairs, read_wordnet

__all__ = [
    "CATALOG",
    "DEFAULT",
    "LABELS",
    "DatasetCard",
    "Documents",
    "Fetched",
    "ImageNetWords",
    "PaperPairs",
    "PaperSet",
    "Patience",
    "RemoteFile",
    "Source",
    "download",
    "fetch",
    "imagenet_pairs",
    "load",
    "paper_files",
    "read_documents",
    "read_iapr",
    "read_paper_set",
    "read_paper_words",
    "read_wiki",
    "read_wordnet",
    "source",
    "sources",
    "unpack",
]
