"""`isthmus check`: a gate for pipelines."""

from math import isnan
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus._errors import DataError
from isthmus.cli import _next, _options

if TYPE_CHECKING:
    from collections.abc import Callable

    from isthmus.measures import Bound, Bridge, Limited

Argument, Option = typer.Argument, typer.Option


def check(
    context: typer.Context,
    sets: Annotated[
        list[str],
        Argument(
            metavar="OLD NEW | X F Y",
            help="Two sets, or a mapped set between two.",
            autocompletion=_options.sets_or_files((*_options.SETS, *_options.SIDES)),
        ),
    ],
    min_overlap: Annotated[float | None, Option(help="Of two sets: their overlap must not be smaller.")] = None,
    min_target: Annotated[float | None, Option(help="Of X F Y: least overlap of F with Y.")] = None,
    min_bridge: Annotated[float | None, Option(help="Of X F Y: least bridge rate.")] = None,
    max_echo: Annotated[float | None, Option(help="Of X F Y: largest echo rate.")] = None,
    min_index: Annotated[float | None, Option(help="Of X F Y: least bridge index, bridge rate less echo rate.")] = None,
    sure: Annotated[bool, Option("--sure", help="The whole 95 % interval must keep a limit.")] = False,
    k: Annotated[int, Option("-k", "--k", help="Neighbors counted.")] = 10,
    metric: Annotated[
        str, Option(help="cosine, euclidean or csls.", autocompletion=_options.one_of(_options.METRICS))
    ] = "cosine",
    include_self: Annotated[bool, Option("--include-self", help="Count an item as its own neighbor.")] = False,
    sample: Annotated[int | None, Option(help="Search only so many random items, exactly among all.")] = None,
    seed: Annotated[int, Option(help="Of the sample.")] = 0,
    dictionary: _options.Dictionary = None,
    lower_case: _options.LowerCase = False,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """Stop a pipeline where neighborhoods change too much, or where a mapping echoes: exit code 0, or 1.

    Compares an old embedding of some items with a new one, or a mapped set with its input and its target. Exit code 0 says
    that all limits are kept, 1 that one is not, 2 that it could not be found out.

    Examples:
        isthmus check old.npy new.npy --min-overlap 0.8
        isthmus check old.parquet:vector new.parquet:vector --min-overlap 0.8 --sure --json
        isthmus check x.npy mapped.npy y.npy --min-index 0 --max-echo 0.3
    """
    from functools import partial  # noqa: PLC0415

    from isthmus.cli import _output, _sources  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.measures import OverlapResult, bridge, keeps, overlap  # noqa: PLC0415
    from isthmus.neighbors import check_metric  # noqa: PLC0415
    from isthmus.pairs import check_seed  # noqa: PLC0415

    check_seed(seed)
    asked: dict[tuple[Limited, Bound], float | None] = {
        ("overlap", "min"): min_overlap, ("target_overlap", "min"): min_target, ("bridge_rate", "min"): min_bridge,
        ("echo_rate", "max"): max_echo, ("index", "min"): min_index,
    }  # fmt: skip
    limits = {key: limit for key, limit in asked.items() if limit is not None}
    of_two = {key for key in limits if key[0] == "overlap"}
    suited = of_two if len(sets) <= 2 else limits.keys() - of_two
    if not limits or suited != limits.keys() or len(sets) > 3:
        raise DataError(
            "limits: needed --min-overlap for two sets, or --min-target, --min-bridge, --max-echo, --min-index for X F Y, "
            f"got {', '.join('-'.join(key[::-1]) for key in limits) or 'none'} for {len(sets)}. Name what must be kept."
        )
    pairs = _sources.pairs([sets[0], sets[-1]] if len(sets) > 1 else sets, dictionary, lower_case=lower_case)
    spaces = [pairs.x, pairs.y] if of_two else [pairs.x, _sources.mapped(sets[1], pairs), pairs.y]
    measure: Callable[..., OverlapResult | Bridge] = bridge
    if of_two:
        measure = partial(overlap, names=(pairs.x_space, pairs.y_space))
    with _output.progress() as progress:
        result = measure(
            *spaces, k, check_metric(metric), include_self=include_self, sample=sample, seed=seed, progress=progress
        )
    found = keeps(result, limits, sure=sure)
    if isinstance(result, OverlapResult):
        old, new = sets if len(sets) == 2 else (pairs.x_space, pairs.y_space)
        _output.note_ties(old, new, result)
    undefined = [each.quantity for each in found if isnan(each.value)]
    if undefined:
        raise DataError(
            f"{undefined[0]}: needed spaces with different neighbors to measure it, got input and target that share all. "
            "Name another input or target."
        )

    def shown() -> list[Any]:
        from isthmus.report import limits_table  # noqa: PLC0415

        return [limits_table(found, result, sure=sure)]

    how = {"sure": sure, "n": result.n, "k": k, "metric": metric, "include_self": include_self, "sample": sample}
    then = _then(context, sets, k)
    _output.write([{**each.record(), **how} for each in found], shown, json=json, csv=csv, then=then)
    if not all(each.kept for each in found):
        raise typer.Exit(1)


def _then(context: typer.Context, sets: list[str], k: int) -> list[str]:
    """The whole picture of what was judged by a few limits."""
    how = ["-k", str(k), *_next.given(context, "metric", "include_self", "sample", "dictionary", "lower_case")]
    if len(sets) < 3:
        return ["overlap", *sets, *how]
    return ["audit", sets[0], sets[2], "--mapped", sets[1], *how]
