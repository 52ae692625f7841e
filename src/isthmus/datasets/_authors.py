"""The feature files that Collell & Moens (2018) publish, read as they lie on disk.

    DIR/training_data/imagenet/{vis,lang}_<name>.csv                        word, numbers
    DIR/training_data/{iaprtc,wiki}/{TR,TS}_{vis,lang}_<name>.csv           labels, numbers
    DIR/training_data/{iaprtc,wiki}/TR_labels.csv                           yours, where the names above are no labels

DIR may also be the folder training_data itself; names count in any case. The first field of a line names the item. On
ImageNet that is a word. On IAPR TC-12 it is the numbers of the item's labels with spaces between them, which many items
share: where names repeat, images and texts belong together row by row. Words and labels are the classes for max-margin. What
the names of Wikipedia are could not be looked at, so there it needs TR_labels.csv: name, labels with spaces between, a line
an item.

The files hold up to 20,000 x 2,048 numbers as text. A first pass counts lines; then blocks of lines are parsed straight into
one float32 array for both parts, so that little more than the result is held. A block that polars refuses is read again line
by line, which finds the field that is wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float
from isthmus.pairs import Pairs, Split
from isthmus.words import WordVectors

PaperSet = Literal["imagenet", "iapr", "wiki"]
"""The sets of the paper's experiment 1."""

_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "imagenet": ("imagenet",),
    "iapr": ("iaprtc", "iapr", "iaprtc12", "iapr_tc12", "iapr-tc12"),
    "wiki": ("wiki", "wikipedia"),
}
_FILE_NAMES = {"bigru": "biGRU"}  # as the authors write it; the others are written as they are called
_BLOCK = 1 << 22  # bytes parsed at once

LABELS = "TR_labels.csv"
"""A file of the user's own beside the training part, one line an item: its name, a comma, its labels with spaces."""


@dataclass(frozen=True, slots=True, eq=False)
class PaperPairs:
    """One set of the paper: images x, texts y, the published split where there is one, and classes where there are some.

    Args:
        pairs: images as x, texts as y, the training part first.
        split: training and test part; None on ImageNet, which has none.
        classes: of each item, for max-margin, from `LABELS` where it is there (then empty for test items); else on ImageNet
            every word is a class of its own, on IAPR TC-12 the names are labels, and on Wikipedia there are none.
    """

    pairs: Pairs
    split: Split | None
    classes: tuple[frozenset[str], ...] | None


def paper_files(folder: str | Path, name: PaperSet, image: str, text: str) -> dict[str, Path | None]:
    """Which files a set with these features needs, by the names that the authors gave them, and where each of them is.

    Args:
        folder: DIR of this module's layout.
        name: of the set.
        image: features of the images, "resnet" or "vgg128".
        text: features of the texts, "glove" or "word2vec" on ImageNet, "bigru" elsewhere.

    Raises:
        DataError: the folder does not exist, or cannot be listed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paper_files(folder, "imagenet", "resnet", "glove")
        {'training_data/imagenet/vis_resnet.csv': None, 'training_data/imagenet/lang_glove.csv': None}
    """
    homes = _homes(Path(folder), name)
    stems = [f"{side}_{_FILE_NAMES.get(kind, kind)}.csv" for side, kind in (("vis", image), ("lang", text))]
    files = stems if name == "imagenet" else [f"{part}_{stem}" for part in ("TR", "TS") for stem in stems]
    return {
        f"training_data/{_FOLDERS[name][0]}/{file}": next((found for home in homes if (found := _within(home, file))), None)
        for file in files
    }


