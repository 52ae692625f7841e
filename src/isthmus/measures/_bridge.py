"""What a mapping does to neighborhoods: the four parts, the two rates, the index.

The neighbors that f(x_i) has are sorted by where they come from: from both spaces (shared), only from the input (echoed),
only from the target (bridged), or from neither (novel). The raw target overlap cannot tell a trained mapping from an
untrained one, because the shared neighbors count in it; the bridge rate leaves them out, and the echo rate says what the
mapping brought along from the input.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, overload

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._html import html_table
from isthmus._shapes import Bool, Float, Int, Progress
from isthmus.measures._halves import Meeting, count_by_draw, meet_in_halves, sums_over
from isthmus.measures._lists import (
    as_list,
    check_same_items,
    depth_for,
    enough_for_halves,
    positions,
    row_numbers,
)
from isthmus.measures._overlap import chance
from isthmus.measures._sampling import searched
from isthmus.neighbors import Metric, NeighborEngine, Neighbors, search
from isthmus.pairs import VectorStream, check_vectors
from isthmus.statistics import Interval, IntervalKind, check_kind, half_differences, half_sample_error, halves, ratio_error

Quantity = Literal["input_overlap", "target_overlap", "baseline_overlap", "echo_rate", "bridge_rate", "index"]
"""What can be asked of a `Bridge`."""


class Counts(NamedTuple):
    """Sizes of intersections of the three neighbor lists: per item, or their means over items."""

    fx: Float[ndarray, " n"]  # NN(f_i) and NN(x_i)
    fy: Float[ndarray, " n"]  # NN(f_i) and NN(y_i)
    fxy: Float[ndarray, " n"]  # all three
    xy: Float[ndarray, " n"]  # NN(x_i) and NN(y_i)

    def ratio(self, of: Quantity, k: int) -> tuple[Float[ndarray, " n"], Float[ndarray, " n"]]:
        """Numerator and denominator of a quantity; sums or means of the two over items give its value."""
        whole = np.full_like(self.xy, k)
        return {
            "input_overlap": (self.fx, whole),
            "target_overlap": (self.fy, whole),
            "baseline_overlap": (self.xy, whole),
            "echo_rate": (self.fx - self.fxy, k - self.xy),
            "bridge_rate": (self.fy - self.fxy, k - self.xy),
            "index": (self.fy - self.fx, k - self.xy),
        }[of]


@dataclass(frozen=True, slots=True, eq=False)
class Spaces:
    """Neighbor tables of one set of items in the input, under the mapping and in the target, and how they meet.

    Args:
        x, f, y: the tables, of the same items, depth and self convention.
        items: which items these are, so that folds and repeated runs over the same items can be pooled.
        f_in_x, f_in_y, x_in_y: positions of the entries of the first table in the second.
    """

    x: Neighbors
    f: Neighbors
    y: Neighbors
    items: Int[ndarray, " n"]
    f_in_x: Int[ndarray, "n depth"]
    f_in_y: Int[ndarray, "n depth"]
    x_in_y: Int[ndarray, "n depth"]

    @classmethod
    def of(cls, x: Neighbors, f: Neighbors, y: Neighbors, items: Int[ndarray, " n"] | None = None) -> "Spaces":
        """The tables with their meeting points; items are 0..n-1 if left out."""
        check_same_items(x, f)
        check_same_items(x, y)
        items = row_numbers(x) if items is None else items
        meet = (positions(a.index, b.index) for a, b in ((f, x), (f, y), (x, y)))
        return cls(x, f, y, items, *meet)

    def counts(self, k: int) -> Counts:
        """Per-item counts at k."""
        fx, fy, xy = (place[:, :k] < k for place in (self.f_in_x, self.f_in_y, self.x_in_y))
        return Counts(*(np.count_nonzero(both, axis=1).astype(float) for both in (fx, fy, fx & fy, xy)))

    def half_sums(self, k: int, masks: Sequence[Bool[ndarray, " n"]]) -> Int[ndarray, "draws 5"]:
        """Counts at k among, and summed over, the items of each half: fx, fy, fxy, xy, and how many items they are of."""
        total = np.zeros((len(masks), 5), dtype=np.int64)
        if not len(masks):
            return total
        depth = min(self.x.depth, depth_for(k, len(self.x), include_self=self.x.includes_self))  # a table may serve larger k
        meetings = Meeting(1, 0, self.f_in_x), Meeting(1, 2, self.f_in_y), Meeting(0, 2, self.x_in_y)
        tables = (self.x.index, self.f.index, self.y.index)
        for (fx, fy, xy), whole in meet_in_halves(tables, meetings, np.stack(masks, axis=1), k, depth):
            found = [sums_over(both, whole, len(masks)) for both in (fx, fy, fx & fy, xy)]
            total += np.stack([*found, count_by_draw(whole, len(masks))], axis=1)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Bridge:
    """What a mapping does to neighborhoods, at one k, over all items of one or several test sets.

    Args:
        spaces: the neighbor tables, one entry a test set (fold) and repetition (seed).
        k: neighbors counted.
        counts: per-item intersections, the entries of `spaces` one after the other.
    """

    spaces: tuple[Spaces, ...]
    k: int
    counts: Counts

    @classmethod
    def of(cls, spaces: Sequence[Spaces], k: int) -> "Bridge":
        """The bridge at k from searched tables.

        Raises:
            NeighborError: no tables, or tables that are less than k deep.
        """
        if not spaces or min(each.x.depth for each in spaces) < k:
            depth = min((each.x.depth for each in spaces), default=0)
            raise NeighborError(f"k: needed tables at least {k} deep, got {depth}. Search deeper.")
        parts = [each.counts(k) for each in spaces]
        return cls(tuple(spaces), k, Counts(*(np.concatenate(column) for column in zip(*parts, strict=True))))

    @property
    def n(self) -> int:
        """Number of distinct items tested."""
        return len(np.unique(np.concatenate([each.items for each in self.spaces])))

    @property
    def population(self) -> int | None:
        """Number of items of which a sample was drawn and searched; None where all were."""
        return None if self.spaces[0].x.rows is None else self.spaces[0].x.items

    @property
    def shared(self) -> Int[ndarray, " n"]:
        """Neighbors of f(x_i) that both the input and the target have, per item."""
        return self.counts.fxy.astype(np.int64)

    @property
    def echoed(self) -> Int[ndarray, " n"]:
        """Neighbors of f(x_i) that only the input has, per item."""
        return (self.counts.fx - self.counts.fxy).astype(np.int64)

    @property
    def bridged(self) -> Int[ndarray, " n"]:
        """Neighbors of f(x_i) that only the target has, per item."""
        return (self.counts.fy - self.counts.fxy).astype(np.int64)

    @property
    def novel(self) -> Int[ndarray, " n"]:
        """Neighbors of f(x_i) that neither space has, per item: the rest of the k."""
        return self.k - self.shared - self.echoed - self.bridged

    @property
    def chance(self) -> float:
        """Expected overlap under a random pairing within each test set, weighted by its items."""
        sizes = np.array([each.x.items for each in self.spaces])
        levels = [chance(self.k, int(size), include_self=self.spaces[0].x.includes_self) for size in sizes]
        return float(np.average(levels, weights=sizes))

    def value(self, of: Quantity) -> float:
        """One of the six quantities.

        input_overlap = mNNO(X, f(X)), target_overlap = mNNO(Y, f(X)), baseline_overlap = mNNO(X, Y);
        echo_rate = sum |NN(f_i) & NN(x_i) - NN(y_i)| / sum |NN(x_i) - NN(y_i)|, bridge_rate the same with x and y
        exchanged, index = bridge_rate - echo_rate = (target - input overlap) / (1 - baseline overlap), in [-1, 1].
        Rates and index are nan where the two spaces have the same neighbors: then there is nothing to bridge.

        Example:
            >>> x, y = np.random.default_rng(0).normal(size=(2, 50, 4))
            >>> bridge(x, x, y).value("index"), bridge(x, y, y).value("index")
            (-1.0, 1.0)
        """
        numerator, denominator = (float(part.sum()) for part in self.counts.ratio(of, self.k))
        return numerator / denominator if denominator else float("nan")

    @property
    def input_overlap(self) -> float:
        """mNNO(X, f(X))."""
        return self.value("input_overlap")

    @property
    def target_overlap(self) -> float:
        """mNNO(Y, f(X))."""
        return self.value("target_overlap")

    @property
    def baseline_overlap(self) -> float:
        """mNNO(X, Y)."""
        return self.value("baseline_overlap")

    @property
    def echo_rate(self) -> float:
        """Share of the input-only neighbors that the mapping keeps."""
        return self.value("echo_rate")

    @property
    def bridge_rate(self) -> float:
        """Share of the target-only neighbors that the mapping recovers."""
        return self.value("bridge_rate")

    @property
    def index(self) -> float:
        """Bridge rate less echo rate: -1 for the identity, +1 for f(X) = Y, 0 for noise; never read it without the rates."""
        return self.value("index")

    def half_samples(self, draws: int = 400, seed: int = 0) -> tuple[Counts, ...]:
        """Mean counts among random halves of every test set, one a draw; a seed gives every mapping the same halves."""
        test_sets = {each.items.tobytes(): len(each.x) for each in self.spaces}
        if self.population is not None or not enough_for_halves(self.k, test_sets.values()):
            return ()
        drawn = zip(*halves(list(test_sets.values()), draws, seed), strict=True)
        of_set = dict(zip(test_sets, drawn, strict=True))
        total = np.sum([each.half_sums(self.k, of_set[each.items.tobytes()]) for each in self.spaces], axis=0)
        means = total[:, :4] / total[:, 4:]
        return tuple(Counts(*(row[:, None])) for row in means)

    def interval(
        self,
        of: Quantity = "index",
        kind: IntervalKind | None = None,
        *,
        level: float = 0.95,
        samples: tuple[Counts, ...] | None = None,
    ) -> Interval:
        """An interval for one of the quantities; `population` of the result says what it is about.

        Args:
            of: the quantity.
            kind: "half-sample", about new items, or "fixed-graph", about these items among the neighbors they have;
                "sample", about all items, where only a sample was searched. If left out, the first or the last of them.
            level: of confidence.
            samples: half-samples drawn before, to save drawing them again.
        """
        kind = kind or ("half-sample" if self.population is None else "sample")
        check_kind(kind)
        if (kind == "sample") != (self.population is not None):
            there = "all items" if self.population is None else "a sample"
            raise NeighborError(f"kind: needed one that suits neighbors of {there}, got {kind!r}. Leave it out.")
        divisions = None
        if kind != "half-sample":
            item = np.concatenate([each.items for each in self.spaces])
            group = np.unique(item, return_inverse=True)[1]
            above, below = (np.bincount(group, weights=part) for part in self.counts.ratio(of, self.k))
            error = ratio_error(above, below, self.population)
        else:
            samples = self.half_samples() if samples is None else samples
            differences = self._differences(samples, of)
            error, divisions = self._error(differences), len(differences)
        bounds = (-1.0, 1.0) if of == "index" else (0.0, 1.0)
        return Interval.around(self.value(of), error, level=level, kind=kind, bounds=bounds, divisions=divisions)

    def gain(
        self,
        over: "Bridge",
        of: Quantity = "bridge_rate",
        *,
        level: float = 0.95,
        samples: tuple[tuple[Counts, ...], tuple[Counts, ...]] | None = None,
    ) -> Interval:
        """This mapping's value less another's on the same items, with a half-sample interval of the difference.

        Both are taken on the same halves, so what the two have in common cancels.

        Raises:
            NeighborError: where only a sample of the items was searched: it has no halves.
        """
        if self.population is not None:
            raise NeighborError("over: needed neighbors of all items to take halves of, got a sample. Search them all.")
        mine, others = samples or (self.half_samples(), over.half_samples())
        differences = self._differences(mine, of) - over._differences(others, of)
        error = self._error(differences)
        return Interval.around(self.value(of) - over.value(of), error, level=level, divisions=len(differences))

    def _differences(self, samples: Sequence[Counts], of: Quantity) -> Float[ndarray, " pairs"]:
        return differences_of(of, self.value, lambda each: _values(samples, each, self.k))

    def _error(self, differences: Float[ndarray, " pairs"]) -> float:
        test_sets = {each.items.tobytes(): len(each.x) for each in self.spaces}
        return half_sample_error(differences, list(test_sets.values()))

    def test(self, samples: tuple[Counts, ...] | None = None) -> float:
        """P-value of the paired test: is the target overlap another than the input overlap?

        Two-sided, about the population of the interval of the index, whose standard error it takes: both overlaps are
        counted on the same items, and index = 0 says that they are equal. (Sign flips over items take these for independent,
        but items share neighbors: they rejected a true hypothesis in a quarter of the cases.)

        Args:
            samples: half-samples drawn before, to save drawing them again.
        """
        return self.interval("index", samples=samples).p_value

    def _repr_html_(self) -> str:
        kinds = {name: float(getattr(self, name).mean()) for name in ("shared", "echoed", "bridged", "novel")}
        rates = {"echo rate": self.echo_rate, "bridge rate": self.bridge_rate, "bridge index": self.index}
        return html_table("What the mapping does to neighborhoods", [rates | kinds], note=f"{self}.")

    def __str__(self) -> str:
        x = self.spaces[0].x
        convention = "self included" if x.includes_self else "self excluded"
        return (
            f"echo rate {self.echo_rate:.3f}, bridge rate {self.bridge_rate:.3f}, index {self.index:+.3f} "
            f"(input overlap {self.input_overlap:.3f}, target overlap {self.target_overlap:.3f}, "
            f"baseline {self.baseline_overlap:.3f}, chance {self.chance:.3f}; "
            f"N={self.n if self.population is None else f'{self.n} drawn of {self.population}'}, K={self.k}, {x.metric}, "
            f"{convention})"
        )


def differences_of(
    of: Quantity, value: Callable[[Quantity], float], replicates: Callable[[Quantity], Float[ndarray, " draws"]]
) -> Float[ndarray, " pairs"]:
    """Differences between halves of one of the six quantities; those of the index are made of the rates'.

    Args:
        of: the quantity.
        value: gives the full estimate of a quantity.
        replicates: gives a quantity on every half.
    """
    if of == "index":
        bridge, echo = (differences_of(rate, value, replicates) for rate in ("bridge_rate", "echo_rate"))
        return bridge - echo
    return half_differences(replicates(of), value(of))


def _values(samples: Sequence[Counts], of: Quantity, k: int) -> Float[ndarray, " draws"]:
    pairs = [sample.ratio(of, k) for sample in samples]
    return np.array([float(a[0] / b[0]) if b[0] else float("nan") for a, b in pairs])


@overload
def bridge(
    X: Any, F: Any, Y: Any, k: int = 10, metric: Metric = "cosine", *, include_self: bool = False, sample: int | None = None,
    precision: float | None = None, seed: int = 0, memory: int | None = None, engine: NeighborEngine | None = None,
    progress: Progress | None = None,
) -> Bridge: ...  # fmt: skip
@overload
def bridge(
    X: Any, F: Any, Y: Any, k: Sequence[int], metric: Metric = "cosine", *, include_self: bool = False,
    sample: int | None = None, precision: float | None = None, seed: int = 0, memory: int | None = None,
    engine: NeighborEngine | None = None, progress: Progress | None = None,
) -> list[Bridge]: ...  # fmt: skip


def bridge(
    X: Any,
    F: Any,
    Y: Any,
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
) -> Bridge | list[Bridge]:
    """Does F = f(X) carry the neighborhoods of the target Y, or does it echo the input X?

    Args:
        X: the input, n x dx, items that the mapping was *not* learned from.
        F: the mapped input, n x dy (any width can be measured).
        Y: the target, n x dy.
        k: neighbors counted, or several such numbers: each space is searched once, for the largest.
        metric: "cosine" or "euclidean", used in all three spaces.
        include_self: count each item as its own neighbor, as the published code of the paper does.
        sample: search only so many items, drawn at random, exactly among all; the estimates are unbiased.
        precision: in place of `sample`, draw as many as the 95 % intervals of the three overlaps need for this half width.
        seed: of the sample.
        memory: bytes that the whole process may hold while it reads sets from files.
        engine: what searches for neighbors.
        progress: called with what is being done, the rows done and the rows in all.

    Each space may also be a set that stays in its files (`isthmus.pairs.open_stream`).

    Raises:
        DataError: a space that is not a finite two-dimensional array of numbers.
        NeighborError: different numbers of items, too few of them for k, or a sample that cannot be drawn.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.normal(size=(2, 200, 6))
        >>> result = bridge(x, x @ rng.normal(size=(6, 6)), y)
        >>> result.echo_rate > result.bridge_rate
        True
    """
    named = ((X, "X"), (F, "F"), (Y, "Y"))
    vectors = [v if isinstance(v, VectorStream) else check_vectors(v, name) for v, name in named]
    sizes = [len(v) for v in vectors]
    if len(set(sizes)) > 1:
        raise NeighborError(f"X, F, Y: needed as many items in all, got {sizes[0]}, {sizes[1]} and {sizes[2]}. Pair them.")
    ks = as_list(k)
    x, f, y = searched(
        vectors, ks, metric, include_self=include_self, sample=sample, precision=precision, seed=seed,
        find=partial(search, engine=engine, memory=memory, progress=progress), name="X",
    )  # fmt: skip
    spaces = Spaces.of(x, f, y)
    results = [Bridge.of([spaces], each) for each in ks]
    return results if isinstance(k, Iterable) else results[0]
