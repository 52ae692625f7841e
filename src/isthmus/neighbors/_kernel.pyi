from collections.abc import Callable

from numpy import ndarray

def search(
    vectors: ndarray, k: int, cosine: bool, threads: int, report: Callable[[float], object] | None = None
) -> tuple[ndarray, ndarray, int]: ...
def instruction_set() -> str: ...
