"""Data sets that are not in the package: what there is, under which license, and fetching it.

`sources.toml` lists them as data. A checksum is pinned where one is known. Where none is, the first fetch records the one it
saw in SHA256SUMS (which `sha256sum -c` reads), and from then on the file must have it: trust on first use, which finds later
changes and damage, but not a first copy that was wrong already. So a first copy must say how long it is.
"""

import difflib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from isthmus._errors import DataError
from isthmus._shapes import Progress
from isthmus.datasets._archives import UnusableError, unpack
from isthmus.datasets._download import Patience, alone, check_address, download, sha256_of

SUMS = "SHA256SUMS"


class RemoteFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a source.

    Args:
        path: where it goes, below the folder that the user names.
        url: where it comes from.
        sha256: that it must have, where known.
        size: in bytes, where known.
        unpack: the folder that an archive is unpacked to, beside itself.
    """

    path: str
    url: str
    sha256: str | None = None
    size: int | None = None
    unpack: str | None = None


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data set that others publish.

    Args:
        name: for `isthmus data fetch`.
        what: it holds.
        license: in a few words.
        terms: what one agrees to by using it.
        page: of those who publish it.
        citation: of the paper that it is from.
        use: how isthmus reads it.
        files: to fetch; none where it must be fetched by hand.
    """

    name: str
    what: str
    license: str
    terms: str
    page: str
    citation: str
    use: str
    files: tuple[RemoteFile, ...] = ()


class _Sources(msgspec.Struct, forbid_unknown_fields=True):
    source: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file as it lies on disk: its path, checksum, whether the checksum was known before, and the unpacked folder."""

    path: Path
    sha256: str
    pinned: bool
    folder: Path | None


@cache
def sources() -> dict[str, Source]:
    """All sets that can be fetched, or that say how, by name.

    Example:
        >>> sources()["glove-6b"].license
        'PDDL 1.0'
    """
    text = (files("isthmus.datasets") / "sources.toml").read_bytes()
    return {each.name: each for each in msgspec.toml.decode(text, type=_Sources).source}


def source(name: str) -> Source:
    """A set that can be fetched, by name.

    Raises:
        DataError: no set of this name; the message holds the nearest one.

    Example:
        >>> source("wiki").page
        'http://www.svcl.ucsd.edu/projects/crossmodal/'
    """
    if name not in sources():
        near = difflib.get_close_matches(name, sources(), n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise DataError(f"name: needed {', '.join(sources())}, got {name!r}. {hint}`isthmus data list` shows them all.")
    return sources()[name]


def fetch(
    wanted: str | Source,
    folder: str | Path,
    *,
    accept_license: bool = False,
    mirror: str | None = None,
    patience: Patience | None = None,
    progress: Progress | None = None,
    sleep: Callable[[float], None] | None = None,
) -> list[Fetched]:
    """Fetch a data set: each file whole and verified, or not at all; what is there already is only verified.

    Args:
        wanted: a name of `sources()`, or a source of your own.
        folder: where to; made if it does not exist.
        accept_license: that you have read `terms` and agree.
        mirror: take files from MIRROR/NAME/PATH instead, under the same checksums.
        patience: how long a download is tried.
        progress: called with the file's name, the bytes there and in all.
        sleep: how to wait between attempts.

    Raises:
        DataError: an unknown name, a mirror that is no http or https address, terms that are not accepted, a set that must
            be fetched by hand, a file that cannot be
            fetched or has another checksum, an archive that is damaged or hostile, too little space.
    """
    found = source(wanted) if isinstance(wanted, str) else wanted
    if not found.files:
        raise DataError(
            f"{found.name}: needed a set with files to fetch, got one to fetch by hand. See {found.page}: {found.terms}"
        )
    if not accept_license:
        raise DataError(
            f"{found.name}: needed your consent to its license ({found.license}: {found.terms}), got none. "
            "Pass accept_license=True, or --accept-license."
        )
    if mirror is not None:
        check_address(mirror, "mirror")
    base = Path(folder)
    try:
        base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{base}: needed a folder that can be made, got {error.strerror or error}. Name another one."
        ) from error
    how: dict[str, Any] = {
        name: value
        for name, value in (("patience", patience), ("progress", progress), ("sleep", sleep))
        if value is not None
    }
    return [_one(found.name, file, base, mirror, how) for file in found.files]


def _one(name: str, file: RemoteFile, base: Path, mirror: str | None, how: dict[str, Any]) -> Fetched:
    path = base / file.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{path.parent}: needed a folder, got {error.strerror or error}. Name another one.") from error
    recorded = _recorded(base).get(file.path)
    expected = file.sha256 or recorded
    there = path.is_file()
    if there:
        seen = sha256_of(path)
        if expected is not None and seen != expected:
            raise DataError(
                f"{path}: needed the SHA-256 {expected}, got {seen}. It was changed: delete it and fetch it again."
            )
    else:
        url = file.url if mirror is None else f"{mirror.rstrip('/')}/{name}/{file.path}"
        try:
            seen = download(url, path, sha256=expected, size=file.size, **how)
        except DataError as error:
            if recorded is None or file.sha256 is not None or "SHA-256" not in str(error):
                raise
            raise DataError(f"{error} If the source says that it changed, delete its line in {base / SUMS}.") from error
    place = None if file.unpack is None else path.parent / file.unpack
    if place is not None and not place.exists():
        try:
            unpack(path, place)
        except UnusableError:  # a full disk is no reason to fetch it again
            if not there and expected is None:  # a first copy that nobody vouches for: the next attempt begins anew
                path.unlink(missing_ok=True)
            raise
    if seen != recorded:
        _record(base, file.path, seen)
    return Fetched(path, seen, file.sha256 is not None, place)


def _recorded(base: Path) -> dict[str, str]:
    """The checksums in SHA256SUMS, by path."""
    sums = base / SUMS
    if not sums.is_file():
        return {}
    text = sums.read_bytes().decode(errors="replace")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    if "\ufffd" in text or any(len(line) != 2 or len(line[0]) != 64 for line in lines):
        raise DataError(f"{sums}: needed lines `checksum  path`, as sha256sum writes them, got others. Repair or delete it.")
    return {path.removeprefix("*"): checksum for checksum, path in lines}


def _record(base: Path, path: str, checksum: str) -> None:
    with alone(base / SUMS):
        known = {**_recorded(base), path: checksum}
        part = base / f".{SUMS}.{os.getpid()}.part"  # its own, where there are no locks
        part.write_text("".join(f"{value}  {name}\n" for name, value in sorted(known.items())), encoding="utf-8")
        part.replace(base / SUMS)
