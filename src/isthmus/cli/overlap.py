"""`isthmus overlap`: how many nearest neighbors spaces share."""

from itertools import combinations
from typing import Annotated

import typer

Argument, Option = typer.Argument, typer.Option


def overlap(
    sets: Annotated[list[str], Argument(metavar="A B [C ...] | NAME", help="Files, NAME:x, or one named data set.")],
    k: Annotated[str, Option("-k", "--k", help="Neighbors counted, as in 10 or 5,10,30.")] = "10",
    metric: Annotated[str, Option(help="cosine, euclidean, or both with a comma.")] = "cosine",
    include_self: Annotated[bool, Option("--include-self", help="Count an item as its own neighbor.")] = False,
    seed: Annotated[int, Option(help="Of half-samples and permutations.")] = 0,
    json: Annotated[bool, Option("--json", help="Only JSON on standard output.")] = False,
) -> None:
    """How many nearest neighbors do spaces share (mNNO, mutual k-NN)?

    For every pair of sets, with the chance level, a 95 % half-sample interval and a permutation p-value.

    Examples:
        isthmus overlap emoji
        isthmus overlap text.npy image.npy -k 5,10,30 --metric cosine,euclidean
        isthmus overlap old.parquet:vector new.parquet:vector --json
    """
    from isthmus.cli import _output, _sources  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.pairs import check_seed  # noqa: PLC0415

    ks = _sources.numbers(k, "k")
    check_seed(seed)
    if len(sets) == 1:
        _sources.pairs(sets)  # a named set, or an error that says what is missing
    names = [f"{sets[0]}:x", f"{sets[0]}:y"] if len(sets) == 1 else sets
    loaded = {name: _sources.vectors(name) for name in names}
    from isthmus.measures import OverlapResult  # noqa: PLC0415
    from isthmus.measures import overlap as measure  # noqa: PLC0415
    from isthmus.neighbors import check_metric  # noqa: PLC0415

    metrics = [check_metric(each) for each in _sources.words(metric, "metric")]
    results: list[tuple[str, str, OverlapResult]] = []
    with _output.progress() as progress:
        for a, b in combinations(names, 2):
            pairs = _sources.joined(loaded[a], loaded[b])
            for each in metrics:
                found = measure(
                    pairs.x, pairs.y, ks, each, include_self=include_self, progress=progress, names=(a, b)
                )  # fmt: skip
                results += [(a, b, result) for result in found]
    records = [result.record(a, b, seed=seed) for a, b, result in results]
    if json:
        _output.print_json(records)
        return
    from isthmus.report import overlap_table  # noqa: PLC0415

    _output.console().print(overlap_table(results, records))
