"""`isthmus fit` and `isthmus apply`: learn a mapping once, and map new vectors with it."""

from pathlib import Path
from typing import Annotated

import typer

from isthmus._errors import DataError
from isthmus.cli import _options

Argument, Option = typer.Argument, typer.Option


def fit(
    data: Annotated[
        list[str],
        Argument(
            metavar="X Y | FILE | NAME",
            help="Two files, one that holds both, or a named data set.",
            autocompletion=_options.sets_or_files((*_options.SETS, *_options.SIDES)),
        ),
    ],
    out: Annotated[Path, Option(metavar="F.safetensors", help="Where the mapping goes.")],
    mapping: Annotated[
        str, Option(help="What to learn: ridge, lin, nn, nn-3, ...", autocompletion=_options.one_of(_options.MAPPINGS))
    ] = "ridge",
    loss: Annotated[
        str,
        Option(
            help="What lin and nn minimize: mse, cosine or max-margin (needs labels).",
            autocompletion=_options.one_of(_options.LOSSES),
        ),
    ] = "mse",
    recipe: _options.Recipe = "paper",
    learning_rate: Annotated[float | None, Option(help="Of lin, nn and other networks, in place of the recipe's.")] = None,
    split: Annotated[Path | None, Option(metavar="FILE.tsv", help="Learn only from its train part.")] = None,
    seed: Annotated[int, Option(help="The same seed gives the same mapping, byte for byte.")] = 0,
    dictionary: _options.Dictionary = None,
    lower_case: _options.LowerCase = False,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """Learn a mapping from X to Y and save it.

    `isthmus audit` tells which one to learn; measure a mapping on items that it was not learned from.

    Examples:
        isthmus fit x.npy y.npy --mapping nn --out x-to-y.safetensors
        isthmus fit emoji --split split.tsv --out emoji.safetensors
        isthmus apply x-to-y.safetensors new.npy --out mapped.npy
    """
    from isthmus.cli import _output, _sources  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.experiments import check_learning_rate, recipe_for  # noqa: PLC0415
    from isthmus.mappings import MLP, save  # noqa: PLC0415
    from isthmus.mappings import mapping as named  # noqa: PLC0415
    from isthmus.pairs import check_seed, read_split  # noqa: PLC0415
    from isthmus.training import steadily_decreases  # noqa: PLC0415

    check_seed(seed)
    check_learning_rate([mapping], learning_rate)
    _output.check_writable(out, "out", [".safetensors"])
    pairs = _sources.pairs(data, dictionary, lower_case=lower_case)
    if split is not None:
        pairs = pairs.take(read_split(split, pairs.ids, by_row=_sources.rows_kept(pairs)).train)
    learned = named(mapping, loss=loss, recipe=recipe_for(pairs, mapping, recipe, learning_rate), seed=seed)
    if isinstance(learned, MLP):
        learned.fit(pairs.x, pairs.y, pairs.labels)
        if not steadily_decreases(learned.loss_):
            _output.note("the training loss did not steadily decrease; a smaller --learning-rate may mend that")
    else:
        learned.fit(pairs.x, pairs.y)
    save(learned, out)
    inputs, outputs = pairs.x.shape[1], pairs.y.shape[1]
    about = {"mapping": mapping, "items": len(pairs), "inputs": inputs, "outputs": outputs, "file": str(out)}
    line = f"learned {mapping} from {len(pairs)} items, {inputs} to {outputs} numbers: {out}"
    then = ["apply", str(out), _sources.spaces(data, tell=False)[0], "--out", "mapped.npz"]
    _output.write([about], lambda: [line], json=json, csv=csv, then=then)


def apply(
    mapping: Annotated[Path, Argument(metavar="F.safetensors", help="A saved mapping.")],
    x: Annotated[
        str,
        Argument(
            metavar="X", help="Vectors to map: a file, or NAME:x.", autocompletion=_options.sets_or_files(_options.SIDES)
        ),
    ],
    out: Annotated[Path, Option(metavar="OUT.npy", help="Where f(X) goes: .npy, or .npz with the ids of X.")],
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """Map vectors with a saved mapping.

    Examples:
        isthmus apply x-to-y.safetensors new.npy --out mapped.npy
        isthmus apply x-to-y.safetensors new.parquet:vector --out mapped.npz
    """
    from isthmus.cli import _output, _sources  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus.mappings import load  # noqa: PLC0415
    from isthmus.pairs import Vectors, write  # noqa: PLC0415

    _output.check_writable(out, "out", [".npy", ".npz"])
    if out.exists() and any(out.resolve() == Path(each).resolve() for each in (x, x.partition(":")[0], mapping)):
        raise DataError(f"out: needed another place than what is read, got {out}. Name a new file.")
    learned, vectors = load(mapping), _sources.vectors(x)
    inputs = learned.n_features_in_
    if vectors.values.shape[1] != inputs:
        raise DataError(
            f"{vectors.name}: needed {inputs} numbers a row, as {mapping} was learned from, got {vectors.values.shape[1]}. "
            "Name the file of the input space."
        )
    mapped = learned.predict(vectors.values)
    write(Vectors(mapped, vectors.ids, vectors.name), out)
    items, outputs = mapped.shape
    line = f"mapped {items} items to {outputs} numbers: {out}"
    record = {"items": items, "outputs": outputs, "file": str(out)}
    name, _, side = x.rpartition(":")
    then = ["audit", *([name] if side == "x" and not _sources.is_file(x) else [x, "Y"]), "--mapped", str(out)]
    _output.write([record], lambda: [line], json=json, csv=csv, then=then)
