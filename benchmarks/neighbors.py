"""How fast is the exact neighbor search, against what else a user could call?

    python benchmarks/neighbors.py [--quick] [--json out.json]

Every peer does the same work in the same run: the 10 (or 100) nearest neighbors of every item among all others, from raw
float32 vectors to an index table, on two threads. Runs are interleaved and medians compared; the ratio is the peer's time
over ours. Beside each ratio stands the physical limit: 2 N^2 d / time over the peak of a float32 matrix product measured in
the same run (ours can exceed 1, since it computes every pair once).

Peers that are not installed are left out: faiss-cpu, scikit-learn, torch. FAISS is on its matrix-product path in all cases
(number of queries x d above its threshold).
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from isthmus.neighbors import BlockedEngine, NativeEngine, describe_engine, search

THREADS = 2
CASES = [(10_000, 64, 10), (10_000, 300, 10), (10_000, 2048, 10), (30_000, 64, 10), (30_000, 300, 10), (30_000, 1024, 10),
         (30_000, 300, 100), (2_000, 300, 10)]  # fmt: skip
QUICK = [(2_000, 300, 10), (10_000, 64, 10), (10_000, 300, 10)]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def full_matrix(vectors: np.ndarray, k: int) -> np.ndarray:
    """The whole similarity matrix and a sort, as mutual k-NN is usually published."""
    rows = unit(vectors)
    similarity = rows @ rows.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1)[:, :k]


def faiss_flat(vectors: np.ndarray, k: int) -> np.ndarray:
    import faiss

    faiss.omp_set_num_threads(THREADS)
    rows = np.ascontiguousarray(unit(vectors), dtype=np.float32)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return index.search(rows, k + 1)[1]


def scikit_learn(vectors: np.ndarray, k: int) -> np.ndarray:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(metric="cosine", algorithm="brute", n_jobs=THREADS).fit(vectors).kneighbors(n_neighbors=k)[1]


def torch_topk(vectors: np.ndarray, k: int) -> np.ndarray:
    import torch

    torch.set_num_threads(THREADS)
    rows = torch.from_numpy(unit(vectors).astype(np.float32))
    return (rows @ rows.T).topk(k + 1, dim=1).indices.numpy()


PEERS: dict[str, tuple[str, Callable[[np.ndarray, int], np.ndarray]]] = {
    "faiss IndexFlatIP": ("faiss-cpu", faiss_flat),
    "scikit-learn brute": ("scikit-learn", scikit_learn),
    "full matrix, argsort": ("numpy", full_matrix),
    "full matrix, torch.topk": ("torch", torch_topk),
    "isthmus numpy engine": ("numpy", lambda v, k: search(v, k, engine=BlockedEngine()).index),
}


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def product_peak() -> float:
    """Float32 operations a second of a large matrix product, the median of five."""
    a = np.random.default_rng(0).standard_normal((3000, 3000), dtype=np.float32)
    a @ a
    return 2 * 3000**3 / statistics.median(seconds(lambda: a @ a) for _ in range(5))


def run(n: int, d: int, k: int, repeats: int) -> list[dict[str, object]]:
    vectors = np.random.default_rng(0).standard_normal((n, d), dtype=np.float32)
    ours = NativeEngine(THREADS)
    calls = {"isthmus": lambda: search(vectors, k, engine=ours)}
    for name, (package, call) in PEERS.items():
        too_large = "full matrix" in name and n > 10_000
        if version(package) and not too_large and not ("scikit" in name and n * d > 10_000_000):
            calls[name] = lambda call=call: call(vectors, k)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            times[name].append(seconds(call))
    median = {name: statistics.median(values) for name, values in times.items()}
    share = 2 * n * n * d / median["isthmus"] / product_peak()
    rows: list[dict[str, object]] = []
    for name, value in median.items():
        spread = (max(times[name]) - min(times[name])) / value
        rows.append({"n": n, "d": d, "k": k, "what": name, "seconds": value, "spread": spread,
                     "ratio": value / median["isthmus"], "share_of_peak": share if name == "isthmus" else None})  # fmt: skip
        print(f"{n:>7} x {d:<5} K={k:<4} {name:<26} {value:8.3f} s (+-{spread / 2:.0%})  {rows[-1]['ratio']:6.2f}x"
              + (f"   {share:.2f} of the product peak" if name == "isthmus" else ""), flush=True)  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three cases, under a minute")
    parser.add_argument("--json", help="also write the rows and the facts of the machine")
    options = parser.parse_args()
    machine = {
        "processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "python": sys.version.split()[0],
        "engine": describe_engine(), "versions": {package: version(package) for package, _ in PEERS.values()},
    }  # fmt: skip
    print(json.dumps(machine))
    with threadpool_limits(THREADS):
        rows = [row for case in (QUICK if options.quick else CASES) for row in run(*case, repeats=3)]
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
