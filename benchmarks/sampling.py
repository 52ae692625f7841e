"""How fast is the neighbor search of a sample among millions, and how wide is the interval that it buys?

    python benchmarks/sampling.py [--quick] [--json out.json]

2,000 random items searched exactly among 1,000,000 x 300 float32 vectors, K = 10, cosine, two threads, against a FAISS
flat index asked for the same items. Then mNNO of two such sets from that sample, with its half width.
"""

from typing import Any

import numpy as np
from _timing import THREADS, compare, machine, parser, write
from threadpoolctl import threadpool_limits

import isthmus
from isthmus.measures import draw
from isthmus.neighbors import NativeEngine, search

K, SAMPLE = 10, 2000


def faiss_flat(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    import faiss

    faiss.omp_set_num_threads(THREADS)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    index = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit)
    return index.search(unit[rows], K + 1)[1]


def main() -> None:
    asked = parser(__doc__ or "").parse_args()
    facts = machine("faiss-cpu")
    n, d = (100_000 if asked.quick else 1_000_000), 300
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((n, 20), dtype=np.float32)

    def view() -> np.ndarray:
        return latent @ rng.standard_normal((20, d), dtype=np.float32) + rng.standard_normal((n, d), dtype=np.float32)

    x = view()
    rows = draw(n, SAMPLE)
    engine = NativeEngine(THREADS)
    calls: dict[str, Any] = {
        "isthmus": lambda: search(x, K, rows=rows, engine=engine),
        "faiss IndexFlatIP": lambda: faiss_flat(x, rows),
    }
    with threadpool_limits(THREADS):
        found = compare(f"{SAMPLE} of {n}x{d}", "isthmus", calls, repeats=3)
        result = isthmus.overlap(x, view(), K, sample=SAMPLE)
    interval = result.interval()
    half = (interval.high - interval.low) / 2
    print(f"{result}; half width {half:.4f}")
    found.append({"what": "overlap", "mnno": result.mnno, "half_width": half})
    write(asked.json, facts, found)


if __name__ == "__main__":
    main()
