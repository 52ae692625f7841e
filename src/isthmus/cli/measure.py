"""`isthmus measure`: how much spaces are alike by other measures than the overlap of neighbors."""

import math
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli import _next, _options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy import ndarray

    from isthmus.pairs import Pairs

Argument, Option = typer.Argument, typer.Option


def measure(
    context: typer.Context,
    sets: _options.Sets,
    measure: Annotated[
        str,
        Option(
            help="A name, several with a comma, or all.", autocompletion=_options.several_of((*_options.MEASURES, "all"))
        ),
    ] = "mutual-knn",
    k: Annotated[str, Option("-k", "--k", help="Neighbors counted, as in 10 or 5,10,30.")] = "10",
    metric: _options.Metrics = "cosine",
    permutations: Annotated[int, Option(help="Random pairings for threshold and p-value; 0 for none.")] = 99,
    half_samples: Annotated[int, Option(help="Random halves for the interval; 0 for none.")] = 40,
    groups: Annotated[
        str | None,
        Option(help="Labels, as items.tsv:kind, joined by id if both have ids, else by row: random pairings keep to them."),
    ] = None,
    seed: Annotated[int, Option(help="Of pairings and halves.")] = 0,
    dictionary: _options.Dictionary = None,
    lower_case: _options.LowerCase = False,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """How much are spaces alike by kindred measures: CKA, RSA, Procrustes, trustworthiness, ...?

    Each with its chance level, a 95 % interval, a permutation p-value and a score that is 0 below the 5 % threshold.

    Examples:
        isthmus measure emoji --measure all
        isthmus measure text.npy image.npy --measure cka-unbiased,rsa,mutual-knn
        isthmus measure old.npy new.npy --measure trustworthiness -k 5,10 --json
        isthmus measure text.npy image.npy --groups items.tsv:kind
    """
    from isthmus._numbers import check_number  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.measures import measure as measured  # noqa: PLC0415
    from isthmus.neighbors import check_metric  # noqa: PLC0415
    from isthmus.pairs import check_seed  # noqa: PLC0415

    ks, names = _sources.numbers(k, "k"), _sources.words(measure, "measure")
    check_seed(seed)
    check_number("permutations", permutations, 0.0, math.inf, 99.0, whole=True)
    check_number("half-samples", half_samples, 0.0, math.inf, 40.0, whole=True)
    files = _sources.several(sets)
    metrics = [check_metric(each) for each in _sources.words(metric, "metric")]
    loaded = dict(zip(files, _sources.read_sets(files, dictionary, lower_case=lower_case), strict=True))
    joined = {(a, b): _sources.joined(loaded[a], loaded[b]) for a, b in combinations(files, 2)}
    grouped = {
        (a, b): None if groups is None else _labels(groups, pairs, _sources.own_ids(pairs, loaded[a], loaded[b]))
        for (a, b), pairs in joined.items()
    }
    results = []
    with _output.progress() as progress:
        for (a, b), pairs in joined.items():
            labels = grouped[a, b]
            for one in metrics:
                for each in ks:
                    found = measured(
                        pairs.x, pairs.y, names, each, one, draws=permutations, half_samples=half_samples, seed=seed,
                        groups=labels, progress=progress, names=(a, b),
                    )  # fmt: skip
                    results += [(a, b, result) for result in found]
    # What knows no k, or no metric, is the same for each of them.
    kept = {(a, b, result.name, result.k, result.metric): (a, b, result) for a, b, result in results}

    def shown() -> list[Any]:
        from isthmus.report import measure_table  # noqa: PLC0415

        return [measure_table(list(kept.values()))]

    then = _next.again(context, measure="all") if len(names) == 1 and names != ["all"] else _next.audit(context, files)
    _output.write([result.record(a, b) for a, b, result in kept.values()], shown, json=json, csv=csv, then=then)


def _labels(source: str, pairs: "Pairs", ids: "Sequence[str] | None") -> "ndarray":
    from isthmus._errors import DataError  # noqa: PLC0415
    from isthmus.cli import _sources  # noqa: PLC0415
    from isthmus.pairs import labels_have_ids  # noqa: PLC0415

    found = _sources.labels(source, ids)
    by_id = ids is not None and labels_have_ids(source)
    if found.ndim != 1 or not (by_id or _sources.rows_kept(pairs)):
        got = "several a row" if found.ndim != 1 else "files that were joined by id and lost items"
        raise DataError(f"groups: needed one label for each row of the files, got {got}. Name the labels by id.")
    if len(found) != len(pairs):
        raise DataError(f"groups: needed a label for each of {len(pairs)} items, got {len(found)}. Write one a row.")
    return found
