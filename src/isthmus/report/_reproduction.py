"""A table of the paper beside ours: for a terminal, and as Markdown, LaTeX and CSV.

All of them show the same cells, made once as text: a line for each pair of input and target overlap. No number is in bold,
as the larger of a pair is in the paper; the remarks below say how often it is which.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from isthmus.experiments import ReproducedOverlap, Reproduction

_SHORT = {"image->text": "I->T", "text->image": "T->I"}
_HEAD = ("set", "direction", "model", "image", "text")
_GROUPS = ("input", "target", "input, no self", "target, no self")
_KINDS = ("published", "ours", "difference")


def reproduction_tables(result: Reproduction) -> list[Table]:
    """For a terminal, with self as printed and then without: published, ours and difference of input and target overlap."""
    tables = []
    for convention, first in (("with self, as printed", 0), ("without self", 6)):
        table = Table(title=Text(f"{_title(result)}; {convention}"))
        for name in _HEAD:
            table.add_column(name, overflow="fold")
        for group in ("input", "target"):
            for kind in _KINDS:
                table.add_column(f"{group}\n{kind}", justify="right", overflow="fold")
        last = result.rows[0].set
        for row, cells in zip(result.rows[::2], _cells(result), strict=True):
            if row.set != last:
                table.add_section()
            last = row.set
            names, numbers = cells[: len(_HEAD)], cells[len(_HEAD) :]
            table.add_row(*map(Text, [*names, *numbers[first : first + 6]]))
        tables.append(table)
    tables[-1].caption, tables[-1].caption_justify = Text(_caption(result)), "left"
    return tables


def reproduction_text(result: Reproduction, form: str) -> str:
    """The table as "markdown", "latex" (a booktabs-free tabular) or "csv" (every field of the records).

    Example:
        >>> from isthmus.experiments import reproduce
        >>> print(reproduction_text(reproduce(1), "csv").splitlines()[1][:57])
        1,imagenet,image->text,lin,resnet,glove,mse,cosine,input,
    """
    return _FORMS[form](result)


def _markdown(result: Reproduction) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    head = [*_HEAD, *_numbers()]
    rule = ["---"] * len(_HEAD) + ["---:"] * len(_numbers())
    body = [line(cells) for cells in _cells(result)]
    remarks = "\n".join(f"- {remark}" for remark in (_caption(result), *result.remarks))
    return "\n".join([f"**{_title(result)}**", "", line(head), line(rule), *body, "", remarks, ""])


def _latex(result: Reproduction) -> str:
    groups = " & ".join([*[""] * len(_HEAD), *(rf"\multicolumn{{3}}{{c}}{{{escaped(group)}}}" for group in _GROUPS)])
    head = " & ".join([*_HEAD, *_KINDS * len(_GROUPS)])
    lines = [" & ".join(map(escaped, cells)) + r" \\" for cells in _cells(result)]
    caption = " ".join((f"{_title(result)}.", _caption(result), *result.remarks))
    return "\n".join([
        r"\begin{table}", r"\centering\footnotesize", rf"\begin{{tabular}}{{{'l' * len(_HEAD)}{'r' * len(_numbers())}}}",
        r"\hline", groups + r" \\", head + r" \\", r"\hline", *lines, r"\hline",
        r"\end{tabular}", rf"\caption{{{escaped(caption)}}}", r"\end{table}", "",
    ])  # fmt: skip


_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
})  # fmt: skip


def escaped(text: str) -> str:
    """Text for LaTeX."""
    return text.replace("->", "\0").translate(_LATEX).replace("\0", r"$\rightarrow$")


def records_as_csv(records: Sequence[dict[str, Any]]) -> str:
    """Every field of flat records, with a header."""
    import polars as pl  # noqa: PLC0415 - heavy

    out = io.BytesIO()
    pl.DataFrame(records, infer_schema_length=None).write_csv(out)
    return out.getvalue().decode()


def _csv(result: Reproduction) -> str:
    return records_as_csv(result.records())


_FORMS: dict[str, Callable[[Reproduction], str]] = {"csv": _csv, "latex": _latex, "markdown": _markdown}


def _numbers() -> list[str]:
    return [f"{group}: {kind}" for group in _GROUPS for kind in _KINDS]


def _cells(result: Reproduction) -> list[list[str]]:
    rows = []
    for above, below in zip(result.rows[::2], result.rows[1::2], strict=True):
        names = [above.set, _SHORT[above.direction], above.model, above.image_features, above.text_features]
        numbers = [*map(_with_self, (above, below)), *map(_without_self, (above, below))]
        rows.append(names + [cell for three in numbers for cell in three])
    return rows


def _with_self(row: ReproducedOverlap) -> tuple[str, str, str]:
    return three(row.published, row.ours, row.difference)


def _without_self(row: ReproducedOverlap) -> tuple[str, str, str]:
    return three(row.published_without_self, row.ours_without_self, row.difference_without_self)


def three(published: float, ours: float | None, difference: float | None) -> tuple[str, str, str]:
    """A published figure, ours and the difference; empty where there is none."""
    return (
        f"{published:.3f}",
        "" if ours is None else f"{ours:.3f}",
        "" if difference is None else f"{difference:+.3f}",
    )


def _title(result: Reproduction) -> str:
    first = result.rows[0]
    return f"Table {result.table}: {first.metric} neighbors, {first.loss} loss"


def _caption(result: Reproduction) -> str:
    k = next((row.k for row in result.rows if row.k is not None), 10)
    text = f"K={k} with self; without self K={k - 1}"
    if k != 10:
        text += " (published: 10 and 9, so there are no differences)"
    run = [row for row in result.rows if row.ours is not None]
    if not run:
        return text + ". Published figures only."
    spread = max((row.ours_sd for row in run if row.ours_sd is not None), default=0.0)
    sizes = ", ".join(dict.fromkeys(f"{row.set}: {_repeats(row)}, neighbors among {row.n_test}" for row in run))
    tested = [row.rank_sum_p_bonferroni for row in run if row.rank_sum_p_bonferroni is not None]
    smallest = min((row.smallest_p for row in run if row.smallest_p is not None), default=1.0)
    return (
        f"{text}. Ours: {sizes}; largest standard deviation {spread:.3f}. Input against target, rank-sum test with "
        f"Bonferroni: largest p {max(tested, default=1.0):.2g}; one test can reach {smallest:.2g}."
    )


def _repeats(row: ReproducedOverlap) -> str:
    several = (f"{row.folds} folds" if row.folds != 1 else "", f"{row.seeds} seeds" if row.seeds != 1 else "")
    return " and ".join(filter(None, several)) or "1 seed"
