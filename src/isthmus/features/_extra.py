"""What the extra `features` brings, imported when it is needed and not before."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Lock
from typing import Any

from isthmus._errors import MissingExtraError

_PACKAGES = {"PIL": "pillow"}
_LOCK = Lock()
_INSIDE: list[None] = []
_BEFORE: list[int] = []


def needed(module: str) -> Any:
    """The module, or one line that says how to install it.

    A torchvision that does not fit torch, as a CPU build of one beside a CUDA build of the other, ends the import of timm
    with a RuntimeError; that is a matter of the installation too.

    Raises:
        MissingExtraError: it is not installed, or cannot be imported.
    """
    try:
        return import_module(module)
    except (ImportError, RuntimeError, OSError) as error:
        package = module.split(".", maxsplit=1)[0]
        absent = isinstance(error, ImportError) and error.name == package
        why = "none" if absent else f"one that cannot be imported ({error})"
        raise MissingExtraError(
            f"features: needed {_PACKAGES.get(package, package)}, found {why}. Run `pip install 'isthmus[features]'`."
        ) from error


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of torch for each thread that calls it, so that no sum depends on their number.

    torch keeps the number for the whole process; it is set back when the last block that asked for it has ended.
    """
    torch: Any = needed("torch")
    with _LOCK:
        if not _INSIDE:
            _BEFORE[:] = [torch.get_num_threads()]
        _INSIDE.append(None)
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _LOCK:
            _INSIDE.pop()
            if not _INSIDE:
                torch.set_num_threads(_BEFORE[0])
