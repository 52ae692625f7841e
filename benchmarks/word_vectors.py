"""How fast are word vectors read, and in how much memory, beside gensim?

    pip install gensim
    python benchmarks/word_vectors.py [--quick] [--json out.json]

A GloVe text file of 400,000 words and 50 dimensions, which the script makes, and the same in word2vec's binary format. Each
loader runs in a process of its own, imported before the clock starts; the processes take turns. Peak memory is that of the
whole process as the operating system counts it (VmHWM, Linux), and beside it what the process held before it read. That the
numbers are equal is checked first.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _timing import PAUSE, machine, parser, version, write

LOADERS = {
    "isthmus": ("import polars\nfrom isthmus.words import read_words", "found = read_words({path!r})", "found.values"),
    "isthmus, 4,000 of the words": (
        "import polars\nfrom isthmus.words import read_words\nonly = {{f'w{{n}}' for n in range(0, {n}, {n} // 4000)}}",
        "found = read_words({path!r}, only=only)", "found.values",
    ),
    "gensim": (
        "from gensim.models import KeyedVectors",
        "found = KeyedVectors.load_word2vec_format({path!r}, binary={binary}, no_header={bare})", "found.vectors",
    ),
}  # fmt: skip

SCRIPT = """
import json, time, zlib
{imports}
def peak():
    return 1024 * int(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))
before = peak()
start = time.perf_counter()
{read}
taken = time.perf_counter() - start
print(json.dumps([taken, peak(), before, zlib.crc32(memoryview({values}).cast("B"))]))
"""


def one(name: str, path: Path, n: int) -> list[float]:
    """Seconds, peak memory, memory before, and a checksum of the numbers, from a process of its own."""
    imports, read, values = LOADERS[name]
    binary = path.suffix == ".bin"
    filled = {"path": str(path), "n": n, "binary": binary, "bare": not binary}
    script = SCRIPT.format(imports=imports.format(**filled), read=read.format(**filled), values=values)
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=600)
    found: list[float] = json.loads(done.stdout)
    return found


def make(folder: Path, n: int, d: int) -> list[Path]:
    """The same vectors as text, with numbers as GloVe writes them, and in binary."""
    rng = np.random.default_rng(0)
    text, binary = folder / "vectors.txt", folder / "vectors.bin"
    with text.open("w", encoding="utf-8") as lines, binary.open("wb") as entries:
        entries.write(f"{n} {d}\n".encode())
        for start in range(0, n, 20_000):
            for row, values in enumerate(rng.normal(0, 0.5, size=(min(20_000, n - start), d)), start=start):
                numbers = [f"{value:.5g}" for value in values]
                lines.write(f"w{row} {' '.join(numbers)}\n")
                entries.write(f"w{row} ".encode() + np.array(numbers, dtype=np.float32).tobytes() + b"\n")
    return [text, binary]


def main() -> None:
    asked = parser(__doc__ or "").parse_args()
    facts = machine("gensim", "polars", "numpy")
    n, repeats = (40_000, 1) if asked.quick else (400_000, 3)
    names = [name for name in LOADERS if name != "gensim" or version("gensim")]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for path in make(Path(folder), n, 50):
            runs: dict[str, list[list[float]]] = {name: [] for name in names}
            for _ in range(repeats):
                for name in names:
                    time.sleep(PAUSE)
                    runs[name].append(one(name, path, n))
            if "gensim" in runs and runs["gensim"][0][3] != runs["isthmus"][0][3]:
                raise SystemExit(f"{path.name}: the numbers differ")
            ours = statistics.median(run[0] for run in runs["isthmus"])
            for name, found in runs.items():
                seconds = statistics.median(run[0] for run in found)
                peak, before = (max(run[column] for run in found) for column in (1, 2))
                what = f"{n} x 50, {path.suffix}"
                print(
                    f"{what:<20} {name:<30} {seconds:8.2f} s  {seconds / ours:6.2f}x   peak {peak / 1e6:5.0f} MB "
                    f"({before / 1e6:.0f} before reading)", flush=True,
                )  # fmt: skip
                rows.append({
                    "what": what, "name": name, "seconds": seconds, "ratio": seconds / ours, "peak": peak, "before": before,
                })  # fmt: skip
    write(asked.json, facts, rows)


if __name__ == "__main__":
    main()
