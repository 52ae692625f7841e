"""Mean nearest neighbor overlap of two spaces: how many neighbors an item keeps from one to the other.

The paper's eq. 1, which the representational-alignment literature calls mutual k-NN (Huh et al. 2024). It is a raw count:
it falls as the number of items grows and has a chance level, so a result carries n, k and chance with it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, overload

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._html import html_table
from isthmus._shapes import Float, Int, Progress
from isthmus.measures._halves import Meeting, count_by_draw, meet_in_halves, sums_over
from isthmus.measures._lists import as_list, check_same_items, depth_for, enough_for_halves, positions
from isthmus.measures._sampling import searched
from isthmus.neighbors import Metric, NeighborEngine, Neighbors, hubness, search, shared_entries
from isthmus.pairs import VectorStream, check_vectors
from isthmus.statistics import (
    Interval,
    IntervalKind,
    check_kind,
    half_differences,
    half_sample_error,
    halves,
    permutation_p,
    permutations,
    ratio_error,
)

_FEW_ITEMS = 8192  # up to so many items of a sample 999 random pairings take no more than seconds


def nno(a: Neighbors, b: Neighbors) -> Int[ndarray, " n"]:
    """Nearest neighbor overlap of every item: the size of NN_K(v_i) ∩ NN_K(z_i), 0..K.

    Collell & Moens (2018), section 4.2.

    Raises:
        NeighborError: tables of different items, depth or self convention.

    Example:
        >>> one = Neighbors(np.array([[1, 2], [2, 0], [1, 0]]), np.zeros((3, 2)), "cosine", False)
        >>> nno(one, one)
        array([2, 2, 2])
    """
    check_same_items(a, b)
    return np.count_nonzero(positions(a.index, b.index) < b.depth, axis=1)


def mnno(a: Neighbors, b: Neighbors) -> float:
    """Mean nearest neighbor overlap, mNNO_K(V, Z) = 1/(N K) sum_i NNO_K(v_i, z_i), in [0, 1].

    Collell & Moens (2018), eq. 1.

    Raises:
        NeighborError: tables of different items, depth or self convention.

    Example:
        >>> one = search(np.eye(4) + 0.1, k=2)
        >>> mnno(one, one)
        1.0
    """
    return float(nno(a, b).mean() / a.depth)


def chance(k: int, n: int, *, include_self: bool = False) -> float:
    """Expected mNNO under a random pairing of the items.

    k/(n-1) without self, whatever the hubness; (1 + (k-1)^2/(n-1))/k with it, since self is always shared.

    Example:
        >>> chance(10, 101)
        0.1
    """
    if n == 1:
        return 1.0  # a single item has only itself
    return (1 + (k - 1) ** 2 / (n - 1)) / k if include_self else k / (n - 1)


@dataclass(frozen=True, slots=True, eq=False)
class OverlapResult:
    """The overlap of two spaces at one k, with what is needed to judge it.

    Args:
        a, b: the neighbor tables, at least k deep, of all items or of a random sample of them.
        k: neighbors counted.
        counts: NNO of every item of the tables, 0..k.
        deeper: gives the two tables at the depth that half-samples need, where a and b have not got it.
    """

    a: Neighbors
    b: Neighbors
    k: int
    counts: Int[ndarray, " n"]
    deeper: Callable[[], list[Neighbors]] | None = None

    @property
    def n(self) -> int:
        """Number of items."""
        return self.a.items

    @property
    def sample(self) -> int | None:
        """How many of the items were drawn and searched; None where all were."""
        return None if self.a.rows is None else len(self.counts)

    @property
    def mnno(self) -> float:
        """Mean overlap, in [0, 1]; of a sample, the unbiased estimate of it."""
        return float(self.counts.mean() / self.k)

    @property
    def chance(self) -> float:
        """What a random pairing gives on average."""
        return chance(self.k, self.n, include_self=self.a.includes_self)

    @property
    def adjusted(self) -> float:
        """(mNNO - chance) / (1 - chance): 0 at chance, 1 where all neighbors agree; nan where chance is 1 (k = n-1)."""
        return (self.mnno - self.chance) / (1 - self.chance) if self.chance < 1 else float("nan")

    def interval(
        self, kind: IntervalKind | None = None, *, level: float = 0.95, draws: int = 400, seed: int = 0
    ) -> Interval:
        """An interval for the mean overlap; `population` of the result says what it is about.

        Args:
            kind: "half-sample" or "fixed-graph"; where only a sample of the items was searched, "sample". If left out,
                that or "half-sample", or "fixed-graph" where there are no deeper tables.
            level: of confidence.
            draws: number of half-samples.
            seed: of the half-samples.

        Half-sample: nan where half of the items are fewer than 2k.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> x = rng.normal(size=(60, 5))
            >>> overlap(x, x + 0.1 * rng.normal(size=(60, 5)), k=5).interval().population
            'new items drawn like these'
        """
        depth = depth_for(self.k, self.n, include_self=self.a.includes_self)
        deep = self.deeper is not None or self.a.depth >= depth
        kind = kind or ("sample" if self.sample is not None else "half-sample" if deep else "fixed-graph")
        check_kind(kind)
        if (kind == "sample") != (self.sample is not None):
            there = "a sample" if self.sample is not None else "all items"
            raise NeighborError(f"kind: needed one that suits neighbors of {there}, got {kind!r}. Leave it out.")
        divisions = None
        if kind != "half-sample":
            error = ratio_error(self.counts, np.full(len(self.counts), self.k), self.n if kind == "sample" else None)
        elif draws < 2 or not (deep and enough_for_halves(self.k, [self.n])):
            error = float("nan")
        else:
            divisions = draws // 2
            error = half_sample_error(half_differences(self._half_samples(draws, seed), self.mnno), [self.n])
        return Interval.around(self.mnno, error, level=level, kind=kind, bounds=(0.0, 1.0), divisions=divisions)

    def _half_samples(self, draws: int, seed: int) -> Float[ndarray, " draws"]:
        a, b = self.deeper() if self.deeper is not None else (self.a, self.b)
        depth = min(a.depth, depth_for(self.k, self.n, include_self=a.includes_self))
        masks = np.stack([half for (half,) in halves([self.n], draws, seed)], axis=1)
        shared, items = np.zeros(draws, dtype=np.int64), np.zeros(draws, dtype=np.int64)
        meeting = Meeting(0, 1, positions(a.index, b.index))
        for (both,), whole in meet_in_halves((a.index, b.index), (meeting,), masks, self.k, depth):
            shared += sums_over(both, whole, draws)
            items += count_by_draw(whole, draws)
        return shared / (items * self.k)

    def test(self, draws: int | None = None, seed: int = 0) -> float:
        """P-value of the overlap against random pairings, one-sided, (b+1)/(m+1).

        A pairing is permuted by relabeling the second table; nothing is searched again.

        Args:
            draws: number of permutations; 999, or 99 for a sample of more than 8192 items, if left out.
            seed: of the permutations.
        """
        draws = draws if draws is not None else (999 if self.sample is None or self.sample <= _FEW_ITEMS else 99)
        null = relabeled(self.a.first(self.k).index, self.b.first(self.k).index, draws, seed, rows=self.a.rows, n=self.n)
        return permutation_p(float(self.counts.sum()), null)

    def record(self, a: str = "a", b: str = "b", *, draws: int = 400, seed: int = 0) -> dict[str, Any]:
        """The result as one flat record, with interval and p-value; nan stands for what is not defined."""
        interval = self.interval(draws=draws, seed=seed)
        return {
            "a": a, "b": b, "n": self.n, "sample": self.sample, "k": self.k,
            "metric": self.a.metric, "include_self": self.a.includes_self,
            "mnno": self.mnno, "chance": self.chance, "adjusted": self.adjusted,
            "ci_low": interval.low, "ci_high": interval.high, "ci_population": interval.population,
            "p_value": self.test(seed=seed),
        }  # fmt: skip

    def hub_record(self) -> dict[str, Any]:
        """How uneven the neighbor lists of the two spaces are, as keys to go with a record.

        Raises:
            NeighborError: a sample, or lists with the items themselves.
        """
        found = {"a": hubness(self.a, self.k), "b": hubness(self.b, self.k)}
        return {
            f"{key}_{space}": getattr(hubs, key)
            for space, hubs in found.items()
            for key in ("skewness", "antihubs", "largest")
        }

    def _repr_html_(self) -> str:
        shown = {"mNNO": self.mnno, "chance": self.chance, "adjusted": self.adjusted}
        return html_table("Mean nearest neighbor overlap", [shown], note=f"{self}.")

    def __str__(self) -> str:
        convention = "self included" if self.a.includes_self else "self excluded"
        sample = "" if self.sample is None else f"{self.sample} sampled, "
        return (
            f"mNNO {self.mnno:.4f} (chance {self.chance:.4f}, N={self.n}, {sample}K={self.k}, {self.a.metric}, {convention})"
        )


def relabeled(
    a: Int[ndarray, "m k"],
    b: Int[ndarray, "m k"],
    draws: int,
    seed: int = 0,
    *,
    rows: Int[ndarray, " m"] | None = None,
    n: int | None = None,
) -> Int[ndarray, " draws"]:
    """Total overlap under random pairings: item i of `a` is paired with item pi(i) of `b`, for random permutations pi.

    Counts the entries j of row i of `a` for which pi(j) stands in row pi(i) of `b`. The mean over all permutations is
    n k chance(k, n), whatever the hubness. Where the tables hold a sample of the items, pi is drawn from the permutations
    that pair the sample with itself: a subgroup, so the test is as valid.

    Args:
        a: index table of the first space.
        b: index table of the second space.
        draws: number of permutations.
        seed: of the permutations.
        rows: which items the rows of the tables are; all, in order, if left out.
        n: number of items; as many as the tables have rows, if left out.

    Example:
        >>> table = np.array([[1], [0], [3], [2]])
        >>> bool((relabeled(table, table, draws=5) <= 4).all())
        True
    """
    n, m = n or len(a), len(a)
    if rows is None:
        return np.concatenate([shared_entries(a, b, block) for block in permutations(m, draws, seed)])
    rng = np.random.default_rng([seed, 0x9E12])
    totals = np.empty(draws, dtype=np.int64)
    for draw in range(draws):
        order = rng.permutation(m)
        totals[draw] = np.count_nonzero(positions(_images(a, rows, order, n, rng), b[order]) < b.shape[1])
    return totals


def _images(
    a: Int[ndarray, "m k"], rows: Int[ndarray, " m"], order: Int[ndarray, " m"], n: int, rng: np.random.Generator
) -> Int[ndarray, "m k"]:
    """pi(a) for a random permutation pi of n items that takes row i of the sample to row order[i].

    Only the items that stand in `a` get an image, so that millions of others cost nothing.
    """
    items, entry = np.unique(a, return_inverse=True)
    by_number = np.argsort(rows)
    sample = rows[by_number]
    place = np.minimum(np.searchsorted(sample, items), len(rows) - 1)
    drawn = sample[place] == items
    image = np.empty_like(items)
    image[drawn] = rows[order[by_number[place[drawn]]]]
    # The r-th item outside of the sample is r plus the number of sampled items before it.
    others = (
        rng.choice(n - len(rows), int((~drawn).sum()), replace=False) if not drawn.all() else np.empty(0, dtype=np.int64)
    )
    image[~drawn] = others + np.searchsorted(sample - np.arange(len(sample)), others, side="right")
    return image[entry].reshape(a.shape)


@overload
def overlap(
    V: Any, Z: Any, k: int = 10, metric: Metric = "cosine", *, include_self: bool = False, sample: int | None = None,
    precision: float | None = None, seed: int = 0, memory: int | None = None, engine: NeighborEngine | None = None,
    progress: Progress | None = None, names: tuple[str, str] = ("V", "Z"),
) -> OverlapResult: ...  # fmt: skip
@overload
def overlap(
    V: Any, Z: Any, k: Sequence[int], metric: Metric = "cosine", *, include_self: bool = False, sample: int | None = None,
    precision: float | None = None, seed: int = 0, memory: int | None = None, engine: NeighborEngine | None = None,
    progress: Progress | None = None, names: tuple[str, str] = ("V", "Z"),
) -> list[OverlapResult]: ...  # fmt: skip


def overlap(
    V: Any,
    Z: Any,
    k: int | Sequence[int] = 10,
    metric: Metric = "cosine",
    *,
    include_self: bool = False,
    sample: int | None = None,
    precision: float | None = None,
    seed: int = 0,
    memory: int | None = None,
    engine: NeighborEngine | None = None,
    progress: Progress | None = None,
    names: tuple[str, str] = ("V", "Z"),
) -> OverlapResult | list[OverlapResult]:
    """How many nearest neighbors two spaces share, mNNO_K(V, Z) (Collell & Moens 2018, eq. 1).

    Args:
        V: n x d1, finite; row i describes item i. Or a set that stays in its files (`isthmus.pairs.open_stream`).
        Z: n x d2, finite, or in files; row i describes the same item.
        k: neighbors counted, or several such numbers: each space is searched once, for the largest, and once more, deeper,
            when a half-sample interval is asked for.
        metric: "cosine" or "euclidean", used in both spaces.
        include_self: count each item as its own neighbor, as the published code of the paper does.
        sample: search only so many items, drawn at random, exactly among all; the estimate is unbiased.
        precision: in place of `sample`, draw as many as the 95 % interval needs to reach this half width.
        seed: of the sample.
        memory: bytes that the whole process may hold while it reads sets from files.
        engine: what searches for neighbors.
        progress: called with what is being done, the rows done and the rows in all.
        names: what errors call the two spaces.

    Raises:
        DataError: a space that is not a finite two-dimensional array of numbers.
        NeighborError: different numbers of items, too few of them for k, or a sample that cannot be drawn.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(100, 8))
        >>> overlap(x, 3 * x).mnno
        1.0
        >>> overlap(x, 3 * x, sample=20).interval().population
        'all items of the set, of which some were drawn'
    """
    spaces = [v if isinstance(v, VectorStream) else check_vectors(v, name) for v, name in zip((V, Z), names, strict=True)]
    sizes = [len(space) for space in spaces]
    if sizes[0] != sizes[1]:
        raise NeighborError(
            f"{names[0]}, {names[1]}: needed as many items in both, got {sizes[0]} and {sizes[1]}. Pair them first."
        )
    ks = as_list(k)
    ask = partial(
        searched, spaces, ks, metric, include_self=include_self, sample=sample, precision=precision, seed=seed,
        find=partial(search, engine=engine, memory=memory, progress=progress), name=names[0],
    )  # fmt: skip
    a, b = ask(deep=False)
    results = overlaps(a, b, ks)
    if a.rows is None and not any(isinstance(space, VectorStream) for space in spaces):
        deeper = cache(partial(ask, deep=True))  # most callers want the mean, which takes no more than k neighbors
        results = [replace(result, deeper=deeper) for result in results]
    return results if isinstance(k, Iterable) else results[0]


def overlaps(a: Neighbors, b: Neighbors, ks: Sequence[int]) -> list[OverlapResult]:
    """The overlap of two spaces from their neighbor tables, for each number of neighbors.

    Raises:
        NeighborError: tables of different items, depth or self convention.

    Example:
        >>> table = search(np.eye(4) + 0.1, k=3)
        >>> [result.mnno for result in overlaps(table, table, [1, 3])]
        [1.0, 1.0]
    """
    check_same_items(a, b)
    place = positions(a.index, b.index)
    return [OverlapResult(a, b, each, np.count_nonzero(place[:, :each] < each, axis=1)) for each in ks]
