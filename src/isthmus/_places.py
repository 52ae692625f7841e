"""Where results go: never in the place of what they are made from."""

from collections.abc import Iterable
from pathlib import Path

from isthmus._errors import DataError


def check_not_read(outputs: Iterable[str | Path], inputs: Iterable[str | Path | None], name: str = "out") -> None:
    """Refuse to write over a file that is read.

    Args:
        outputs: files that will be written.
        inputs: arguments that name what is read, `file.npz:key` among them; None stands for nothing.
        name: of the option that the outputs follow from.

    Raises:
        DataError: an output is the file of an input, by whatever path.

    Example:
        >>> check_not_read(["out.npz", "out.tsv"], ["items.tsv:text", None])
    """
    read = [Path(form) for each in inputs if each for form in (str(each), str(each).rpartition(":")[0]) if form]
    for output in filter(Path.exists, map(Path, outputs)):
        if any(path.exists() and output.samefile(path) for path in read):
            raise DataError(f"{name}: needed a file that is not read, got {output}, an input. Choose another place.")
