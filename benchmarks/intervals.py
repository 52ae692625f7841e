"""Do the intervals hold what they promise, and do the tests reject as rarely as they say?

    python benchmarks/intervals.py [--quick] [--sizes 200,1000,5000] [--minutes 45] [--json out.json]
    python benchmarks/intervals.py --table docs/coverage.json

For every interval: the share of fresh data sets from one synthetic population (`isthmus.pairs`) whose nominal 95 % interval
holds the truth, and the root mean square of its standard error over the standard deviation of the estimates. The truth of an
interval for new items is the mean of the estimates over all these data sets, which is M times as sure as one of them; that
of a sample is the value of all its items; that of a fixed graph is the mean over many items of one graph. For every test:
the share of data sets without the effect whose p-value is at most 0.05.

With M data sets a share has a standard error of sqrt(p (1 - p) / M), printed beside it; where time runs out a line says how
many data sets it stands on, and nothing else stops it. Kindred measures are computed on the same halves of the same data
sets, so their lines go up and down together. With --json FILE, parts that stand in the file already are not made again.
--table prints such a file as the table of docs/calibration.md.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _timing import machine, parser
from threadpoolctl import threadpool_limits

from isthmus import bridge, overlap
from isthmus.measures import MEASURES, Paired, calibrate, calibrate_best, compare_matched, curve_over_n, measure
from isthmus.measures._measure import interval_from_halves, of_half
from isthmus.neighbors import search
from isthmus.pairs import Pairs, echo_to_bridge, independent, low_signal, shared_latent
from isthmus.statistics import (
    Interval,
    benjamini_hochberg,
    correlation_interval,
    halves,
    holm,
    ratio_error,
    spearman,
    spearman_influence,
)

K, HALVES, PAIRINGS, FEWEST = 10, 200, 199, 40
PART_HALVES, FEW_HALVES, FEW_PAIRINGS = 20, 6, 19  # fewer halves make a wider interval (Student's t), not a worse one
FIRST_SEED = 70_000_000  # of data sets; what intervals were worked out on has other seeds
QUANTITIES = ("input_overlap", "target_overlap", "baseline_overlap", "echo_rate", "bridge_rate", "index")


def skewed(pairs: Pairs) -> Pairs:
    """The same with heavy tails, hence hubs, which the two spaces do not share."""
    return Pairs(pairs.x**3, pairs.y**3)


POPULATIONS: dict[str, Callable[[int, int], Pairs]] = {
    "shared latent 0.5": lambda n, seed: shared_latent(n, 8, shared=0.5, seed=seed),
    "shared latent 0.9": lambda n, seed: shared_latent(n, 8, shared=0.9, seed=seed),
    "low signal": lambda n, seed: low_signal(n, 16, seed=seed),
}
UNRELATED: dict[str, Callable[[int, int], Pairs]] = {
    "independent": lambda n, seed: independent(n, 8, seed=seed),
    "independent, skewed": lambda n, seed: skewed(independent(n, 8, seed=seed)),
}
RANKED = {"rnx-area", "trustworthiness", "continuity", "information-imbalance", "information-imbalance-back", "rsa"}
RANKED |= {"rsa-pearson"}  # all pairs of items are ranked, or their distances made: n^2 log n
ALIGNED = {"recall-at-k", "mrr", "foscttm"}  # of rows paired in one space: a rotation of one is another population; n^2
FEW = {"jaccard", "cknna", "cka-unbiased", "procrustes", "svcca"}  # tested among more than 1,000 items
SETS = {200: 500, 1000: 400, 5000: 200}
Row = dict[str, Any]


def share(name: str, of: str, n: int, hits: list[bool], **more: Any) -> Row:
    p = float(np.mean(hits))
    error = float(np.sqrt(p * (1 - p) / len(hits)))
    row = {"what": name, "population": of, "n": n, "sets": len(hits), "share": p, "error": error, **more}
    print(f"{name:<34} {of:<22} N={n:<5} {p:.3f} +- {error:.3f} of {len(hits)} sets {more or ''}", flush=True)
    return row


def coverage(name: str, of: str, n: int, intervals: list[Interval], truth: float | None = None) -> Row:
    """The truth, if not known, is the mean of the estimates: its variance is 1/M of theirs."""
    estimates = np.array([each.estimate for each in intervals])
    truth = float(estimates.mean()) if truth is None else truth
    width = np.sqrt(np.mean([each.standard_error**2 for each in intervals])) / np.std(estimates, ddof=1)
    held = [each.low <= truth <= each.high for each in intervals]
    return share(name, of, n, held, truth=truth, width=round(float(width), 3))


def timed(limit: float, sets: int) -> Iterator[int]:
    """Seeds one after the other until there are enough, or the time for this line is over."""
    end = time.monotonic() + limit
    for number in range(sets):
        if number >= FEWEST and time.monotonic() > end:
            return
        yield FIRST_SEED + number


def overlap_intervals(n: int, sets: int, limit: float) -> Iterator[Row]:
    for of, make in POPULATIONS.items():
        half, fixed = [], []
        for seed in timed(limit, sets):
            pairs = make(n, seed)
            result = overlap(pairs.x, pairs.y, K)
            half.append(result.interval("half-sample", draws=HALVES))
            fixed.append(result.interval("fixed-graph"))
        yield coverage("overlap half-sample", of, n, half)
        yield coverage("overlap fixed-graph, new items (not its claim)", of, n, fixed)
        pairs = make(5 * n, FIRST_SEED - 1)
        whole = overlap(pairs.x, pairs.y, K)
        samples = [overlap(pairs.x, pairs.y, K, sample=n, seed=seed).interval() for seed in timed(limit / 2, sets)]
        yield coverage("overlap sample", of, n, samples, whole.mnno)
        rng = np.random.default_rng(0)
        drawn = (rng.integers(0, 5 * n, n) for _ in range(1000))
        counts = [whole.counts[rows] for rows in drawn]
        fixed = [Interval.around(float(c.mean() / K), ratio_error(c, np.full(n, K))) for c in counts]
        yield coverage("overlap fixed-graph, its own claim", of, n, fixed, whole.mnno)


def bridge_intervals(n: int, sets: int, limit: float) -> Iterator[Row]:
    for dial in (0.3, 0.5) if n <= 1000 else (0.5,):
        found: dict[str, list[Interval]] = {}
        for seed in timed(limit, sets):
            made = echo_to_bridge(n, 8, dial=dial, seed=seed)
            result = bridge(made.pairs.x, made.mapped, made.pairs.y, K)
            other = bridge(made.pairs.x, 0.9 * made.mapped + 0.1 * made.pairs.y, made.pairs.y, K)
            samples = result.half_samples(HALVES), other.half_samples(HALVES)
            for of in QUANTITIES:
                found.setdefault(f"{of} half-sample", []).append(result.interval(of, samples=samples[0]))
            found.setdefault("gain half-sample", []).append(other.gain(result, samples=samples[::-1]))
        for name, intervals in found.items():
            yield coverage(f"bridge {name}", f"echo to bridge {dial:g}", n, intervals)


def kindred_intervals(n: int, sets: int, limit: float) -> Iterator[Row]:
    for of, make in POPULATIONS.items():
        fast = [name for name, each in MEASURES.items() if each.has_interval and name not in RANKED | ALIGNED]
        yield from kindred(fast + sorted(RANKED if n <= 200 else ()), of, n, make, timed(2 * limit, sets), PART_HALVES)


def aligned_intervals(n: int, sets: int, limit: float) -> Iterator[Row]:
    dials = {"echo to bridge, shared 0.5": 0.5, "echo to bridge, shared 0.9": 0.9}
    for of, shared in dials.items():
        aligned = lambda n, seed, shared=shared: echo_to_bridge(n, 8, shared=shared, seed=seed).pairs  # noqa: E731
        yield from kindred(sorted(ALIGNED), of, n, aligned, timed(limit, sets), PART_HALVES if n <= 1000 else FEW_HALVES)


def ranked_intervals(n: int, sets: int, limit: float) -> Iterator[Row]:
    """At N = 200 they stand among the others."""
    if n == 200:
        return
    of, make = next(iter(POPULATIONS.items()))
    yield from kindred(sorted(RANKED), of, n, make, timed(4 * limit, sets), PART_HALVES if n <= 1000 else FEW_HALVES)


def kindred(
    names: list[str], of: str, n: int, make: Callable[[int, int], Pairs], seeds: Iterator[int], draws: int
) -> Iterator[Row]:
    """Several measures from the same halves, which are searched once."""
    found: dict[str, list[Interval]] = {name: [] for name in names}
    for seed in seeds:
        pairs = make(n, seed)
        pair = Paired.of(pairs.x, pairs.y, K)
        parts: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for (mask,) in halves([n], draws, seed):
            part = pair.part(mask)
            for name in names:
                parts[name].append(of_half(MEASURES[name], part))
        for name in names:
            each = MEASURES[name]
            found[name].append(interval_from_halves(each, pair, each.value(pair), parts[name]))
    for name, intervals in found.items():
        yield coverage(f"{name} half-sample", of, n, intervals)


def other_intervals(n: int, sets: int, limit: float) -> Iterator[Row]:
    of, make = next(iter(POPULATIONS.items()))
    half, matched = [], []
    for seed in timed(limit, sets):
        first, second = make(n, 2 * seed), make(2 * n, 2 * seed + 1)
        half.append(curve_over_n(first.x, first.y, [n // 3], K, draws=40)[0])
        matched.append(compare_matched((first.x, first.y), (second.x, second.y), K, draws=40).difference)
    truth = float(np.mean([point.value for point in half]))
    yield share("curve over n, at n/3", of, n, [point.low <= truth <= point.high for point in half], truth=truth)
    yield coverage("matched difference", of, n, matched, 0.0)


def pair_intervals(n: int, sets: int, _: float) -> Iterator[Row]:
    """Rank correlation of n rated pairs, two normal numbers of correlation r each: rho is 6/pi asin(r/2)."""
    rng = np.random.default_rng(n)
    for r in (0.0, 0.6):
        intervals = []
        for _ in range(2 * sets):
            a, noise = rng.normal(size=(2, n))
            b = r * a + np.sqrt(1 - r**2) * noise
            intervals.append(correlation_interval(spearman(a, b), float(spearman_influence(a, b).std() / np.sqrt(n))))
        yield coverage("rank correlation, pairs", f"correlation {r:g}", n, intervals, float(6 / np.pi * np.arcsin(r / 2)))


def tests(n: int, sets: int, limit: float) -> Iterator[Row]:
    for of, make in UNRELATED.items():
        found: dict[str, list[bool]] = {}
        for seed in timed(limit, sets):
            pairs = make(n, seed)
            found.setdefault("overlap permutation test", []).append(
                overlap(pairs.x, pairs.y, K).test(PAIRINGS, seed) <= 0.05
            )
            names = [name for name in MEASURES if MEASURES[name].paired and (name not in RANKED or n <= 200)]
            names = names if n <= 1000 else sorted(FEW)
            for result in measure(pairs.x, pairs.y, names, K, draws=FEW_PAIRINGS, seed=seed):
                found.setdefault(f"{result.name} permutation test", []).append(
                    result.p_value <= 0.05 or result.calibrated > 0
                )
            layers = [pairs.y[:, i::3] for i in range(3)]
            best = calibrate_best([pairs.x], layers, k=K, draws=PAIRINGS, seed=seed)
            found.setdefault("best of 3 layers", []).append(best.p_value <= 0.05)
            p = np.array(
                [calibrate(pairs.x, y, k=K, draws=PAIRINGS, seed=3 * seed + i).p_value for i, y in enumerate(layers)]
            )
            found.setdefault("holm, any of 3", []).append(bool((holm(p) <= 0.05).any()))
            found.setdefault("benjamini-hochberg, any of 3", []).append(bool((benjamini_hochberg(p) <= 0.05).any()))
            groups = np.arange(n) % 5
            x, y = (v + 3 * np.eye(5, v.shape[1])[groups] for v in (pairs.x, pairs.y))
            grouped = calibrate(x, y, k=K, draws=PAIRINGS, groups=groups, seed=seed)
            found.setdefault("within-group pairings", []).append(grouped.p_value <= 0.05)
        for name, hits in found.items():
            yield share(name, of, n, hits)
    paired, against = [], []
    for seed in timed(limit, sets):
        made = echo_to_bridge(n, 8, dial=0.5, seed=seed)
        x, y = made.pairs.x, made.pairs.y
        result = bridge(x, made.mapped, y, K)
        samples = result.half_samples(HALVES)
        paired.append(result.test(samples) <= 0.05)
        noise = np.random.default_rng([seed, 1]).normal(size=(2, *made.mapped.shape))
        one, other = (bridge(x, made.mapped + each, y, K) for each in noise)  # two mappings that are equally good
        of_both = one.half_samples(HALVES), other.half_samples(HALVES)
        against.append(one.gain(other, "target_overlap", samples=of_both).p_value <= 0.05)
    yield share("paired test, target and input overlap", "echo to bridge 0.5", n, paired)
    yield share("paired test, two mappings", "echo to bridge 0.5", n, against)


def best_tests(n: int, _: int, limit: float) -> Iterator[Row]:
    """The best of several layers on many data sets: with a few hundred, chance has too much room."""
    if n != 200:
        return
    for of, make in UNRELATED.items():
        hits = []
        for seed in timed(limit, 4000):
            pairs = make(n, FIRST_SEED + seed)  # other data sets than those of `tests`
            best = calibrate_best([pairs.x], [pairs.y[:, i::3] for i in range(3)], k=K, draws=99, seed=seed)
            hits.append(best.p_value <= 0.05)
        yield share("best of 3 layers, 99 pairings", of, n, hits)


def small_tests(sets: int) -> Iterator[Row]:
    from isthmus.statistics import rank_sum_p, sign_flip_p

    rng = np.random.default_rng(0)
    for n in (5, 10, 30):
        values = rng.normal(size=(25 * sets, 2, n))
        yield share("rank sum of folds", "normal", n, [rank_sum_p(a, b) <= 0.05 for a, b in values])
        yield share("sign flips, independent items", "normal", n, [sign_flip_p(a, 999) <= 0.05 for a, _ in values])


PARTS = (overlap_intervals, bridge_intervals, kindred_intervals, ranked_intervals, tests, best_tests, other_intervals)
PARTS = (*PARTS, aligned_intervals, pair_intervals)
LINES = 16  # that have a time limit of their own, about


def table(rows: list[Row]) -> str:
    """A line for what is asked and its population, the sizes side by side."""
    sizes = sorted({row["n"] for row in rows if row["part"] != "small_tests"})
    lines = ["| what | population | " + " | ".join(f"N = {n:,}" for n in sizes) + " |", "|---|---|" + "---|" * len(sizes)]
    found: dict[tuple[str, str], dict[int, Row]] = {}
    for row in rows:
        if row["part"] != "small_tests":
            found.setdefault((row["what"], row["population"]), {})[row["n"]] = row
    for (what, of), by_size in sorted(found.items(), key=lambda each: "width" not in next(iter(each[1].values()))):
        cells = [cell(by_size[n]) if n in by_size else "" for n in sizes]
        lines.append(f"| {what} | {of} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def summary(rows: list[Row]) -> str:
    """How many lines lie outside of what is wanted, and how many would by chance if all were at 0.95 (tests: 0.05)."""
    from scipy import stats

    lines = []
    of_tests = ("tests", "best_tests")
    intervals = [r for r in rows if r["part"] not in (*of_tests, "small_tests") and "not its claim" not in r["what"]]
    tests = [row for row in rows if row["part"] in of_tests]
    for name, those, p, wanted in (("intervals", intervals, 0.95, (0.93, 0.97)), ("tests", tests, 0.05, (0.0, 0.05))):
        outside, expected, off, off_expected = [], 0.0, 0, 0.0
        for row in those:
            m, error = row["sets"], float(np.sqrt(p * (1 - p) / row["sets"]))
            counts = np.arange(m + 1)
            strange = (counts / m < wanted[0] - 2 * error) | (counts / m > wanted[1] + 2 * error)
            far = abs(counts / m - p) > 2 * error
            chances, hits = stats.binom(m, p).pmf(counts), round(row["share"] * m)
            expected, off_expected = expected + chances[strange].sum(), off_expected + chances[far].sum()
            outside += [row] if strange[hits] else []
            off += bool(far[hits])
        pooled = sum(row["share"] * row["sets"] for row in those) / max(1, sum(row["sets"] for row in those))
        lines.append(
            f"{len(those)} lines of {name}, {pooled:.4f} of all; {len(outside)} outside of {wanted[0]}-{wanted[1]} by two "
            f"standard errors (by chance {expected:.1f}), {off} farther than that from {p} (by chance {off_expected:.1f}):"
        )
        lines += [f"  {row['what']}, {row['population']}, N = {row['n']}: {cell(row)}" for row in outside]
    for part in dict.fromkeys(row["part"] for row in intervals):
        for n in sorted({row["n"] for row in intervals if row["part"] == part}):
            of = [row for row in intervals if row["part"] == part and row["n"] == n]
            mean = sum(row["share"] * row["sets"] for row in of) / sum(row["sets"] for row in of)
            low, high = min(row["share"] for row in of), max(row["share"] for row in of)
            lines.append(f"{part}, N = {n}: {mean:.3f} of all, {low:.3f} to {high:.3f} in {len(of)} lines")
    return "\n".join(lines)


def cell(row: Row) -> str:
    width = f", {row['width']:.2f}" if "width" in row else ""
    return f"{row['share']:.3f} ± {row['error']:.3f} ({row['sets']}){width}"


def main() -> None:
    wanted = parser(__doc__ or "")
    wanted.add_argument("--sizes", default="200,1000,5000")
    wanted.add_argument("--minutes", type=float, default=45, help="about so long in all, on fewer sets if need be")
    wanted.add_argument("--table", type=Path, help="print this file as a table, and run nothing")
    asked = wanted.parse_args()
    if asked.table is not None:
        rows = json.loads(asked.table.read_text(encoding="utf-8"))["rows"]
        print(table(rows), summary(rows), sep="\n\n")
        return
    facts = machine("numpy", "scipy")
    sizes = [200] if asked.quick else [int(each) for each in asked.sizes.split(",")]
    minutes = 1 if asked.quick else asked.minutes
    limit = 60 * minutes / len(sizes) / LINES
    rows: list[Row] = []
    if asked.json is not None and asked.json.exists():
        rows = json.loads(asked.json.read_text(encoding="utf-8"))["rows"]
    done = {(row["part"], row["n"]) for row in rows}

    def save() -> None:
        if asked.json is not None:
            Path(asked.json).write_text(json.dumps({"machine": facts, "rows": rows}, indent=1), encoding="utf-8")

    with threadpool_limits(1):
        search(np.eye(20) + 0.1, 3)
        for n in sizes:
            sets = 40 if asked.quick else SETS.get(n, 200)
            for part in PARTS:
                if (part.__name__, n) in done:
                    continue
                rows.extend({"part": part.__name__, **row} for row in part(n, sets, limit))
                save()
        if ("small_tests", 5) not in done:
            rows.extend({"part": "small_tests", **row} for row in small_tests(40))
    save()


if __name__ == "__main__":
    main()
