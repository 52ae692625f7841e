"""A folder of results that no accident leaves half-written.

A cell is written into a folder under another name, forced to the disk and then renamed, which happens whole or not at all.
Who works on a cell holds a lock on a file beside it; the system takes the lock away when the process dies, however it dies,
so that a claim never outlives its owner, and what stands under a part's name without a lock is what a killed run left.

    plan.json               the cells, in order
    cells/KEY/…             one folder a cell
    cells/.KEY.lock         a claim, while it is worked on
    cells/.KEY.RANDOM.part  a cell that is being written, or a file of the folder above under its own name
"""

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

from isthmus._errors import DataError

fcntl: Any = None
with suppress(ImportError):  # on Windows there is none: runs do not share work there, and leave each other's parts alone
    fcntl = import_module("fcntl")

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_THERE = (errno.ENOTEMPTY, errno.EEXIST)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Errors of the system as one line that names the folder and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DataError(
                f"{folder}: needed room to write results, got a full disk ({error.strerror}). "
                "Free some and run the same command again: the cells that are done stay."
            ) from error
        raise DataError(
            f"{folder}: needed a folder that can be written to, got {error.strerror}. Choose another."
        ) from error


def prepare(folder: Path) -> None:
    """Make the folder, and clear away what killed runs left in it.

    Raises:
        DataError: a place that cannot be written to, or a full disk.
    """
    cells = folder / "cells"
    with _writing(folder):
        cells.mkdir(parents=True, exist_ok=True)
        if fcntl is None:
            return
        for left in list(cells.glob(".*.part")) + list(cells.glob(".*.lock")):
            name = left.name[1:].split(".")[0]
            with claim(cells, name, wait=False):  # sweeps the parts of this name, if nobody works on it
                pass


def is_done(folder: Path, key: str) -> bool:
    """Whether a cell is there."""
    return (folder / "cells" / key).is_dir()


@contextmanager
def claim(place: Path, name: str, *, wait: bool) -> Iterator[bool]:
    """Whether this process may work on something, alone among all processes, until the block ends or the process dies.

    Args:
        place: the folder that it is in.
        name: of the cell, or of the file without its ending.
        wait: until another process is done with it, instead of yielding False.
    """
    if fcntl is None:
        yield True
        return
    path = place / f".{name}.lock"
    while True:
        with _writing(place):
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            yield False
            return
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                break
        os.close(lock)  # its owner was done and took the file away while this process waited
    try:
        for left in place.glob(f".{name}.*.part"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield True
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)


def write_cell(folder: Path, key: str, files: Mapping[str, bytes]) -> None:
    """A cell's files, all of them or none; a cell that another run has written meanwhile stays.

    Raises:
        DataError: a full disk, or a place that cannot be written to.
    """
    cells = folder / "cells"
    part = cells / f".{key}.{uuid4().hex}.part"
    try:
        with _writing(folder):
            part.mkdir()
            for name, content in files.items():
                _write(part / name, content)
            _sync_folder(part)
            try:
                part.rename(cells / key)
            except OSError as error:
                if error.errno not in _THERE:
                    raise
            _sync_folder(cells)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_file(folder: Path, name: str, content: bytes) -> None:
    """A file in the folder, whole or not at all, in place of one that is there.

    Raises:
        DataError: a full disk, or a place that cannot be written to.
    """
    cells, stem = folder / "cells", name.split(".", maxsplit=1)[0]
    part = cells / f".{stem}.{uuid4().hex}.part"
    with claim(cells, stem, wait=True):
        try:
            with _writing(folder):
                _write(part, content)
                part.replace(folder / name)
                _sync_folder(folder)
        finally:
            part.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
