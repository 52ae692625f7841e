"""One file from a server, whole and verified, or not at all.

What arrives is written to NAME.part beside its place, and renamed when its length and checksum are right; what stands under
the name itself is never half a file. A download that breaks off goes on where it was (RFC 9110: Range, and If-Range with
what the server calls this version of the file, so that two versions are never joined). It is written on the standard
library: the libraries that fetch data sets (pooch, keras' get_file) verify and cache, but start from the first byte again.
"""

import errno
import hashlib
import json
import os
import random
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any

from isthmus._errors import DataError
from isthmus._shapes import Progress

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PIECE = 1 << 16
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a download is tried.

    Args:
        timeout: seconds without a single byte after which a connection is given up.
        attempts: that may fail one after the other without a byte more than before.
        pause: seconds before the second attempt, doubled before each further one; up to half of it at random.
    """

    timeout: float = 30.0
    attempts: int = 5
    pause: float = 1.0


class _BrokenOffError(Exception):
    """An attempt that failed in a way that another may not; `wait` is what the server asks for, in seconds."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None = None,
    size: int | None = None,
    patience: Patience = Patience(),
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Fetch a file to `path` and return its SHA-256.

    Args:
        url: http or https.
        path: where it goes; its folder exists. Another process that fetches the same file is waited for.
        sha256: that it must have; anything goes if left out, and the caller keeps what is returned.
        size: bytes that it must have, where known.
        patience: how long it is tried.
        progress: called with the file's name, the bytes there and in all (0 where the server does not say).
        sleep: how to wait.

    Raises:
        DataError: a server that refuses, stays silent or keeps breaking off; a file of another checksum or length; one of
            which nothing tells whether it is whole; an empty or encoded answer, or a web page, in place of the file; too
            little space; a place that cannot be written.
    """
    check_address(url, "url")
    part = _Part(path)
    best, failures, mismatches = -1, 0, 0
    new = not path.exists()
    with alone(path):
        if new and path.is_file() and (seen := sha256_of(path)) == (sha256 or seen):
            return seen  # another process has fetched it while this one waited
        while True:
            try:
                _attempt(url, part, size, sha256 is not None, patience.timeout, progress)
            except _BrokenOffError as broken:
                have = part.size()
                failures = 0 if have > best else failures + 1
                best = max(best, have)
                if failures >= patience.attempts:
                    raise DataError(
                        f"{url}: needed the whole file, got {broken} after {failures} attempts in a row. {have} bytes are "
                        f"kept in {part.path.name}: run the same command later, and it goes on from there."
                    ) from broken
                sleep(min(_LONGEST_WAIT, max(broken.wait, patience.pause * 2**failures * random.uniform(0.5, 1))))
                continue
            except OSError as error:
                raise DataError(_unwritten(part.path, error)) from error
            except DataError:
                if not part.size():
                    part.drop()
                raise
            found = sha256_of(part.path)
            if sha256 is None or found == sha256:
                part.finish()
                return found
            part.drop()  # resumed or fresh, some of it is wrong, and nobody knows what
            best, mismatches = -1, mismatches + 1
            if mismatches == 2:
                raise DataError(
                    f"{url}: needed the SHA-256 {sha256}, got {found}, twice. It has changed or is damaged on its way, "
                    "and was not kept. Look at the source's own page before you trust it."
                )


def check_address(url: str, argument: str) -> None:
    """Refuse what is no http or https address: file:, ftp: and data: are no servers, and urllib would open them.

    Raises:
        DataError: another scheme, or no host.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise DataError(f"{argument}: needed an address that begins with http:// or https://, got {url!r}. Write it whole.")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _attempt(url: str, part: "_Part", size: int | None, pinned: bool, timeout: float, progress: Progress | None) -> None:
    """Ask for what is missing, and append it."""
    have, (version, length) = part.size(), part.noted()
    if have and version is None and not pinned:
        have = 0  # nothing tells whether it is still the same file
    headers = {"User-Agent": "isthmus", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if version is not None:
            headers["If-Range"] = version
    try:
        with _opener().open(urllib.request.Request(url, headers=headers), timeout=timeout) as answer:
            start = _start(answer.status, answer.headers, have)
            now, whole = _version(answer.headers), _length(answer.headers)
            changed = any(None not in both and both[0] != both[1] for both in ((version, now), (length, whole)))
            if start and changed:  # a server that does not know If-Range
                part.drop()
                raise _BrokenOffError("another version than before")
            total = _total(answer.headers, start, size, url)
            _check_answer(answer, total, url, pinned=pinned)
            _check_space(part.path, (total or 0) - start)
            with part.open(start) as file:
                part.note(now, total)  # only now: what is left of another version is gone
                done = start
                for piece in _pieces(answer, start, url):
                    file.write(piece)
                    done += len(piece)
                    if progress is not None:
                        progress(part.final.name, done, total or 0)
                    if total is not None and done > total:
                        raise _BrokenOffError(f"more than {total} bytes")
                file.flush()
                os.fsync(file.fileno())
    except urllib.error.HTTPError as error:
        _refused(error, part, have, size, url)
    except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
        raise _BrokenOffError(_why(error)) from error
    else:
        if total is not None and done < total:
            raise _BrokenOffError(f"{done} of {total} bytes")
        if not done:
            raise _no_file("an empty answer", url)


def _pieces(answer: Any, start: int, url: str) -> Iterator[bytes]:
    """What arrives, unless it begins as a web page does."""
    try:
        while piece := bytes(answer.read1(_PIECE)):
            if not start and piece[:64].lstrip().lower().startswith((b"<!doctype html", b"<html")):
                _refuse_page(url)
            start += len(piece)
            yield piece
    except (TimeoutError, ConnectionError, HTTPException) as error:
        raise _BrokenOffError(_why(error)) from error


def _why(error: BaseException) -> str:
    reason = getattr(error, "reason", error)
    return "no answer in time" if isinstance(reason, TimeoutError) else f"{reason}" or type(reason).__name__


def _refused(error: urllib.error.HTTPError, part: "_Part", have: int, size: int | None, url: str) -> None:
    """An answer that is no file: nothing to do if all is there, worth another attempt, or the end."""
    with error:
        if error.code == 416 and have:
            if have == (size if size is not None else _length(error.headers)):
                return
            part.drop()
            raise _BrokenOffError("another length than before") from error
        if error.code in _AGAIN:
            wait = error.headers.get("Retry-After", "")
            raise _BrokenOffError(f"{error.code} {error.reason}", float(wait) if wait.isdigit() else 0.0) from error
        reason = str(error.reason).split("\n")[0]
        raise DataError(
            f"{url}: needed the file, got {error.code} {reason}. It may have moved: `isthmus data show` names the page "
            "that it comes from."
        ) from error


def _start(status: int, headers: HTTPMessage, have: int) -> int:
    """The byte at which an answer begins: where we asked for it, or 0 if the server sends all of it again."""
    if status != 206:
        return 0
    given = headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    if given != str(have):
        raise _BrokenOffError(f"bytes from {given or 'nowhere'} in place of {have}")
    return have


def _length(headers: Message) -> int | None:
    """Bytes of the whole file, from `Content-Range: bytes 5-9/10`."""
    whole = headers.get("Content-Range", "").rpartition("/")[2]
    return int(whole) if whole.isdigit() else None


def _total(headers: HTTPMessage, start: int, size: int | None, url: str) -> int | None:
    length = headers.get("Content-Length", "")
    total = _length(headers) or (start + int(length) if length.isdigit() else None)
    if size is not None and total is not None and total != size:
        raise DataError(f"{url}: needed {size} bytes, got a file of {total}. It has changed: look at the source's own page.")
    return total if total is not None else size


def _version(headers: HTTPMessage) -> str | None:
    """What If-Range takes: a strong ETag, or else the date of the last change."""
    tag = headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _check_answer(answer: Any, total: int | None, url: str, *, pinned: bool) -> None:
    """Refuse what is another thing than the file, or, without a checksum, might be a part of it."""
    headers: HTTPMessage = answer.headers
    if headers.get_content_type() == "text/html":
        _refuse_page(url)
    if pinned:
        return
    encoding = headers.get("Content-Encoding", "identity").lower()
    # Many servers call a .tgz what it is, an encoding, and send it as it lies there.
    if encoding != "identity" and not (encoding in ("gzip", "x-gzip") and url.endswith((".gz", ".tgz"))):
        raise _no_file(f"it encoded as {encoding}, though that was not asked for", url)
    if total is None and not answer.chunked:  # a last chunk, a length or a checksum: one of them tells that all is there
        raise _no_file("an answer without a length, which may be a part of it", url)


def _no_file(what: str, url: str) -> DataError:
    return DataError(f"{url}: needed a file, got {what}. Open the address in a browser.")


def _refuse_page(url: str) -> None:
    if not url.endswith((".html", ".htm", "/")):
        raise _no_file("a web page, as from a log-in or a portal", url)


def _check_space(path: Path, needed: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise DataError(
            f"{path.parent}: needed {needed:,} bytes of free space, got {free:,}. Make room, or name another folder."
        )


def _unwritten(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{path}: needed free space, got a full disk. What is there is kept: make room and run the same command again."
        )
    return f"{path}: needed a place that can be written, got {error.strerror or error}. Name another folder."


class _Https(urllib.request.HTTPRedirectHandler):
    """Redirects are followed, but not from https to http, where anybody could change the file."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https:" if req.full_url.startswith("https:") else ("http:", "https:")):
            raise DataError(f"{req.full_url}: needed https all the way, got a redirect to {newurl}. Nothing was fetched.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Https)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time works on a file; the system lifts the lock when its owner dies."""
    lock = path.with_name(f".{path.name}.lock")
    while True:
        try:
            file = lock.open("w")
        except OSError as error:
            raise DataError(_unwritten(path, error)) from error
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                break
        file.close()  # its owner was done and took the file away while this process waited
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()
        file.close()


class _Part:
    """What has arrived so far: NAME.part, and beside it what the server called the version that it is of."""

    def __init__(self, final: Path) -> None:
        self.final = final
        self.path = final.with_name(f"{final.name}.part")
        self._notes = final.with_name(f"{final.name}.part.json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def noted(self) -> tuple[str | None, int | None]:
        """The version that the part is of, and the length of the whole file, as far as the server said."""
        try:
            found = json.loads(self._notes.read_text(encoding="utf-8"))
            version, length = found.get("version"), found.get("length")
        except (OSError, ValueError, AttributeError):
            return None, None
        return version if isinstance(version, str) else None, length if isinstance(length, int) else None

    def note(self, version: str | None, length: int | None) -> None:
        self._notes.write_text(json.dumps({"version": version, "length": length}), encoding="utf-8")

    def open(self, start: int) -> IO[bytes]:
        file = self.path.open("r+b" if start else "wb")
        file.truncate(start)
        file.seek(start)
        return file

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def finish(self) -> None:
        os.replace(self.path, self.final)
        self._notes.unlink(missing_ok=True)
