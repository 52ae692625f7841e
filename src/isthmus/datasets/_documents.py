"""Wikipedia and IAPR TC-12 as they are published: pictures, texts and classes, and Wikipedia's own features.

    wikipedia_dataset/  raw_features.mat                       I_tr, I_te (SIFT words), T_tr, T_te (LDA topics)
                        {train,test}set_txt_img_cat.list       a line a pair: text, picture, category from 1, tabs between
                        categories.list                        a line a category
                        texts/NAME.xml, images/CATEGORY/NAME.jpg
    iaprtc12/           annotations_complete_eng/NN/N.eng      <DOC>, <TITLE>, <DESCRIPTION>, ...,
                        <IMAGE>images/NN/N.jpg</IMAGE> images/NN/N.jpg

What `read_wiki` gives can be mapped at once. `read_documents` and `read_iapr` give texts and picture paths, from which
features are made.
"""

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float
from isthmus.datasets._authors import PaperPairs
from isthmus.pairs import Pairs, Split

_PARTS = ("train", "test")


@dataclass(frozen=True, slots=True)
class Documents:
    """Texts with their pictures, before any features.

    Args:
        ids: one unique name an item.
        texts: of the items.
        images: the path of each picture.
        labels: the classes of each item; empty where the source has none.
        split: training and test part, where the source has one.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    images: tuple[Path, ...]
    labels: tuple[frozenset[str], ...]
    split: Split | None

    def __len__(self) -> int:
        return len(self.ids)


def read_wiki(folder: str | Path) -> PaperPairs:
    """The Wikipedia set of Rasiwasia et al. (2010) with its own features: pictures x, texts y, split and categories.

    Args:
        folder: that holds raw_features.mat and the lists.

    Raises:
        DataError: a missing file or variable, a damaged or cut off one, lists of other lengths than the features, or a
            category that is not in categories.list.
    """
    base = Path(folder)
    variables = _variables(base / "raw_features.mat", ("I_tr", "I_te", "T_tr", "T_te"))
    names = _lines(base / "categories.list")
    lists = [_listed(base / f"{part}set_txt_img_cat.list", len(names)) for part in _PARTS]
    for part, rows, keys in zip(_PARTS, lists, (("I_tr", "T_tr"), ("I_te", "T_te")), strict=True):
        for key in keys:
            if len(variables[key]) != len(rows):
                raise DataError(
                    f"{base}: needed as many rows of {key} as lines of {part}set_txt_img_cat.list, got "
                    f"{len(variables[key])} and {len(rows)}. Take all files from one download."
                )
    ids, categories = _named([row for rows in lists for row in rows], names)
    pairs = Pairs(
        np.vstack([variables["I_tr"], variables["I_te"]]), np.vstack([variables["T_tr"], variables["T_te"]]),
        ids, categories, "wiki", "images", "texts",
    )  # fmt: skip
    return PaperPairs(pairs, _split(lists), tuple(frozenset([each]) for each in categories))


def read_documents(folder: str | Path) -> Documents:
    """The articles and pictures of the Wikipedia set.

    Args:
        folder: that holds the lists, texts and images.

    Raises:
        DataError: a missing list, text or picture, or a line that is not text, picture and category.
    """
    base = Path(folder)
    names = _lines(base / "categories.list")
    lists = [_listed(base / f"{part}set_txt_img_cat.list", len(names)) for part in _PARTS]
    rows = [row for each in lists for row in each]
    ids, categories = _named(rows, names)
    texts, images = [], []
    for (text, image, _), category in zip(rows, categories, strict=True):
        texts.append(_words(_text(base / "texts" / f"{text}.xml"), "text"))
        picture = base / "images" / category / f"{image}.jpg"
        if not picture.is_file():
            raise DataError(f"{picture}: needed a picture, found none. Unpack the whole set.")
        images.append(picture)
    return Documents(ids, tuple(texts), tuple(images), tuple(frozenset([each]) for each in categories), _split(lists))


def read_iapr(folder: str | Path) -> Documents:
    """The pictures of IAPR TC-12 with their English descriptions, in order of their numbers.

    The published archive has neither the paper's split into 18,000 and 2,000 nor its labels, so `split` is None and `labels`
    are
    empty: the authors' files (`read_paper_set`) hold both, with features.

    Args:
        folder: iaprtc12, with annotations_complete_eng and images.

    Raises:
        DataError: no annotations, one without <IMAGE> or <DESCRIPTION>, or a picture that is not there.
    """
    base = Path(folder)
    places = sorted((base / "annotations_complete_eng").glob("*/*.eng"), key=_number)
    if not places:
        raise DataError(
            f"{base}: needed annotations_complete_eng/NN/N.eng, found none. Name the folder iaprtc12 of the archive."
        )
    texts, images = [], []
    for place in places:
        content = _text(place)
        texts.append(_words(content, "DESCRIPTION", place))
        picture = base / _words(content, "IMAGE", place)
        if not picture.resolve().is_relative_to(base.resolve()) or not picture.is_file():
            raise DataError(f"{place}: needed the picture that it names, found no {picture}. Unpack the whole archive.")
        images.append(picture)
    ids = tuple(f"{place.parent.name}/{place.stem}" for place in places)
    return Documents(ids, tuple(texts), tuple(images), (frozenset(),) * len(ids), None)


def _variables(path: Path, wanted: tuple[str, ...]) -> dict[str, Float[ndarray, "n d"]]:
    from isthmus.pairs import read  # noqa: PLC0415

    return {name: read(f"{path}:{name}").values.astype(np.float32) for name in wanted}


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in _text(path).splitlines() if line.strip()]


def _text(path: Path) -> str:
    """A file as UTF-8, or as the Latin-1 that old sets are in."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: needed a file that can be read, got {error.strerror}. Unpack the whole set.") from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _words(content: str, tag: str, path: Path | None = None) -> str:
    """What stands in an element, its own elements left out; these files are no valid XML, so by pattern."""
    match = re.search(rf"<{tag}>(.*?)</{tag}>", content, flags=re.DOTALL | re.IGNORECASE)
    if match is None:
        if path is not None:
            raise DataError(f"{path}: needed <{tag}>, found none. The file may be cut off: unpack the archive again.")
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", content)).split())
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", match[1])).split())


def _number(path: Path) -> tuple[str, int, str]:
    return path.parent.name, int(path.stem) if path.stem.isdigit() else 0, path.stem


def _listed(path: Path, categories: int) -> list[tuple[str, str, int]]:
    rows = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) != 3 or not fields[2].strip().isdigit() or not 1 <= int(fields[2]) <= categories:
            raise DataError(
                f"{path}: needed text, picture and a category from 1 to {categories}, with tabs between, got {line[:60]!r} "
                f"in line {number}. Take it from a fresh download."
            )
        rows.append((fields[0].strip(), fields[1].strip(), int(fields[2])))
    return rows


def _named(rows: list[tuple[str, str, int]], names: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(f"{text}+{image}" for text, image, _ in rows), tuple(names[category - 1] for _, _, category in rows)


def _split(lists: list[list[tuple[str, str, int]]]) -> Split:
    train, test = map(len, lists)
    return Split(np.arange(train), np.arange(train, train + test))
