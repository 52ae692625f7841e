"""Which items a mapping learns from and which it is judged on.

A split is two arrays of row numbers and nothing else, so folds, a hold-out and a published split are one type. Folds are
drawn once from a seed and do not depend on the data.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._numbers import is_number
from isthmus._shapes import Float, Int


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows to learn from, in training order, and rows to be judged on; no row is in both, or twice.

    Raises:
        DataError: a negative row, a row that occurs twice, or no row to be judged on.
    """

    train: Int[ndarray, " n_train"]
    test: Int[ndarray, " n_test"]

    def __post_init__(self) -> None:
        rows, count = np.unique(np.concatenate([self.train, self.test]), return_counts=True)
        if not len(self.test) or rows[0] < 0 or count.max() > 1:
            wrong = "no test row" if not len(self.test) else f"row {rows[np.argmax(count)] if rows[0] >= 0 else rows[0]}"
            raise DataError(
                f"split: needed each row at most once, counted from 0, and some to test on, got {wrong}. "
                "Items that are learned from cannot be tested on."
            )


def check_seed(seed: int) -> int:
    """The seed, if every generator takes it.

    Raises:
        DataError: no whole number, a negative one, or one of more than 32 bits.

    Example:
        >>> check_seed(7)
        7
    """
    if not is_number(seed, whole=True) or not 0 <= seed < 2**32:
        raise DataError(f"seed: needed a whole number from 0 to 2^32 - 1, got {seed!r}. Use 0.")
    return seed


