"""Pictures of a folder, a zip archive or a table of paths: which there are, what they show, and their bytes.

Nothing is unpacked: members of an archive are read in memory. What is listed here is decided before a picture is opened, so
that a run that goes on later can tell that it meets the same pictures.
"""

import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from isthmus._errors import DataError

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
LARGEST_FILE = 1 << 28  # bytes of one picture, packed as it is


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Args:
        id: what results call it: its path below the folder or in the archive, or the id of its line.
        place: path of the file, or name of the member.
        word: what it shows: the folder that it lies in, or the word of its line; "" if there is none.
        stamp: changes when its bytes may have changed; "" for a file that is not there.
    """

    id: str
    place: str
    word: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures in the order of the results.

    Args:
        name: what errors call it.
        pictures: in order.
        archive: that holds them, if they are no files.
        ignored: number of files with an ending that no picture has.
    """

    name: str
    pictures: tuple[Picture, ...]
    archive: Path | None = None
    ignored: int = 0

    @contextmanager
    def reader(self) -> Iterator[Callable[[Picture], bytes]]:
        """A function from a picture to its bytes, for any number of threads; see `PictureError` for what it raises."""
        if self.archive is None:
            yield lambda picture: _read(Path(picture.place))
            return
        with zipfile.ZipFile(self.archive) as archive:
            yield lambda picture: _read_member(archive, picture.place)


class PictureError(DataError):
    """A picture that cannot be used; a run lists it and goes on."""


def open_gallery(source: str | Path) -> Gallery:
    """The pictures of a folder, a zip archive, or a csv or tsv file with a column `path`.

    A folder is searched with all folders in it, in the order of the paths; names that begin with a dot, and `__MACOSX`,
    are left out, as are files without the ending of a picture. A table may name its lines in a column `id` and what they
    show in a column `word`; its paths start from its folder.

    Raises:
        DataError: no such place, no picture in it, two of one id, an archive that is damaged or has a member whose path
            climbs out of it, a table without the column.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Path(folder, "dog").mkdir()
        ...     _ = Path(folder, "dog", "1.png").write_bytes(b"")
        ...     [(picture.id, picture.word) for picture in open_gallery(folder).pictures]
        [('dog/1.png', 'dog')]
    """
    path = Path(source)
    if path.is_dir():
        gallery = _folder(path)
    elif not path.is_file():
        raise DataError(f"{path}: needed a folder, a zip archive or a table of pictures, found none. Check the path.")
    elif path.suffix.lower() == ".zip":
        gallery = _archive(path)
    elif path.suffix.lower() in (".csv", ".tsv"):
        gallery = _table(path)
    else:
        raise DataError(
            f"{path}: needed a folder, .zip, .tsv or .csv, got {path.suffix or 'no ending'!r}. Name the folder "
            "of the pictures."
        )
    if not gallery.pictures:
        raise DataError(f"{path}: needed pictures ({', '.join(ENDINGS)}), found none. Check the path.")
    return gallery


def _is_listed(name: PurePosixPath) -> bool:
    return not any(part.startswith(".") or part == "__MACOSX" for part in name.parts)


def _folder(path: Path) -> Gallery:
    names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    listed = [name for name in names if _is_listed(PurePosixPath(name))]
    pictures = tuple(
        Picture(name, str(path / name), PurePosixPath(name).parent.name, _stamp(path / name))
        for name in listed
        if name.lower().endswith(ENDINGS)
    )
    return Gallery(str(path), pictures, ignored=len(listed) - len(pictures))


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size}-{found.st_mtime_ns}"


def _archive(path: Path) -> Gallery:
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted((each for each in archive.infolist() if not each.is_dir()), key=lambda each: each.filename)
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, ValueError) as error:
        raise DataError(
            f"{path}: needed a whole zip archive, got a damaged one ({error}). Write or copy it again."
        ) from error
    names = [member.filename for member in members]
    for number, name in enumerate(names):
        if _climbs(name):
            raise DataError(
                f"{path}: needed members inside the archive's folder, got the path {name!r}, which climbs out of it. "
                "Such an archive may be an attack: do not unpack it either."
            )
        if name in names[number + 1 : number + 2]:  # they are sorted
            raise DataError(f"{path}: needed members of different names, got {name!r} twice. Write it again.")
    listed = [member for member in members if _is_listed(PurePosixPath(member.filename))]
    pictures = tuple(
        Picture(name, name, PurePosixPath(name).parent.name, f"{member.file_size}-{member.CRC}")
        for member in listed
        if (name := member.filename).lower().endswith(ENDINGS)
    )
    return Gallery(str(path), pictures, path, len(listed) - len(pictures))


def _climbs(name: str) -> bool:
    """Whether a path, read as POSIX or Windows does, is absolute or has a step upwards."""
    windows = PureWindowsPath(name)
    return name.startswith("/") or bool(windows.drive or windows.root) or ".." in windows.parts


def _table(path: Path) -> Gallery:
    from isthmus.pairs._tables import read_table  # noqa: PLC0415 - polars is heavy

    table = read_table(path)
    if "path" not in table:
        raise DataError(f"{path}: needed a column path, got {', '.join(table)}. Name it in the first line.")
    paths = table["path"]
    ids = table.get("id", paths)
    words = table.get("word", [""] * len(paths))
    pictures = tuple(
        Picture(name, str(path.parent / place), word, _stamp(path.parent / place))
        for name, place, word in zip(ids, paths, words, strict=True)
    )
    return Gallery(str(path), pictures)


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise PictureError("a folder or a device, no file")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)  # whatever size the system claims
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise PictureError(f"{getattr(error, 'strerror', None) or error}".lower()) from error
    if len(content) > LARGEST_FILE:
        raise PictureError(f"a file of more than {LARGEST_FILE} bytes")
    return content


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as member:
            content = member.read(LARGEST_FILE + 1)  # whatever size the archive claims
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError) as error:
        raise PictureError(f"a damaged or encrypted member ({error})") from error
    if len(content) > LARGEST_FILE:
        raise PictureError(f"a member of more than {LARGEST_FILE} bytes")
    return content
