"""From arguments to vectors and pairs: a file, a named data set, or one side of a named data set (`emoji:x`)."""

from pathlib import Path

from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float
from isthmus.cli._output import note
from isthmus.datasets import CATALOG, DEFAULT, load
from isthmus.pairs import Pairs, Vectors, align, read


def vectors(argument: str) -> Vectors:
    """The vectors that an argument names: `NAME:x` or `NAME:y` of a named data set, else a file."""
    name, colon, side = argument.rpartition(":")
    if name in CATALOG and side not in ("x", "y"):
        raise DataError(f"data: needed {name}:x or {name}:y, got {argument!r}. Name one of its two sides.")
    if not Path(argument).exists() and (name in CATALOG or not Path(name if colon else argument).suffix):
        pairs = load(name if colon else argument)
        if not colon:
            raise DataError(f"data: needed one side of {argument}, got both. Write {argument}:x or {argument}:y.")
        return Vectors(pairs.x if side == "x" else pairs.y, pairs.ids, argument)
    return read(argument)


def pairs(arguments: list[str]) -> Pairs:
    """The default data set for none, a named one for one, two joined sets of vectors for two arguments."""
    if len(arguments) > 2:
        raise DataError(f"data: needed a named data set or two files, got {len(arguments)} arguments. Name two.")
    if len(arguments) == 2:
        return joined(vectors(arguments[0]), vectors(arguments[1]))
    name = arguments[0] if arguments else DEFAULT
    if name not in CATALOG and (Path(name).exists() or Path(name).suffix):
        raise DataError(f"data: needed two files, x and y, got only {name}. Add the file of the other space.")
    return load(name)


def joined(x: Vectors, y: Vectors) -> Pairs:
    """Two sets side by side, with a line on what fell out."""
    result = align(x, y)
    if (x.ids is None) != (y.ids is None):
        note(f"paired row by row: {(x if x.ids is None else y).name} has no ids to join by")
    if result.alignment is not None and (result.alignment.only_x or result.alignment.only_y):
        note(f"joined by id: {result.alignment}")
    return result


def rows_kept(pairs: Pairs) -> bool:
    """Whether row numbers are still those of the files: no item was left out by a join."""
    return pairs.alignment is None or not (pairs.alignment.only_x or pairs.alignment.only_y)


def numbers(text: str, argument: str) -> list[int]:
    """A list such as `5,10,30`."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        raise DataError(f"{argument}: needed whole numbers as in 5,10,30, got {text!r}. Separate them by commas.") from None
    return list(dict.fromkeys(found))


def words(text: str, argument: str) -> list[str]:
    """A list such as `lin,nn`."""
    found = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise DataError(f"{argument}: needed at least one name, got {text!r}. Separate several by commas.")
    return found


def mapped(argument: str, to: Pairs) -> Float[ndarray, "n d"]:
    """The user's f(X), in the order of the pairs: by id where the file has ids, else row by row."""
    found = vectors(argument)
    if found.ids is None:
        return found.values
    row_of = {item: row for row, item in enumerate(found.ids)}
    missing = [item for item in to.ids if item not in row_of]
    if missing:
        raise DataError(
            f"mapped: needed a row for every id of the pairs, got none for {len(missing)} of {len(to)} "
            f"({missing[0]!r} first) in {argument}. Name its rows like those of x, or drop its ids to take them in order."
        )
    return found.values[[row_of[item] for item in to.ids]]
