"""Features of many pictures: batches on threads, parts on the disk, one row a picture or one a word.

Threads take whole batches, decode them and pass them through the backbone, each with one thread of the library's own, so the
number of threads cannot show in the result. What is done is kept part by part beside the result; the same command goes on
where it was stopped, and gives the same bytes.
"""

import hashlib
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._places import check_not_read
from isthmus._shapes import Float, Progress, UInt8
from isthmus.features._centroids import Centroids, word_sums
from isthmus.features._gallery import Gallery, Picture, PictureError, open_gallery
from isthmus.features._look import Look, decode
from isthmus.features._output import check_output, check_table, write_table, write_vectors
from isthmus.features._parts import Parts, open_parts
from isthmus.neighbors import cores
from isthmus.pairs import check_ids

PART = 256  # pictures that a kill costs at most, about
_ROWS = ("id", "row", "skipped")
_WORDS = ("word", "row", "pictures", "skipped")
_BROKEN = ("id", "skipped")


@runtime_checkable
class Backbone(Protocol):
    """What turns squares of pixels into vectors; `open_backbone` opens one, any object with these three serves.

    name: with all that its output depends on, such as a digest of its weights: a run with another name does not go on.
    look: how it wants its pictures.
    """

    @property
    def name(self) -> str: ...

    @property
    def look(self) -> Look: ...

    def __call__(self, pictures: UInt8[ndarray, "n size size 3"]) -> Float[ndarray, "n d"]:
        """One row a picture, whatever the number of threads that call it at once."""
        ...


@dataclass(frozen=True, slots=True)
class ImageFeatures:
    """What `image_features` wrote.

    Args:
        out: the file of vectors; a table of the same name, ending in .tsv, stands beside it.
        pictures: number of pictures that there were.
        ignored: number of files that are no pictures by their ending.
        skipped: pictures that could not be used, and why.
        vectors: number of rows: pictures, or words.
        width: of a row.
        left_out: words with too few pictures.
    """

    out: Path
    pictures: int
    ignored: int
    skipped: dict[str, str]
    vectors: int
    width: int
    left_out: int

    def record(self) -> dict[str, Any]:
        """A flat record."""
        return {
            "out": str(self.out), "pictures": self.pictures, "ignored": self.ignored, "skipped": len(self.skipped),
            "vectors": self.vectors, "width": self.width, "left_out": self.left_out,
        }  # fmt: skip


