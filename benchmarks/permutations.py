"""How long do random pairings take, and do they say what another package says?

    python benchmarks/permutations.py [--quick] [--json out.json]

In one run, mutual k-NN of N = 2,000 items, K = 10, under the same permutations: isthmus against the Python package
calibrated-similarity (a function of two tensors, called with permuted rows, on two threads of torch), with the threshold
and the p-value of both. Then isthmus alone: 10,000 permutations at N = 10,000, K = 10, with the memory that they take, in
C++ and in numpy.
"""

import sys
import time
import tracemalloc
from typing import Any

import numpy as np
from _timing import THREADS, machine, parser, write
from threadpoolctl import threadpool_limits

from isthmus.measures import calibrate
from isthmus.neighbors import search, shared_entries
from isthmus.pairs import shared_latent
from isthmus.statistics import permutations

K = 10


def theirs(x: np.ndarray, y: np.ndarray, draws: int) -> tuple[float, float, float]:
    """Value of tau, p and seconds of calibrated-similarity, given our permutations."""
    import torch
    from calibrated_similarity import calibrate as other

    torch.set_num_threads(THREADS)

    def lists(v: Any) -> Any:
        v = v / v.norm(dim=1, keepdim=True)
        return (v @ v.T).fill_diagonal_(-2).topk(K, dim=1).indices

    def mutual_knn(a: Any, b: Any) -> Any:
        first = torch.zeros(len(a), len(a), dtype=torch.bool).scatter_(1, lists(a), True)
        return first.gather(1, lists(b)).float().sum() / (len(a) * K)

    orders = iter(np.concatenate(list(permutations(len(x), draws))).astype(np.int64))
    start = time.perf_counter()
    _, p, tau = other(torch.tensor(x), torch.tensor(y), mutual_knn, K=draws, perm_fn=lambda *_: torch.tensor(next(orders)))
    return float(tau), float(p), time.perf_counter() - start


def main() -> None:
    asked = parser(__doc__ or "").parse_args()
    facts = machine("calibrated-similarity", "torch")
    rows: list[dict[str, Any]] = []
    draws = 49 if asked.quick else 499
    pairs = shared_latent(2000, 16, shared=0.25)
    with threadpool_limits(THREADS):
        calibrate(pairs.x, pairs.y, k=K, draws=9)  # not counted: first use of the libraries
        start = time.perf_counter()
        ours = calibrate(pairs.x, pairs.y, k=K, draws=draws)
        taken = time.perf_counter() - start
    print(
        f"isthmus                N=2000, {draws} permutations: tau {ours.threshold:.6f}, p {ours.p_value:.4f}, {taken:.3f} s"
    )
    try:
        tau, p, their_time = theirs(pairs.x, pairs.y, draws)
    except ImportError as error:
        sys.exit(f"needed {error.name}: pip install 'isthmus[benchmark]'")
    print(f"calibrated-similarity  N=2000, {draws} permutations: tau {tau:.6f}, p {p:.4f}, {their_time:.3f} s")
    same = abs(tau - ours.threshold) < 1e-6 and abs(p - ours.p_value) < 1e-6
    print(f"the same threshold and p-value: {same}; {their_time / taken:.0f} times as fast")
    rows.append(
        {"what": "N=2000", "draws": draws, "seconds": taken, "theirs": their_time, "ratio": their_time / taken, "same": same}
    )

    n, draws = 10_000, 200 if asked.quick else 10_000
    pairs = shared_latent(n, 16, shared=0.25)
    a, b = (search(v, K).index for v in (pairs.x, pairs.y))
    for native in (True, False):
        some = draws if native else max(1, draws // 50)
        tracemalloc.start()
        start = time.perf_counter()
        for block in permutations(n, some):
            shared_entries(a, b, block, native=native, threads=THREADS)
        taken = time.perf_counter() - start
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        name = "C++" if native else "numpy"
        print(
            f"{name:<6} N={n}, K={K}, {some} permutations: {taken:.2f} s, {1000 * taken / some:.3f} ms each, {peak:.0f} MB"
        )
        rows.append({"what": f"N={n} {name}", "draws": some, "seconds": taken, "peak_mb": peak})
    write(asked.json, facts, rows)


if __name__ == "__main__":
    main()
