"""Options that verbs share, so that each is called, explained, refused and completed alike everywhere.

Nothing heavy is imported: a shell asks for completions at every press of a key. The names below are therefore written down
again; a test holds them to the registries that they come from.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from isthmus._errors import DataError

SETS = ("emoji", "imagenet-glosses", "imagenet-words")
SIDES = tuple(f"{name}:{side}" for name in SETS for side in "xy")
MAPPINGS = (
    "lin", "nn", "nn-3", "nn-5", "ridge", "reduced-rank", "reverse-ridge", "procrustes", "cca", "kernel-ridge", "nearest",
    "anchors", "snap", "snap-index", "contrastive", "relational", "rcsls",
)  # fmt: skip
MEASURES = (
    "mutual-knn", "jaccard", "rbo", "cycle-knn", "lcs-knn", "edit-distance-knn", "cknna", "lcmc", "rnx", "rnx-area",
    "trustworthiness", "continuity", "information-imbalance", "information-imbalance-back", "cka", "cka-unbiased", "rsa",
    "rsa-pearson", "procrustes", "cca", "svcca", "pwcca", "recall-at-k", "mrr", "foscttm", "hubness-x", "hubness-y",
)  # fmt: skip
METRICS = ("cosine", "euclidean", "csls")
LOSSES = ("mse", "cosine", "max-margin")
RECIPES = ("paper", "authors-code")
CRITERIA = ("target-overlap", "bridge-rate", "index", "loss")
APPROXIMATIONS = ("hnsw", "ivf", "pynndescent")
SIMILARITIES = ("cosine", "euclidean")
UNTRAINED = ("none", "lin", "nn", "all")
REPRODUCED = (*(f"table{number}" for number in range(1, 13)), "figure1", "figure2")
FORMATS = ("table", "markdown", "latex", "csv", "json")
SPECS = ("emoji", "iapr", "imagenet-words", "openclipart", "wiki")
FETCHED = (
    "glove-6b", "iapr-authors", "iapr-tc12", "imagenet", "paper-features", "things-spose", "wiki", "word-similarity",
    "wordnet-3.0",
)  # fmt: skip

Completion = Callable[[str], list[str]]


def one_of(names: Sequence[str]) -> Completion:
    """What completes a value that is one of some names.

    Example:
        >>> one_of(["cosine", "csls", "euclidean"])("c")
        ['cosine', 'csls']
    """

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def several_of(names: Sequence[str]) -> Completion:
    """What completes a value of names with commas between them: the last one, of those that are not there yet.

    Example:
        >>> several_of(["lin", "nn", "nn-3"])("lin,n")
        ['lin,nn', 'lin,nn-3']
    """

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        rest = [name for name in names if name not in before.split(",")]
        return [f"{before}{comma}{name}" for name in rest if name.startswith(last)]

    return complete


def sets_or_files(names: Sequence[str]) -> Completion:
    """What completes an argument that is a named data set or a file; where only files fit, the shell knows them better."""

    def complete(incomplete: str) -> list[str]:
        found = [name for name in names if name.startswith(incomplete)]
        if not found:
            return []
        files = sorted(path.name + "/" * path.is_dir() for path in Path().iterdir() if not path.name.startswith("."))
        return found + [name for name in files if name.startswith(incomplete)]

    return complete


def _one_form(context: typer.Context, parameter: typer.CallbackParam, wanted: bool) -> bool:
    """Refuse two forms at once; whichever is read second finds the other."""
    other = {"json": "csv", "csv": "json"}[str(parameter.name)]
    if wanted and context.params.get(other) and not context.resilient_parsing:
        raise DataError("csv: needed one of --json and --csv, got both. Leave one out.")
    return wanted


Json = Annotated[bool, typer.Option("--json", callback=_one_form, help="Only JSON on standard output: flat records.")]
Csv = Annotated[bool, typer.Option("--csv", callback=_one_form, help="Only CSV on standard output: the same records.")]
Dictionary = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Join two files of word vectors by it: two words a line, as MUSE has them."),
]
LowerCase = Annotated[
    bool, typer.Option("--lower-case", help="With --dictionary: words not found as written are sought in lower case.")
]
Metrics = Annotated[
    str, typer.Option(help="cosine, euclidean, csls; several with a comma.", autocompletion=several_of(METRICS))
]
Recipe = Annotated[
    str, typer.Option(help="How lin and nn are learned: paper or authors-code.", autocompletion=one_of(RECIPES))
]
Sets = Annotated[
    list[str],
    typer.Argument(
        metavar="A B [C ...] | FILE | NAME", help="Files, folders, NAME:x, one file with several sets, or one named set.",
        autocompletion=sets_or_files((*SETS, *SIDES)),
    ),
]  # fmt: skip
