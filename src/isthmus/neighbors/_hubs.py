"""Hubs: items that are among the neighbors of very many others, and antihubs, which are among nobody's.

In high dimensions a few items crowd into most neighbor lists (Radovanović, Nanopoulos & Ivanović 2010, "Hubs in Space",
JMLR 11). Two spaces that share their hubs overlap more than their structure alone would give, so hubness belongs beside an
overlap.
"""

from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Int
from isthmus.neighbors._neighbors import Neighbors


def k_occurrence(table: Neighbors, k: int | None = None) -> Int[ndarray, " n"]:
    """How many of the k-neighbor lists each item stands in, N_k(i); their mean is k (where all items were searched).

    Radovanović et al. (2010), section 2. Of the lists of a sample of items, only those are counted.

    Raises:
        NeighborError: k is not in 1..depth.

    Example:
        >>> k_occurrence(Neighbors(np.array([[1], [0], [1]]), np.zeros((3, 1)), "cosine", False))
        array([1, 2, 0])
    """
    lists = table.first(table.depth if k is None else k).index
    return np.bincount(lists.ravel(), minlength=table.items)


@dataclass(frozen=True, slots=True)
class Hubness:
    """How unevenly items occur in neighbor lists.

    Args:
        k: length of the lists.
        skewness: third standardized moment of the k-occurrence over items: near 0 where no item is a hub, nan where all
            items occur equally often.
        antihubs: share of the items that occur in no list, in [0, 1].
        largest: the highest k-occurrence.
        hubs: the items that occur most often, ten at most, most frequent first, equal ones by row number.
    """

    k: int
    skewness: float
    antihubs: float
    largest: int
    hubs: tuple[int, ...]


def hubness(table: Neighbors, k: int | None = None) -> Hubness:
    """The hubs of a set from the neighbors of all its items, itself not counted.

    Skewness is E[(N_k - mean)^3] / sd^3 over the items (Radovanović et al. 2010, eq. 1).

    Raises:
        NeighborError: k is not in 1..depth, or the table holds a sample of the items, or the items themselves.

    Example:
        >>> star = Neighbors(np.array([[1], [0], [0], [0]]), np.zeros((4, 1)), "cosine", False)
        >>> found = hubness(star)
        >>> found.largest, found.antihubs, found.hubs[0]
        (3, 0.5, 0)
    """
    if table.rows is not None or table.includes_self:
        got = "a sample of them" if table.rows is not None else "lists with the items themselves"
        raise NeighborError(
            f"table: needed the neighbors of all items, self excluded, got {got}. Search them all without self."
        )
    occurrence = k_occurrence(table, k)
    centered = occurrence - occurrence.mean()
    spread = float(np.sqrt(np.mean(centered**2)))
    order = np.argsort(-occurrence, kind="stable")[:10]
    return Hubness(
        table.depth if k is None else k,
        float(np.mean(centered**3)) / spread**3 if spread else float("nan"),
        float(np.mean(occurrence == 0)),
        int(occurrence.max()),
        tuple(int(i) for i in order),
    )
