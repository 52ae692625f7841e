"""Archives unpacked so that nothing can land outside of their folder, and the folder is there whole or not at all.

Only regular files are taken, by name and content: links, devices, absolute paths, drive letters and paths that climb are
refused, whatever the format. (`tarfile.data_filter` does the same for tar, from Python 3.11.4 on, and zip has nothing.)
"""

import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PureWindowsPath
from typing import IO

from isthmus._errors import DataError

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_Member = tuple[str, int, Callable[[], IO[bytes]]]


class UnusableError(DataError):
    """An archive that no other disk or folder would make better: damaged, empty or hostile."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar into a folder that does not exist yet.

    Args:
        archive: ending in one of `ENDINGS`.
        folder: comes to be when all of it is there.

    Raises:
        DataError: a path that leaves the folder, a link or a device, the same path twice, a damaged or cut off archive, or
            too little space.

    Example:
        >>> with tempfile.TemporaryDirectory() as place:
        ...     with zipfile.ZipFile(f"{place}/set.zip", "w") as file:
        ...         file.writestr("images/dog.txt", "a dog")
        ...     unpack(Path(place, "set.zip"), Path(place, "set"))
        ...     Path(place, "set/images/dog.txt").read_text()
        'a dog'
    """
    damaged = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)
    try:
        place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise DataError(f"{folder.parent}: needed a folder that can be written to, got {error}. Choose another.") from error
    try:
        free = shutil.disk_usage(place).free
        for name, size, content in _members(archive):
            target = place / _inside(archive, name)
            free -= size
            if free < 0:
                raise DataError(f"{archive}: needed more free space in {folder.parent} to unpack it. Make room.")
            target.parent.mkdir(parents=True, exist_ok=True)
            with content() as source, target.open("xb") as file:
                shutil.copyfileobj(source, file)
        if not any(place.iterdir()):
            raise UnusableError(f"{archive}: needed an archive that holds files, got an empty one. Fetch it again.")
        place.chmod(0o777 & ~_umask())  # mkdtemp's own is for one user
        os.replace(place, folder)
    except FileExistsError as error:
        raise UnusableError(f"{archive}: needed every path once, got {error.filename} again. Unpack it by hand.") from error
    except damaged as error:
        raise UnusableError(f"{archive}: needed a whole archive, got a damaged one ({error}). Fetch it again.") from error
    except OSError as error:
        raise DataError(
            f"{archive}: needed to unpack it beside itself, got {error}. Check the disk and the archive."
        ) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _umask() -> int:
    """The process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _inside(archive: Path, name: str) -> Path:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or PureWindowsPath(name).drive or ".." in parts or "\0" in name:
        raise UnusableError(
            f"{archive}: needed paths inside of the archive's folder, got {name!r}. Do not unpack it: it is hostile."
        )
    return Path(*[part for part in parts if part not in ("", ".")])


def _members(archive: Path) -> Iterator[_Member]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as zipped:
            for entry in zipped.infolist():
                if entry.external_attr >> 28 == 0xA:
                    raise UnusableError(f"{archive}: needed plain files, got a link, {entry.filename!r}. Unpack it by hand.")
                if not entry.is_dir():
                    yield entry.filename, entry.file_size, lambda entry=entry: zipped.open(entry)  # type: ignore[misc]
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isdir():
                continue
            if not member.isreg():
                raise UnusableError(
                    f"{archive}: needed plain files, got a link or device, {member.name!r}. Unpack it by hand."
                )
            yield member.name, member.size, lambda member=member: tar.extractfile(member)  # type: ignore[misc]
