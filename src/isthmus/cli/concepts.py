"""`isthmus concepts`: experiment 2, word pairs that people rated."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from isthmus.cli import _next, _options

if TYPE_CHECKING:
    from isthmus.concepts import Concepts

Argument, Option = typer.Argument, typer.Option


def concepts(
    context: typer.Context,
    vectors: Annotated[list[str], Argument(metavar="VECTORS...", help="Word vectors: .txt, .vec, .bin (.gz), .npy, ...")],
    ratings: Annotated[
        list[str], Option(metavar="FILE|FOLDER", help="Rated word pairs, or a folder of them; repeat it for several.")
    ],
    words: Annotated[Path | None, Option(metavar="FILE", help="The words of rows without names, one a line.")] = None,
    mapping: Annotated[
        str,
        Option(
            "--mapping",
            "--map",
            help="Untrained maps: none, lin, nn, or all.",
            autocompletion=_options.several_of(_options.UNTRAINED),
        ),
    ] = "all",
    similarity: Annotated[
        str,
        Option(
            help="cosine, euclidean (1 / (1 + distance)), or both.",
            autocompletion=_options.several_of(_options.SIMILARITIES),
        ),
    ] = "cosine,euclidean",
    hidden: Annotated[str, Option(help="Hidden units of nn; several are a sweep, as in 64,256,1024.")] = "512",
    activation: Annotated[
        str, Option(help="Of nn: tanh, sigmoid or relu.", autocompletion=_options.one_of(("tanh", "sigmoid", "relu")))
    ] = "tanh",
    output: Annotated[int, Option(help="Dimensions that maps lead into.")] = 2048,
    draws: Annotated[int, Option(help="Draws of random weights.")] = 10,
    seed: Annotated[int, Option(help="The same seed gives the same numbers, byte for byte.")] = 0,
    repeated: Annotated[
        str,
        Option(
            help="Pairs rated twice: keep each rating, or their mean once.", autocompletion=_options.one_of(("keep", "mean"))
        ),
    ] = "keep",
    identical: Annotated[
        str, Option(help="Pairs of a word with itself: keep or drop.", autocompletion=_options.one_of(("keep", "drop")))
    ] = "keep",
    common: Annotated[bool, Option("--common", help="Only pairs that all vectors cover.")] = False,
    compare: Annotated[bool, Option("--compare", help="Instead, test every two vectors on the pairs both cover.")] = False,
    left_out: Annotated[
        Path | None, Option(metavar="OUT.tsv", help="Write every pair that was not compared, and why.")
    ] = None,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """How well do similarities of vectors agree with people's, before and after untrained maps?

    Spearman's correlation with the ratings of word pairs, with a 95 % interval, for any number of files of vectors. Only the
    words of the ratings are read.

    Examples:
        isthmus concepts glove.6B.300d.txt --ratings benchmarks/
        isthmus concepts GoogleNews-vectors-negative300.bin.gz --ratings SimLex-999.txt --ratings combined.csv --json
        isthmus concepts a.vec b.vec --ratings benchmarks/ --compare
        isthmus concepts vectors.npz:glove --words words.txt --ratings men.tsv --mapping nn --hidden 64,256,1024
    """
    from dataclasses import replace  # noqa: PLC0415

    from isthmus._errors import DataError  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.cli import _output, _sources  # noqa: PLC0415
    from isthmus.concepts import (  # noqa: PLC0415
        MAPS,
        check_activation,
        check_similarity,
        check_sizes,
        evaluate,
        read_ratings,
        wanted,
    )
    from isthmus.concepts import compare as compare_all  # noqa: PLC0415
    from isthmus.words import is_word_file  # noqa: PLC0415

    if left_out is not None:
        _output.check_writable(left_out, "left-out", (".tsv",))
    arguments = list(dict.fromkeys(vectors))
    if compare and len(arguments) < 2:
        raise DataError(f"compare: needed two files of vectors or more, got {len(arguments)}. Name another one.")
    if words is not None and all(is_word_file(Path(each)) for each in arguments):
        raise DataError(f"words: needed rows without names, got {arguments[0]}, which names its own. Leave --words out.")
    units = _sources.numbers(hidden, "hidden")
    check_activation(activation)
    check_sizes(units, output, draws)
    kinds = [check_similarity(each) for each in _sources.words(similarity, "similarity")]
    maps: list[Any] = list(MAPS) if mapping == "all" else list(_sources.words(mapping, "mapping"))
    if left_out is not None:
        _refuse_input(left_out, [*arguments, *ratings, *([str(words)] if words else [])])
    benchmarks = [
        replace(benchmark, name=_output.readable(benchmark.name)) for source in ratings for benchmark in read_ratings(source)
    ]
    sets = [_sources.word_vectors(argument, wanted(benchmarks), words) for argument in arguments]
    if len({each.name for each in sets}) < len(sets):  # files of one name in several folders
        sets = [replace(each, name=argument) for each, argument in zip(sets, arguments, strict=True)]
    sets = [replace(each, name=_output.readable(each.name)) for each in sets]
    with _output.progress() as progress:
        result = evaluate(
            sets, benchmarks, maps=["none"] if compare else maps, similarity=kinds,
            hidden=units, activation=activation, output=output, draws=draws,  # type: ignore[arg-type]
            seed=seed, repeated=repeated, identical=identical, common=common, progress=progress,  # type: ignore[arg-type]
        )  # fmt: skip
    _tell(result, left_out)
    wants_tests = len(sets) > 1 and (compare or not (json or csv))
    strangers: Literal["refuse", "skip"] = "refuse" if compare else "skip"
    comparisons = compare_all(result.vocabularies, kinds, seed=seed, strangers=strangers) if wants_tests else []
    records = [each.record() for each in comparisons] if compare else result.records()

    def shown() -> Iterable[Any]:
        from isthmus.report import comparison_table, concept_tables  # noqa: PLC0415

        yield from [] if compare else concept_tables(result)
        if comparisons:
            yield comparison_table(comparisons)

    then = None
    if len(sets) > 1 and not compare:
        then = _next.again(context, compare=True, mapping=None, hidden=None)
    elif result.left_out and left_out is None:
        then = _next.again(context, left_out="left-out.tsv")
    _output.write(records, shown, json=json, csv=csv, then=then)


def _refuse_input(left_out: Path, inputs: list[str]) -> None:
    """The list of pairs left out may not take the place of what is read."""
    from isthmus._places import check_not_read  # noqa: PLC0415
    from isthmus.concepts import rating_files  # noqa: PLC0415

    files = [file for each in inputs for file in (rating_files(Path(each)) if Path(each).is_dir() else [each])]
    check_not_read([left_out], files, "left-out")


def _tell(result: "Concepts", path: Path | None) -> None:
    """A line for each benchmark with gaps, and the whole list in a file."""
    from isthmus.cli import _output  # noqa: PLC0415

    for vocabulary in result.vocabularies:
        for coverage in vocabulary.coverages:
            if gone := coverage.left_out:
                absent = list(dict.fromkeys(pair.missing for pair in gone if pair.missing))
                names = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
                _output.note(
                    f"{vocabulary.name}, {coverage.benchmark.name}: {len(gone)} of {len(coverage.benchmark)} pairs left out"
                    + (f" ({names})" if names else "")
                )
    if path is not None:
        _output.write_table(path, [pair.record() for pair in result.left_out], _LEFT_OUT)


_LEFT_OUT = ("vectors", "benchmark", "line", "word1", "word2", "rating", "reason", "missing")
