"""`isthmus retrieval`: how well the nearest items answer a query."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli import _next, _options

if TYPE_CHECKING:
    from numpy import ndarray

    from isthmus.pairs import Vectors

Argument, Option = typer.Argument, typer.Option
_KS = "1,5,10"


def retrieval(
    context: typer.Context,
    sets: _options.Sets,
    labels: Annotated[
        str | None, Option(help="Classes: FILE.tsv:column, FILE.npz:key, FILE.npy, joined by id if both have ids.")
    ] = None,
    only: Annotated[
        str | None,
        Option(metavar="FILE:COLUMN=VALUE,...", help="Only the items that a column marks so, as items.tsv:split=test."),
    ] = None,
    across: Annotated[bool, Option("--across", help="With labels: A asks B and B asks A, not each itself.")] = False,
    k: Annotated[str, Option("-k", "--k", help="Of Recall@K, as in 10 or 1,5,10.")] = _KS,
    metric: _options.Metrics = "cosine",
    include_self: Annotated[bool, Option("--include-self", help="Within a set: a query is its own first hit.")] = False,
    dictionary: _options.Dictionary = None,
    lower_case: _options.LowerCase = False,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """How well do the nearest items answer a query: mAP, MRR, Recall@K, FOSCTTM?

    With labels each set is searched with its own items, and what shares a class is relevant. Two sets without labels are
    pairs, row by row or by id: each asks the other, and only its pair is relevant. Every measure stands beside its chance
    level and a 95 % interval over queries.

    Examples:
        isthmus retrieval emoji
        isthmus retrieval text.npy --labels items.tsv:category
        isthmus retrieval text.npy --labels items.tsv:category --only items.tsv:split=test
        isthmus retrieval mapped.npy image.npy
        isthmus retrieval mapped.npy image.npy --labels items.npz:labels --across --metric cosine,euclidean
    """
    from isthmus._errors import NeighborError  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.measures import retrieval as rank  # noqa: PLC0415
    from isthmus.neighbors import check_metric  # noqa: PLC0415

    ks = _sources.numbers(k, "k")
    metrics = [check_metric(each) for each in _sources.words(metric, "metric")]
    names = _sources.spaces(sets)
    if only is None:
        named, classes = _read(names, _sources.read_sets(names, dictionary, lower_case=lower_case), labels)
    else:
        _sources.refuse_given(context, "only", ["dictionary", "lower_case"])
        found = [_sources.chosen(name, only, labels) for name in names]
        _sources.check_marks(only, [rows.ids is not None for rows, _ in found])
        named, classes = _read(names, [rows for rows, _ in found], found[0][1])
    asked: list[tuple[str, ndarray, str, ndarray | None]]
    if across or classes is None:
        if len(named) != 2 or include_self:
            got = f"{len(named)} sets" if len(named) != 2 else "--include-self"
            raise NeighborError(f"sets: needed two sets that ask each other, got {got}. Name two, or give --labels.")
        (a, x), (b, y) = named
        asked = [(a, x, b, y), (b, y, a, x)]
    else:
        asked = [(name, rows, name, None) for name, rows in named]
    candidates = min(len(rows if others is None else others) - (others is None) for _, rows, _, others in asked)
    if k != _KS and max(ks) > candidates:
        raise NeighborError(f"k: needed at most {candidates}, the candidates of a query, got {max(ks)}. Use a smaller k.")
    records: list[dict[str, Any]] = []
    with _output.progress() as progress:
        for query, rows, item, others in asked:
            for each in metrics:
                result = rank(
                    rows, others, classes, k=ks, metric=each, include_self=include_self or None, progress=progress,
                    names=(query, item),
                )  # fmt: skip
                records += result.records(query, item)
    if all(record["unanswerable"] == record["n"] for record in records):
        _output.note("labels: no query shares a class with any item, so nothing is defined")

    def shown() -> list[Any]:
        from isthmus.report import retrieval_table  # noqa: PLC0415

        return [retrieval_table(records)]

    then = _next.audit(context, names) if len(names) > 1 else None
    _output.write(records, shown, json=json, csv=csv, then=then)


def _read(
    sets: list[str], found: "list[Vectors]", labels: "str | ndarray | None"
) -> "tuple[list[tuple[str, ndarray]], ndarray | None]":
    """The sets by name, two of them paired, and the classes of their items: read already, of a file, or of a named set."""
    import numpy as np  # noqa: PLC0415

    from isthmus._errors import DataError  # noqa: PLC0415
    from isthmus.cli import _sources  # noqa: PLC0415
    from isthmus.datasets import CATALOG, load  # noqa: PLC0415

    if len(found) == 2:
        pairs = _sources.joined(*found)
        if labels is not None and not _sources.rows_kept(pairs):
            raise DataError("labels: needed sets of the same items, got some that only one has. Give both the same ids.")
        rows, ids = [pairs.x, pairs.y], _sources.own_ids(pairs, *found)
    else:
        rows, ids = [each.values for each in found], found[0].ids if found else None
    if len(found) > 2 and labels is not None and any(each.ids != found[0].ids for each in found):
        raise DataError("labels: needed sets of the same ids in one order, got others. Ask about one set at a time.")
    named = list(zip(sets, rows, strict=True))
    if labels is not None:
        return named, _sources.labels(labels, ids) if isinstance(labels, str) else labels
    own = {name for each in sets for name, _, side in [each.partition(":")] if side in ("x", "y") and name in CATALOG}
    if len(own) == 1 and all(each.partition(":")[0] in own for each in sets):
        return named, np.array(load(own.pop()).labels)
    return named, None
