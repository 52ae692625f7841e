"""Small pictures of items, for the page: JPEG in base64, found by the item's id among the files of a folder."""

import base64
import io
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from isthmus._errors import DataError

SIZES = (64, 48, 40, 32)
"""Pixels of the longer side, the largest first; the page takes the largest that fits."""
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")


def thumbnails(folder: str | Path, ids: Sequence[str], sizes: Sequence[int] = SIZES) -> list[dict[int, str]]:
    """For each size, the pictures of items as base64 JPEG, by the number of the item.

    A picture is a file in the folder, or in one of its own, that is named by the item's id, with or without an ending, in
    capitals or not. Files that
    are no pictures, and items without one, are left out.

    Args:
        folder: where the files are.
        ids: of the items, in their order.
        sizes: pixels of the longer side.

    Raises:
        DataError: no such folder, no picture in it that is named like an item, or Pillow is not installed.
    """
    try:
        image: Any = import_module("PIL.Image")
    except ImportError:
        raise DataError("images: needed Pillow to make thumbnails, got none. `pip install pillow`.") from None
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"images: needed a folder of pictures, got {folder}. Check the path.")
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _ENDINGS and path.is_file()]
    by_name = {path.stem: path for path in reversed(files)} | {path.name: path for path in reversed(files)}
    in_any_case = {name.casefold(): path for name, path in reversed(by_name.items())}
    found: list[dict[int, str]] = [{} for _ in sizes]
    for number, name in enumerate(ids):
        path = by_name.get(name) or in_any_case.get(name.casefold())
        if path is not None:
            for table, picture in zip(found, _small(image, path, sizes), strict=False):
                table[number] = picture
    if not found[0]:
        raise DataError(
            f"images: needed pictures named after ids such as {ids[0][:60]!r}, found none among {len(files)} in {folder}. "
            "Name each file after its item."
        )
    return found


def _small(image: Any, path: Path, sizes: Sequence[int]) -> list[str]:
    """The picture at each size, on white; nothing where it cannot be read."""
    try:
        with image.open(path) as opened:
            whole = opened.convert("RGBA")
    except (OSError, ValueError, image.DecompressionBombError):
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
