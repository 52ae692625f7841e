"""`isthmus overlap`: how many nearest neighbors spaces share."""

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli import _next, _options

if TYPE_CHECKING:
    from isthmus.measures import ApproximateOverlap, OverlapResult
    from isthmus.neighbors import Metric
    from isthmus.pairs import Vectors

Argument, Option = typer.Argument, typer.Option


def overlap(
    context: typer.Context,
    sets: _options.Sets,
    k: Annotated[str, Option("-k", "--k", help="Neighbors counted, as in 10 or 5,10,30.")] = "10",
    metric: _options.Metrics = "cosine",
    include_self: Annotated[bool, Option("--include-self", help="Count an item as its own neighbor.")] = False,
    sample: Annotated[int | None, Option(help="Search only so many random items, exactly among all.")] = None,
    precision: Annotated[float | None, Option(help="Sample as many items as this half width needs, as in 0.005.")] = None,
    memory: Annotated[
        str | None, Option(help="Read files in blocks, holding at most so much, as in 1GB; with --cluster, a worker's work.")
    ] = None,
    cluster: Annotated[str | None, Option(help="Search on Dask: local workers, as in 2, or tcp://host:8786.")] = None,
    approximate: Annotated[
        str | None,
        Option(
            help="hnsw, ivf or pynndescent, with recall and bias measured.",
            autocompletion=_options.one_of(_options.APPROXIMATIONS),
        ),
    ] = None,
    hubs: Annotated[bool, Option("--hubs", help="Also show how uneven neighbor lists are.")] = False,
    seed: Annotated[int, Option(help="Of samples, half-samples and permutations.")] = 0,
    dictionary: _options.Dictionary = None,
    lower_case: _options.LowerCase = False,
    json: _options.Json = False,
    csv: _options.Csv = False,
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
        isthmus overlap items.parquet
        isthmus overlap en.vec fr.vec --dictionary en-fr.txt
    """
    from isthmus._errors import NeighborError  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.neighbors import check_approximation, check_metric  # noqa: PLC0415
    from isthmus.pairs import check_seed  # noqa: PLC0415

    ks = _sources.numbers(k, "k")
    check_seed(seed)
    names = _sources.several(sets)
    metrics = [check_metric(each) for each in _sources.words(metric, "metric")]

    def loaded() -> "list[Vectors]":
        return _sources.read_sets(names, dictionary, lower_case=lower_case)

    in_files = memory is not None or cluster is not None or any(_sources.is_folder(name) for name in names)
    if approximate is not None:
        if include_self or in_files or precision is not None or hubs:
            raise NeighborError(
                "approximate: needed none of --include-self, --memory, --cluster, --precision, --hubs and no folders, got "
                "one of them. Leave it out."
            )
        asked = {"method": check_approximation(approximate), "sample": 1000 if sample is None else sample, "seed": seed}
        found = _approximate(names, loaded(), ks, metrics, asked)
        _output.write(
            [result.record(a, b) for a, b, result in found], lambda: _approximate_tables(found), json=json, csv=csv,
            then=_next.again(context, approximate=None),
        )  # fmt: skip
        return
    if hubs and (sample is not None or precision is not None or include_self):
        raise NeighborError("hubs: needed the lists of all items, got a sample or --include-self. Leave that out.")
    if in_files and dictionary is not None:
        raise NeighborError(
            "dictionary: needed files that are read whole, got folders, --memory or --cluster. Leave it out."
        )
    how = {"include_self": include_self, "sample": sample, "precision": precision, "seed": seed}
    results = (
        _from_files(names, ks, metrics, memory, cluster, how) if in_files else _in_memory(names, loaded(), ks, metrics, how)
    )
    records = [result.record(a, b, seed=seed) for a, b, result in results]
    for each in results:
        _output.note_ties(*each)
    if hubs:
        for (_, _, result), record in zip(results, records, strict=True):
            record.update(result.hub_record())

    def shown() -> Iterable[Any]:
        from isthmus.report import hub_table, overlap_table  # noqa: PLC0415

        yield overlap_table(results, records)
        if hubs:
            yield hub_table(records)

    _output.write(records, shown, json=json, csv=csv, then=None if in_files else _next.audit(context, names))


def _in_memory(
    names: list[str], sets: list["Vectors"], ks: list[int], metrics: list["Metric"], how: dict[str, Any]
) -> list[tuple[str, str, "OverlapResult"]]:
    from functools import partial  # noqa: PLC0415

    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.measures import overlaps, searched  # noqa: PLC0415
    from isthmus.neighbors import search  # noqa: PLC0415

    loaded = dict(zip(names, sets, strict=True))
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
    from contextlib import ExitStack, closing  # noqa: PLC0415
    from functools import partial  # noqa: PLC0415

    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.measures import overlaps, searched  # noqa: PLC0415
    from isthmus.neighbors import Cluster, search  # noqa: PLC0415

    budget = None if memory is None else _sources.bytes_of(memory, "memory")
    streams = _sources.streams(names)
    results = []
    with _output.progress() as progress, ExitStack() as connected:
        if cluster is None:
            find = partial(search, memory=budget, progress=progress)
        else:
            there = connected.enter_context(
                closing(Cluster.connect(cluster, **({} if budget is None else {"memory": budget})))
            )
            find = partial(there.search, progress=progress)
        for each in metrics:
            found = searched(list(streams.values()), ks, each, find=find, name=names[0], **how)
            tables = dict(zip(streams, found, strict=True))
            for a, b in combinations(names, 2):
                results += [(a, b, result) for result in overlaps(tables[a], tables[b], ks)]
    return results


def _approximate(
    names: list[str], sets: list["Vectors"], ks: list[int], metrics: list["Metric"], how: dict[str, Any]
) -> list[tuple[str, str, "ApproximateOverlap"]]:
    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.measures import approximate_overlap  # noqa: PLC0415

    loaded = dict(zip(names, sets, strict=True))
    results = []
    with _output.progress() as progress:
        for a, b in combinations(names, 2):
            pairs = _sources.joined(loaded[a], loaded[b])
            for each in metrics:
                for k in ks:
                    found = approximate_overlap(pairs.x, pairs.y, k, each, **how, progress=progress, names=(a, b))
                    results.append((a, b, found))
    return results


def _approximate_tables(results: list[tuple[str, str, "ApproximateOverlap"]]) -> list[Any]:
    from isthmus.report import approximate_table  # noqa: PLC0415

    return [approximate_table(results)]
