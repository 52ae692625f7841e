"""From arguments to vectors and pairs: a file, a named data set, or one side of a named data set (`emoji:x`)."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float
from isthmus.cli._output import note
from isthmus.datasets import CATALOG, DEFAULT, load
from isthmus.pairs import (
    Pairs,
    Vectors,
    VectorStream,
    align,
    labels_have_ids,
    open_stream,
    read,
    read_array,
    read_labels,
    read_rows,
    spaces_in,
)
from isthmus.words import (
    WordVectors,
    forms_of,
    is_word_file,
    match,
    read_dictionary,
    read_list,
    read_words,
    words_beside,
)


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


def word_vectors(argument: str, only: Collection[str] | None = None, names: Path | None = None) -> WordVectors:
    """Word vectors from a file of them, of which only some words are read, or from any file whose rows have names.

    Args:
        argument: a file as of `read_words`, or any that `read` takes.
        only: words that are wanted; others may be there too.
        names: a list of words, one a line, for an array without; rows of nan then are words without a vector.
    """
    path = Path(argument)
    name = path.name
    if names is not None and not is_word_file(path):
        return WordVectors.of(read_array(argument), read_list(names), name)
    if is_word_file(path) or (path.suffix == ".npy" and words_beside(path).is_file()):
        found = read_words(path, only, duplicates="first")
        if found.repeated:
            note(f"{name}: {len(found.repeated)} words occur again, the first vector counts ({found.repeated[0]!r}, ...)")
        return found
    rows = vectors(argument)
    if rows.ids is None:
        raise DataError(
            f"{argument}: needed a word for each row, got rows without names. Give --words FILE, with one word a line."
        )
    return WordVectors(rows.values, rows.ids, name)


def pairs(arguments: Sequence[str], dictionary: Path | None = None, *, lower_case: bool = False) -> Pairs:
    """The default data set for no argument; a named one, or a file that holds two sets, for one; two joined sets for two."""
    if len(arguments) > 2:
        raise DataError(f"data: needed a named data set or two files, got {len(arguments)} arguments. Name two.")
    name = arguments[0] if arguments else DEFAULT
    if len(arguments) < 2 and not is_file(name):
        if dictionary is not None:
            raise DataError(f"dictionary: needed two files of word vectors to join, got {name}. Leave it out, or name them.")
        return load(name)
    names = spaces(arguments)
    if len(names) == 1:
        raise DataError(f"data: needed two files, x and y, got only {name}. Add the file of the other space.")
    if len(names) > 2:
        listed = ", ".join(each.rpartition(":")[2] for each in names)
        raise DataError(f"data: needed two sets, got {len(names)} in {name} ({listed}). Name two: {names[0]} {names[1]}.")
    return joined(*read_sets(names, dictionary, lower_case=lower_case))


def is_file(name: str) -> bool:
    """Whether an argument means a file, there or not, and no named data set."""
    return name not in CATALOG and (Path(name).exists() or bool(Path(name.rpartition(":")[0] or name).suffix))


def spaces(arguments: Sequence[str], *, tell: bool = True) -> list[str]:
    """The sets that arguments name: one argument alone may hold several, as a named data set does, or a table's columns."""
    if len(arguments) != 1:
        return list(arguments)
    (name,) = arguments
    if name in CATALOG:
        return [f"{name}:x", f"{name}:y"]
    keys = spaces_in(name)
    if len(keys) < 2:
        return [name]
    if tell:
        note(f"{name} holds {', '.join(keys)}, in this order")
    return [f"{name}:{key}" for key in keys]


def several(arguments: Sequence[str]) -> list[str]:
    """As `spaces`, where there must be two sets or more.

    Raises:
        DataError: there is one, or a name that nothing has.
    """
    if len(arguments) == 1 and not is_file(arguments[0]):
        load(arguments[0])  # an error that says what is missing
    names = spaces(arguments)
    if len(names) < 2:
        raise DataError(f"data: needed two files, x and y, got only {names[0]}. Add the file of the other space.")
    return names


