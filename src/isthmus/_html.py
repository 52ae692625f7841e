"""How a result shows itself in a notebook: a line and a table of escaped HTML, from records alone.

It stands at the bottom of the layers, so that results need nothing of `isthmus.report` to show themselves. Texts of the
data, such as ids and labels, are shown as text whatever they hold. The style is the notebook's own, light or dark.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isnan
from typing import Any

_MOST_ROWS, _MOST_LETTERS = 40, 80


def html_table(
    title: str, records: Sequence[Mapping[str, Any]], columns: Mapping[str, str] | Iterable[str] = (), note: str = ""
) -> str:
    """A caption, a table of records, and a note, as HTML. Long tables and texts are cut, and say so.

    Args:
        title: above the table.
        records: flat, one a row.
        columns: keys to show and their headings, or keys alone; those of the first record if left out.
        note: below the table.

    Example:
        >>> print(html_table("Two <items>", [{"id": "a&b", "value": 0.5}]))
        <table><caption>Two &lt;items&gt;</caption><thead><tr><th>id</th><th>value</th></tr></thead><tbody>
        <tr><td style="text-align:left">a&amp;b</td><td>0.5</td></tr>
        </tbody></table>
    """
    keys = columns or (records[0] if records else ())
    heads = columns if isinstance(columns, Mapping) else {key: key for key in keys}
    head = "".join(f"<th>{escape(name)}</th>" for name in heads.values())
    rows = "\n".join(f"<tr>{''.join(_cell(record.get(key)) for key in heads)}</tr>" for record in records[:_MOST_ROWS])
    more = f"{len(records) - _MOST_ROWS} more rows are not shown." if len(records) > _MOST_ROWS else ""
    below = escape(" ".join(part for part in (more, note) if part))
    table = f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"
    return table + (f"<p>{below}</p>" if below else "")


def _cell(value: Any) -> str:
    if isinstance(value, str):
        text = value if len(value) <= _MOST_LETTERS else f"{value[:_MOST_LETTERS]}…"
        return f'<td style="text-align:left">{escape(text)}</td>'
    return f"<td>{escape(_number(value))}</td>"


def _number(value: Any) -> str:
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
