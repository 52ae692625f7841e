"""Named data sets: what there is, and how each is loaded.

The embedded sets ship inside the package, so that the main job, the examples and the tests run on real data anywhere.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float
from isthmus.pairs import Pairs

_FOLDER = files("isthmus.datasets") / "embedded"


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """One named data set as `isthmus data list` shows it."""

    name: str
    items: int
    x_space: str
    x_width: int
    y_space: str
    y_width: int
    labels: str
    license: str
    load: Callable[[], Pairs]


def _vectors(name: str) -> Float[ndarray, "n d"]:
    with (_FOLDER / f"{name}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        values: Float[ndarray, "n d"] = arrays["vectors"].astype(np.float32)
        return values


def _columns(name: str) -> dict[str, list[str]]:
    """A table of the package; its fields hold neither quotes nor tabs, which a test makes sure of."""
    lines = (_FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    header, *rows = (line.split("\t") for line in lines)
    return dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))


def _imagenet(text: str) -> Pairs:
    table = _columns("imagenet")
    words, synsets = table["word"], table["wnid"]
    ids = [w if words.count(w) == 1 else f"{w} ({s})" for w, s in zip(words, synsets, strict=True)]
    whole = Pairs(
        _vectors(f"imagenet_{text}"), _vectors("imagenet_prototypes"), tuple(ids), tuple(table["category"]),
        f"imagenet-{text}", text, "prototypes",
    )  # fmt: skip
    return whole.take(np.flatnonzero([has == "true" for has in table["has_word"]])) if text == "words" else whole


def _emoji() -> Pairs:
    table = _columns("emoji")
    return Pairs(
        _vectors("emoji_text"), _vectors("emoji_image"), tuple(table["unified"]), tuple(table["group"]),
        "emoji", "texts", "images",
    )  # fmt: skip


DEFAULT = "imagenet-words"
"""The one that is used where none is named."""

CATALOG: dict[str, DatasetCard] = {
    card.name: card
    for card in (
        DatasetCard(
            "emoji", 1911, "texts", 384, "images", 1280, "10 groups", "MIT, Apache-2.0, Unicode", _emoji
        ),
        DatasetCard(
            "imagenet-glosses", 1000, "glosses", 384, "prototypes", 1280, "41 categories", "Apache-2.0, WordNet",
            partial(_imagenet, "glosses"),
        ),
        DatasetCard(
            "imagenet-words", 989, "words", 100, "prototypes", 1280, "41 categories", "Apache-2.0, MIT, PDDL, WordNet",
            partial(_imagenet, "words"),
        ),
    )
}  # fmt: skip
"""The data sets inside the package, by name."""


def load(name: str = DEFAULT) -> Pairs:
    """A named data set.

    Args:
        name: one of those that `isthmus data list` shows; the default is `imagenet-words`, word vectors (GloVe, 100-d)
            against visual class prototypes (EfficientNet-Lite0, 1280-d) of 989 ImageNet classes.

    Raises:
        DataError: no set of this name; the message holds the nearest one.

    Example:
        >>> pairs = load("imagenet-words")
        >>> pairs.x.shape, pairs.y.shape, pairs.ids[0], pairs.labels[0]
        ((989, 100), (989, 1280), 'tench', 'aquatic_vertebrate')
    """
    if name not in CATALOG:
        near = difflib.get_close_matches(name, CATALOG, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise DataError(
            f"data: needed the name of a data set or two files, got {name!r}. {hint}`isthmus data list` shows them all."
        )
    return CATALOG[name].load()
