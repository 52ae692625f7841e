"""Overlap from approximate neighbors, with what the approximation costs beside it.

A sample of the items is searched exactly, too. On it the recall of each table and the bias of the overlap are seen, and the
overlap of all items less that bias is an unbiased estimate again (a difference estimator, Cochran 1977, section 7.7),
narrower than the sample alone where the two overlaps of an item go together.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._html import html_table
from isthmus._shapes import Float, Progress
from isthmus.measures._lists import positions
from isthmus.measures._overlap import chance
from isthmus.measures._sampling import draw
from isthmus.neighbors import Approximation, Metric, check_approximation, check_k, check_metric, search, search_approximately
from isthmus.pairs import check_vectors
from isthmus.statistics import Interval, ratio_error


@dataclass(frozen=True, slots=True)
class ApproximateOverlap:
    """An overlap from approximate neighbors.

    Args:
        method: what searched.
        n: number of items.
        k: neighbors counted.
        metric: "cosine" or "euclidean".
        mnno: mean overlap of the approximate lists, in [0, 1].
        sample: number of items that were searched exactly, too.
        recall_a, recall_b: share of the exact neighbors of the sample that the approximate lists of the two spaces hold.
        bias: mean overlap of the approximate lists less that of the exact ones, on the sample.
        corrected: mnno - bias, with a 95 % interval for what an exact search of all items would have given.
    """

    method: Approximation
    n: int
    k: int
    metric: Metric
    mnno: float
    sample: int
    recall_a: float
    recall_b: float
    bias: float
    corrected: Interval

    @property
    def chance(self) -> float:
        """What a random pairing gives on average."""
        return chance(self.k, self.n)

    def record(self, a: str = "a", b: str = "b") -> dict[str, Any]:
        """The result as one flat record."""
        return {
            "a": a, "b": b, "n": self.n, "sample": self.sample, "k": self.k, "metric": self.metric, "include_self": False,
            "approximate": self.method, "mnno": self.mnno, "chance": self.chance, "recall_a": self.recall_a,
            "recall_b": self.recall_b, "bias": self.bias, "mnno_corrected": self.corrected.estimate,
            "ci_low": self.corrected.low, "ci_high": self.corrected.high, "ci_population": self.corrected.population,
        }  # fmt: skip

    def _repr_html_(self) -> str:
        shown = {name: value for name, value in self.record().items() if name not in ("a", "b", "ci_population")}
        return html_table(f"Mean nearest neighbor overlap by {self.method}", [shown], note=f"{self}.")

    def __str__(self) -> str:
        return (
            f"mNNO {self.mnno:.4f} by {self.method} (recall {self.recall_a:.3f} and {self.recall_b:.3f}, bias "
            f"{self.bias:+.4f} on {self.sample} items; corrected {self.corrected.estimate:.4f} [{self.corrected.low:.4f}, "
            f"{self.corrected.high:.4f}]; chance {self.chance:.4f}, N={self.n}, K={self.k}, {self.metric}, self excluded)"
        )


def approximate_overlap(
    V: Any,
    Z: Any,
    k: int = 10,
    metric: Metric = "cosine",
    *,
    method: Approximation = "hnsw",
    sample: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
    names: tuple[str, str] = ("V", "Z"),
) -> ApproximateOverlap:
    """mNNO_K(V, Z) from approximate neighbors, with recall and bias measured on exactly searched items.

    Args:
        V: n x d1, finite.
        Z: n x d2, finite; row i describes the same item.
        k: neighbors counted, self excluded.
        metric: "cosine" or "euclidean".
        method: "hnsw" or "ivf" (FAISS), or "pynndescent".
        sample: number of items, drawn at random, that are searched exactly as well.
        seed: of the sample and of what is random in the method.
        progress: called with what is being done, the rows done and the rows in all.
        names: what errors call the two spaces.

    Raises:
        DataError: a space that is not a finite two-dimensional array of numbers.
        MissingExtraError: without the library of the method installed.
        NeighborError: an unknown method or metric, different numbers of items, or too few of them for k.
    """
    check_approximation(method)
    check_metric(metric)
    first, second = check_vectors(V, names[0]), check_vectors(Z, names[1])
    n = len(first)
    if n != len(second):
        raise NeighborError(
            f"{names[0]}, {names[1]}: needed as many items in both, got {n} and {len(second)}. Pair them first."
        )
    check_k(k, n, include_self=False, name=names[0])
    rows = draw(n, min(sample, n), seed)
    near = [search_approximately(space, k, metric, method, seed) for space in (first, second)]
    exact = [search(space, k, metric, rows=rows, progress=progress).index for space in (first, second)]
    counts = _shared(near[0], near[1])
    recall = [_shared(table[rows], true).mean() / k for table, true in zip(near, exact, strict=True)]
    error = counts[rows] - _shared(exact[0], exact[1])
    mnno, bias = float(counts.mean() / k), float(error.mean() / k)
    spread = ratio_error(error, np.full(len(rows), k), n)
    corrected = Interval.around(mnno - bias, spread, kind="sample", bounds=(0.0, 1.0))
    return ApproximateOverlap(method, n, k, metric, mnno, len(rows), float(recall[0]), float(recall[1]), bias, corrected)


def _shared(a: ndarray, b: ndarray) -> Float[ndarray, " n"]:
    """Entries that two lists share, item by item; -1 stands for none and is shared by none."""
    width = b.shape[1]
    offset = np.where(a < 0, -2, a)  # -2 in a never meets -1 in b
    return np.count_nonzero(positions(offset + 2, b + 2) < width, axis=1).astype(float)
