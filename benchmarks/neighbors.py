"""How fast is the exact neighbor search, against what else a user could call?

    python benchmarks/neighbors.py [--quick] [--case 10000x300x10 ...] [--json out.json]

Every peer does the same work in the same run: the K nearest neighbors of every item among all others, from raw float32
vectors to an index table, on two threads. A case is N x d x K, of standard normal vectors; with :half-equal half of them are
one vector, with :clusters they lie in a hundred clusters. Runs are interleaved and medians compared; the ratio is the
peer's time over ours in the same metric, and the agreement the share of our neighbors that the peer finds (ties may go
either way). Beside it stands the physical limit: 2 N^2 d / time over the peak of a float32 matrix product
measured in the same run. Ours can exceed 1, since it computes every pair once, and most of it in bytes where the
processor multiplies bytes.

Peers that are not installed are left out: faiss-cpu, scikit-learn, torch, usearch. FAISS is on its matrix-product path
in all cases (number of queries x d above its threshold). The full matrix and usearch are left out above 10,000 items,
scikit-learn above 10^7 numbers, where they take minutes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from _timing import THREADS, compare, machine, parser, product_peak, version, write
from threadpoolctl import threadpool_limits

from isthmus.measures import positions
from isthmus.neighbors import BlockedEngine, NativeEngine, search

CASES = ["2000x300x10", "10000x64x10", "10000x300x10", "10000x1024x10", "10000x2048x10", "30000x64x10", "30000x300x10",
         "30000x300x100", "30000x1024x10", "30000x2048x10", "30000x300x10:half-equal", "30000x300x10:clusters"]  # fmt: skip
QUICK = ["2000x300x10", "5000x64x10"]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def full_matrix(vectors: np.ndarray, k: int) -> np.ndarray:
    """The whole similarity matrix and a sort, as mutual k-NN is usually published."""
    rows = unit(vectors)
    similarity = rows @ rows.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1)[:, :k]


def faiss_cosine(vectors: np.ndarray, k: int) -> np.ndarray:
    return _faiss("IndexFlatIP", np.ascontiguousarray(unit(vectors), dtype=np.float32), k)


def faiss_euclidean(vectors: np.ndarray, k: int) -> np.ndarray:
    return _faiss("IndexFlatL2", vectors, k)


def _faiss(kind: str, rows: np.ndarray, k: int) -> np.ndarray:
    import faiss

    faiss.omp_set_num_threads(THREADS)
    index = getattr(faiss, kind)(rows.shape[1])
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


def usearch(vectors: np.ndarray, k: int) -> np.ndarray:
    from usearch.index import MetricKind
    from usearch.index import search as exact

    return exact(vectors, vectors, k + 1, MetricKind.Cos, exact=True, threads=THREADS).keys


PEERS: dict[str, tuple[str, Callable[[np.ndarray, int], np.ndarray], int]] = {
    "faiss IndexFlatIP": ("faiss-cpu", faiss_cosine, 10**9),
    "faiss IndexFlatL2": ("faiss-cpu", faiss_euclidean, 10**9),
    "scikit-learn brute cosine": ("scikit-learn", scikit_learn, 10**7),
    "usearch exact cosine": ("usearch", usearch, 10**7),
    "full matrix, argsort": ("numpy", full_matrix, 10**7),
    "full matrix, torch.topk": ("torch", torch_topk, 10**7),
    "isthmus numpy engine, cosine": ("numpy", lambda v, k: search(v, k, engine=BlockedEngine()).index, 10**9),
}


def made(n: int, d: int, kind: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((n, d), dtype=np.float32)
    if kind == "half-equal":
        vectors[rng.permutation(n)[: n // 2]] = vectors[0]
    if kind == "clusters":
        vectors = rng.standard_normal((100, d), dtype=np.float32)[rng.integers(0, 100, n)] + 0.2 * vectors
    return vectors


def run(case: str, repeats: int) -> list[dict[str, Any]]:
    size, _, kind = case.partition(":")
    n, d, k = (int(part) for part in size.split("x"))
    vectors = made(n, d, kind)
    ours = NativeEngine(THREADS)
    calls: dict[str, Callable[[], np.ndarray]] = {
        "isthmus cosine": lambda: search(vectors, k, engine=ours).index,
        "isthmus euclidean": lambda: search(vectors, k, "euclidean", engine=ours).index,
    }
    for name, (package, call, most) in PEERS.items():
        if version(package) and n * d <= most and (n <= 10_000 or not name.startswith(("full", "usearch"))):
            calls[name] = lambda call=call: call(vectors, k)
    found: dict[str, np.ndarray] = {}
    kept: dict[str, Callable[[], object]] = {
        name: lambda name=name, call=call: found.update({name: call()}) for name, call in calls.items()
    }
    rows = compare(case, "isthmus cosine", kept, repeats, {"faiss IndexFlatL2": "isthmus euclidean"})
    for row in rows:
        metric = "euclidean" if "L2" in row["name"] or "euclidean" in row["name"] else "cosine"
        theirs = found[row["name"]].astype(np.int64)
        row["agreement"] = float(np.mean(positions(found[f"isthmus {metric}"], theirs) < theirs.shape[1]))
        print(f"{case:<28} {row['name']:<34} agreement {row['agreement']:.6f}", flush=True)
    share = 2 * n * n * d / rows[0]["seconds"] / product_peak()
    print(f"{case:<28} share of the product peak {share:24.2f}", flush=True)
    rows[0]["share_of_peak"] = share
    return rows


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--case", action="append", help="N x d x K, as in 10000x300x10; may be repeated")
    asked = options.parse_args()
    facts = machine(*sorted({package for package, _, _ in PEERS.values()}))
    with threadpool_limits(THREADS):
        cases, repeats = (QUICK, 1) if asked.quick else (CASES, 3)
        rows = [row for case in asked.case or cases for row in run(case, repeats)]
    write(asked.json, facts, rows)


if __name__ == "__main__":
    main()
