"""Named real data sets, those inside the package first."""

from isthmus.datasets._catalog import CATALOG, DEFAULT, DatasetCard, load

__all__ = ["CATALOG", "DEFAULT", "DatasetCard", "load"]
