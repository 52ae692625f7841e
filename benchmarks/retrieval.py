"""How fast is mean average precision over whole rankings, and does its memory stay bounded?

    python benchmarks/retrieval.py [--quick] [--case 20000x300 ...] [--json out.json]

N x d float32 vectors around 50 class means, cosine, the query left out, on two threads. The peers rank the same
similarities, made in blocks by one float32 product: scikit-learn's `average_precision_score` a query, and a full argsort a
query with numpy. The slower peers are timed on the first 200 queries and their time is multiplied; their values are compared
on those queries. What is printed as memory is the most that the process grew by during one call of ours, the float64 copy of
the vectors included.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _timing import THREADS, compare, machine, parser, write
from threadpoolctl import threadpool_limits

from isthmus import retrieval

SOME = 200


def similarities(x: np.ndarray, rows: int) -> np.ndarray:
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return unit[:rows] @ unit.T


def with_scikit_learn(x: np.ndarray, labels: np.ndarray, rows: int) -> float:
    from sklearn.metrics import average_precision_score

    found = []
    for i, row in enumerate(similarities(x, rows)):
        others = np.arange(len(x)) != i
        found.append(average_precision_score(labels[others] == labels[i], row[others]))
    return float(np.mean(found))


def with_argsort(x: np.ndarray, labels: np.ndarray, rows: int) -> float:
    found = []
    for i, row in enumerate(similarities(x, rows)):
        order = np.argsort(-row)
        relevant = (labels[order] == labels[i])[order != i]
        places = np.flatnonzero(relevant) + 1
        found.append(np.mean(np.arange(1, len(places) + 1) / places))
    return float(np.mean(found))


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def grown(call: Callable[[], object]) -> int:
    """Bytes by which the process is larger, at most, while it is in a call."""
    start, most, over = resident(), [0], threading.Event()

    def watch() -> None:
        while not over.is_set():
            most[0] = max(most[0], resident() - start)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    call()
    over.set()
    watcher.join()
    return most[0]


def run(case: str) -> list[dict[str, Any]]:
    n, d = (int(part) for part in case.split("x"))
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 50, n)
    x = (rng.standard_normal((50, d))[labels] + 3 * rng.standard_normal((n, d))).astype(np.float32)
    memory = grown(lambda: retrieval(x, labels=labels))
    values: dict[str, float] = {}
    calls: dict[str, Callable[[], object]] = {
        "isthmus.retrieval, all queries": lambda: values.update(
            ours=retrieval(x, labels=labels).per_query("map")[:SOME].mean()
        ),
        f"scikit-learn, {SOME} queries": lambda: values.update(sklearn=with_scikit_learn(x, labels, SOME)),
        f"argsort, {SOME} queries": lambda: values.update(argsort=with_argsort(x, labels, SOME)),
    }
    rows = compare(case, "isthmus.retrieval, all queries", calls, repeats=3)
    for row in rows[1:]:
        row["seconds_all"] = row["seconds"] * n / SOME
        print(
            f"{case:<28} {row['name']}: {row['seconds_all']:.1f} s for all, {row['ratio'] * n / SOME:.1f}x ours", flush=True
        )
    spread = max(values.values()) - min(values.values())
    print(f"{case:<28} mAP {values['ours']:.6f}, all within {spread:.1e}; memory {memory / 2**20:.0f} MiB", flush=True)
    rows[0]["memory"] = memory
    return rows


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--case", action="append", help="N x d, as in 20000x300; may be repeated")
    asked = options.parse_args()
    facts = machine("scikit-learn", "numpy")
    with threadpool_limits(THREADS):
        rows = [
            row for case in asked.case or (["5000x64"] if asked.quick else ["5000x64", "20000x300"]) for row in run(case)
        ]
    write(asked.json, facts, rows)


if __name__ == "__main__":
    main()
