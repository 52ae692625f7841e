"""One HTML file that opens anywhere: the answer, the bridge plane, and the numbers behind it.

The figure is drawn once into the page as SVG, so that it needs no script, no network and no viewer; text from the data is
escaped by the template engine and by the drawing alike.
"""

from pathlib import Path

from isthmus.experiments import Audit, AuditRow
from isthmus.pairs import whole
from isthmus.report._plane import bridge_plane
from isthmus.report._tables import audit_answer, ends

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>isthmus: {{ audit.pairs }}</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
  .answer { font-size: 1.15rem; }
  figure { margin: 1.5rem 0; overflow-x: auto; }
  figure svg { max-width: 100%; height: auto; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #8886; }
  th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
</style>
</head>
<body>
<h1>{{ audit.pairs }}</h1>
{% for sentence in answer %}<p class="answer">{{ sentence }}</p>
{% endfor %}
{% for part in parts %}
<h2>{{ part.title }}</h2>
<figure>{{ part.svg | safe }}
<figcaption>The bridge plane: how many of the neighbors that only the input has a mapping keeps (echo rate), and how many of
those that only the target has it recovers (bridge rate). The identity stands at (1, 0), a perfect mapping at (0, 1), noise
at (chance, chance). {{ part.caption }}</figcaption></figure>
<div class="scroll"><table>
<tr><th scope="col">mapping</th>{% for name in columns %}<th scope="col">{{ name }}</th>{% endfor %}</tr>
{% for cells in part.cells %}<tr>{% for cell in cells %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table></div>
{% endfor %}
<p>Made by isthmus {{ version }}. Interval: 95 %, half-samples, about {{ population }}.</p>
</body>
</html>
"""

_COLUMNS = (
    "input overlap", "target overlap", "echo rate", "bridge rate", "index", "low", "high",
    "shared", "echoed", "bridged", "novel", "p", "R2", "verdict",
)  # fmt: skip


def write_page(audit: Audit, path: Path) -> None:
    """Write the audit as one self-contained HTML file, whole or not at all.

    Raises:
        DataError: a place that cannot be written.
    """
    from itertools import groupby  # noqa: PLC0415

    from jinja2 import Environment  # noqa: PLC0415

    from isthmus import __version__  # noqa: PLC0415

    parts = []
    for (direction, metric, k), group in groupby(audit.rows, key=lambda row: (row.direction, row.metric, row.k)):
        rows = list(group)
        first = rows[0]
        self_word = "included" if first.include_self else "excluded"
        source, target = ends(audit, direction)
        parts.append(
            {
                "title": f"{source} → {target}, K={k}, {metric}",
                "svg": bridge_plane(rows, source, target).svg("currentColor"),
                "caption": (
                    f"N={first.n_test} test items, neighbors among {first.n_neighborhood}, K={k}, {metric}, self "
                    f"{self_word}; baseline overlap {first.baseline_overlap:.3f}, chance {first.chance:.3f}."
                ),
                "cells": [_cells(row) for row in rows],
            }
        )
    html = (
        Environment(autoescape=True)
        .from_string(_PAGE)
        .render(
            audit=audit,
            answer=audit_answer(audit).splitlines(),
            parts=parts,
            columns=_COLUMNS,
            version=__version__,
            population=audit.rows[0].interval_population,
        )
    )
    path = path.resolve()  # through a symbolic link, to the file that it names
    with whole(path) as part:
        part.write_text(html, encoding="utf-8")


def _cells(row: AuditRow) -> list[str]:
    rates = (row.input_overlap, row.target_overlap, row.echo_rate, row.bridge_rate)
    signed = (row.bridge_index, row.bridge_index_low, row.bridge_index_high)
    counts = (row.shared, row.echoed, row.bridged, row.novel)
    return [
        row.mapping, *(f"{value:.3f}" for value in rates), *(f"{value:+.3f}" for value in signed),
        *(f"{value:.2f}" for value in counts), f"{row.p_value:.2g}", "" if row.r2 is None else f"{row.r2:.3f}",
        row.verdict if row.role == "mapping" else "(control)",
    ]  # fmt: skip
