"""`isthmus measure`: how much spaces are alike by other measures than the overlap of neighbors."""

from itertools import combinations
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy import ndarray

    from isthmus.pairs import Pairs

Argument, Option = typer.Argument, typer.Option


def measure(
    sets: Annotated[list[str], Argument(metavar="A B [C ...] | NAME", help="Files, NAME:x, or one named set.")],
    measure: Annotated[str, Option(help="A name, several with a comma, or all.")] = "mutual-knn",
    k: Annotated[str, Option("-k", "--k", help="Neighbors counted, as in 10 or 5,10,30.")] = "10",
    metric: Annotated[str, Option(help="cosine, euclidean, csls; several with a comma.")] = "cosine",
    permutations: Annotated[int, Option(help="Random pairings for threshold and p-value; 0 for none.")] = 99,
    half_samples: Annotated[int, Option(help="Random halves for the interval; 0 for none.")] = 20,
    groups: Annotated[
        str | None, Option(help="Labels, as items.tsv:kind, in the order of the items: pairings keep to them.")
    ] = None,
    seed: Annotated[int, Option(help="Of pairings and halves.")] = 0,
    json: Annotated[bool, Option("--json", help="Only JSON on standard output.")] = False,
) -> None:
    """How much are spaces alike by kindred measures: CKA, RSA, Procrustes, trustworthiness, ...?

    Each with its chance level, a 95 % interval, a permutation p-value and a score that is 0 below the 5 % threshold.

    Examples:
        isthmus measure emoji --measure all
        isthmus measure text.npy image.npy --measure cka-unbiased,rsa,mutual-knn
        isthmus measure old.npy new.npy --measure trustworthiness -k 5,10 --json
        isthmus measure text.npy image.npy --groups items.tsv:kind
    """
    from isthmus.cli import _output, _sources  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.measures import measure as measured  # noqa: PLC0415
    from isthmus.neighbors import check_metric  # noqa: PLC0415
    from isthmus.pairs import check_seed  # noqa: PLC0415

    ks, names = _sources.numbers(k, "k"), _sources.words(measure, "measure")
    check_seed(seed)
    if len(sets) == 1:
        _sources.pairs(sets)  # a named set, or an error that says what is missing
    files = [f"{sets[0]}:x", f"{sets[0]}:y"] if len(sets) == 1 else sets
    metrics = [check_metric(each) for each in _sources.words(metric, "metric")]
    loaded = {name: _sources.vectors(name) for name in files}
    results = []
    with _output.progress() as progress:
        for a, b in combinations(files, 2):
            pairs = _sources.joined(loaded[a], loaded[b])
            labels = None if groups is None else _labels(groups, pairs, _sources.own_ids(pairs, loaded[a], loaded[b]))
            for one in metrics:
                for each in ks:
                    found = measured(
                        pairs.x, pairs.y, names, each, one, draws=permutations, half_samples=half_samples, seed=seed,
                        groups=labels, progress=progress,
                    )  # fmt: skip
                    results += [(a, b, result) for result in found]
    # What knows no k, or no metric, is the same for each of them.
    kept = {(a, b, result.name, result.k, result.metric): (a, b, result) for a, b, result in results}
    if json:
        _output.print_json([result.record(a, b) for a, b, result in kept.values()])
        return
    from isthmus.report import measure_table  # noqa: PLC0415

    _output.console().print(measure_table(list(kept.values())))


def _labels(source: str, pairs: "Pairs", ids: "Sequence[str] | None") -> "ndarray":
    from isthmus._errors import DataError  # noqa: PLC0415
    from isthmus.cli import _sources  # noqa: PLC0415

    found = _sources.labels(source, ids)
    if found.ndim != 1 or not _sources.rows_kept(pairs):
        got = "several a row" if found.ndim != 1 else "files that were joined by id and lost items"
        raise DataError(f"groups: needed one label for each row of the files, got {got}. Write them in one order, whole.")
    return found
