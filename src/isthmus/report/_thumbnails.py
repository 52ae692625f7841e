"""Small pictures of items, for the page: JPEG in base64, found by the item's id among the files of a folder."""

import base64
import io
import struct
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from isthmus._errors import DataError, MissingExtraError

SIZES = (64, 48, 40, 32)
"""Pixels of the longer side, the largest first; the page takes the largest that fits."""
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, struct.error)  # Pillow's, by the format
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")


def thumbnails(folder: str | Path, ids: Sequence[str], sizes: Sequence[int] = SIZES) -> list[dict[int, str]]:
    """For each size, the pictures of items as base64 JPEG, by the number of the item.

    Files that cannot be read, and items without one, are left out.

    Args:
        folder: where the files are.
        ids: of the items, in their order.
        sizes: pixels of the longer side.

    Raises:
        DataError: as `pictures_of`, or no picture can be read.
    """
    image = _pillow()
    found: list[dict[int, str]] = [{} for _ in sizes]
    for number, path in pictures_of(folder, ids).items():
        for table, picture in zip(found, _small(image, path, sizes), strict=False):
            table[number] = picture
    if not found[0]:
        raise DataError(f"images: needed pictures that can be read, got none in {folder}. Save them as PNG or JPEG.")
    return found


def pictures_of(folder: str | Path, ids: Sequence[str]) -> dict[int, Path]:
    """The files that are named by items, by the number of the item; quick, so that it can be asked before hours of work.

    A picture is a file in the folder, or in one of its own, that is named by the item's id, with or without an ending, in
    capitals or not.

    Args:
        folder: where the files are.
        ids: of the items, in their order.

    Raises:
        DataError: no such folder, or no file in it that is named like an item.
        MissingExtraError: Pillow is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "Dog.png").write_bytes(b"")
        ...     [(number, path.name) for number, path in pictures_of(folder, ["cat", "dog"]).items()]
        [(1, 'Dog.png')]
    """
    _pillow()
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"images: needed a folder of pictures, got {folder}. Check the path.")
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _ENDINGS and path.is_file()]
    by_name = {path.stem: path for path in reversed(files)} | {path.name: path for path in reversed(files)}
    in_any_case = {name.casefold(): path for name, path in reversed(by_name.items())}
    named = {number: by_name.get(name) or in_any_case.get(name.casefold()) for number, name in enumerate(ids)}
    found = {number: path for number, path in named.items() if path is not None}
    if not found:
        raise DataError(
            f"images: needed pictures named after ids such as {ids[0][:60] if ids else ''!r}, found none among {len(files)} "
            f"in {folder}. Name each file after its item."
        )
    return found


def _pillow() -> Any:
    try:
        return import_module("PIL.Image")
    except ImportError:
        raise MissingExtraError("images: needed Pillow to make thumbnails, found none. Run `pip install pillow`.") from None


def _small(image: Any, path: Path, sizes: Sequence[int]) -> list[str]:
    """The picture at each size, on white; nothing where it cannot be read."""
    try:
        with image.open(path) as opened:
            whole = opened.convert("RGBA")
    except (*_DAMAGED, image.DecompressionBombError):
        return []
    base = image.new("RGB", whole.size, "white")
    base.paste(whole, mask=whole.getchannel("A"))
    pictures = []
    for size in sizes:
        one = base.copy()
        one.thumbnail((size, size))
        buffer = io.BytesIO()
        one.save(buffer, "JPEG", quality=70, optimize=True)
        pictures.append(base64.b64encode(buffer.getvalue()).decode())
    return pictures
