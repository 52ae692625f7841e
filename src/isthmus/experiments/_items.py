"""The data of an experiment: pairs, classes, parts and the digest of their bytes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError, MappingError
from isthmus.datasets import LABELS, load, read_paper_set
from isthmus.experiments._audit import check_sizes
from isthmus.experiments._plan import folds_of
from isthmus.experiments._spec import Data, Entry, Spec
from isthmus.pairs import Pairs, Split, Vectors, align, k_fold, labels_have_ids, read, read_labels, read_split
from isthmus.training import encode_classes


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """What an experiment runs on.

    Args:
        pairs: the two spaces.
        labels: classes, for each way in which entries name them (None: those of the data).
        splits: the parts.
        digest: of the bytes of all of it but the labels.
        label_digests: of the bytes of each array of labels.
    """

    pairs: Pairs
    labels: dict[str | None, ndarray | None]
    splits: tuple[Split, ...]
    digest: str
    label_digests: dict[str | None, str]

    @property
    def fingerprint(self) -> str:
        """A digest of all that was read."""
        return "".join([self.digest, *self.label_digests.values()])

    def digest_for(self, entry: Entry) -> str:
        """The digest of what a mapping is learned from: labels count only where its loss looks at them."""
        return self.digest + (self.label_digests[entry.labels] if entry.loss == "max-margin" else "")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of test items of each part."""
        return tuple(len(split.test) for split in self.splits)


def open_items(spec: Spec) -> Items:
    """The data that a spec names, checked against what the spec asks of it.

    Raises:
        DataError: files that cannot be read or paired, labels or splits that do not fit them.
        MappingError: no labels for max-margin.
        NeighborError: too few test items for k.
    """
    pairs, split, labels, are_named = _pairs(spec.data, spec.name)
    if spec.protocol.split is not None:
        whole = pairs.alignment is None or not (pairs.alignment.only_x or pairs.alignment.only_y)
        path, column = _path_and_column(spec.protocol.split)
        split = read_split(path, pairs.ids, by_row=whole, column=column)
    folds = folds_of(spec)
    splits = (split,) if split is not None else k_fold(len(pairs), folds or 5, spec.protocol.seed)
    for include_self in spec.measure.include_self:
        check_sizes(splits, spec.measure.k, len(pairs), include_self=include_self, learns=True)
    named: dict[str | None, ndarray | None] = {None: labels}
    for number, entry in enumerate(spec.mappings):
        named.setdefault(entry.labels, None if entry.labels is None else _labels_of(entry, pairs, are_named))
        if entry.loss == "max-margin" and named[entry.labels] is None:
            raise MappingError(
                f"spec.mappings[{number}].labels: needed classes for the max-margin loss, got none. "
                f"{'Name a file in spec.data.labels' if spec.data.authors is None else f'Put {LABELS} beside the files'}, "
                'or set labels = "ids" where every item is a class of its own.'
            )
    arrays = [pairs.x, pairs.y, *(rows for each in splits for rows in (each.train, each.test))]
    of_labels = {name: _digest([each]) for name, each in named.items() if each is not None}
    return Items(pairs, named, splits, _digest(arrays), of_labels)


def _path_and_column(argument: str) -> tuple[str, str]:
    path, colon, column = argument.rpartition(":")
    return (path, column) if colon and len(path) > 1 and "/" not in column else (argument, "part")


def _pairs(data: Data, name: str) -> tuple[Pairs, Split | None, ndarray | None, bool]:
    """The spaces, a split and classes where the data bring them, and whether items have names of their own."""
    if data.name is not None:
        pairs = load(data.name)
        return pairs, None, None if pairs.labels is None else np.array(pairs.labels), True
    if data.authors is not None and data.set is not None:
        found = read_paper_set(data.authors, data.set, str(data.image_features), str(data.text_features))
        return found.pairs, found.split, None if found.classes is None else _array(found.classes), True
    x, y = read(str(data.x)), read(str(data.y))
    if data.x_test is not None and data.y_test is not None:
        x_test, y_test = read(data.x_test), read(data.y_test)
        labels = None
        if data.labels is not None and data.labels_test is not None:
            parts = ((data.labels, x, x.ids or y.ids), (data.labels_test, x_test, x_test.ids or y_test.ids))
            labels = np.concatenate([_fitting(source, len(part.values), ids) for source, part, ids in parts])
        x, y, split = _joined_parts(x, y, x_test, y_test)
        return align(x, y, name=name), split, labels, False
    pairs, named = align(x, y, name=name), x.ids is not None or y.ids is not None
    if data.labels is None:
        return pairs, None, None, named
    if named and labels_have_ids(data.labels):
        return pairs, None, _fitting(data.labels, len(pairs), pairs.ids), named
    labels = _fitting(data.labels, len(x.values), None)
    if x.ids is not None and y.ids is not None:  # a join may leave rows out
        row_of = {item: row for row, item in enumerate(x.ids)}
        labels = labels[[row_of[item] for item in pairs.ids]]
    return pairs, None, labels, named


def _array(classes: tuple[frozenset[str], ...]) -> ndarray:
    """One class an item, or a table of items by classes where some have several, or none."""
    if all(len(names) == 1 for names in classes):
        return np.array([name for names in classes for name in names])
    return encode_classes(classes, "max-margin", len(classes))


def _joined_parts(x: Vectors, y: Vectors, x_test: Vectors, y_test: Vectors) -> tuple[Vectors, Vectors, Split]:
    """Training and test items one after the other, row by row, and which is which."""
    for name, (a, b) in {"x, y": (x, y), "x_test, y_test": (x_test, y_test)}.items():
        if len(a.values) != len(b.values):
            raise DataError(
                f"spec.data.{name}: needed as many rows in both, got {len(a.values)} and {len(b.values)}. "
                "Bring them into one order, item by item."
            )
    for name, (a, b) in {"x, x_test": (x, x_test), "y, y_test": (y, y_test)}.items():
        if a.values.shape[1] != b.values.shape[1]:
            raise DataError(
                f"spec.data.{name}: needed as many columns in both, got {a.values.shape[1]} and {b.values.shape[1]}. "
                "Name files of one space."
            )
    n, m = len(x.values), len(x_test.values)
    whole = [Vectors(np.concatenate([a.values, b.values]), None, a.name) for a, b in ((x, x_test), (y, y_test))]
    return whole[0], whole[1], Split(np.arange(n), np.arange(n, n + m))


def _labels_of(entry: Entry, pairs: Pairs, named: bool) -> ndarray:
    if entry.labels == "ids":
        return np.array(pairs.ids)
    return _fitting(str(entry.labels), len(pairs), pairs.ids if named else None)


def _fitting(source: str, n: int, ids: Sequence[str] | None) -> ndarray:
    """Labels joined by id where the file and the items have ids, else row by row."""
    labels = read_labels(source, ids)
    if len(labels) != n:
        raise DataError(
            f"{source}: needed one class for each of {n} rows, got {len(labels)}. Name labels of the same items."
        )
    return labels


def _digest(arrays: list[ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data if array.size else b"")
    return digest.hexdigest()
