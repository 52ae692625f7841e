"""From the bytes of a picture to the square of numbers that a backbone takes.

Everything that a picture may be is decided here once: turned as its EXIF says, the first frame of several, put on white
where it is transparent, grey as three equal channels, 16 bits shortened to 8. Bytes come from strangers, so only formats
without programs in them are opened, and the size that a header claims is looked at before anything is unpacked.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from isthmus._shapes import UInt8
from isthmus.features._extra import needed
from isthmus.features._gallery import PictureError

Fit = Literal["pad", "crop"]

LARGEST = 89_478_485  # pixels; Pillow's own limit
LONGEST = 100  # times as long as wide
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True, slots=True)
class Look:
    """How a backbone wants its pictures.

    Args:
        size: side of the square, in pixels.
        mean: subtracted from each channel, red, green and blue in [0, 1].
        std: by which it is divided after.
        fit: pad the picture with white to a square, or crop the middle of it.
        crop: share of the shorter side that is kept when cropping, in (0, 1].
        resample: how pixels are interpolated, a name of Pillow's.
    """

    size: int = 224
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    fit: Fit = "pad"
    crop: float = 1.0
    resample: Literal["bilinear", "bicubic", "lanczos"] = "bicubic"


def decode(content: bytes, look: Look) -> UInt8[ndarray, "size size 3"]:
    """A picture as a square of red, green and blue in 0..255.

    Raises:
        PictureError: bytes that are no picture or a damaged one, a format that is not read, more than 89,478,485 pixels (a
            decompression bomb, or a picture to be made smaller first), or one that is more than 100 times as long as wide.
        MissingExtraError: without Pillow installed.

    Example:
        >>> decode(b"P6 2 1 255 " + bytes([9, 9, 9, 9, 9, 9]), Look(size=2))[:, :, 0]
        array([[  9,   9],
               [255, 255]], dtype=uint8)
    """
    image_module: Any = needed("PIL.Image")
    operations: Any = needed("PIL.ImageOps")
    try:
        with image_module.open(BytesIO(content), formats=_FORMATS) as opened:
            _check_size(*opened.size)
            opened.load()
            upright = operations.exif_transpose(opened)
            return np.asarray(_square(_on_white(upright, image_module), look, image_module))
    except PictureError:
        raise
    except image_module.DecompressionBombError as error:
        raise PictureError(f"more than {LARGEST} pixels: a decompression bomb, or to be made smaller first") from error
    except image_module.UnidentifiedImageError as error:
        raise PictureError("no picture, or none of a format that is read") from error
    except MemoryError:
        raise
    except Exception as error:  # a decoder meets damage in many ways: struct, zlib, Syntax, Value, Index, OS, ...
        raise PictureError(f"a damaged picture ({' '.join(str(error).split())[:120] or type(error).__name__})") from error


def _check_size(width: int, height: int) -> None:
    if width * height > LARGEST:
        raise PictureError(
            f"{width} x {height} pixels, more than {LARGEST}: a decompression bomb, or to be made smaller first"
        )
    if max(width, height) > LONGEST * min(width, height):
        raise PictureError(f"{width} x {height} pixels, more than {LONGEST} times as long as wide")


def _on_white(image: Any, image_module: Any) -> Any:
    if image.mode in _SIXTEEN_BITS:
        return image_module.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise PictureError("floating-point pixels, whose range is not known")
    if image.mode not in _WITH_ALPHA and "transparency" not in image.info:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    white = image_module.new("RGBA", clear.size, (255, 255, 255, 255))
    white.alpha_composite(clear)
    return white.convert("RGB")


def _square(image: Any, look: Look, image_module: Any) -> Any:
    resample = image_module.Resampling[look.resample.upper()]
    width, height = image.size
    if look.fit == "crop":
        shorter = int(look.size / look.crop)
        sides = [shorter * side // min(width, height) for side in (width, height)]
        left, top = (round((side - look.size) / 2) for side in sides)
        return image.resize(sides, resample).crop((left, top, left + look.size, top + look.size))
    scale = look.size / max(width, height)
    sides = [max(1, round(side * scale)) for side in (width, height)]
    square = image_module.new("RGB", (look.size, look.size), (255, 255, 255))
    square.paste(image.resize(sides, resample), [(look.size - side) // 2 for side in sides])
    return square
