"""Where to write names beside points so that they can be read: Vega-Lite leaves labels where they collide."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

Box = tuple[float, float, float, float]
_LETTER, _LINE = 6.7, 14.0  # of a 12-pixel sans-serif


class Label(NamedTuple):
    """A name, the left end and the middle of its line in pixels, and where a line from its point ends, if it has one."""

    text: str
    left: float
    middle: float
    end: tuple[float, float] | None


def place_labels(
    points: Sequence[tuple[float, float]], texts: Sequence[str], size: tuple[float, float], taken: Sequence[Box] = ()
) -> list[Label]:
    """Places for the names of points, one after the other, each where it covers least of what stands already.

    A name may go beyond the right side, where the figure grows with it.

    Args:
        points: in pixels, in a panel from (0, 0) to its size.
        texts: a name each.
        size: width and height of the panel.
        taken: boxes (left, top, right, bottom) to keep clear of, such as other text and error bars.

    Example:
        >>> [round(label.middle) for label in place_labels([(10.0, 50.0), (12.0, 52.0)], ["a", "b"], (100.0, 100.0))]
        [37, 65]
    """
    boxes = [*taken, *((x - 6, y - 6, x + 6, y + 6) for x, y in points)]
    labels = []
    for (x, y), text in zip(points, texts, strict=True):
        wide = _LETTER * len(text)
        places = []
        for distance, (dx, dy) in product((11.0, 20.0, 32.0, 46.0, 62.0), _AROUND):
            left, middle = x + dx * distance - wide * (1 - dx) / 2, y + dy * (distance + 2)
            box = (left, middle - _LINE / 2, left + wide, middle + _LINE / 2)
            beyond = (
                8 * (max(0.0, -box[0]) + max(0.0, -box[1]) + max(0.0, box[3] - size[1])) + max(0.0, box[2] - size[0]) / 2
            )
            places.append((beyond + distance / 2 + sum(_common(box, other) for other in boxes), distance, box))
        _, distance, box = min(places)
        end = (min(max(x, box[0]), box[2]), box[3] if box[3] < y else min(y, box[1] + _LINE / 2) if box[1] < y else box[1])
        labels.append(Label(text, box[0], (box[1] + box[3]) / 2, end if distance > 20 else None))
        boxes.append(box)
    return labels


_AROUND = ((1, 0), (0, -1), (0, 1), (-1, 0), (1, -1), (1, 1), (-1, -1), (-1, 1))


def _common(a: Box, b: Box) -> float:
    """Pixels that two boxes share."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def spread_labels(heights: Sequence[float], size: float, line: float = _LINE) -> list[float]:
    """Heights of names at the ends of lines, moved apart so that they can be read, in the order of the lines.

    Args:
        heights: of the ends, in pixels from the top.
        size: of the panel.
        line: height of a name.

    Example:
        >>> spread_labels([50.0, 52.0, 90.0], 100.0, line=10.0)
        [46.0, 56.0, 90.0]
    """
    groups: list[list[int]] = []
    middle: list[float] = []
    for position in sorted(range(len(heights)), key=lambda each: heights[each]):
        groups.append([position])
        middle.append(heights[position])
        # two groups that would touch become one, around the mean of their ends
        while len(groups) > 1 and middle[-1] - middle[-2] < line * (len(groups[-1]) + len(groups[-2])) / 2:
            groups[-2:] = [groups[-2] + groups[-1]]
            half = line * len(groups[-1]) / 2
            mean = sum(heights[each] for each in groups[-1]) / len(groups[-1])
            middle[-2:] = [min(max(mean, half), max(size - half, half))]
    found = [0.0] * len(heights)
    for group, center in zip(groups, middle, strict=True):
        for rank, position in enumerate(group):
            found[position] = center + line * (rank - (len(group) - 1) / 2)
    return found
