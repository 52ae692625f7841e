"""How much memory does a search take, beside the vectors, and does it stay within a budget?

    python benchmarks/memory.py [--quick] [--json out.json]

Peak memory of processes of their own, as the operating system counts it (VmHWM, Linux). An all-pairs search of N x d
float32 vectors against a process that only makes the vectors; then a sample searched in a 1,000,000 x 1,024 float32
file, which the script makes, under 1 GB.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _timing import machine, parser, write

from isthmus.neighbors import describe_engine

PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


def peak(script: str) -> float:
    """Peak memory of a process that runs the script, in bytes."""
    done = subprocess.run([sys.executable, "-c", f"{script}\n{PEAK}"], check=True, capture_output=True, text=True)
    return 1024 * float(done.stdout.split()[-1])


def all_pairs(n: int, d: int, k: int) -> dict[str, object]:
    vectors = (
        "import numpy as np\nfrom isthmus.neighbors import search\n"
        f"x = np.random.default_rng(0).standard_normal(({n}, {d}), dtype=np.float32)"
    )
    extra = peak(f"{vectors}\nsearch(x, {k})") - peak(vectors)
    kernel = describe_engine()
    width = 16 if "avx512" in kernel else 8 if "avx2" in kernel else 4
    shortlist = -(-(k + max(6, k // 4)) // width) * width  # in whole vectors
    packed = d if "vnni" in kernel else 4 * d
    stated = n * (packed + 52 + 20 * shortlist + 24 * k)  # packed, lists, result as found and as given
    print(f"all pairs, {n}x{d}, K={k}: {extra / n:.0f} bytes a row beside the vectors; stated {stated / n:.0f}", flush=True)
    return {"what": f"all pairs {n}x{d} K={k}", "bytes_a_row": extra / n, "stated": stated / n}


def streamed(n: int, d: int, budget: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vectors.npy")
        array = np.lib.format.open_memmap(path, "w+", dtype=np.float32, shape=(n, d))
        rng = np.random.default_rng(0)
        for start in range(0, n, 20_000):
            array[start : start + 20_000] = rng.standard_normal((min(20_000, n - start), d), dtype=np.float32)
        array.flush()
        del array
        used = peak(
            "import time, numpy as np\nfrom isthmus.neighbors import search\nfrom isthmus.pairs import open_stream\n"
            f"search(open_stream({str(path)!r}), 10, rows=np.arange(2000), memory={budget})"
        )
    print(f"2000 queries in a file of {n}x{d} under {budget / 1e6:.0f} MB: {used / 1e6:.0f} MB at most", flush=True)
    return {"what": f"streamed {n}x{d}", "budget": budget, "peak": used}


def main() -> None:
    asked = parser(__doc__ or "").parse_args()
    facts = machine()
    sizes = [(20_000, 300, 10)] if asked.quick else [(50_000, 300, 10), (50_000, 1024, 10), (50_000, 64, 100)]
    rows = [all_pairs(*size) for size in sizes]
    rows.append(streamed(50_000, 1024, 200_000_000) if asked.quick else streamed(1_000_000, 1024, 1_000_000_000))
    write(asked.json, facts, rows)


if __name__ == "__main__":
    main()
