"""How many rows, and numbers of each column, the row groups of a parquet file hold, from the footer of the file.

A row group is decoded whole or not at all, so whoever keeps to a memory budget must know how large they are, and polars does
not tell. The footer is Thrift's compact protocol (parquet-format, "File Format"; Thrift, "Compact protocol encoding").
"""

from pathlib import Path
from typing import Any

_ROW_GROUPS = 4  # field of FileMetaData
_COLUMNS, _ROWS = 1, 3  # of RowGroup
_ABOUT, _PATH, _NUMBERS = 3, 3, 5  # of ColumnChunk, and of the ColumnMetaData in it
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12


def row_groups(path: Path) -> list[tuple[int, dict[str, int]]]:
    """The number of rows of each row group, in order, and how many numbers it holds of each column.

    Raises:
        ValueError: no parquet file, or a damaged one.

    Example:
        >>> import tempfile
        >>> import polars as pl
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "x.parquet")
        ...     pl.DataFrame({"v": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]}).write_parquet(path, row_group_size=2)
        ...     row_groups(path)
        [(2, {'v': 4}), (1, {'v': 2})]
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        end = file.read()
        length = int.from_bytes(end[:4], "little")
        if end[4:] != b"PAR1" or length > size - 8:
            raise ValueError("no footer of a parquet file")
        file.seek(size - 8 - length)
        footer = file.read(length)
    try:
        return [
            (
                group[_ROWS],
                {about[_PATH][0].decode(): about[_NUMBERS] for about in (each[_ABOUT] for each in group[_COLUMNS])},
            )
            for group in _Reader(footer).struct()[_ROW_GROUPS]
        ]
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a footer that cannot be read: {error!r}") from error


class _Reader:
    """Thrift's compact protocol: structs as dictionaries by field number."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def whole(self) -> int:
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def struct(self) -> dict[int, Any]:
        fields, number = {}, 0
        while (head := self.byte()) != 0:
            step, kind = divmod(head, 16)
            number = number + step if step else self.signed()
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self.value(kind)
        return fields

    def signed(self) -> int:
        number = self.whole()
        return number >> 1 ^ -(number & 1)

    def value(self, kind: int) -> Any:
        if kind == _STRUCT:
            return self.struct()
        if kind in (_LIST, _SET):
            size, inner = divmod(self.byte(), 16)
            return [self.value(inner) for _ in range(self.whole() if size == 15 else size)]
        if kind == _MAP:
            size = self.whole()
            key, inner = divmod(self.byte(), 16) if size else (0, 0)
            return [(self.value(key), self.value(inner)) for _ in range(size)]
        if kind in (_BINARY, _DOUBLE):
            size = self.whole() if kind == _BINARY else 8
            self.at += size
            return self.content[self.at - size : self.at]
        return self.byte() if kind in (_TRUE, _FALSE, _BYTE) else self.signed()