def read_sets(names: Sequence[str], dictionary: Path | None = None, *, lower_case: bool = False) -> list[Vectors]:
    """The sets of these names; joined by a dictionary where there is one, with ids in common."""
    if dictionary is not None:
        return translated(names, dictionary, lower_case=lower_case)
    if lower_case:
        raise DataError("lower_case: needed --dictionary with it, got none. Add the dictionary, or leave it out.")
    return [vectors(name) for name in names]


def translated(names: Sequence[str], dictionary: Path, *, lower_case: bool = False) -> list[Vectors]:
    """Two files of word vectors, row by row the pairs of a dictionary, named by their source words; only these are read."""
    if len(names) != 2:
        raise DataError(f"dictionary: needed two files of word vectors to join, got {len(names)}. Name two.")
    entries = read_dictionary(dictionary)
    read = [word_vectors(name, forms_of([entry[side] for entry in entries])) for side, name in enumerate(names)]
    source, target = read
    found = match(entries, source.row_of, target.row_of, lower_case=lower_case)
    told = [f"dictionary: {len(found.pairs)} pairs of {len(entries)} entries"]
    if found.repeated:
        told.append(f"{found.repeated} name a word that is paired already")
    for name, side, missing in ((source.name, 0, found.no_source), (target.name, 1, found.no_target)):
        if missing:
            some = ", ".join([entry[side] for entry in missing[:3]] + ["…"] * (len(missing) > 3))
            told.append(f"{len(missing)} have no vector in {name} ({some})")
    if found.lowered:
        told.append(f"{found.lowered} words were found in lower case")
    if found.only_lower:
        told.append(f"{found.only_lower} words have a vector in lower case only: --lower-case takes it")
    if not found.pairs:
        raise DataError(f"{'; '.join(told)}. Check that the dictionary leads from {source.name} to {target.name}.")
    note("; ".join(told))
    ids = tuple(word for word, _ in found.pairs)
    return [
        Vectors.of(each.values[[each.row_of[pair[side]] for pair in found.pairs]], ids, each.name)
        for side, each in enumerate(read)
    ]


def joined(x: Vectors, y: Vectors) -> Pairs:
    """Two sets side by side, with a line on what fell out."""
    result = align(x, y)
    if (x.ids is None) != (y.ids is None):
        note(f"paired row by row: {(x if x.ids is None else y).name} has no ids to join by")
    if result.alignment is not None and (result.alignment.only_x or result.alignment.only_y):
        note(f"joined by id: {result.alignment}")
    return result


def labels(source: str, ids: Sequence[str] | None) -> ndarray:
    """Classes of items: joined by id where both sides have ids, else row by row, with a line where one side has them."""
    found = read_labels(source, ids)
    if (ids is not None) != labels_have_ids(source):
        note(f"labels taken row by row: {'the data' if ids is None else source} has no ids to join by")
    return found


def chosen(source: str, only: str, classes: str | None) -> tuple[Vectors, ndarray | None]:
    """The rows of a file that a column marks with one of some values, as `items.tsv:split=test`, and their classes."""
    column, equals, values = only.rpartition("=")
    if not (column and equals and values):
        raise DataError(f"only: needed a column and its values, got {only!r}. Write it as items.tsv:split=test.")
    found: ndarray | None = None

    def choose(ids: tuple[str, ...] | None, n: int) -> ndarray:
        nonlocal found
        marks = labels(column, ids)
        if marks.shape != (n,):
            raise DataError(f"only: needed a mark for each of {n} rows, got shape {marks.shape} in {column}. Check it.")
        rows = np.flatnonzero(np.isin(marks, values.split(",")))
        if not len(rows):
            some = ", ".join(np.unique(marks)[:8].tolist())
            raise DataError(f"only: needed {values} in {column}, got none of {n} rows. It has {some}.")
        if classes is not None:
            whole = labels(classes, ids)
            if len(whole) != n:
                raise DataError(f"labels: needed one for each of {n} rows, got {len(whole)}. Name labels of the same items.")
            found = whole[rows]
        return rows

    return read_rows(source, choose), found


