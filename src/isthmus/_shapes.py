"""Array types with their shapes in the annotation, checked at run time in the tests only.

n items, d dimensions (dx of the input, dy of the target), k neighbors, m items of a second set.
"""

from collections.abc import Callable

from jaxtyping import Bool, Float, Int, UInt8, UInt64
from numpy import ndarray

Progress = Callable[[str, int, int], None]
"""Called as progress(what, done, total) from the calling thread; raise in it to stop."""

__all__ = ["Bool", "Float", "Int", "Progress", "UInt8", "UInt64", "ndarray"]
