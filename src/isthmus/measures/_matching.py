"""Retrieval of pairs as a measure of two spaces of the same width: where an item's own partner stands among all partners.

As in `retrieval`, with queries from the first space and candidates from the second, but for many pairings at once: a
pairing only says which candidate is the right one, so one ranking of each query serves all of them.
"""

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Float, Int
from isthmus.measures._paired import Paired
from isthmus.measures._ranking import partner_ranks
from isthmus.neighbors import check_distance


def recall_at_k(pair: Paired, orders: Int[ndarray, "some n"]) -> Float[ndarray, " some"]:
    """Share of queries whose partner is among their k nearest candidates, for each pairing; k/n by chance.

    Raises:
        NeighborError: spaces of different widths, or csls.
    """
    return recalls(pair, orders).mean(axis=1)


def recalls(pair: Paired, orders: Int[ndarray, "some n"]) -> Float[ndarray, "some n"]:
    """The same of every query: 1 or 0, a fraction where candidates are tied."""
    before, tied = _ranks(pair, orders)
    found: Float[ndarray, "some n"] = np.clip(pair.k - before, 0, tied) / tied
    return found


def reciprocal_rank(pair: Paired, orders: Int[ndarray, "some n"]) -> Float[ndarray, " some"]:
    """Mean of 1/(rank of the partner), MRR, for each pairing; (1 + 1/2 + ... + 1/n)/n by chance.

    Raises:
        NeighborError: as for `recall_at_k`.
    """
    return reciprocal_ranks(pair, orders).mean(axis=1)


def reciprocal_ranks(pair: Paired, orders: Int[ndarray, "some n"]) -> Float[ndarray, "some n"]:
    """The same of every query."""
    before, tied = _ranks(pair, orders)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, pair.n + 1))])
    found: Float[ndarray, "some n"] = (harmonic[before + tied] - harmonic[before]) / tied
    return found


def closer_than_match(pair: Paired, orders: Int[ndarray, "some n"]) -> Float[ndarray, " some"]:
    """Fraction of samples closer than the true match, FOSCTTM, over both directions, for each pairing; 1/2 by chance.

    Liu, Huang, Singh, Vert, Noble (2019), "Jointly embedding multiple single-cell omics measurements".

    Raises:
        NeighborError: as for `recall_at_k`.
    """
    return closer(pair, orders).mean(axis=1)


def closer(pair: Paired, orders: Int[ndarray, "some n"]) -> Float[ndarray, "some n"]:
    """The same of every item of the first space and its partner, the mean of both directions."""
    back = np.argsort(orders, axis=1)
    there, here = (
        (before + (tied - 1) / 2) / (pair.n - 1) for before, tied in (_ranks(pair, orders), _ranks(pair.swapped(), back))
    )
    found: Float[ndarray, "some n"] = (there + np.take_along_axis(here, orders, axis=1)) / 2
    return found


def _ranks(pair: Paired, orders: Int[ndarray, "some n"]) -> tuple[Int[ndarray, "some n"], Int[ndarray, "some n"]]:
    check_distance(pair.metric, "retrieval")
    x, y = pair.first.vectors, pair.second.vectors
    if x.shape[1] != y.shape[1]:
        raise NeighborError(
            f"X, Y: needed the same width, to measure distances between them, got {x.shape[1]} and {y.shape[1]}. Map one "
            "space into the other first."
        )
    return partner_ranks(x, y, orders, metric=pair.metric)
