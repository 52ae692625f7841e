"""The folder of a long run, from which it goes on wherever it was stopped.

A part is an npz file that is written under another name, forced to the disk and renamed, so it is there whole or not at
all. A plan says what the parts are of; a run with another plan does not mix its parts with them. One process at a time
holds the lock of the folder, which the system takes away when the process dies, however it dies.
"""

import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError

fcntl: Any = None
with suppress(ImportError):  # on Windows there is none: two runs at once are not told apart there
    fcntl = import_module("fcntl")


@dataclass(frozen=True, slots=True)
class Parts:
    """Numbered parts of a run in a folder; `open_parts` opens it."""

    folder: Path

    def has(self, number: int) -> bool:
        """Whether a part is done."""
        return self._path(number).is_file()

    def write(self, number: int, arrays: Mapping[str, ndarray]) -> None:
        """A part, whole or not at all."""
        content = BytesIO()
        np.savez(content, allow_pickle=False, **arrays)
        write_whole(self._path(number), content.getvalue())

    def read(self, number: int) -> dict[str, ndarray]:
        """The arrays of a part.

        Raises:
            DataError: one that was damaged after it was written.
        """
        path = self._path(number)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(
                f"{path}: needed a whole part, got a damaged one ({error}). Delete it, and run the same command again."
            ) from error

    def clear(self) -> None:
        """Take the folder away, once its parts are no longer needed; the plan goes last, so that no part is left without."""
        for part in self.folder.glob("*.npz"):
            part.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}.npz"


@contextmanager
def open_parts(folder: Path, plan: str) -> Iterator[Parts]:
    """The parts in a folder, made if it is not there, for this process alone.

    Args:
        folder: of the parts.
        plan: a digest of everything that decides their content.

    Raises:
        DataError: a folder with parts of another plan, one that another process works in, or one that cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place, open_parts(Path(place, "out.parts"), "a plan") as parts:
        ...     parts.write(3, {"x": np.eye(2)})
        ...     parts.has(2), parts.has(3), parts.read(3)["x"][0]
        (False, True, array([1., 0.]))
    """
    try:
        folder.mkdir(exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise DataError(
            f"{folder}: needed a folder that can be written to, got {error.strerror}. Choose another."
        ) from error
    try:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DataError(
                    f"{folder}: needed a folder that no other run works in, got one that does. Wait for it, or "
                    "choose another."
                ) from None
        stored = folder / "plan.txt"
        if not stored.exists():
            write_whole(stored, plan.encode())
        elif stored.read_text(encoding="utf-8") != plan:
            raise DataError(
                f"{folder}: needed the work of the same pictures and settings, got that of others, or pictures "
                "changed since. "
                "Delete the folder to begin anew, or choose another place for the result."
            )
        for left in folder.glob("*.part"):  # of a killed run
            left.unlink()
        yield Parts(folder)
    finally:
        os.close(lock)


def write_whole(path: Path, content: bytes) -> None:
    """A file, whole or not at all, in place of one that is there.

    Raises:
        DataError: a full disk, or a place that cannot be written.
    """
    with replacing(path) as part:
        part.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes `path` at the end of the block: whole, on the disk, or not at all.

    Raises:
        DataError: a full disk, or a place that cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise DataError(
            f"{path}: needed room and the right to write, got {error.strerror or error}. "
            "Make some, and run the same command again: what is done stays."
        ) from error
    finally:
        part.unlink(missing_ok=True)
