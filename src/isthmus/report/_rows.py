"""What the figures of mappings have in common: records of an audit or a run, and the line that says how they were made."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from isthmus.experiments import AuditRow, OverlapPoint, PartRow

Rows = Sequence[AuditRow] | Sequence[PartRow] | Sequence[OverlapPoint] | Sequence[dict[str, Any]]


def records_of(rows: Rows) -> list[dict[str, Any]]:
    """Rows as flat records; what is not defined (nan) is None."""
    flat = [row if isinstance(row, dict) else asdict(row) for row in rows]
    return [{key: None if value != value else value for key, value in row.items()} for row in flat]  # noqa: PLR0124 - nan


def facts(row: dict[str, Any]) -> str:
    """N, K, metric, self convention and the overlap by chance in a sentence.

    Example:
        >>> facts({"n_test": 60, "n_neighborhood": 30, "k": 3, "metric": "cosine", "include_self": False, "chance": 0.1034})
        'N=60 test items, neighbors among 30 of them, K=3, cosine, self excluded; chance overlap 0.103.'
    """
    n, among = row["n_test"], row["n_neighborhood"]
    within = "neighbors among them" if among == n else f"neighbors among {among} of them"
    return f"N={n} test items, {within}, {convention(row)}; chance overlap {row['chance']:.3f}."


def chance_rate(row: dict[str, Any]) -> float:
    """Echo and bridge rate of random vectors, K/(N-1), or (K-1)/(N-1) with self included, as a mean over test sets.

    An item is always its own shared neighbor then: it counts for the overlap by chance, from which this is solved, but for
    neither rate.

    Example:
        >>> row = {"k": 10, "include_self": True, "chance": (1 + 9**2 / 299) / 10}
        >>> round(chance_rate(row) * 299, 9)
        9.0
    """
    k, overlap = row["k"], float(row["chance"])
    return (k * overlap - 1) / (k - 1) if row["include_self"] and k > 1 else overlap


def convention(row: dict[str, Any]) -> str:
    """K, metric and self convention.

    Example:
        >>> convention({"k": 10, "metric": "cosine", "include_self": True})
        'K=10, cosine, self included'
    """
    return f"K={row['k']}, {row['metric']}, self {'included' if row['include_self'] else 'excluded'}"


def slug(name: str, row: dict[str, Any]) -> str:
    """The name of a figure with what tells it from its siblings.

    Example:
        >>> slug("parts", {"direction": "y->x", "metric": "cosine", "k": 10, "include_self": False})
        'parts-y-x-cosine-k10'
    """
    return "-".join([
        name, row["direction"].replace("->", "-"), row["metric"], f"k{row['k']}", *(["self"] * row["include_self"]),
    ])  # fmt: skip
