"""Tables of experiment 2 for a terminal: correlations with human ratings, and two embeddings on the same pairs."""

from collections.abc import Sequence
from math import isnan

from rich.table import Table
from rich.text import Text

from isthmus.concepts import Comparison, ConceptRow, Concepts


def concept_tables(result: Concepts) -> list[Table]:
    """One table for each benchmark: a line for each file of vectors and map, with both similarities side by side."""
    tables = []
    kinds = list(dict.fromkeys(row.similarity for row in result.rows))
    for name in dict.fromkeys(row.benchmark for row in result.rows):
        rows = [row for row in result.rows if row.benchmark == name]
        first = rows[0]
        counted = ((first.repeated, "repeated"), (first.identical, "of a word with itself"))
        traps = [f"{count} {what}" for count, what in counted if count]
        table = Table(
            title=Text(f"{name}: {first.pairs} rated pairs" + (f" ({', '.join(traps)})" if traps else "")),
            caption=_caption(rows), caption_justify="left",
        )  # fmt: skip
        for column in ("vectors", "map"):
            table.add_column(column, overflow="fold")
        table.add_column("covered", justify="right")
        for kind in kinds:
            table.add_column(f"{kind}\nSpearman (95 % interval)", justify="right", overflow="fold")
            table.add_column("differs", justify="right")
        lines: dict[tuple[str, str], dict[str, ConceptRow]] = {}
        for row in rows:
            lines.setdefault((row.vectors, _label(row)), {})[row.similarity] = row
        last = rows[0].vectors
        for (vectors, label), found in lines.items():
            if vectors != last:
                table.add_section()
                last = vectors
            cells = [cell for kind in kinds for cell in (_value(found[kind]), _mark(found[kind]))]
            table.add_row(Text(vectors), label, str(next(iter(found.values())).covered), *cells)
        tables.append(table)
    return tables


def comparison_table(comparisons: Sequence[Comparison]) -> Table:
    """One line for each two embeddings, benchmark and similarity."""
    table = Table(
        title="two embeddings on the pairs that both cover",
        caption="a - b with a 95 % interval about new rated pairs drawn like these; p: sign-flip test over pairs, Holm",
        caption_justify="left",
    )  # fmt: skip
    for name in ("a", "b", "benchmark", "similarity"):
        table.add_column(name, overflow="fold")
    for name in ("pairs", "a: rho", "b: rho", "a - b", "p", "p (Holm)"):
        table.add_column(name, justify="right")
    for each in comparisons:
        table.add_row(
            Text(each.a), Text(each.b), each.benchmark, each.similarity, str(each.pairs), f"{each.spearman_a:.4f}",
            f"{each.spearman_b:.4f}", f"{each.difference:+.4f} [{each.ci_low:+.4f}, {each.ci_high:+.4f}]",
            f"{each.p_value:.2g}", f"{each.p_holm:.2g}",
        )  # fmt: skip
    return table


def _label(row: ConceptRow) -> str:
    return row.map if row.hidden is None else f"{row.map}, {row.hidden} {row.activation}"


def _value(row: ConceptRow) -> str:
    return "" if isnan(row.spearman) else f"{row.spearman:.4f} [{row.ci_low:.3f}, {row.ci_high:.3f}]"


def _mark(row: ConceptRow) -> str:
    if row.difference is None or row.rank_sum_p_bonferroni is None:
        return ""
    return f"{row.difference:+.4f}{'*' if row.rank_sum_p_bonferroni < 0.05 else ''}"


def _caption(rows: Sequence[ConceptRow]) -> str:
    text = "interval about new rated pairs drawn like these"
    mapped = next((row for row in rows if row.draws is not None), None)
    if mapped is None:
        return text
    return (
        f"{text}; maps: mean of {mapped.draws} draws, weights uniform on [-1, 1], no bias, into {mapped.output} dimensions; "
        "* differs from the vectors themselves, p < 0.05 (rank sum, Bonferroni)"
    )
