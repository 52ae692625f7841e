"""What a page needs to look items up: who the neighbors of an item are in the input, under a mapping and in the target.

The lists go into the page as compressed JSON, in base64: no text of the data can close the element that holds it, and
the browser unpacks it by itself. Where they do not fit, a random part of the items stands there, and the page says so.
"""

import base64
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy import ndarray

from isthmus._shapes import Int
from isthmus.experiments import Audit, Neighborhoods
from isthmus.report._figure import shortened
from isthmus.report._tables import ends

BEST = 8
"""Items bridged best, and as many bridged worst, that stand in the page without any script."""
LABELS = 20
"""Labels with the highest bridge rates that are shown, and as many with the lowest."""
_SHORTEST_NAME = 120  # letters of a neighbor's name in the ranking


@dataclass(frozen=True, slots=True)
class Ranked:
    """An item in a ranking: its row, its name and label, and how its mapped neighbors divide."""

    row: int
    name: str
    label: str
    shared: int
    echoed: int
    bridged: int
    novel: int
    to_bridge: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The items that a mapping bridges best and worst, and its rates by label.

    Args:
        key: of the mapping and direction, as the script knows them.
        title: in words.
        best, worst: items, the most extreme first.
        labels: label, number of items, bridge rate and echo rate over its items, highest bridge rate first; where there are
            many, the first and the last of them.
        more_labels: how many stand between these.
    """

    key: str
    title: str
    best: tuple[Ranked, ...]
    worst: tuple[Ranked, ...]
    labels: tuple[tuple[str, int, float, float], ...]
    more_labels: int

    @property
    def size(self) -> int:
        """Bytes that it takes in a page, about."""
        names = (name for each in (*self.best, *self.worst) for name in (each.name, each.label, *each.examples))
        return (
            sum(len(name.encode("utf-8", "replace")) for name in names)
            + 600 * (len(self.best) + len(self.worst))
            + sum(len(label[0].encode("utf-8", "replace")) + 110 for label in self.labels)
        )


def rankings(audit: Audit) -> list[Ranking]:
    """A ranking for each mapping and direction whose neighbor lists the audit keeps.

    They are ranked by bridged less echoed neighbors, equal ones by bridged neighbors, then by row. Items whose neighbors are
    the same in both spaces have nothing to bridge and are left out.

    Example:
        >>> from isthmus import Pairs, audit
        >>> x, y = np.random.default_rng(0).normal(size=(2, 40, 4))
        >>> first = rankings(audit(Pairs(x, y), ["ridge"], k=3, folds=2))[0]
        >>> first.best[0].bridged >= first.worst[0].bridged
        True
    """
    return [_ranking(audit, number, each) for number, each in enumerate(audit.neighborhoods)]


def name_of(audit: Audit, row: int) -> str:
    """What an item is called: its id, or its row where it has none."""
    return audit.ids[row] if audit.ids else f"row {row}"


def _ranking(audit: Audit, number: int, lists: Neighborhoods) -> Ranking:
    in_x, in_y = lists.in_x(), lists.in_y()
    sizes = {
        "shared": in_x & in_y, "echoed": in_x & ~in_y, "bridged": ~in_x & in_y, "novel": ~in_x & ~in_y,
    }  # fmt: skip
    counts = {part: np.count_nonzero(which, axis=1) for part, which in sizes.items()}
    to_bridge = lists.to_bridge()
    there = np.flatnonzero(to_bridge)
    bridged, echoed = counts["bridged"][there], counts["echoed"][there]
    order = there[np.lexsort((there, -bridged, echoed - bridged))]
    labels = audit.labels

    def ranked(place: int, part: str) -> Ranked:
        row = int(lists.items[place])
        examples = lists.f[place][sizes[part][place]][:4]
        return Ranked(
            row, name_of(audit, row), "" if labels is None else labels[row],
            **{name: int(count[place]) for name, count in counts.items()}, to_bridge=int(to_bridge[place]),
            examples=tuple(_short(name_of(audit, int(near))) for near in examples),
        )  # fmt: skip

    source, target = ends(audit, lists.direction)
    by_label = list(_by_label(audit, lists, counts["bridged"], counts["echoed"], to_bridge))
    more = max(0, len(by_label) - 2 * LABELS)
    return Ranking(
        str(number), f"{shortened(lists.mapping)}, {shortened(source)} → {shortened(target)}",
        tuple(ranked(place, "bridged") for place in order[:BEST].tolist()),
        tuple(ranked(place, "echoed") for place in order[::-1][:BEST].tolist()),
        tuple(by_label if not more else by_label[:LABELS] + by_label[-LABELS:]), more,
    )  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= _SHORTEST_NAME else name[: _SHORTEST_NAME - 1] + "…"


def _by_label(
    audit: Audit, lists: Neighborhoods, bridged: Int[ndarray, " n"], echoed: Int[ndarray, " n"], most: Int[ndarray, " n"]
) -> Iterator[tuple[str, int, float, float]]:
    """Rates over the items of each label; none where every item has a label of its own."""
    if audit.labels is None:
        return
    names, group = np.unique(np.array([audit.labels[row] for row in lists.items.tolist()]), return_inverse=True)
    if len(names) > len(lists.items) / 2:
        return
    items, up, down, whole = (np.bincount(group, weights=values) for values in (np.ones(len(group)), bridged, echoed, most))
    with np.errstate(invalid="ignore", divide="ignore"):
        bridge, echo = up / whole, down / whole
    for place in np.lexsort((names, -np.nan_to_num(bridge, nan=-1))).tolist():
        yield str(names[place]), int(items[place]), float(bridge[place]), float(echo[place])


@dataclass(frozen=True, slots=True)
class Packed:
    """The neighbor lists as they stand in the page.

    Args:
        text: base64 of gzip of JSON.
        shown, items: items that can be looked up, of how many that were tested.
    """

    text: str
    shown: int
    items: int


def pack(audit: Audit, budget: int, ranked: Sequence[Ranking], pictures: Sequence[Mapping[int, str]] = ()) -> Packed:
    """The neighbor lists of an audit in at most so many letters, and the pictures of the items as large as fit.

    Args:
        audit: with neighbor lists.
        budget: letters that there is room for; if even a few items need more, these are taken all the same.
        ranked: rankings, whose items are kept in any case.
        pictures: base64 JPEG by row of the data, one such table a size, the largest first.
    """
    every = np.unique(np.concatenate([lists.items for lists in audit.neighborhoods]))
    first = np.array(sorted({each.row for ranking in ranked for each in (*ranking.best, *ranking.worst)}), dtype=np.int64)
    rest = np.random.default_rng(0).permutation(np.setdiff1d(every, first))
    sizes = [*pictures, {}]
    share = budget / sum(lists.f.size for lists in audit.neighborhoods)  # an entry takes a letter at the very least
    for thumbnails in sizes if share > 1 / 2 else ():  # all items, with smaller and smaller pictures
        text = _packed(audit, every, thumbnails)
        if len(text) <= budget:
            return Packed(text, len(every), len(every))
    smallest = sizes[-2] if len(sizes) > 1 else {}
    share = min(1.0, 2 * share) * 0.9
    while True:  # fewer and fewer items
        shown = np.sort(np.concatenate([first, rest[: int(share * len(rest))]]))
        text = _packed(audit, shown, smallest)
        if len(text) <= budget or share * len(rest) < 1:
            return Packed(text, len(shown), len(every))
        share *= min(0.9, 0.95 * budget / len(text))


def _packed(audit: Audit, shown: Int[ndarray, " m"], pictures: Mapping[int, str]) -> str:
    views: list[dict[str, Any]] = []
    lists: list[ndarray] = []
    numbers: dict[bytes, int] = {}

    def numbered(table: Int[ndarray, "m k"]) -> int:
        """The number of a list of lists; the spaces of one direction are those of the other, exchanged."""
        key = table.tobytes()
        if key not in numbers:
            numbers[key] = len(lists)
            lists.append(table)
        return numbers[key]

    for each in audit.neighborhoods:
        order = np.argsort(each.items, kind="stable")  # any order of test sets gives the same lists
        order = order[np.isin(each.items[order], shown)]
        source, target = ends(audit, each.direction)
        views.append({
            "mapping": each.mapping, "source": source, "target": target, "k": each.k, "metric": each.metric,
            "items": numbered(each.items[order][:, None]),
            "x": numbered(each.x[order]), "f": numbered(each.f[order]), "y": numbered(each.y[order]),
        })  # fmt: skip
    named = np.unique(np.concatenate([table.ravel() for table in lists]))
    rows = named.tolist()
    classes = sorted({audit.labels[row] for row in rows}) if audit.labels else []
    number_of = {name: number for number, name in enumerate(classes)}
    content: dict[str, Any] = {
        "rows": rows,
        "names": [name_of(audit, row) for row in rows],
        "classes": classes,
        "class": [number_of[audit.labels[row]] for row in rows] if audit.labels else [],
        "lists": [np.searchsorted(named, table).ravel().tolist() for table in lists],
        "views": views,
        "pictures": {str(place): pictures[row] for place, row in enumerate(rows) if row in pictures},
    }
    return base64.b64encode(gzip.compress(msgspec.json.encode(clean(content)), 6, mtime=0)).decode()


def clean(value: Any) -> Any:
    """Texts that can be written in UTF-8, in nested lists and dicts: a lone surrogate becomes a replacement sign."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, list) and value and isinstance(value[0], str | dict):
        return [clean(each) for each in value]
    return {key: clean(each) for key, each in value.items()} if isinstance(value, dict) else value
