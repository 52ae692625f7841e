from collections.abc import Callable
from typing import Any

def search(
    items: Any, k: int, cosine: bool, threads: int, report: Callable[[float], None] | None = None
) -> tuple[Any, Any, int]: ...
def search_among(
    items: Any,
    queries: Any,
    own: Any,
    within: Any,
    k: int,
    cosine: bool,
    threads: int,
    report: Callable[[float], None] | None = None,
) -> tuple[Any, Any, int]: ...
def shared_entries(a: Any, b: Any, permutations: Any, threads: int) -> Any: ...
def instruction_set() -> str: ...
