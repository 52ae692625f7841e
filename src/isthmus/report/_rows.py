"""What the figures of mappings have in common: records of an audit or a run, and the line that says how they were made."""

from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from isthmus.experiments import AuditRow


def records_of(rows: Sequence[AuditRow] | Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as flat records; what is not defined (nan) is None."""
    flat = [asdict(row) if is_dataclass(row) else row for row in rows]
    return [{key: None if value != value else value for key, value in row.items()} for row in flat]  # noqa: PLR0124 - nan


def facts(row: dict[str, Any]) -> str:
    """N, K, metric, self convention and chance in a sentence.

    Example:
        >>> facts({"n_test": 60, "n_neighborhood": 30, "k": 3, "metric": "cosine", "include_self": False, "chance": 0.1034})
        'N=60 test items, neighbors among 30 of them, K=3, cosine, self excluded; chance 0.103.'
    """
    n, among = row["n_test"], row["n_neighborhood"]
    return (
        f"N={n} test items, {'neighbors among them' if among == n else f'neighbors among {among} of them'}, K={row['k']}, "
        f"{row['metric']}, self {'included' if row['include_self'] else 'excluded'}; chance {row['chance']:.3f}."
    )


def slug(name: str, row: dict[str, Any]) -> str:
    """The name of a figure with what tells it from its siblings.

    Example:
        >>> slug("parts", {"direction": "y->x", "metric": "cosine", "k": 10, "include_self": False})
        'parts-y-x-cosine-k10'
    """
    return "-".join([
        name, row["direction"].replace("->", "-"), row["metric"], f"k{row['k']}", *(["self"] * row["include_self"]),
    ])  # fmt: skip
