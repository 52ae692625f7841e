"""One HTML file that opens anywhere: the verdict, the bridge plane, the other figures, every item, and the numbers.

Figures are drawn once into the page as SVG, so that they need no script, no network and no viewer. Text of the data reaches
the page in three ways only: escaped by the template engine, escaped by the drawing, or in base64. A policy in the page's
head allows the one script that isthmus wrote, by its hash, and no request to anywhere.
"""

import base64
import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from isthmus.experiments import Audit, AuditRow, Results, beside_published, open_results, reopened
from isthmus.pairs import whole
from isthmus.report._answers import Answer, answers
from isthmus.report._drill import Packed, Ranking, clean, pack, rankings
from isthmus.report._figure import Figure, shortened
from isthmus.report._figures import audit_figures, run_figures
from isthmus.report._hubs import hub_curves
from isthmus.report._published import published_dots
from isthmus.report._rows import convention, facts
from isthmus.report._tables import ends
from isthmus.report._thumbnails import SIZES

MOST = 3_000_000
"""Bytes that a page may have; the lists of the items get what the rest leaves, and at least `_LEAST`."""
_LEAST = 300_000
_FIGURES = 1_900_000
_RANKINGS = 500_000
_LISTED = SIZES.index(40)  # the pictures of the rankings, as large as they are shown
_ROLES = re.compile(r' (?:role="graphics-[a-z]+"|aria-roledescription="[^"]*")')  # of marks: the drawing as a whole is named
_LINES = 300  # of a figure's data that stand in the page; its CSV holds all

_SECTIONS = (
    ("bridge-plane", "Plane", "The bridge plane", ""),
    ("parts", "Parts", "Where mapped neighbors come from",
     "A mapping that bridges has many neighbors that only the target has; one that echoes has those of its input."),
    ("overlap-over-k", "K", "More neighbors",
     "The overlaps move with K, and so does chance: read them against the line of chance."),
    ("overlap-over-n", "N", "More items",
     "At a fixed K the overlaps fall as items are added. Never compare raw values over different N."),
    ("learning", "Training", "While it learns", "What training does to the neighborhoods, epoch by epoch."),
    ("spread", "Spread", "How much it varies", "Each fold and each seed by itself."),
    ("published", "Published", "Published and ours", "What the paper printed beside what came out here."),
    ("hubs", "Hubs", "Hubs",
     "A few items that stand in very many neighbor lists raise an overlap beyond what structure alone would give."),
    ("other", "More", "More figures", ""),
)  # fmt: skip

_COLUMNS = (
    "input overlap", "target overlap", "from", "to", "echo rate", "bridge rate", "index", "low", "high",
    "shared", "echoed", "bridged", "novel", "p", "R2",
)  # fmt: skip


def write_page(
    audit: Audit, path: str | Path, figures: Sequence[Figure] | None = None, *, images: str | Path | None = None
) -> None:
    """Write an audit as one self-contained HTML file, whole or not at all; the same audit gives the same bytes.

    Args:
        audit: what to show; `isthmus.experiments.reopened` makes one of a run.
        path: the file.
        figures: to show instead of those of the audit.
        images: folder of pictures named by the items' ids, for thumbnails.

    Raises:
        DataError: a place that cannot be written, or pictures that cannot be used.
    """
    content = page(audit, figures, images=images).encode("utf-8", "replace")
    with whole(Path(path).resolve()) as part:  # through a symbolic link, to the file that it names
        part.write_bytes(content)


def write_run_page(folder: str | Path, path: str | Path, *, images: str | Path | None = None) -> Results:
    """Write what a folder of `isthmus run` holds as one page, also while it is incomplete.

    Args:
        folder: what `isthmus.experiments.run` wrote.
        path: the file.
        images: folder of pictures named by the items' ids, for thumbnails.

    Raises:
        DataError: no folder of a run, no cell done yet, or a place that cannot be written.
    """
    results = open_results(folder)
    audit = reopened(folder, results)
    figures = run_figures(results, audit.x_space, audit.y_space)
    for side in dict.fromkeys(row.direction for row in audit.detail.hubs):
        figures.append(hub_curves([row for row in audit.detail.hubs if row.direction == side], *ends(audit, side)))
    paper = audit.settings["paper"]
    figures += [] if paper is None else map(published_dots, beside_published(results, paper))
    write_page(audit, path, figures, images=images)
    return results


