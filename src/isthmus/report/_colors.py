"""Colors and shapes that stay the same through all figures.

A mapping keeps its color, its untrained twin has the same one, hollow; the first colors are those of Okabe and Ito, told
apart without color vision. All have a contrast of 3 or more to white and to near black, so that one drawing serves a light
and a dark page. Names stand beside the marks: no figure is read by color alone.
"""

from collections.abc import Iterable

from isthmus.mappings import FAMILY
from isthmus.report._figure import INK

COLORS = (
    "#0072B2", "#D55E00", "#009E73", "#C2569B", "#A87900", "#7C65C9", "#1F8FC0", "#A8534A", "#6F8A00", "#00878C",
)  # fmt: skip
PARTS = {"shared": "#7062BD", "echoed": "#A86600", "bridged": "#00836B", "novel": "#737373"}
"""Of the four parts of a mapped neighborhood, dark enough for white numbers."""


def colors(names: Iterable[str]) -> dict[str, str]:
    """A color for each mapping or control: the family's are fixed, other names take what is left, in their order.

    Example:
        >>> found = colors(["identity", "untrained-nn", "nn", "given"])
        >>> found["nn"] == found["untrained-nn"] != found["given"]
        True
    """
    fixed = {name: COLORS[number % len(COLORS)] for number, name in enumerate(FAMILY)}
    names = list(dict.fromkeys(names))
    plain = list(dict.fromkeys(name.removeprefix("untrained-") for name in names if name != "identity"))
    used = [fixed[name] for name in plain if name in fixed]
    left = [color for color in COLORS if color not in used] or list(COLORS)
    others = [name for name in plain if name not in fixed]
    fixed |= {name: left[number % len(left)] for number, name in enumerate(others)}
    return {name: INK if name == "identity" else fixed[name.removeprefix("untrained-")] for name in names}
