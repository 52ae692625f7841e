"""When does exact search win over approximate search?

    python benchmarks/approximate.py [--quick] [--case 100000x50 ...] [--json out.json]

All neighbors of N x d float32 vectors, K = 10, Euclidean, two threads, exact against FAISS HNSW, FAISS IVF and
pynndescent with the settings of `isthmus overlap --approximate`: time, recall of the exact table, and the bias of mNNO
of two such sets. Runs are interleaved, a first round, in which pynndescent compiles itself, is not counted.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from _timing import THREADS, compare, machine, parser, version, write
from threadpoolctl import threadpool_limits

from isthmus.measures import positions
from isthmus.neighbors import NativeEngine, search, search_approximately

K = 10
NEEDS = {"hnsw": "faiss-cpu", "ivf": "faiss-cpu", "pynndescent": "pynndescent"}


def shared(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.count_nonzero(positions(a, b) < K, axis=1).mean() / K)


def run(case: str, repeats: int) -> list[dict[str, Any]]:
    n, d = (int(part) for part in case.split("x"))
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((n, min(d, 20)), dtype=np.float32)
    mix = rng.standard_normal((latent.shape[1], d), dtype=np.float32)
    x, y = (latent @ mix + rng.standard_normal((n, d), dtype=np.float32) for _ in range(2))
    found: dict[str, list[np.ndarray]] = {}
    calls: dict[str, Callable[[], object]] = {
        "exact": lambda: found.update(exact=[search(v, K, "euclidean", engine=NativeEngine(THREADS)).index for v in (x, y)])
    }
    for method, package in NEEDS.items():
        if version(package):
            calls[method] = lambda method=method: found.update(
                {method: [search_approximately(v, K, "euclidean", method) for v in (x, y)]}
            )
    rows = compare(case, "exact", calls, repeats)
    for row in rows:
        near = found[row["name"]]
        row |= {"recall": shared(found["exact"][0], near[0]), "mnno": shared(*near)}
        row["bias"] = row["mnno"] - shared(*found["exact"])
        print(f"{case:<28} {row['name']:<34} recall {row['recall']:.3f}  mNNO {row['mnno']:.4f} (bias {row['bias']:+.4f})")
    return rows


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--case", action="append", help="N x d, as in 100000x50; may be repeated")
    asked = options.parse_args()
    facts = machine("faiss-cpu", "pynndescent")
    with threadpool_limits(THREADS):
        cases, repeats = (["10000x50"], 1) if asked.quick else (["100000x50", "100000x300"], 3)
        rows = [row for case in asked.case or cases for row in run(case, repeats)]
    write(asked.json, facts, rows)


if __name__ == "__main__":
    main()
