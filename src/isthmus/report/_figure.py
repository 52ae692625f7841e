"""A figure: a chart with the words and the numbers that it was drawn from, which shows and saves itself.

Charts are drawn without a viewer, so that a figure needs no script and no network: as SVG whose texts and axes take the
color of the page around it, or one that can be read on light and on dark; as PNG on white; as the table of its data.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from isthmus._errors import DataError
from isthmus.pairs import whole

INK = "#767676"
"""Of texts, axes and grids: a gray with a contrast of 4.5 to white and to near black."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A chart, what it shows in plain words, and its data.

    Args:
        name: short and fit for a file, such as "bridge-plane".
        title: one line.
        caption: what is plotted, with N, K, metric and self convention.
        chart: an Altair chart, without colors of texts and axes: those are put in when it is drawn.
        records: the data, flat records with the same keys.

    Example:
        >>> import altair as alt
        >>> values = [{"k": 1, "mNNO": 0.1}, {"k": 2, "mNNO": 0.3}]
        >>> chart = alt.Chart(alt.InlineData(values)).mark_line().encode(x="k:Q", y="mNNO:Q")
        >>> figure = Figure("curve", "A curve", "mNNO over K.", chart, values)
        >>> figure
        Figure('curve': A curve)
        >>> figure.csv().splitlines()
        ['k,mNNO', '1,0.1', '2,0.3']
        >>> "currentColor" in figure.svg("currentColor")
        True
    """

    name: str
    title: str
    caption: str
    chart: Any
    records: Sequence[dict[str, Any]]

    @property
    def is_wide(self) -> bool:
        """Whether it is drawn otherwise for a narrow screen: panels stand side by side, or one is wide."""
        width = getattr(self.chart, "width", None)
        return hasattr(self.chart, "hconcat") or (isinstance(width, int | float) and width > _NARROW)

    def svg(self, ink: str = INK, *, narrow: bool = False) -> str:
        """The chart as SVG text, transparent, to stand in a file or in a page.

        Args:
            ink: color of texts, axes and grid; "currentColor" takes that of the page the SVG is put into.
            narrow: for a narrow screen, panels one below the other and a single one less wide.
        """
        import vl_convert  # noqa: PLC0415 - heavy, and only pages and files need it

        spec = self._spec(INK)
        if narrow and self.is_wide:
            spec |= {"vconcat": spec.pop("hconcat"), "spacing": 20} if "hconcat" in spec else {"width": _NARROW}
        drawn = vl_convert.vegalite_to_svg(spec).replace(f'"{INK}"', f'"{ink}"')
        # Ids are of the whole page that the SVG is put into, where other figures have theirs.
        own = re.sub("[^a-z0-9]+", "-", self.name.lower()) + "-narrow" * narrow
        drawn = re.sub(r'(id="|url\(#)', rf"\g<1>{own}-", drawn)
        label = escape(readable(f"{self.title}. {self.caption}"))
        return drawn.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)

    def png(self, scale: float = 2.0) -> bytes:
        """The chart as a PNG image on white.

        Args:
            scale: pixels for a unit of length of the SVG.
        """
        import vl_convert  # noqa: PLC0415 - heavy

        return vl_convert.vegalite_to_png(self._spec(ink="#333333", background="#ffffff"), scale=scale)

    def csv(self) -> str:
        """The data: a header and a line a record; what is not defined is empty."""
        import polars as pl  # noqa: PLC0415 - heavy

        return pl.DataFrame(list(self.records), infer_schema_length=None).write_csv()

    def save(self, path: str | Path) -> None:
        """Write the figure, whole or not at all, as its ending says: .svg, .png, .csv, or .json, the chart as Vega-Lite.

        Raises:
            DataError: another ending, or a place that cannot be written.
        """
        import msgspec  # noqa: PLC0415

        forms: dict[str, Callable[[], bytes]] = {
            ".svg": lambda: self.svg().encode(), ".png": self.png, ".csv": lambda: self.csv().encode(),
            ".json": lambda: msgspec.json.encode(self._spec(INK)),
        }  # fmt: skip
        path = Path(path)
        if path.suffix.lower() not in forms:
            raise DataError(
                f"path: needed a file ending in {', '.join(forms)}, got {str(path)!r}. Name it {self.name}.svg, say."
            )
        content = forms[path.suffix.lower()]()
        with whole(path) as part:
            part.write_bytes(content)

    def _spec(self, ink: str, background: str | None = None) -> dict[str, Any]:
        return _readable(self.chart.to_dict()) | {"background": background, "config": _config(ink)}

    def _repr_html_(self) -> str:
        caption = escape(readable(self.caption))
        return f'<figure style="margin:0">{self.svg("currentColor")}<figcaption>{caption}</figcaption></figure>'

    def __repr__(self) -> str:
        return f"Figure({self.name!r}: {self.title})"


def readable(text: str) -> str:
    """A text of the data without signs that cannot be seen, such as those that turn the direction of what follows.

    Example:
        >>> readable("a\u202eb")
        'a\ufffdb'
    """
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)


def shortened(name: str) -> str:
    """A name as charts show it. Vega would cut a long one itself, and fails where that parts an emoji.

    Example:
        >>> shortened(50 * "x" + "end")
        'xxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxend'
    """
    return name if len(name) <= _LONGEST else f"{name[:24]}…{name[-15:]}"


_LONGEST = 40
_NARROW = 240  # pixels of a panel on a phone, beside the names on its axis
_OF_DATA = ("values", "domain", "sort")


def _readable(part: Any, *, data: bool = False) -> Any:
    """A chart with readable texts everywhere and short ones where they come from the data."""
    if isinstance(part, dict):
        return {key: _readable(value, data=data or key in _OF_DATA) for key, value in part.items()}
    if isinstance(part, list):
        return [_readable(value, data=data) for value in part]
    if isinstance(part, str):
        return shortened(readable(part)) if data else readable(part)
    return part


def _config(ink: str) -> dict[str, Any]:
    text = {
        "labelColor": ink,
        "titleColor": ink,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 0,
    }
    return {
        "aria": False,  # the whole drawing has one label; its numbers stand in the table of the figure
        "view": {"stroke": None},
        "axis": text | {"gridColor": ink, "gridOpacity": 0.18, "domainColor": ink, "tickColor": ink},
        "legend": text,
        "header": text | {"labelFontSize": 13},
        "title": {"color": ink, "subtitleColor": ink, "fontSize": 14, "anchor": "start", "fontWeight": "bold"},
        "text": {"color": ink, "fontSize": 12},
        "rule": {"color": ink},
    }
