"""Vectors into a file, whole or not at all: npy, or npz where their ids go with them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

import numpy as np

from isthmus._errors import DataError
from isthmus.pairs._vectors import Vectors


def write(vectors: Vectors, target: str | Path) -> None:
    """Write vectors so that `read` gives them back.

    Args:
        vectors: what to write.
        target: x.npy for the values alone, x.npz for values and ids.

    Raises:
        DataError: another ending, or a place that cannot be written.

    Example:
        >>> import tempfile
        >>> from isthmus.pairs import read
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write(Vectors.of([[1, 2], [3, 4]], ("dog", "cat"), "x"), f"{folder}/x.npz")
        ...     read(f"{folder}/x.npz").ids
        ('dog', 'cat')
    """
    path = Path(target)
    if path.suffix.lower() not in (".npy", ".npz"):
        raise DataError(f"out: needed a file ending in .npy or .npz, got {str(target)!r}. Name it {path.stem or 'x'}.npz.")
    with whole(path) as part, part.open("wb") as file:
        if path.suffix.lower() == ".npy":
            np.save(file, vectors.values)
        elif vectors.ids is None:
            np.savez(file, values=vectors.values)
        else:
            np.savez(file, values=vectors.values, ids=np.array(vectors.ids))


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Another name to write a file under; it takes its own when the block is done, and nothing is left when that fails.

    Raises:
        DataError: a place that cannot be written to, or a full disk.
    """
    part = path.with_name(f".{token_hex(8)}.part")  # of this writer alone, and no file of the user's
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise DataError(f"{path}: needed a file that can be written, got {error}. Choose another place.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