def page(audit: Audit, figures: Sequence[Figure] | None = None, *, images: str | Path | None = None) -> str:
    """The text of the page that `write_page` writes.

    Example:
        >>> import numpy as np
        >>> from isthmus import Pairs, audit
        >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> page(audit(Pairs(x, y, name="<b>"), ["ridge"], k=3, folds=2)).count("<b>")
        0
    """
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415

    from isthmus import __version__  # noqa: PLC0415

    names = {name: clean(getattr(audit, name)) for name in ("pairs", "x_space", "y_space")}  # of files, of any bytes
    audit = replace(audit, **names)
    figures = audit_figures(audit) if figures is None else figures
    pictures = _pictures(audit, images)
    ranked = rankings(audit)
    parts = {name: (files("isthmus.report") / "page" / f"page.{name}").read_text("utf-8") for name in ("html", "css", "js")}
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        parts["html"]
    )
    sections, left_out = _sections(figures)
    listed = _rankings(audit, ranked, pictures)
    about: dict[str, Any] = {
        "title": audit.pairs, "facts": facts(asdict(audit.rows[0])), "answers": [_capital(each) for each in answers(audit)],
        "notes": list(_notes(audit)), "sections": sections, "left_out": left_out,
        "columns": [*_COLUMNS, *(f"p against {name}" for name in audit.compared_with), "verdict"],
        "tables": list(_tables(audit)),
        "population": audit.rows[0].interval_population, "version": __version__, "style": parts["css"],
        "script": parts["js"], "policy": _policy(parts["css"], parts["js"]), "missing": _missing(audit),
        "rankings": listed, "unlisted": len(ranked) - len(listed), "pictures": pictures[_LISTED] if pictures else {},
    }  # fmt: skip
    bare = template.render(**about, drill=None)
    if not audit.neighborhoods:
        return bare
    room = MOST - len(template.render(**about, drill=_Drill("", "", 0)).encode("utf-8", "replace")) - 1000
    packed = pack(audit, max(room, _LEAST), ranked, pictures)
    return template.render(**about, drill=_Drill(packed.text, _said(audit, packed), packed.items))


@dataclass(frozen=True, slots=True)
class _Drill:
    text: str
    said: str
    total: int


def _said(audit: Audit, packed: Packed) -> str:
    """What is in the lists of the page, and what is not."""
    lists = audit.neighborhoods[0]
    setting = {"k": lists.k, "metric": lists.metric, "include_self": lists.include_self}
    said = f"N={packed.items:,} items, each among those of its own test set; {convention(setting)}."
    if audit.settings.get("seeds", 1) != 1:
        said += " Lists are of the first seed."
    if packed.shown < packed.items:
        said += (
            f" To keep this file small it holds {packed.shown:,} of the {packed.items:,} items, drawn at random, "
            "compressed; the rankings below are of all items."
        )
    else:
        said += f" All {packed.items:,} items are in this file, compressed."
    return said


