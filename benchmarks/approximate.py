"""When does exact search win over approximate search?

    python benchmarks/approximate.py [--quick] [--case 100000x50 ...] [--json out.json]

All neighbors of N x d float32 vectors, K = 10, Euclidean, two threads, exact against FAISS HNSW, FAISS IVF and
pynndescent with the settings of `isthmus overlap --approximate`: time, recall of the exact table, and the bias of mNNO
of two such sets. Each runs once; pynndescent's own compilation is left out by a run on few items before.
"""

from typing import Any

import numpy as np
from _timing import THREADS, machine, parser, seconds, version, write
from threadpoolctl import threadpool_limits

from isthmus.measures import positions
from isthmus.neighbors import NativeEngine, search, search_approximately

K = 10
NEEDS = {"hnsw": "faiss-cpu", "ivf": "faiss-cpu", "pynndescent": "pynndescent"}


def shared(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.count_nonzero(positions(a, b) < K, axis=1).mean() / K)


def run(case: str) -> list[dict[str, Any]]:
    n, d = (int(part) for part in case.split("x"))
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((n, min(d, 20)), dtype=np.float32)
    mix = rng.standard_normal((latent.shape[1], d), dtype=np.float32)
    x, y = (latent @ mix + rng.standard_normal((n, d), dtype=np.float32) for _ in range(2))
    exact: list[np.ndarray] = []
    time = seconds(lambda: exact.extend(search(v, K, "euclidean", engine=NativeEngine(THREADS)).index for v in (x, y)))
    mnno = shared(*exact)
    print(f"{case:<14} exact        {time:7.1f} s                          mNNO {mnno:.4f}", flush=True)
    rows = [{"what": case, "name": "exact", "seconds": time, "recall": 1.0, "mnno": mnno}]
    for method, package in NEEDS.items():
        if not version(package):
            continue
        if method == "pynndescent":
            search_approximately(x[:1000], K, "euclidean", method)
        near: list[np.ndarray] = []
        time = seconds(
            lambda near=near, method=method: near.extend(search_approximately(v, K, "euclidean", method) for v in (x, y))
        )
        recall, found = shared(exact[0], near[0]), shared(*near)
        ratio = time / rows[0]["seconds"]
        print(
            f"{case:<14} {method:<12} {time:7.1f} s ({ratio:5.2f}x)  recall {recall:.3f}  mNNO {found:.4f} "
            f"(bias {found - mnno:+.4f})",
            flush=True,
        )
        rows.append({"what": case, "name": method, "seconds": time, "ratio": ratio, "recall": recall, "mnno": found})
    return rows


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--case", action="append", help="N x d, as in 100000x50; may be repeated")
    asked = options.parse_args()
    facts = machine("faiss-cpu", "pynndescent")
    with threadpool_limits(THREADS):
        rows = [
            row for case in asked.case or (["10000x50"] if asked.quick else ["100000x50", "100000x300"]) for row in run(case)
        ]
    write(asked.json, facts, rows)


if __name__ == "__main__":
    main()