def equal_items(x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> Int[ndarray, " n"]:
    """Groups of items that share x or y exactly, or are joined by others that do: for each item, the first of its group.

    A split that parts such items tests on what was learned from.

    Args:
        x: one item a row.
        y: the same items elsewhere.

    Example:
        >>> equal_items(np.array([[0.0], [1.0], [1.0], [2.0]]), np.array([[5.0], [6.0], [7.0], [5.0]])).tolist()
        [0, 1, 1, 0]
    """
    from scipy.sparse import csr_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    n, rows, firsts = len(x), np.arange(len(x)), []
    for side in (x, y):
        _, first, which = np.unique(side, axis=0, return_index=True, return_inverse=True)
        firsts.append(first[which.ravel()])
    links = csr_array((np.ones(2 * n), (np.tile(rows, 2), np.concatenate(firsts))), shape=(n, n))
    _, group = connected_components(links, directed=False)
    return np.unique(group, return_index=True)[1][group]


def k_fold(n: int, folds: int = 5, seed: int = 0, groups: Int[ndarray, " n"] | None = None) -> tuple[Split, ...]:
    """Folds of a shuffled 0..n-1: every row is tested exactly once, fold sizes differ by at most one.

    They are those of scikit-learn's KFold(folds, shuffle=True, random_state=seed), so that results can be compared.

    Args:
        n: number of rows.
        folds: their number.
        seed: of the draw.
        groups: of each row, as of `equal_items`; then groups are drawn instead of rows, and none is parted.

    Raises:
        DataError: fewer than 2 folds, fewer rows (groups) than folds, or a seed out of range.

    Example:
        >>> [len(split.test) for split in k_fold(7, 3)]
        [3, 2, 2]
    """
    if groups is not None:
        return tuple(_of_groups(split, groups) for split in k_fold(len(np.unique(groups)), folds, seed))
    if not 2 <= folds <= n:
        raise DataError(f"folds: needed between 2 and the number of items ({n}), got {folds}. Choose another number.")
    order = np.random.RandomState(check_seed(seed)).permutation(n)
    parts = [np.sort(part) for part in np.array_split(order, folds)]
    everything = np.arange(n)
    return tuple(Split(np.setdiff1d(everything, part, assume_unique=True), part) for part in parts)


def hold_out(n: int, fraction: float = 0.2, seed: int = 0, groups: Int[ndarray, " n"] | None = None) -> Split:
    """One random part of the rows held out for the test.

    Args:
        n: number of items.
        fraction: share of the items that is held out, in (0, 1); at least one item stands on either side.
        seed: of the draw.
        groups: of each row, as of `equal_items`; then groups are drawn instead of rows, and none is parted.

    Raises:
        DataError: a fraction outside (0, 1), or fewer than two items (groups).

    Example:
        >>> len(hold_out(10, 0.3).test)
        3
    """
    if groups is not None:
        return _of_groups(hold_out(len(np.unique(groups)), fraction, seed), groups)
    if not 0 < fraction < 1 or n < 2:
        raise DataError(f"fraction: needed a share in (0, 1) of at least 2 items, got {fraction} of {n}. Use 0.2.")
    size = min(max(round(n * fraction), 1), n - 1)
    order = np.random.default_rng([seed, 0x401D]).permutation(n)
    return Split(np.sort(order[size:]), np.sort(order[:size]))


def _of_groups(split: Split, groups: Int[ndarray, " n"]) -> Split:
    """The rows of a split of groups, which are counted in ascending order."""
    tested = np.isin(groups, np.unique(groups)[split.test])
    return Split(np.flatnonzero(~tested), np.flatnonzero(tested))


def read_split(path: str | Path, ids: tuple[str, ...], *, by_row: bool = True, column: str = "part") -> Split:
    """A published split from a TSV (or CSV) file with the columns `index` or `id`, and `part`.

    `index` counts rows from 0, `id` names items; `part` is `train` or `test`. The order of the lines is the order of
    training; test items stand in the order of the data. Items that the file does not mention are used in neither part.

    Args:
        path: of the table.
        ids: of the items, in the order of the data.
        by_row: whether rows are still those of the files; after a join that left items out, only ids name them.
        column: that holds the part.

    Raises:
        DataError: a missing column, an `index` where rows have moved, an unknown id, an index out of range, an item named
            twice, another part, or a part that is empty.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "split.tsv")
        ...     _ = path.write_text("index\\tpart\\n2\\ttrain\\n0\\ttrain\\n1\\ttest\\n")
        ...     split = read_split(path, ("a", "b", "c"))
        >>> split.train, split.test
        (array([2, 0]), array([1]))
    """
    from isthmus.pairs._tables import read_table  # noqa: PLC0415 - polars is heavy, and most splits are drawn

    table = read_table(Path(path))
    numbered = by_row and ids == tuple(map(str, range(len(ids))))  # items without a name of their own
    key = next((name for name in (("index", "id") if numbered else ("id", "index")) if name in table), None)
    if key is None or column not in table:
        found = ", ".join(table) or "none"
        raise DataError(f"{path}: needed the columns index (or id) and {column}, got {found}. Name them in the first line.")
    if key == "index" and not by_row:
        raise DataError(
            f"{path}: needed the column id, since the join left items out and rows have moved, got index. Name items by id."
        )
    row_of = {item: row for row, item in enumerate(ids)} if key == "id" else {str(i): i for i in range(len(ids))}
    parts: dict[str, list[int]] = {"train": [], "test": []}
    seen: set[int] = set()
    for line, (item, part) in enumerate(zip(table[key], table[column], strict=True), start=2):
        if item not in row_of or row_of[item] in seen:
            what = "an item named once" if item in row_of else f"one of the {len(ids)} items"
            raise DataError(f"{path}: needed {what}, got {key} {item!r} in line {line}. Check it against the data.")
        if part not in parts:
            raise DataError(f"{path}: needed part train or test, got {part!r} in line {line}. Rename it.")
        parts[part].append(row_of[item])
        seen.add(row_of[item])
    for part, rows in parts.items():
        if not rows:
            raise DataError(f"{path}: needed items in both parts, got none in {part}. Mark some lines as {part}.")
    return Split(np.array(parts["train"]), np.sort(parts["test"]))
