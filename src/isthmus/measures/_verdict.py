"""The answer in words, from rules that anyone can check against the numbers beside it.

1. "no better than untrained": the mapping's bridge rate is not above that of its untrained twin (the lower end of the
   paired interval of the difference is at or below 0). Only trained or given mappings have a twin.
2. "echoes the input": the whole interval of the bridge index lies below 0.
3. "carries the target": the whole interval of the bridge index lies above 0.
4. "undecided": the interval of the bridge index holds 0, or there is none.
"""

from typing import Literal

from isthmus.statistics import Interval

Verdict = Literal["echoes the input", "undecided", "carries the target", "no better than untrained"]
"""What an audit says of a mapping."""


def verdict(index: Interval, gain: Interval | None = None) -> Verdict:
    """The verdict on a mapping.

    Args:
        index: the bridge index with its interval.
        gain: bridge rate of the mapping less that of its untrained twin; None where there is no twin to compare with.

    Example:
        >>> verdict(Interval.around(-0.4, 0.05))
        'echoes the input'
        >>> verdict(Interval.around(0.3, 0.05), gain=Interval.around(0.01, 0.02))
        'no better than untrained'
    """
    if gain is not None and gain.low <= 0:
        return "no better than untrained"
    if index.high < 0:
        return "echoes the input"
    if index.low > 0:
        return "carries the target"
    return "undecided"
