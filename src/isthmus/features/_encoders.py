"""Any encoder of texts through one protocol, `encode(list of str) -> array`, as sentence-transformers' models have it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
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
            it should have, or holds something else than finite numbers.

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
        found = encoder.encode(part)
        try:
            block = np.asarray(found, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"encoder: needed rows of numbers, all of one length, for texts {start} to {start + len(part) - 1}, got "
                f"something else ({_line(error)}). Let encode give one row a text."
            ) from error
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
    """The encoder that `module:name` names; a class, or a function that makes one, is called without arguments.

    The module may be an installed one, or lie in the working folder.

    Raises:
        DataError: no such module or name, one that fails when imported or called, or nothing with `encode`.
    """
    module, colon, attribute = name.partition(":")
    try:
        with _working_folder_importable():
            found = getattr(import_module(module), attribute) if colon else None
            if callable(found) and (isinstance(found, type) or not hasattr(found, "encode")):
                found = found()
    except Exception as error:  # code of others: it may raise anything
        raise DataError(
            f"encoder: needed a file or module:name, got {name!r} ({type(error).__name__}: {_line(error)}). "
            "Name an object with encode, or what makes one without arguments."
        ) from error
    return checked_encoder(found)


@contextmanager
def _working_folder_importable() -> Iterator[None]:
    """Modules of the working folder can be imported for once, and never stand in for installed ones."""
    folder = str(Path.cwd())
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


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
