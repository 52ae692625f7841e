"""The settings of the program that the paper's authors published, as data: what differs between its cases.

The program fixes its settings in a table by set, image features, model and direction. All else is `RECIPES["authors-code"]`
(Adam, batch 128, no shuffling, 50 epochs, raw features). Its direction is one of modalities, not of X and Y, so an audit has
to know which space holds the images: it reads it from the names of the two, and where they do not tell, takes 0.001 for all.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from isthmus._errors import MappingError
from isthmus.datasets import PaperSet
from isthmus.mappings import mapping as mapping_named
from isthmus.pairs import Pairs
from isthmus.training import RECIPES, Recipe, recipe

# Learning rates from images to text, lin and nn; from text to images the program takes 0.001 throughout.
_TO_TEXT: dict[tuple[str, str], tuple[float, float]] = {
    ("imagenet", "vgg128"): (1e-4, 1e-4),
    ("imagenet", "resnet"): (1e-4, 1e-4),
    ("iapr", "vgg128"): (1e-4, 1e-3),
    ("iapr", "resnet"): (1e-4, 1e-3),
    ("wiki", "vgg128"): (1e-3, 1e-4),
    ("wiki", "resnet"): (1e-4, 1e-4),
}
_HIDDEN = {
    ("imagenet", "vgg128"): 512,
    ("imagenet", "resnet"): 1024,
    ("iapr", "vgg128"): 512,
    ("iapr", "resnet"): 1024,
    ("wiki", "vgg128"): 256,
    ("wiki", "resnet"): 512,
}
_IMAGE_WORDS = {"image", "images", "img", "picture", "pictures", "vis", "vision", "visual"}
_TEXT_WORDS = {"caption", "captions", "lang", "language", "sentence", "sentences", "text", "texts", "word", "words"}


def authors_recipe(
    model: str, *, images_to_text: bool, dataset: PaperSet = "iapr", image_features: Literal["vgg128", "resnet"] = "vgg128"
) -> Recipe:
    """What the authors' program takes for one of its cases; left to its defaults it runs IAPR TC-12 with VGG-128.

    Args:
        model: "lin", or a network; the program has one hidden layer, and deeper networks take its settings.
        images_to_text: the direction.
        dataset: "imagenet", "iapr" or "wiki" (with bi-GRU features).
        image_features: "vgg128" or "resnet".

    Raises:
        MappingError: a set or features that the program does not know.

    References:
        gcollell/neural_cross_modal_maps, code/param_utils.py.

    Example:
        >>> authors_recipe("lin", images_to_text=True).learning_rate, authors_recipe("nn", images_to_text=True).learning_rate
        (0.0001, 0.001)
    """
    case = (dataset, image_features)
    if case not in _HIDDEN:
        known = ", ".join("/".join(each) for each in _HIDDEN)
        raise MappingError(f"dataset: needed one of {known}, got {'/'.join(case)}. Choose one.")
    rate = _TO_TEXT[case][model != "lin"] if images_to_text else 1e-3
    return replace(RECIPES["authors-code"], learning_rate=rate, hidden=_HIDDEN[case])


def image_side(pairs: Pairs) -> Literal["x", "y"] | None:
    """Which space holds images and which text, by words in their names; None where the names do not tell both.

    Of `file.npz:array` only the array's name counts.

    Example:
        >>> import numpy as np
        >>> image_side(Pairs(np.eye(3), np.eye(3), x_space="TS_vis_vgg128.csv", y_space="TS_lang_biGRU.csv"))
        'x'
    """
    x, y = (
        set(re.split(r"[^a-z]+", name.rpartition(":")[2].lower())) for name in (pairs.x_space, pairs.y_space)
    )  # fmt: skip
    if x & _IMAGE_WORDS and y & _TEXT_WORDS:
        return "x"
    return "y" if y & _IMAGE_WORDS and x & _TEXT_WORDS else None


def recipe_for(side: Pairs, mapping: str, name: str | Recipe, learning_rate: float | None = None) -> Recipe:
    """The recipe by which a mapping from side.x to side.y is learned: under "authors-code", that of the program's case.

    Args:
        side: input and target, in this order.
        mapping: name of the mapping.
        name: of a recipe, or the recipe itself.
        learning_rate: in place of the recipe's.

    Raises:
        MappingError: an unknown recipe, or a learning rate that is not positive.

    Example:
        >>> import numpy as np
        >>> side = Pairs(np.eye(3), np.eye(3), x_space="image", y_space="text")
        >>> [recipe_for(each, "lin", "authors-code").learning_rate for each in (side, side.swap())]
        [0.0001, 0.001]
    """
    found = recipe(name) if isinstance(name, str) else name
    images = image_side(side)
    if name == "authors-code" and images is not None:
        found = authors_recipe(mapping, images_to_text=images == "x")
    return found if learning_rate is None else replace(found, learning_rate=learning_rate)


def check_learning_rate(mappings: Iterable[str], learning_rate: float | None) -> None:
    """Refuse a learning rate that no mapping would take.

    Raises:
        MappingError: none of the mappings is learned by gradient descent, or one is unknown.
    """
    names = list(mappings)
    if learning_rate is not None and not any(hasattr(mapping_named(name), "recipe") for name in names):
        got = ", ".join(names)
        raise MappingError(
            f"learning_rate: needed a mapping that is learned by gradient descent, as lin and nn are, got {got}. Drop it."
        )
