"""What the benchmarks share: interleaved runs and their medians, the facts of the machine, the peak of a matrix product."""

import argparse
import contextlib
import importlib
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from isthmus.neighbors import describe_engine

THREADS = 2
PAUSE = 0.2  # seconds
SHORT = 0.3
MODULES = {
    "calibrated-similarity": "calibrated_similarity", "faiss-cpu": "faiss", "pillow": "PIL", "scikit-learn": "sklearn",
}  # fmt: skip


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def interleaved(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Every call once, then every call again, so that what the machine does meanwhile meets all of them.

    A first round is not counted. Before each call there is a pause, since threads of the one before may still be looking for
    work. Calls that were short in the first round are made three times in each of the others.
    """
    first = {name: seconds(call) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            for _ in range(3 if first[name] < SHORT else 1):
                time.sleep(PAUSE)
                times[name].append(seconds(call))
    return times


def compare(
    what: str, ours: str, calls: dict[str, Callable[[], object]], repeats: int, instead: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """A line for each call: median, spread, and how many times as long as ours it took, or as another of ours `instead`."""
    times = interleaved(calls, repeats)
    rows = []
    for name, values in times.items():
        median = statistics.median(values)
        ratio = median / statistics.median(times[(instead or {}).get(name, ours)])
        spread = (max(values) - min(values)) / median / 2
        print(
            f"{what:<28} {name:<34} {median:8.3f} s (+-{spread:.0%}, fastest {min(values):.3f})  {ratio:6.2f}x", flush=True
        )
        rows.append(
            {"what": what, "name": name, "seconds": median, "fastest": min(values), "spread": spread, "ratio": ratio}
        )
    return rows


def product_peak() -> float:
    """Float32 operations a second of a large matrix product, the median of five."""
    a = np.random.default_rng(0).standard_normal((3000, 3000), dtype=np.float32)
    a @ a
    return 2 * 3000**3 / statistics.median(seconds(lambda: a @ a) for _ in range(5))


def processor() -> str:
    """Its name: in /proc/cpuinfo where there is one, which `platform` does not read."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def parser(description: str) -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    found.add_argument("--quick", action="store_true", help="small cases, under a minute")
    found.add_argument("--json", type=Path, help="also write the rows and the facts of the machine")
    return found


def machine(*packages: str) -> dict[str, Any]:
    """The facts; the packages that are installed are imported, since limits of threads reach only what is loaded."""
    for package in packages:
        if version(package):
            importlib.import_module(MODULES.get(package, package))
    with threadpool_limits(THREADS):
        facts = {
            "processor": processor(), "cores": os.cpu_count(), "python": sys.version.split()[0],
            "engine": describe_engine(), "threads": THREADS, "load": os.getloadavg()[0],
            "blas": [f"{each['internal_api']} {each['version']}" for each in threadpool_info()],
            "product_peak": product_peak(), "versions": {package: version(package) for package in packages},
        }  # fmt: skip
    print(json.dumps(facts), flush=True)
    return facts


def write(path: Path | None, facts: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    if path is not None:
        path.write_text(json.dumps({"machine": facts, "rows": rows}, indent=1), encoding="utf-8")
