"""How fast is the whole mNNO of two sets, against what else gives it?

    python benchmarks/overlap.py [--quick] [--case 10000x300 ...] [--json out.json]

Two sets of N x d float32 vectors of one latent space, K = 10, Euclidean, on two threads: both searches and the
counting. All values must agree to 1e-6. `isthmus.overlap` is what a user calls for the mean; with its interval it
searches deeper, and both stand here. The peers are TorchDR's `neighborhood_preservation` (its default, and its FAISS
backend) and FAISS flat indexes with sets of Python. TorchDR's default builds the whole distance matrix, and is left out
above 20,000 items.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from _timing import THREADS, compare, machine, parser, version, write
from threadpoolctl import threadpool_limits

import isthmus

K = 10


def torchdr(x: np.ndarray, y: np.ndarray, backend: str | None) -> float:
    import torch
    from torchdr.eval import neighborhood_preservation

    torch.set_num_threads(THREADS)
    return float(neighborhood_preservation(x, y, K, metric="euclidean", backend=backend))


def faiss_and_sets(x: np.ndarray, y: np.ndarray) -> float:
    import faiss

    faiss.omp_set_num_threads(THREADS)
    lists = []
    for rows in (x, y):
        index = faiss.IndexFlatL2(rows.shape[1])
        index.add(rows)
        found = index.search(rows, K + 1)[1]
        lists.append([set(row) - {i} for i, row in enumerate(found.tolist())])
    return sum(len(a & b) for a, b in zip(*lists, strict=True)) / (K * len(x))


def run(case: str, repeats: int) -> list[dict[str, Any]]:
    n, d = (int(part) for part in case.split("x"))
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((n, d), dtype=np.float32)
    x, y = (latent + 0.7 * rng.standard_normal((n, d), dtype=np.float32) for _ in range(2))
    values: dict[str, float] = {}

    def call(name: str, measure: Callable[[], float]) -> None:
        calls[name] = lambda: values.update({name: measure()})

    calls: dict[str, Callable[[], object]] = {}
    call("isthmus.overlap", lambda: isthmus.overlap(x, y, K, "euclidean").mnno)
    if n <= 20_000:
        call("isthmus.overlap, with interval", lambda: isthmus.overlap(x, y, K, "euclidean").interval().estimate)
    if version("torchdr"):
        call("torchdr, faiss", lambda: torchdr(x, y, "faiss"))
        if n <= 20_000:
            call("torchdr, default", lambda: torchdr(x, y, None))
    if version("faiss-cpu"):
        call("faiss flat and sets", lambda: faiss_and_sets(x, y))
    rows = compare(case, "isthmus.overlap", calls, repeats)
    for row in rows:
        row["mnno"] = values[row["name"]]
    spread = max(values.values()) - min(values.values())
    print(f"{case:<28} mNNO {values['isthmus.overlap']:.6f}, all within {spread:.1e}", flush=True)
    if spread > 1e-6:
        raise SystemExit(f"{case}: needed the same mNNO from all to 1e-6, got {values}.")
    return rows


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--case", action="append", help="N x d, as in 10000x300; may be repeated")
    asked = options.parse_args()
    facts = machine("torchdr", "torch", "faiss-cpu")
    cases = asked.case or (["5000x300"] if asked.quick else ["10000x300", "20000x300", "100000x300"])
    with threadpool_limits(THREADS):
        rows = [row for case in cases for row in run(case, repeats=3)]
    write(asked.json, facts, rows)


if __name__ == "__main__":
    main()