def read_paper_set(
    folder: str | Path, name: PaperSet, image: str, text: str, parts: Sequence[Literal["TR", "TS"]] = ("TR", "TS")
) -> PaperPairs:
    """A set of the paper from the authors' files.

    Args:
        folder: DIR of this module's layout.
        name: of the set.
        image: features of the images.
        text: features of the texts.
        parts: of IAPR TC-12 and Wikipedia; the test part alone has neither split nor classes.

    Raises:
        DataError: a missing, empty or cut off file, lines of different lengths, a field that is no finite number, or images
            and texts of different items.
    """
    files = paper_files(folder, name, image, text)
    needed = {key: path for key, path in files.items() if name == "imagenet" or Path(key).name[:2] in parts}
    paths = [path for path in needed.values() if path is not None]
    if len(paths) < len(needed):
        missing = ", ".join(key for key, path in needed.items() if path is None)
        raise DataError(f"data: needed {missing}, found none in {folder}. Put what the authors publish there.")
    (ids, x, sizes), (text_ids, y, text_sizes) = _read(paths[::2]), _read(paths[1::2])
    if sorted(ids) != sorted(text_ids) or sizes != text_sizes:
        _refuse_ids(paths[0::2], paths[1::2], ids, text_ids, sizes, text_sizes)
    unique = len(set(ids)) == len(ids)
    if ids != text_ids:
        if not unique:
            row = next(row for row, (a, b) in enumerate(zip(ids, text_ids, strict=True)) if a != b)
            raise DataError(
                f"{paths[1]}: needed the items of {paths[0].name} in the same order, since names repeat, got "
                f"{text_ids[row]!r} for {ids[row]!r} in item {row + 1}. Take both files from one download."
            )
        row_of = {item: row for row, item in enumerate(text_ids)}
        y = y[[row_of[item] for item in ids]]
    split = Split(np.arange(sizes[0]), np.arange(sizes[0], len(ids))) if len(sizes) == 2 else None
    learned = name == "imagenet" or "TR" in parts
    classes = _classes(folder, name, ids, sizes[0]) if learned else None
    pairs = Pairs(x, y, tuple(ids) if unique else (), None, f"{name}-{image}-{text}", "images", "texts")
    return PaperPairs(pairs, split, classes)


def read_paper_words(path: Path, name: str) -> WordVectors:
    """One file of the words' vectors, `vis_*.csv` or `lang_*.csv` of ImageNet, by itself.

    Raises:
        DataError: as `read_paper_set`, or a word that occurs twice.
    """
    ids, values, _ = _read([path])
    return WordVectors.of(values, tuple(ids), name)


def _classes(folder: str | Path, name: PaperSet, ids: list[str], train: int) -> tuple[frozenset[str], ...] | None:
    if name == "imagenet":
        return tuple(frozenset([item]) for item in ids)
    file = next((found for home in _homes(Path(folder), name) if (found := _within(home, LABELS))), None)
    if file is None:
        return tuple(frozenset(item.split()) for item in ids) if name == "iapr" else None
    lines = map(_text, file.read_bytes().splitlines())
    labeled = [line.rpartition(",")[::2] for line in lines if line.strip()]
    if [item for item, _ in labeled] != ids[:train]:
        raise DataError(
            f"{file}: needed a line `name,labels` for each of the {train} items of the training part, in their order, got "
            f"{len(labeled)} lines and other names. Take the names from the first column of TR_vis_*.csv."
        )
    return tuple(frozenset(labels.split()) for _, labels in labeled) + (frozenset(),) * (len(ids) - train)


def _homes(root: Path, name: PaperSet) -> list[Path]:
    """Folders that may hold the files of a set."""
    if not root.is_dir():
        raise DataError(f"data: needed the folder of the authors' files, got {str(root)!r}. Check the path.")
    inner = _within(root, "training_data")
    bases = [root] if inner is None or not inner.is_dir() else [inner, root]
    places = [place for base in bases for place in _listed(base) if place.is_dir()]
    return [place for alias in _FOLDERS[name] for place in places if place.name.lower() == alias]


def _refuse_ids(
    images: Sequence[Path],
    texts: Sequence[Path],
    ids: list[str],
    text_ids: list[str],
    sizes: list[int],
    text_sizes: list[int],
) -> None:
    for image, text, n, m in zip(images, texts, sizes, text_sizes, strict=True):
        if n != m:
            short, items = (text, m) if m < n else (image, n)
            raise DataError(f"{short}: needed {max(n, m)} items, as its partner has, got {items}. Check that it is whole.")
    alone = min(set(ids) ^ set(text_ids), default=ids[0])
    here, there = (images, texts) if alone in set(ids) else (texts, images)
    raise DataError(
        f"{there[-1]}: needed the items of {here[-1].name}, got none named {alone!r}. Take both files from one download."
    )


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"data: needed a folder that can be listed, got {error}. Check its permissions.") from error


