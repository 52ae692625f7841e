"""`isthmus features`: from raw text and pictures to vectors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli import _options

if TYPE_CHECKING:
    from isthmus.features import BiGRU, Encoder, Texts
    from isthmus.pairs import Vectors

Argument, Option = typer.Argument, typer.Option

app = typer.Typer(help="From raw text and pictures to vectors.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def features() -> None:
    """From raw text and pictures to vectors."""


def text(
    texts: Annotated[str, Argument(metavar="FILE[:COLUMN]", help="A table with a column of texts, or a .txt, one a line.")],
    out: Annotated[Path, Option(metavar="OUT", help="Where vectors go: .npz with ids, .npy without.")],
    labels: Annotated[
        str | None, Option(metavar="FILE:COLUMN", help="Classes to learn a bi-GRU from, by id if both have ids.")
    ] = None,
    split: Annotated[str | None, Option(metavar="FILE:COLUMN", help="Learn from its train rows only.")] = None,
    words: Annotated[str | None, Option(metavar="FILE", help="Word vectors to begin with.")] = None,
    epochs: Annotated[int | None, Option(help="Passes over the texts; 12 if left out.")] = None,
    learning_rate: Annotated[float | None, Option(help="Of Adam; 0.003 if left out.")] = None,
    seed: Annotated[int | None, Option(help="Of all that is drawn; 0 if left out.")] = None,
    save: Annotated[Path | None, Option(metavar="FILE", help="Keep the learned encoder (.safetensors).")] = None,
    encoder: Annotated[
        str | None, Option(metavar="FILE | MODULE:NAME", help="A saved bi-GRU, or a Python object with encode.")
    ] = None,
    batch: Annotated[int, Option(help="Texts that are encoded at once.")] = 256,
    id_column: Annotated[str | None, Option(help="Of the table; id if there is one.")] = None,
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """Vectors of texts: a bidirectional GRU learned from their classes, as in the paper, or any encoder.

    Examples:
        isthmus features text items.tsv:text --labels items.tsv:label --split items.tsv:split --out text.npz
        isthmus features text items.tsv:text --labels items.tsv:label --words glove.txt --save gru.safetensors --out text.npz
        isthmus features text new.txt --encoder gru.safetensors --out new.npy
        isthmus features text items.tsv:text --encoder my_module:model --out text.npz
    """
    from isthmus._errors import DataError  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus._places import check_not_read  # noqa: PLC0415
    from isthmus.cli import _output  # noqa: PLC0415
    from isthmus.features import OUTPUTS, BiGRU, encode_texts, read_texts  # noqa: PLC0415
    from isthmus.pairs import Vectors, write  # noqa: PLC0415

    _output.check_writable(out, "out", OUTPUTS)
    inputs = [texts, labels, split, words, encoder]
    check_not_read([out], inputs)
    if save is not None:
        _output.check_writable(save, "save", (".safetensors",))
        check_not_read([save], inputs, "save")
    if (labels is None) == (encoder is None):
        raise DataError(
            f"labels, encoder: needed classes to learn from or an encoder, got {'none' if labels is None else 'both'}. "
            "Give one of --labels and --encoder."
        )
    settings: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate, "seed": seed}
    learning = {"split": split, "words": words, "save": save, **settings}
    given = [f"--{name.replace('_', '-')}" for name, value in learning.items() if value is not None]
    if encoder is not None and given:
        raise DataError(f"encoder: needed an encoder alone, which learns nothing, got {given[0]} too. Leave one out.")
    if batch < 1:
        raise DataError(f"batch: needed at least 1, got {batch}. Leave it out.")
    model = None if labels is None else BiGRU(**{name: value for name, value in settings.items() if value is not None})
    found = read_texts(texts, id_column)
    record: dict[str, Any] = {"out": str(out), "texts": len(found.values)}
    with _output.progress() as progress:
        if model is not None and labels is not None:
            record |= _learn(model, found, labels, split, words, progress)
            if save is not None:
                model.save(save)
        vectors = encode_texts(found.values, model or _opened(str(encoder)), batch=batch, progress=progress)
    write(Vectors(vectors, found.ids, found.name), out)
    then = ["retrieval", str(out), "--labels", labels] if labels is not None else ["audit", str(out), "Y"]
    _tell({**record, "width": vectors.shape[1]}, "texts", then, json=json, csv=csv)


def image(
    pictures: Annotated[str, Argument(metavar="FOLDER | ZIP | TSV", help="The pictures; a table has a column path.")],
    out: Annotated[Path, Option(metavar="OUT", help="Where vectors go: .npz with ids, .npy without.")],
    backbone: Annotated[str, Option(help="efficientnet-lite0, or a model of timm.")] = "efficientnet-lite0",
    weights: Annotated[Path | None, Option(metavar="FILE", help="Its weights (.safetensors, .pt, .pth).")] = None,
    centroids: Annotated[bool, Option("--centroids", help="One vector a word (folder): the mean of its pictures.")] = False,
    more_than: Annotated[int, Option(help="Leave out words with no more pictures; 50 in the paper.")] = 0,
    batch: Annotated[int, Option(help="Pictures that go through the network together.")] = 4,
    threads: Annotated[int | None, Option(help="Batches at once; one a core if left out.")] = None,
    device: Annotated[str, Option(help="As torch calls it.")] = "cpu",
    json: _options.Json = False,
    csv: _options.Csv = False,
) -> None:
    """Vectors of pictures: the pooled last layer of a network; or of words, the centroids of their pictures.

    Pictures that cannot be used are skipped and listed in OUT.tsv. Stopped, the same command goes on where it was.

    Examples:
        isthmus features image pictures/ --out image.npz
        isthmus features image pictures.zip --backbone resnet50 --weights resnet50.safetensors --out image.npz
        isthmus features image imagenet/ --centroids --more-than 50 --out words.npz
    """
    from isthmus._errors import DataError  # noqa: PLC0415 - the command line starts before numpy does
    from isthmus._places import check_not_read  # noqa: PLC0415
    from isthmus.cli import _output  # noqa: PLC0415
    from isthmus.features import OUTPUTS, image_features, open_backbone, open_gallery  # noqa: PLC0415

    _output.check_writable(out, "out", OUTPUTS)
    check_not_read([out, *(out.with_suffix(ending) for ending in (".tsv", ".skipped.tsv"))], [pictures, weights])
    if more_than and not centroids:
        raise DataError("more_than: needed --centroids to count pictures of words, got none. Add it.")
    open_gallery(pictures)  # a wrong place is told before weights are asked for
    network = open_backbone(backbone, weights, device)
    with _output.progress() as progress:
        result = image_features(
            pictures, out, network, centroids=centroids, more_than=more_than, batch=batch, threads=threads, progress=progress
        )
    for name, reason in list(result.skipped.items())[:10]:
        _output.note(f"skipped {name}: {reason}")
    if len(result.skipped) > 10:
        _output.note(f"and {len(result.skipped) - 10} more, listed beside {out}")
    _tell({**result.record(), "backbone": network.name}, "pictures", ["audit", "X", str(out)], json=json, csv=csv)


def _learn(gru: "BiGRU", found: "Texts", labels: str, split: str | None, words: str | None, progress: Any) -> dict[str, Any]:
    """Let a bi-GRU learn; how many texts and classes it learned from, and how well."""
    import numpy as np  # noqa: PLC0415

    from isthmus._errors import DataError  # noqa: PLC0415
    from isthmus.cli import _sources  # noqa: PLC0415
    from isthmus.pairs import read_split  # noqa: PLC0415

    n = len(found.values)
    classes = _sources.labels(labels, found.ids)
    if len(classes) != n:
        raise DataError(
            f"labels: needed one class for each of {n} texts, got {len(classes)}. Name labels of the same texts."
        )
    train, test = np.arange(n), np.arange(0)
    if split is not None:
        path, colon, column = split.rpartition(":")
        path, column = (path, column) if colon and "/" not in column else (split, "part")
        parts = read_split(path, found.ids or tuple(map(str, range(n))), column=column)
        train, test = parts.train, parts.test
    texts = np.array(found.values, dtype=object)
    gru.fit(texts[train].tolist(), classes[train], _word_vectors(words, found), progress)
    accuracy = gru.accuracy(texts[test].tolist(), classes[test]) if len(test) else None
    count = classes.shape[1] if classes.ndim == 2 else len(gru.classes_ or ())
    return {
        "train": len(train), "test": len(test), "classes": count, "words": len(gru.words_), "loss": gru.losses_[-1],
        "test_accuracy": accuracy,
    }  # fmt: skip


def _word_vectors(words: str | None, found: "Texts") -> "Vectors | None":
    """Of the file's vectors those of words that occur in the texts."""
    if words is None:
        return None
    from isthmus._errors import DataError  # noqa: PLC0415
    from isthmus.cli import _sources  # noqa: PLC0415
    from isthmus.features import vocabulary  # noqa: PLC0415
    from isthmus.pairs import Vectors  # noqa: PLC0415

    occurring = set(vocabulary(found.values))
    read = _sources.word_vectors(words, occurring)
    rows = [row for row, word in enumerate(read.words) if word in occurring]
    if not rows:
        raise DataError(f"words: needed vectors of words that occur in the texts, got none in {words}. Are they lower case?")
    return Vectors(read.values[rows], tuple(read.words[row] for row in rows), read.name)


def _opened(name: str) -> "Encoder":
    """A saved bi-GRU, or the object that `module:name` names; a class or function is called for it."""
    from isthmus.features import BiGRU, import_encoder  # noqa: PLC0415

    return BiGRU.load(name) if Path(name).suffix == ".safetensors" or Path(name).exists() else import_encoder(name)


def _tell(record: dict[str, Any], what: str, then: list[str], *, json: bool, csv: bool) -> None:
    from isthmus.cli import _output  # noqa: PLC0415

    def shown() -> list[Any]:
        from rich.table import Table  # noqa: PLC0415

        table = Table(title=f"features of {what}", show_header=False)
        for name, value in record.items():
            table.add_row(name.replace("_", " "), f"{value:.4f}" if isinstance(value, float) else str(value))
        return [table]

    _output.write([record], shown, json=json, csv=csv, then=then)
