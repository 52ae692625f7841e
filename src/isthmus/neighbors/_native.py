"""The exact engine in C++: the same table as the numpy engine's, bit for bit, many times sooner.

It lives under native/ and is built at installation where there is a compiler. Where there was none, the numpy engine serves
and says so once.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from isthmus._errors import NeighborError
from isthmus._shapes import Float, Int, Progress
from isthmus.neighbors._neighbors import Metric, Neighbors

KERNELS = ("baseline", "avx2", "avx512", "avx512vnni")

try:
    from isthmus.neighbors import _kernel
except ImportError:
    _kernel = None  # type: ignore[assignment]


def available() -> bool:
    """Whether the compiled engine was built with this installation."""
    return _kernel is not None


def check_kernel() -> None:
    """Refuse a name in ISTHMUS_KERNEL that no instruction set has: the engine would silently take its slowest.

    One that this processor lacks is no mistake: the next narrower one serves.

    Raises:
        NeighborError: such a name.
    """
    wanted = os.environ.get("ISTHMUS_KERNEL")
    if wanted is not None and wanted not in KERNELS:
        raise NeighborError(f"ISTHMUS_KERNEL: needed one of {', '.join(KERNELS)}, got {wanted!r}. Unset it.")


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class NativeEngine:
    """Exact all-pairs search in C++ on all cores.

    Args:
        threads: how many to use; all cores that the process may use, if left out. They do not show in the result.

    Raises:
        NeighborError: fewer than one thread, or an instruction set in ISTHMUS_KERNEL that there is not.
    """

    threads: int | None = None
    name: str = "native"

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise NeighborError(f"threads: needed 1 or more, got {self.threads}. Leave it out to use all cores.")
        check_kernel()

    def search(
        self, vectors: Float[ndarray, "n d"], k: int, *, metric: Metric, progress: Progress | None = None
    ) -> Neighbors:
        """The k nearest neighbors of every row; `isthmus.neighbors.search` is the door that checks its arguments."""
        index, squared, exponent = _kernel.search(
            _plain(vectors), k, metric == "cosine", self.threads or cores(), _share(progress, len(vectors))
        )
        distance = squared / 2 if metric == "cosine" else np.ldexp(np.sqrt(squared), exponent)
        return Neighbors(_int64(index), distance, metric, includes_self=False)

    def search_among(
        self,
        items: Float[ndarray, "n d"],
        queries: Float[ndarray, "m d"],
        k: int,
        *,
        own: Int[ndarray, " m"],
        within: Float[ndarray, " m"],
        metric: Metric,
        progress: Progress | None = None,
    ) -> tuple[Int[ndarray, "m k"], Float[ndarray, "m k"]]:
        """Items and squared distances of the k nearest of each query; `NeighborEngine` says what the arguments are."""
        plain = _plain(items)
        index, squared, _ = _kernel.search_among(
            plain, np.ascontiguousarray(queries, dtype=plain.dtype), np.ascontiguousarray(own, dtype=np.longlong),
            np.ascontiguousarray(within, dtype=np.float64), k, metric == "cosine", self.threads or cores(),
            _share(progress, len(queries)),
        )  # fmt: skip
        return _int64(index), squared


def _plain(vectors: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    return np.ascontiguousarray(vectors, dtype=np.float64 if vectors.dtype == np.float64 else np.float32)


def _int64(index: ndarray) -> Int[ndarray, "m k"]:
    return index.view(np.int64)  # numpy knows two 64-bit integers, and C++ hands over the other one


def _share(progress: Progress | None, rows: int) -> Callable[[float], None] | None:
    return None if progress is None else lambda share: progress("neighbors", min(rows, int(share * rows)), rows)


def native_shared_entries(
    a: Int[ndarray, "n p"], b: Int[ndarray, "n q"], permutations: Int[ndarray, "draws n"], threads: int
) -> Int[ndarray, " draws"]:
    """`isthmus.neighbors.shared_entries` in C++."""
    first, second, orders = (np.ascontiguousarray(v, dtype=np.int32) for v in (a, b, permutations))
    return _int64(_kernel.shared_entries(first, second, orders, threads))[0]


def instruction_set() -> str:
    """The instruction set that the compiled engine runs on this processor: avx512vnni, avx512, avx2 or baseline.

    Raises:
        NeighborError: another name in ISTHMUS_KERNEL.
    """
    check_kernel()
    return str(_kernel.instruction_set())