def _policy(style: str, script: str) -> str:
    """The one style and the one script are allowed by their hashes, pictures from the page itself, and nothing else."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _capital(answer: Answer) -> dict[str, str]:
    return {
        "source": shortened(answer.source), "target": shortened(answer.target),
        "subject": answer.subject[:1].upper() + answer.subject[1:],
        "finding": answer.finding, "why": answer.why, "tone": answer.tone,
    }  # fmt: skip


def _notes(audit: Audit) -> Iterator[str]:
    """What a reader of an unfinished or wounded run has to know before anything else."""
    bare = [row.k for row in audit.rows if not math.isnan(row.bridge_index) and math.isnan(row.bridge_index_low)]
    if bare:
        yield (
            f"No intervals at K={', '.join(map(str, dict.fromkeys(bare)))}: half of a test set has fewer than 2K items. Use "
            "a smaller K or fewer folds."
        )
    planned, done = audit.settings.get("planned", 0), audit.settings.get("done", 0)
    if done < planned:
        yield f"{planned - done} of the {planned} cells of this run are missing; `isthmus run` goes on where it stopped."
    if audit.settings.get("diverged"):
        yield f"{audit.settings['diverged']} trainings diverged and are left out of all figures."
    if audit.settings.get("without_neighbors") and audit.neighborhoods:
        yield (
            f"{audit.settings['without_neighbors']} cells were written by an older isthmus and hold no neighbor lists: the "
            "rankings and the search leave their items out."
        )


def _missing(audit: Audit) -> str:
    """Why there is nothing to look up."""
    if audit.settings.get("without_neighbors"):
        return (
            "Items cannot be looked up here: the cells of this run were written by an older isthmus, which kept no neighbor "
            "lists. Remove the folder's cells and run it again, then report."
        )
    return "Items cannot be looked up here: no mapping is done yet, so there are no neighbor lists."


def _pictures(audit: Audit, images: str | Path | None) -> list[dict[int, str]]:
    if images is None:
        return []
    from isthmus.report._thumbnails import thumbnails  # noqa: PLC0415 - needs Pillow

    return thumbnails(images, audit.ids)


def _rankings(audit: Audit, ranked: Sequence[Ranking], pictures: Sequence[dict[int, str]]) -> list[dict[str, Any]]:
    """The rankings, that of the best mapping of the first direction open; of many, as many as fit."""
    small = pictures[_LISTED] if pictures else {}
    first = audit.neighborhoods[0].direction if audit.neighborhoods else None
    best = audit.best(first).mapping if first is not None else None
    found, room = [], _RANKINGS
    for each, of in zip(ranked, audit.neighborhoods, strict=True):
        is_open = (of.direction, of.mapping) == (first, best)
        room -= each.size + sum(len(small.get(item.row, "")) for item in (*each.best, *each.worst))
        if is_open or room >= 0:
            found.append({
                **{name: getattr(each, name) for name in ("key", "title", "best", "worst", "labels", "more_labels")},
                "count": f"{len(of.items):,}", "open": is_open,
            })  # fmt: skip
    return found


def _sections(figures: Sequence[Figure]) -> tuple[list[dict[str, Any]], int]:
    """The figures under their headings, in the order of `_SECTIONS`, and how many were left out for want of room.

    Figures of the first k and metric stand open, those of others are folded away, as many as fit: the former go first. Of
    figures with one name, learning curves of several folds for instance, the first is taken.
    """
    groups: dict[str, list[Figure]] = {name: [] for name, *_ in _SECTIONS}
    for figure in {figure.name: figure for figure in reversed(figures)}.values():
        groups[next((name for name in groups if figure.name.startswith(name)), "other")].insert(0, figure)
    sections: list[dict[str, Any]] = []
    queue: list[tuple[bool, dict[str, Any], Figure]] = []
    for name, short, title, intro in _SECTIONS:
        if groups[name]:
            first = _setting(groups[name][0])
            section: dict[str, Any] = {"id": name, "short": short, "title": title, "intro": intro, "lead": not sections}
            section |= {"parts": [], "others": []}
            queue += [(_setting(each) != first, section, each) for each in groups[name]]
            sections.append(section)
    room, left_out = _FIGURES, 0
    for number, (folded, section, figure) in enumerate(sorted(queue, key=itemgetter(0))):
        part = _part(figure, narrow=not folded)
        room -= _size(part)
        if room < 0:
            left_out = len(queue) - number
            break
        section["others" if folded else "parts"].append(part)
    return [section for section in sections if section["parts"]], left_out


def _size(part: dict[str, Any]) -> int:
    return len(part["svg"]) + len(part["narrow"]) + len(part["csv"]) + 60 * sum(map(len, part["lines"]))


def _setting(figure: Figure) -> str:
    """Metric, k and self convention of a figure, which follow the direction in its name."""
    return re.sub(r"^.*-(x-y|y-x)", "", figure.name) if re.search("-(x-y|y-x)", figure.name) else ""


def _part(figure: Figure, *, narrow: bool) -> dict[str, Any]:
    """A figure as the template wants it; drawn twice, for a narrow screen too, where that is asked for and of use."""
    columns = list(figure.records[0]) if figure.records else []
    lines = [[_cell(record.get(name)) for name in columns] for record in figure.records[:_LINES]]
    return {
        "id": re.sub("[^a-z0-9]+", "-", figure.name.lower()), "title": figure.title, "caption": figure.caption,
        "svg": _ROLES.sub("", figure.svg("currentColor")),
        "narrow": _ROLES.sub("", figure.svg("currentColor", narrow=True)) if narrow and figure.is_wide else "",
        "csv": "data:text/csv;charset=utf-8," + quote(figure.csv(), errors="replace"),
        "columns": [
            {"text": name.replace("_", " "), "number": any(line[place]["number"] for line in lines)}
            for place, name in enumerate(columns)
        ],
        "lines": lines,
        "more": max(0, len(figure.records) - _LINES),
    }  # fmt: skip


def _cell(value: Any) -> dict[str, Any]:
    if isinstance(value, float):
        return {"text": "" if value != value else f"{value:.4g}", "number": True}  # noqa: PLR0124 - nan
    return {"text": "" if value is None else str(value), "number": isinstance(value, int) and not isinstance(value, bool)}


def _tables(audit: Audit) -> Iterator[dict[str, Any]]:
    for (direction, metric, k), group in groupby(audit.ranked(), key=lambda row: (row.direction, row.metric, row.k)):
        rows = list(group)
        source, target = ends(audit, direction)
        yield {
            "title": f"{source} → {target}, K={k}, {metric}",
            "caption": f"{facts(asdict(rows[0]))} Baseline overlap of the two spaces: {rows[0].baseline_overlap:.3f}. "
            + audit.reading,
            "lines": [_cells(row, audit.compared_with) for row in rows],
        }


def _cells(row: AuditRow, compared_with: list[str]) -> list[str]:
    overlaps = (row.input_overlap, row.target_overlap, row.target_overlap_low, row.target_overlap_high)
    rates = (*overlaps, row.echo_rate, row.bridge_rate)
    signed = (row.bridge_index, row.bridge_index_low, row.bridge_index_high)
    counts = (row.shared, row.echoed, row.bridged, row.novel)
    return [
        row.mapping, *(_form(value, ".3f") for value in rates), *(_form(value, "+.3f") for value in signed),
        *(_form(value, ".2f") for value in counts), _form(row.p_value, ".2g"), _form(row.r2, ".3f"),
        *(_form(getattr(row, f"p_against_{name}"), ".2g") for name in compared_with),
        row.verdict if row.role == "mapping" else "(control)",
    ]  # fmt: skip


def _form(value: float | None, form: str) -> str:
    return "" if value is None or value != value else format(value, form)  # noqa: PLR0124 - nan
