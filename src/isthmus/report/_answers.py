"""The answer of an audit in words, one a direction, in pieces that a terminal and a page join in their own way."""

import math
from dataclasses import dataclass

from isthmus._errors import MappingError
from isthmus.experiments import Audit


@dataclass(frozen=True, slots=True)
class Answer:
    """What the best mapping of a direction does.

    Args:
        source, target: the two spaces.
        subject: who, as the start of a sentence.
        finding: what it does, as the rest of the sentence.
        why: the rates that say so, in a sentence; empty where there is no more to say.
        tone: "bridges", "echoes" or "open", for the look of it.
    """

    source: str
    target: str
    subject: str
    finding: str
    why: str
    tone: str


_PHRASES = {
    "carries the target": ("carries the target", "bridges"),
    "echoes the input": ("echoes the input", "echoes"),
    "no better than untrained": ("is no better than untrained", "echoes"),
    "undecided": ("leaves it undecided whether it carries the target or echoes the input", "open"),
}


def answers(audit: Audit) -> list[Answer]:
    """One answer a direction: the mapping with the highest bridge rate, at the first k and metric, and its verdict.

    Example:
        >>> import numpy as np
        >>> from isthmus import Pairs, audit
        >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> answers(audit(Pairs(x, y), ["ridge"], k=3, folds=2))[0].subject
        'the mapping that bridges most, ridge,'
    """
    found = []
    for direction in dict.fromkeys(row.direction for row in audit.rows):
        ends = (audit.x_space, audit.y_space) if direction == "x->y" else (audit.y_space, audit.x_space)
        try:
            best = audit.best(direction)
        except MappingError:  # of a run that has come no further
            found.append(Answer(*ends, "only controls are done,", "no mapping yet", "", "open"))
            continue
        if math.isnan(best.bridge_rate):
            found.append(Answer(*ends, "both have the same neighbors,", "so there is nothing to bridge", "", "open"))
            continue
        name = "the given mapping" if best.mapping == "given" else f"the mapping that bridges most, {best.mapping},"
        twin = "" if best.gain is None else f" (its untrained twin: {best.bridge_rate - best.gain:.0%})"
        finding, tone = _PHRASES[best.verdict]
        why = (
            f"It keeps {best.echo_rate:.0%} of the neighbors that only its input has and recovers {best.bridge_rate:.0%} of "
            f"those that only the target has{twin}."
        )
        found.append(Answer(*ends, name, finding, why, tone))
    return found
