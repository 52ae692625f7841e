"""Limits that a measured result has to keep, for pipelines that stop where it does not.

By default the estimate is compared, which is what a reader of the number expects. `sure` compares the end of its 95 %
interval on the other side of the limit, so that chance alone does not let a result pass.
"""

from collections.abc import Mapping
from math import isnan
from typing import Any, Literal, NamedTuple

from isthmus._errors import NeighborError
from isthmus.measures._bridge import Bridge, Quantity
from isthmus.measures._overlap import OverlapResult

Bound = Literal["min", "max"]
"""Whether a limit is a least or a largest value."""
Limited = Quantity | Literal["overlap"]
"""What a limit can be set on."""


class Kept(NamedTuple):
    """A limit, what was measured, and whether it keeps the limit.

    Args:
        quantity: what is limited.
        bound: "min" where it must not be smaller, "max" where it must not be larger.
        limit: how small or large it may be.
        value: the estimate.
        low, high: ends of its 95 % interval, nan where there is none.
        kept: whether the limit is kept.
    """

    quantity: Limited
    bound: Bound
    limit: float
    value: float
    low: float
    high: float
    kept: bool

    def record(self) -> dict[str, Any]:
        """As one flat record."""
        return self._asdict()


def keeps(
    result: OverlapResult | Bridge,
    limits: Mapping[tuple[Quantity | Literal["overlap"], Bound], float],
    *,
    sure: bool = False,
) -> list[Kept]:
    """Does a result keep limits?

    Args:
        result: of `overlap` or `bridge`.
        limits: the limit of each quantity and bound: "overlap" of an overlap, the quantities of a bridge.
        sure: whether the whole 95 % interval has to keep the limit, not only the estimate.

    Returns:
        One entry a limit, in the order given.

    Raises:
        NeighborError: a limit that is no number, or that the quantity cannot have, a quantity that the result has not, or
            `sure` where there is no interval, for want of items.

    Example:
        >>> from isthmus.measures import overlap
        >>> x = np.random.default_rng(0).normal(size=(200, 6))
        >>> [(each.value, each.kept) for each in keeps(overlap(x, 2 * x), {("overlap", "min"): 0.9})]
        [(1.0, True)]
    """
    halves = result.half_samples() if isinstance(result, Bridge) and limits else None
    found = []
    for (quantity, bound), limit in limits.items():
        least = -1 if quantity == "index" else 0
        if not least <= limit <= 1:
            raise NeighborError(f"{bound} {quantity}: needed a number from {least} to 1, got {limit}. Choose another.")
        if isinstance(result, OverlapResult) and quantity == "overlap":
            interval = result.interval()
        elif isinstance(result, Bridge) and quantity != "overlap":
            interval = result.interval(quantity, samples=halves)
        else:
            what = "overlap" if isinstance(result, OverlapResult) else "quantities of a bridge"
            raise NeighborError(f"{bound} {quantity}: needed a limit on {what}, got one on {quantity}. Leave it out.")
        value, low, high = interval.estimate, interval.low, interval.high
        if sure and isnan(low):
            raise NeighborError(
                f"sure: needed an interval, got none from {result.n} items at k={result.k}. Give more items or a smaller k."
            )
        judged = (low if bound == "min" else high) if sure else value
        kept = bool(judged >= limit if bound == "min" else judged <= limit)
        found.append(Kept(quantity, bound, limit, value, low, high, kept))
    return found
