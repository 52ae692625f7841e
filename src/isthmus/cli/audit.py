"""`isthmus audit`: the main job."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus._errors import DataError
from isthmus.cli import _next, _options

Argument, Option = typer.Argument, typer.Option


def audit(
    context: typer.Context,
    data: Annotated[
        list[str] | None,
        Argument(
            metavar="X Y | FILE | NAME",
            help="Two files, one that holds both, or a named set (imagenet-words).",
            autocompletion=_options.sets_or_files((*_options.SETS, *_options.SIDES)),
        ),
    ] = None,
    dictionary: _options.Dictionary = None,
    lower_case: _options.LowerCase = False,
    labels: Annotated[
        str | None,
        Option(metavar="FILE:COLUMN", help="Classes of the items, for rates by label and max-margin; by id, or row by row."),
    ] = None,
    mapped: Annotated[str | None, Option(metavar="F", help="Your own f(X); then nothing is learned.")] = None,
    mapping: Annotated[
        str,
        Option(
            help="What to learn: ridge, lin, nn, nn-3, kernel-ridge, snap, ..., or all, which takes minutes.",
            autocompletion=_options.several_of((*_options.MAPPINGS, "all")),
        ),
    ] = "ridge,lin,nn",
    loss: Annotated[
        str,
        Option(
            help="What lin and nn minimize: mse, cosine or max-margin (needs labels).",
            autocompletion=_options.one_of(_options.LOSSES),
        ),
    ] = "mse",
    recipe: _options.Recipe = "paper",
    learning_rate: Annotated[float | None, Option(help="Of lin, nn and other networks, in place of the recipe's.")] = None,
    select: Annotated[
        str | None,
        Option(
            help="Choose settings on folds of the training part by target-overlap, bridge-rate, index or loss.",
            autocompletion=_options.one_of(_options.CRITERIA),
        ),
    ] = None,
    k: Annotated[str, Option("-k", "--k", help="Neighbors counted, as in 10 or 5,10,30.")] = "10",
    metric: _options.Metrics = "cosine",
    include_self: Annotated[bool, Option("--include-self", help="Count an item as its own neighbor.")] = False,
    folds: Annotated[int, Option(help="Folds of the cross-validation.")] = 5,
    split: Annotated[
        Path | None, Option(metavar="FILE.tsv", help="Fixed split: columns index (or id) and part (train/test).")
    ] = None,
    seeds: Annotated[int, Option(help="Repetitions with other random weights.")] = 1,
    seed: Annotated[int, Option(help="The same seed gives the same numbers, byte for byte.")] = 0,
    sample: Annotated[
        int | None, Option(metavar="N", help="With --mapped: search only N random items, exactly, among all.")
    ] = None,
    precision: Annotated[
        float | None, Option(metavar="E", help="With --mapped: as many as a half width of E of the overlaps needs.")
    ] = None,
    report: Annotated[Path | None, Option(metavar="OUT.html", help="Write the result as one HTML page.")] = None,
    images: Annotated[
        Path | None, Option(metavar="FOLDER", help="With --report: pictures named by id, for thumbnails.")
    ] = None,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """Does a mapping between two spaces carry the target's neighborhoods, or echo its input?

    Learns mappings in both directions (or takes yours) and reports them beside the controls: the input itself and the
    untrained twin. Without arguments it runs on the embedded data, word vectors against ImageNet's visual prototypes.

    Examples:
        isthmus audit
        isthmus audit text.npy image.npy --mapping ridge,nn -k 5,10
        isthmus audit text.npy image.npy --mapped mapped.npy --json
        isthmus audit text.npy image.npy --mapped mapped.npy --sample 2000
        isthmus audit --report out.html
        isthmus audit items.parquet:text items.parquet:image --labels items.parquet:kind
        isthmus audit en.vec fr.vec --dictionary en-fr.txt
    """
    from isthmus.cli import _output, _sources  # noqa: PLC0415 - the command line starts before numpy does

    if mapped is not None:
        _sources.refuse_given(context, "mapped", ["mapping", "loss", "learning_rate", "select"])
    if select is not None and select.replace("_", "-") not in _options.CRITERIA:
        raise DataError(f"select: needed one of {', '.join(_options.CRITERIA)}, got {select!r}. Choose one.")
    pairs = _sources.pairs(data or [], dictionary, lower_case=lower_case)
    if labels is not None:
        pairs = _sources.labeled(pairs, labels)
    from isthmus.experiments import audit as run  # noqa: PLC0415
    from isthmus.experiments import audit_sample  # noqa: PLC0415
    from isthmus.mappings import check_select  # noqa: PLC0415
    from isthmus.neighbors import check_metric  # noqa: PLC0415
    from isthmus.pairs import read_split  # noqa: PLC0415

    if loss == "max-margin" and mapped is None and pairs.labels is None:
        raise DataError(
            "loss: needed classes of the items for max-margin, got two files, which name none. Give --labels FILE:COLUMN."
        )
    given = None if mapped is None else _sources.mapped(mapped, pairs)
    parts = None if split is None else read_split(split, pairs.ids, by_row=_sources.rows_kept(pairs))
    if parts is not None and len(parts.train) + len(parts.test) < len(pairs):
        _output.note(f"split: {len(pairs) - len(parts.train) - len(parts.test)} of {len(pairs)} items are in no part")
    _check_report(report, images, pairs.ids)
    drawn = sample is not None or precision is not None
    if drawn and (given is None or parts is not None):
        raise DataError("sample: needed --mapped F and no --split, got others. What is learned is tested whole.")
    ks = _sources.numbers(k, "k")
    for name, values in ((pairs.x_space, pairs.x), (pairs.y_space, pairs.y)):
        _output.note_equal(name, values, max(ks))
    chosen_by = None if select is None else check_select(select.replace("-", "_"))
    metrics = [check_metric(each) for each in _sources.words(metric, "metric")]
    with _output.progress() as progress:
        if drawn:
            result = audit_sample(
                pairs, given, k=ks, metric=metrics, include_self=include_self, sample=sample, precision=precision, seed=seed,
                progress=progress,
            )  # fmt: skip
        else:
            result = run(
                pairs, _sources.words(mapping, "mapping"), mapped=given, k=ks, metric=metrics, include_self=include_self,
                folds=folds, split=parts, seeds=seeds, seed=seed, loss=loss, recipe=recipe,
                learning_rate=learning_rate, progress=progress,
                select=chosen_by,
            )  # fmt: skip
    _tell(result.settings)

    def shown() -> Iterable[Any]:
        from isthmus.report import audit_answer, audit_tables  # noqa: PLC0415

        for table in audit_tables(result):
            yield from (table, "")
        yield audit_answer(result)

    then = _then(context, most=min(row.n_neighborhood for row in result.rows) - 1)
    _output.write(result.records(), shown, json=json, csv=csv, then=then if report is None else None)
    if report is not None:  # after the numbers: whatever keeps the page from being written, they are there
        from isthmus.report import write_page  # noqa: PLC0415

        write_page(result, report, images=images)
        _output.note(f"wrote {report}")
        if then is not None and not (json or csv):
            _output.suggest(then)


def _tell(settings: dict[str, Any]) -> None:
    """Lines on how mappings were learned: rates that depend on the spaces, and trainings that did not go well."""
    from isthmus.cli import _output  # noqa: PLC0415

    if settings.get("recipe") == "authors-code":  # its rates depend on which space holds images
        for direction, rates in settings["learning_rates"].items():
            _output.note(f"{direction}: learning rate " + ", ".join(f"{rate:g} of {name}" for name, rate in rates.items()))
    for direction, counts in settings.get("unsteady", {}).items():
        for name, count in counts.items():
            _output.note(
                f"{direction}: the training loss of {name} did not steadily decrease in {count} of its trainings; "
                "a smaller --learning-rate may mend that"
            )


def _then(context: typer.Context, most: int) -> list[str] | None:
    """What one would look at next: the page, then all mappings, then other numbers of neighbors, at most so many."""
    asked = context.params
    if asked["report"] is None:
        return _next.again(context, report="audit.html")
    if asked["mapping"] != "all" and asked["mapped"] is None:
        return _next.again(context, mapping="all", report="all.html")
    if "," not in asked["k"] and most >= 30:
        return _next.again(context, k="5,10,30", report="neighbors.html")
    return None


def _check_report(report: Path | None, images: Path | None, ids: Sequence[str]) -> None:
    """Refuse a page that cannot be written, and pictures without a page, before anything is learned."""
    from isthmus.cli import _output  # noqa: PLC0415

    if images is not None and report is None:
        raise DataError("images: needed --report OUT.html, where the thumbnails go, got none. Add it.")
    if images is not None:
        from isthmus.report import pictures_of  # noqa: PLC0415

        pictures_of(images, ids)
    if report is not None:
        _output.check_writable(report)