def image_features(
    source: str | Path,
    out: str | Path,
    backbone: Backbone,
    *,
    centroids: bool = False,
    more_than: int = 0,
    batch: int = 4,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ImageFeatures:
    """Write the features of the pictures of a folder, a zip archive or a table of paths.

    Beside OUT.npz (`values`, `ids`) or OUT.npy stands OUT.tsv, a line for each picture in order: `id`, `row` (empty if it
    was skipped) and `skipped`, the reason. With `centroids` it is a line for each word: `word`, `row` (empty if it was left
    out), `pictures` and `skipped`, their numbers; the skipped pictures stand in OUT.skipped.tsv. Work that is not finished
    lies in the folder OUT.parts; run again, it goes on.

    Args:
        source: see `open_gallery`.
        out: .npz or .npy.
        backbone: from pixels to vectors.
        centroids: one row a word, the mean of all its pictures, instead of one a picture.
        more_than: words with no more pictures than this are left out; 50 in the paper.
        batch: pictures that go through the backbone together; its last digits may depend on it.
        threads: batches at once, one a core if left out; the result does not depend on it.
        progress: see `Progress`.

    Raises:
        DataError: see `open_gallery`; no picture that can be used, a backbone that gives something else than a finite row a
            picture, no words for centroids, a place that cannot be written, a table beside `out` that is the source, or
            that no such run wrote.
        MissingExtraError: without Pillow installed.

    Example:
        >>> import tempfile
        >>> class MeanColor:
        ...     name, look = "mean color", Look(size=8)
        ...     def __call__(self, pictures):
        ...         return pictures.mean(axis=(1, 2))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "red.ppm").write_bytes(b"P6 1 1 255 " + bytes([255, 0, 0]))
        ...     _ = Path(folder, "bad.ppm").write_bytes(b"")
        ...     image_features(folder, Path(folder, "out.npz"), MeanColor()).skipped
        {'bad.ppm': 'no picture, or none of a format that is read'}
    """
    out = check_output(Path(out))
    if batch < 1 or more_than < 0 or (threads is not None and threads < 1):
        raise DataError(
            f"batch, more_than, threads: needed at least 1, 0 and 1, got {batch}, {more_than} and {threads}. Leave them out."
        )
    tables = [out.with_suffix(ending) for ending in (".tsv", ".skipped.tsv")[: 1 + centroids]]
    check_not_read([out, *tables], [source])
    for path in tables:
        check_table(path, (_ROWS, _WORDS, _BROKEN))
    gallery = open_gallery(source)
    words = sorted({picture.word for picture in gallery.pictures}) if centroids else []
    if centroids and "" in words:
        raise DataError(
            f"{source}: needed a folder, or a column word, for every picture, got some without. Sort them into "
            "folders by word."
        )
    if not centroids:
        check_ids(tuple(picture.id for picture in gallery.pictures), len(gallery.pictures), str(source))
    size = batch * max(1, PART // batch)
    with open_parts(out.with_name(f"{out.name}.parts"), _plan(gallery, backbone, centroids, batch)) as parts:
        _fill(parts, gallery, backbone, words, batch, size, cores() if threads is None else threads, progress)
        numbers = range(-(-len(gallery.pictures) // size))
        ending = _write_centroids if centroids else _write_rows
        result = ending(parts, numbers, gallery, words, more_than, out)
        parts.clear()
    return result


def _plan(gallery: Gallery, backbone: Backbone, centroids: bool, batch: int) -> str:
    """A digest of all that the bytes of the parts depend on."""
    digest = hashlib.sha256(msgspec.json.encode([backbone.name, backbone.look, centroids, batch]))
    for picture in gallery.pictures:
        digest.update(msgspec.json.encode([picture.id, picture.word, picture.stamp]))
    return digest.hexdigest()


def _fill(
    parts: Parts, gallery: Gallery, backbone: Backbone, words: Sequence[str], batch: int, size: int, threads: int,
    progress: Progress | None,
) -> None:  # fmt: skip
    """Do the parts that are not there."""
    pictures = gallery.pictures
    todo = [start for start in range(0, len(pictures), size) if not parts.has(start // size)]
    batches = (pictures[at : at + batch] for start in todo for at in range(start, min(start + size, len(pictures)), batch))
    word_number = {word: number for number, word in enumerate(words)}
    done = len(pictures) - sum(min(size, len(pictures) - start) for start in todo)
    with gallery.reader() as read, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # of what is skipped, or does not matter
        results = _in_threads(lambda group: _embed(group, read, backbone), batches, threads)
        for start in todo:
            here = pictures[start : start + size]
            rows, reasons = [], []
            for values, why in islice(results, -(-len(here) // batch)):
                rows.append(values)
                reasons += why
                done += len(why)
                if progress is not None:
                    progress("pictures", done, len(pictures))
            word = [word_number[picture.word] for picture in here] if words else None
            parts.write(start // size, _part(rows, reasons, word))


def _in_threads(work: Callable[[Any], Any], tasks: Iterator[Any], threads: int) -> Iterator[Any]:
    """The results in the order of the tasks, of which few more are taken than are worked on."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Any]] = deque(pool.submit(work, task) for task in islice(tasks, 2 * threads))
        try:
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(work, task) for task in islice(tasks, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()


def _embed(
    group: Sequence[Picture], read: Callable[[Picture], bytes], backbone: Backbone
) -> tuple[Float[ndarray, "m d"] | None, list[str]]:
    """The rows of the pictures that can be used, and for each picture "" or why it cannot."""
    squares, reasons = [], []
    for picture in group:
        try:
            squares.append(decode(read(picture), backbone.look))
            reasons.append("")
        except PictureError as error:
            reasons.append(str(error))
    if not squares:
        return None, reasons
    values = np.asarray(backbone(np.stack(squares)))
    if values.ndim != 2 or len(values) != len(squares) or values.dtype.kind != "f" or not np.isfinite(values).all():
        raise DataError(
            f"backbone: needed a finite row of floats for each of {len(squares)} pictures, got {values.dtype} "
            f"{'x'.join(map(str, values.shape))} or numbers that are not finite. Check its weights."
        )
    return values, reasons


def _part(rows: Sequence[Float[ndarray, "_ d"] | None], reasons: list[str], word: list[int] | None) -> dict[str, ndarray]:
    used = [values for values in rows if values is not None]
    values = np.concatenate(used) if used else np.zeros((0, 0), dtype=np.float32)
    why = {"reasons": np.array(reasons, dtype=str)}
    if word is None:
        return {"values": values.astype(np.float32), **why}
    kept = np.array([number for number, reason in zip(word, reasons, strict=True) if not reason], dtype=np.int64)
    words, sums, counts = word_sums(kept, values.astype(np.float64))
    return {"words": words, "sums": sums, "counts": counts, **why}


def _write_rows(
    parts: Parts, numbers: range, gallery: Gallery, words: Sequence[str], more_than: int, out: Path
) -> ImageFeatures:
    del words, more_than
    reasons: list[str] = []
    width = 0
    for number in numbers:
        part = parts.read(number)
        reasons += part["reasons"].tolist()
        width = width or part["values"].shape[1]
    ids = [picture.id for picture in gallery.pictures]
    used = [name for name, reason in zip(ids, reasons, strict=True) if not reason]
    _check_some(parts, used, gallery, reasons)
    blocks = (values for number in numbers if len(values := parts.read(number)["values"]))
    write_vectors(out, blocks, (len(used), width), used)
    row = np.cumsum([not reason for reason in reasons]) - 1
    rows = [None if reason else int(at) for at, reason in zip(row, reasons, strict=True)]
    write_table(out.with_suffix(".tsv"), dict(zip(_ROWS, (ids, rows, reasons), strict=True)))
    return ImageFeatures(out, len(ids), gallery.ignored, _skipped(ids, reasons), len(used), width, 0)


def _write_centroids(
    parts: Parts, numbers: range, gallery: Gallery, words: Sequence[str], more_than: int, out: Path
) -> ImageFeatures:
    centroids = Centroids(len(words))
    reasons: list[str] = []
    for number in numbers:
        part = parts.read(number)
        centroids.add(part["words"], part["sums"], part["counts"])
        reasons += part["reasons"].tolist()
    kept, means = centroids.means(more_than)
    _check_some(parts, kept, gallery, reasons)
    write_vectors(out, [means], means.shape, [words[number] for number in kept])
    row_of = {int(number): row for row, number in enumerate(kept)}
    ids = [picture.id for picture in gallery.pictures]
    skipped = dict.fromkeys(words, 0)
    for picture, reason in zip(gallery.pictures, reasons, strict=True):
        skipped[picture.word] += bool(reason)
    rows = [row_of.get(number) for number in range(len(words))]
    columns = (words, rows, centroids.counts.tolist(), list(skipped.values()))
    write_table(out.with_suffix(".tsv"), dict(zip(_WORDS, columns, strict=True)))
    broken = _skipped(ids, reasons)
    write_table(out.with_suffix(".skipped.tsv"), dict(zip(_BROKEN, (list(broken), list(broken.values())), strict=True)))
    return ImageFeatures(out, len(ids), gallery.ignored, broken, len(kept), means.shape[1], len(words) - len(kept))


def _skipped(ids: list[str], reasons: list[str]) -> dict[str, str]:
    return {name: reason for name, reason in zip(ids, reasons, strict=True) if reason}


def _check_some(parts: Parts, used: Sequence[Any] | ndarray, gallery: Gallery, reasons: list[str]) -> None:
    if len(used):
        return
    if "" not in reasons:
        parts.clear()  # nothing to go on with
    why = "no word with enough pictures" if "" in reasons else f"none of {len(reasons)} ({reasons[0]})"
    raise DataError(f"{gallery.name}: needed pictures that can be used, got {why}. Check them, or lower more_than.")
