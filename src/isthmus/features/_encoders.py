"""Any encoder of texts through one protocol, `encode(list of str) -> array`, as sentence-transformers' models have it."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float, Progress


@runtime_checkable
class Encoder(Protocol):
    """Anything with `encode`: a model of sentence-transformers, a `BiGRU`, an object of your own around an API."""

    def encode(self, sentences: list[str], /) -> Any:
        """One row of finite numbers a text, in order, as an array, a tensor on the CPU or a list of rows."""
        ...


def encode_texts(
    texts: Sequence[str], encoder: Encoder, *, batch: int = 256, progress: Progress | None = None
) -> Float[ndarray, "n d"]:
    """What an encoder gives for all texts, batch by batch, each checked when it comes.

    Args:
        texts: one an item.
        encoder: see `Encoder`.
        batch: texts that are passed at once.
        progress: see `Progress`.

    Raises:
        DataError: no text, an object without `encode`, or a batch whose result has another number of rows or columns than
            it should have, or numbers that are not finite.

    Example:
        >>> class Lengths:
        ...     def encode(self, texts):
        ...         return [[len(text), text.count("o")] for text in texts]
        >>> encode_texts(["dog", "horse"], Lengths())
        array([[3., 1.],
               [5., 1.]], dtype=float32)
    """
    if not texts or batch < 1:
        raise DataError(f"texts: needed at least one and a batch of at least 1, got {len(texts)} and {batch}. Check them.")
    checked_encoder(encoder)
    blocks: list[Float[ndarray, "_ d"]] = []
    for start in range(0, len(texts), batch):
        part = list(texts[start : start + batch])
        block = np.asarray(encoder.encode(part), dtype=np.float32)
        width = blocks[0].shape[1] if blocks else None
        if block.ndim != 2 or len(block) != len(part) or not block.shape[1] or width not in (None, block.shape[1]):
            raise DataError(
                f"encoder: needed {len(part)} rows of {width or 'some'} numbers for texts {start} to "
                f"{start + len(part) - 1}, "
                f"got {'x'.join(map(str, block.shape)) or 'one number'}. Let encode give one row a text."
            )
        if not np.isfinite(block).all():
            row = start + int(np.argwhere(~np.isfinite(block))[0][0])
            raise DataError(
                f"encoder: needed finite numbers, got others for text {row} (counted from 0). Look at that text."
            )
        blocks.append(block)
        if progress is not None:
            progress("texts", start + len(part), len(texts))
    return np.concatenate(blocks)


def import_encoder(name: str) -> Encoder:
    """The encoder that `module:name` names; a class, or a function that makes one, is called.

    The module may be an installed one, or lie in the working folder.

    Raises:
        DataError: no such module or name, or nothing with `encode`.
    """
    module, colon, attribute = name.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = getattr(import_module(module), attribute) if colon else None
    except (ImportError, AttributeError, ValueError) as error:
        raise DataError(f"encoder: needed a file or module:name, got {name!r} ({error}). Check the name.") from error
    if isinstance(found, type) or (callable(found) and not hasattr(found, "encode")):
        found = found()
    return checked_encoder(found)


def checked_encoder(encoder: Any) -> Encoder:
    """The encoder, if it is one.

    Raises:
        DataError: it has no `encode`.
    """
    if not callable(getattr(encoder, "encode", None)):
        raise DataError(
            f"encoder: needed an object with encode(list of str), got {type(encoder).__name__}. Give it that method."
        )
    return encoder
