"""`isthmus overlap`: how many nearest neighbors spaces share."""

from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from isthmus.measures import OverlapResult
    from isthmus.neighbors import Metric

Argument, Option = typer.Argument, typer.Option


def overlap(
    sets: Annotated[list[str], Argument(metavar="A B [C ...] | NAME", help="Files, folders, NAME:x, or one named set.")],
    k: Annotated[str, Option("-k", "--k", help="Neighbors counted, as in 10 or 5,10,30.")] = "10",
    metric: Annotated[str, Option(help="cosine, euclidean, csls; several with a comma.")] = "cosine",
    include_self: Annotated[bool, Option("--include-self", help="Count an item as its own neighbor.")] = False,
    sample: Annotated[int | None, Option(help="Search only so many random items, exactly among all.")] = None,
    precision: Annotated[float | None, Option(help="Sample as many items as this half width needs, as in 0.005.")] = None,
    memory: Annotated[str | None, Option(help="Read files in blocks, holding at most so much, as in 1GB.")] = None,
    cluster: Annotated[str | None, Option(help="Search on Dask: local workers, as in 2, or tcp://host:8786.")] = None,
    approximate: Annotated[str | None, Option(help="hnsw, ivf or pynndescent, with recall and bias measured.")] = None,
    hubs: Annotated[bool, Option("--hubs", help="Also show how uneven neighbor lists are.")] = False,
    seed: Annotated[int, Option(help="Of samples, half-samples and permutations.")] = 0,
    json: Annotated[bool, Option("--json", help="Only JSON on standard output.")] = False,
) -> None:
    """How many nearest neighbors do spaces share (mNNO, mutual k-NN)?

    For every pair of sets, with the chance level, a 95 % interval and a permutation p-value.

    Examples:
        isthmus overlap emoji
        isthmus overlap text.npy image.npy -k 5,10,30 --metric cosine,euclidean
        isthmus overlap old.parquet:vector new.parquet:vector --json
        isthmus overlap old.npy new.npy --precision 0.005 --memory 1GB
        isthmus overlap old_parts/ new_parts/ --sample 2000 --cluster 2
        isthmus overlap text.npy image.npy --approximate hnsw
    """
    from isthmus._errors import NeighborError  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.neighbors import check_metric  # noqa: PLC0415
    from isthmus.pairs import check_seed  # noqa: PLC0415

    ks = _sources.numbers(k, "k")
    check_seed(seed)
    if len(sets) == 1:
        _sources.pairs(sets)  # a named set, or an error that says what is missing
    names = [f"{sets[0]}:x", f"{sets[0]}:y"] if len(sets) == 1 else sets
    metrics = [check_metric(each) for each in _sources.words(metric, "metric")]
    in_files = memory is not None or cluster is not None or any(_sources.is_folder(name) for name in names)
    if approximate is not None:
        if include_self or in_files or precision is not None or hubs:
            raise NeighborError(
                "approximate: needed none of --include-self, --memory, --cluster, --precision, --hubs and no folders, got "
                "one of them. Leave it out."
            )
        _approximate(names, ks, metrics, approximate, 1000 if sample is None else sample, seed, json)
        return
    if hubs and (sample is not None or precision is not None or include_self):
        raise NeighborError("hubs: needed the lists of all items, got a sample or --include-self. Leave that out.")
    how = {"include_self": include_self, "sample": sample, "precision": precision, "seed": seed}
    results = _from_files(names, ks, metrics, memory, cluster, how) if in_files else _in_memory(names, ks, metrics, how)
    records = [result.record(a, b, seed=seed) for a, b, result in results]
    if hubs:
        for (_, _, result), record in zip(results, records, strict=True):
            record.update(result.hub_record())
    if json:
        _output.print_json(records)
        return
    from isthmus.report import hub_table, overlap_table  # noqa: PLC0415

    _output.console().print(overlap_table(results, records))
    if hubs:
        _output.console().print(hub_table(records))


def _in_memory(
    names: list[str], ks: list[int], metrics: list["Metric"], how: dict[str, Any]
) -> list[tuple[str, str, "OverlapResult"]]:
    from functools import partial  # noqa: PLC0415

    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.measures import overlaps, searched  # noqa: PLC0415
    from isthmus.neighbors import search  # noqa: PLC0415

    loaded = {name: _sources.vectors(name) for name in names}
    results = []
    with _output.progress() as progress:
        for a, b in combinations(names, 2):
            pairs = _sources.joined(loaded[a], loaded[b])
            for each in metrics:
                find = partial(search, progress=progress)
                first, second = searched([pairs.x, pairs.y], ks, each, find=find, name=a, **how)
                results += [(a, b, result) for result in overlaps(first, second, ks)]
    return results


def _from_files(
    names: list[str], ks: list[int], metrics: list["Metric"], memory: str | None, cluster: str | None, how: dict[str, Any]
) -> list[tuple[str, str, "OverlapResult"]]:
    """Each set is read once for a metric, whatever the number of pairs it is part of."""
    from functools import partial  # noqa: PLC0415

    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.measures import overlaps, searched  # noqa: PLC0415
    from isthmus.neighbors import Cluster, search  # noqa: PLC0415

    budget = None if memory is None else _sources.bytes_of(memory, "memory")
    streams = _sources.streams(names)
    results = []
    with _output.progress() as progress:
        if cluster is None:
            find = partial(search, memory=budget, progress=progress)
        else:
            there = Cluster.connect(cluster) if budget is None else Cluster.connect(cluster, budget)
            find = partial(there.search, progress=progress)
        for each in metrics:
            found = searched(list(streams.values()), ks, each, find=find, name=names[0], **how)
            tables = dict(zip(streams, found, strict=True))
            for a, b in combinations(names, 2):
                results += [(a, b, result) for result in overlaps(tables[a], tables[b], ks)]
    return results


def _approximate(
    names: list[str], ks: list[int], metrics: list["Metric"], method: str, sample: int, seed: int, json: bool
) -> None:
    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.measures import approximate_overlap  # noqa: PLC0415
    from isthmus.neighbors import check_approximation  # noqa: PLC0415

    check_approximation(method)
    loaded = {name: _sources.vectors(name) for name in names}
    results = []
    with _output.progress() as progress:
        for a, b in combinations(names, 2):
            pairs = _sources.joined(loaded[a], loaded[b])
            for each in metrics:
                for k in ks:
                    found = approximate_overlap(
                        pairs.x, pairs.y, k, each, method=check_approximation(method), sample=sample, seed=seed,
                        progress=progress, names=(a, b),
                    )  # fmt: skip
                    results.append((a, b, found))
    if json:
        _output.print_json([result.record(a, b) for a, b, result in results])
        return
    from isthmus.report import approximate_table  # noqa: PLC0415

    _output.console().print(approximate_table(results))