def check_marks(only: str, with_ids: Sequence[bool]) -> None:
    """Refuse marks by id for sets of which some have ids: the others would be marked in the order of the table.

    Raises:
        DataError: such marks.
    """
    if labels_have_ids(only.rpartition("=")[0]) and len(set(with_ids)) > 1:
        raise DataError(
            "only: needed ids in all sets or in none, since the marks have ids, got some sets without. Add them."
        )


def labeled(pairs: Pairs, source: str) -> Pairs:
    """Pairs with the classes that a file gives their items, by id, or row by row where either has no ids.

    Raises:
        DataError: several classes an item, not one for each, or rows that were left out by a join and cannot be told.
    """
    ids = None if pairs.ids == tuple(map(str, range(len(pairs)))) else pairs.ids  # rows that were only counted
    found = labels(source, ids)
    by_id = ids is not None and labels_have_ids(source)
    if found.ndim != 1 or len(found) != len(pairs) or not (by_id or rows_kept(pairs)):
        got = f"{found.shape[1]} for each" if found.ndim == 2 else f"{len(found)} for {len(pairs)} items"
        raise DataError(f"labels: needed one class for each item, got {got}. Name the items of the file by id.")
    return replace(pairs, labels=tuple(found.tolist()))


def own_ids(pairs: Pairs, *vectors: Vectors) -> tuple[str, ...] | None:
    """The ids of pairs where their files named them; None where rows were only counted."""
    return pairs.ids if any(each.ids is not None for each in vectors) else None


def refuse_given(context: Any, because: str, names: Sequence[str]) -> None:
    """Refuse options that another one leaves without effect.

    Args:
        context: of the command, a `typer.Context`.
        because: the other option.
        names: of the parameters that must not be given.

    Raises:
        DataError: one of them was given.
    """
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = name.replace("_", "-")
            raise DataError(f"{option}: needed none with --{because}, got one, which would do nothing. Leave it out.")


def is_folder(argument: str) -> bool:
    """Whether an argument names a folder of parts."""
    return Path(argument).is_dir()


def streams(arguments: list[str]) -> dict[str, VectorStream]:
    """Sets that stay in their files, of as many items each; items are paired row by row.

    Where files name their items, the names must be the same, in the same order.
    """
    found = {argument: open_stream(argument) for argument in arguments}
    first = found[arguments[0]]
    for argument, stream in found.items():
        if len(stream) != len(first):
            raise DataError(
                f"{argument}: needed {len(first)} items, as {arguments[0]} has, got {len(stream)}. Sets that are read in "
                "blocks are paired row by row: bring them into one order first."
            )
    named = {argument: stream for argument, stream in found.items() if stream.has_ids}
    if 0 < len(named) < len(found):
        note("paired row by row: not all sets have ids")
    for argument, stream in list(named.items())[1:]:
        leader = next(iter(named))
        for row, (ours, theirs) in enumerate(zip(named[leader].ids(), stream.ids(), strict=True)):
            if ours != theirs:
                raise DataError(
                    f"{argument}: needed the ids of {leader} in the same order, got {theirs!r} for {ours!r} in row {row}. "
                    "Sort both by id first."
                )
    return found


_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def bytes_of(text: str, argument: str) -> int:
    """An amount of memory such as 1GB, 500MB or 2GiB."""
    match = re.fullmatch(r"\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([a-zA-Z]*)\s*", text)
    if match is None or match[2].upper() not in _UNITS:
        raise DataError(f"{argument}: needed an amount such as 1GB or 500MB, got {text!r}. Write a number and a unit.")
    return int(float(match[1]) * _UNITS[match[2].upper()])


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