def _within(folder: Path, name: str) -> Path | None:
    """The entry of this name in any case, the exact one first."""
    same = [entry for entry in _listed(folder) if entry.name.lower() == name.lower()]
    return min(same, key=lambda entry: entry.name != name, default=None)


def _read(paths: Sequence[Path]) -> tuple[list[str], Float[ndarray, "n d"], list[int]]:
    """Names, numbers and size of each file, the files one after the other."""
    lines, widths = zip(*map(_measure, paths), strict=True)
    if len(set(widths)) > 1:
        raise DataError(
            f"{paths[1]}: needed {widths[0]} numbers a line, as {paths[0].name} has, got {widths[1]}. "
            "Take both files from one download."
        )
    values = np.empty((sum(lines), widths[0]), dtype=np.float32)
    names: list[str] = []
    sizes = []
    for path in paths:
        before, line = len(names), 1
        with path.open("rb") as file:
            for block in _blocks(file):
                ids, numbers = _fast(block, widths[0]) or _slow(block, widths[0], path, line)
                values[len(names) : len(names) + len(ids)] = numbers
                names += ids
                line += block.count(b"\n")
        sizes.append(len(names) - before)
    return names, values[: len(names)], sizes


def _measure(path: Path) -> tuple[int, int]:
    """Lines of a file, at most, and numbers in its first line."""
    try:
        with path.open("rb") as file:
            first = file.readline()
            file.seek(0)
            lines = sum(block.count(b"\n") + (not block.endswith(b"\n")) for block in _blocks(file))
    except OSError as error:
        raise DataError(f"{path}: needed a file that can be read, got {error}. Check it.") from error
    if not first.strip():
        raise DataError(f"{path}: needed a name and numbers in every line, got an empty first line. Download it again.")
    if not first.count(b","):
        raise DataError(
            f"{path}: needed a name and numbers with commas between them, got {_shown(first)}. Download it again."
        )
    return lines, first.count(b",")


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines, about `_BLOCK` bytes of them at a time."""
    rest = b""
    while chunk := file.read(_BLOCK):
        whole, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield rest + whole + newline
            rest = tail
        else:
            rest += chunk
    if rest:
        yield rest


def _fast(block: bytes, width: int) -> tuple[list[str], Float[ndarray, "m d"]] | None:
    """Names and numbers of a block, if every line is in order."""
    import polars as pl  # noqa: PLC0415 - heavy
    from polars.exceptions import PolarsError  # noqa: PLC0415

    schema = {"id": pl.String(), **{str(column): pl.Float32() for column in range(width)}}
    try:
        frame = pl.read_csv(block, has_header=False, schema=schema, quote_char=None)
    except PolarsError:
        return None
    numbers = frame.drop("id").to_numpy()  # a field that is missing becomes nan
    return (frame["id"].fill_null("").to_list(), numbers) if np.isfinite(numbers).all() else None


def _slow(block: bytes, width: int, path: Path, line: int) -> tuple[list[str], Float[ndarray, "m d"]]:
    """The same, line by line; blank lines are passed over, and the first field in disorder is named."""
    ids, rows = [], []
    for number, text in enumerate(block.split(b"\n"), start=line):
        name, *fields = _text(text.strip()).split(",")
        if not name and not fields:
            continue
        if len(fields) != width:
            raise DataError(
                f"{path}: needed {width} numbers in line {number}, as in line 1, got {len(fields)}. "
                "The file may be cut off: download it again."
            )
        try:
            row = np.array(fields, dtype=np.float32)
        except ValueError:
            row = np.full(width, np.nan, dtype=np.float32)
        if not np.isfinite(row).all():
            column = next(position for position, field in enumerate(fields, start=2) if not _is_finite(field))
            raise DataError(
                f"{path}: needed a finite number in line {number}, field {column}, got {_shown(fields[column - 2])}. "
                "Download the file again."
            )
        ids.append(name)
        rows.append(row)
    return ids, np.array(rows, dtype=np.float32).reshape(len(rows), width)


def _text(line: bytes) -> str:
    """A line in UTF-8, else in Latin-1, under which words that differ stay different."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _is_finite(field: str) -> bool:
    try:
        return bool(np.isfinite(np.float32(field)))
    except ValueError:
        return False


def _shown(text: str | bytes) -> str:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return repr(shown.strip()[:40])
