"""Tables 2 and 12 of the paper beside ours: for a terminal, and as Markdown, LaTeX and CSV."""

from rich.table import Table
from rich.text import Text

from isthmus.concepts import SIMILARITIES
from isthmus.experiments import SimilarityReproduction
from isthmus.report._reproduction import escaped, records_as_csv, three

_HEAD = ("benchmark", "vectors", "map")
_KINDS = ("published", "ours", "difference")


def similarity_tables(result: SimilarityReproduction) -> list[Table]:
    """For a terminal: published, ours and difference under both similarities, a section for each benchmark."""
    table = Table(title=_title(result), caption=_caption(result), caption_justify="left")
    for name in _HEAD:
        table.add_column(name)
    for name in _columns("\n"):
        table.add_column(name, justify="right")
    last = ""
    for cells in _cells(result):
        if last and cells[0] != last:
            table.add_section()
        last = cells[0]
        table.add_row(*map(Text, cells))
    return [table]


def similarity_text(result: SimilarityReproduction, form: str) -> str:
    """The table as "markdown", "latex" or "csv" (every field of the records).

    Example:
        >>> from isthmus.experiments import reproduce_similarities
        >>> similarity_text(reproduce_similarities(2), "csv").splitlines()[1][:35]
        '2,wordsim353,glove,nn,cosine,0.632,'
    """
    if form == "csv":
        return records_as_csv(result.records())
    head, cells = [*_HEAD, *_columns(" ")], _cells(result)
    notes = (_caption(result), *result.remarks)
    if form == "markdown":
        rows = [head, ["---"] * len(_HEAD) + ["---:"] * (len(head) - len(_HEAD)), *cells]
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        return "\n".join([f"**{_title(result)}**", "", *lines, "", *(f"- {note}" for note in notes), ""])
    lines = [" & ".join(map(escaped, row)) + r" \\" for row in (head, *cells)]
    columns = "l" * len(_HEAD) + "r" * (len(head) - len(_HEAD))
    return "\n".join([
        r"\begin{table}", r"\centering\footnotesize", rf"\begin{{tabular}}{{{columns}}}", r"\hline",
        lines[0], r"\hline", *lines[1:], r"\hline", r"\end{tabular}",
        rf"\caption{{{escaped(' '.join((_title(result) + '.', *notes)))}}}", r"\end{table}", "",
    ])  # fmt: skip


def _columns(gap: str) -> list[str]:
    return [f"{similarity}{gap}{kind}" for similarity in SIMILARITIES for kind in _KINDS]


def _cells(result: SimilarityReproduction) -> list[list[str]]:
    figures = {(row.benchmark, row.vectors, row.map, row.similarity): row for row in result.rows}
    cells = []
    for benchmark in dict.fromkeys(row.benchmark for row in result.rows):
        for vectors, kind in dict.fromkeys((row.vectors, row.map) for row in result.rows):
            line: list[str] = [benchmark, vectors, {"none": "-"}.get(kind, kind)]
            for similarity in SIMILARITIES:
                row = figures[benchmark, vectors, kind, similarity]
                published, ours, difference = three(row.published, row.ours, row.difference)
                star = "*" if row.rank_sum_p_bonferroni is not None and row.rank_sum_p_bonferroni < 0.05 else ""
                line += [published + (row.mark or ""), ours + star, difference]
            cells.append(line)
    return cells


def _title(result: SimilarityReproduction) -> str:
    return f"Table {result.table}: Spearman correlations with human ratings"


def _caption(result: SimilarityReproduction) -> str:
    text = "* differs from the vectors themselves, p < 0.05 (rank sum, Bonferroni)"
    run = [row for row in result.rows if row.ours is not None]
    if not run:
        return f"{text}. Published figures only."
    hidden = next((row.hidden for row in run if row.hidden is not None), None)
    draws = next((row.draws for row in run if row.draws is not None), None)
    covered = ", ".join(dict.fromkeys(f"{row.benchmark} {row.covered}/{row.pairs} ({row.vectors})" for row in run))
    return f"{text}. Ours: means of {draws} draws, {hidden} hidden units. Covered: {covered}."
