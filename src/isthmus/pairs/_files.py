"""From a file argument to vectors: one door for every format, chosen by the file's ending.

An argument is a path, with `:key` after it where a file holds several arrays (npz, safetensors, mat, pt) or several
columns (parquet). Nothing here runs code from a file: pickled objects are refused, and `.pt` goes through torch's safe
loading. A reader either returns the whole array or raises; no format is guessed from content.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError, MissingExtraError
from isthmus.pairs._vectors import Vectors, as_ids

_MAP_FROM_BYTES = 1 << 26  # npy files of 64 MB and more are memory-mapped


def read(source: str | Path) -> Vectors:
    """Vectors from a file: npy, npz:key, csv, tsv, parquet:column, safetensors:key, mat:key, word vectors, safe pt.

    The key may be left out where the file holds one array. Ids come with csv and tsv (an id column), parquet (a column
    `id`), npz (an array `ids`), npy (a file x.words.txt beside x.npy) and word vectors (.txt, .vec, .bin, also with .gz: the
    words). Large npy files are memory-mapped.

    Args:
        source: path, with `:key` where needed, as in `vectors.npz:image`.

    Raises:
        DataError: no such file, an unknown ending or key, a damaged or pickled file, or values that are not a finite
            two-dimensional array of numbers.
        MissingExtraError: a `.pt` file without torch installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.save(Path(folder, "x.npy"), np.eye(3))
        ...     read(Path(folder, "x.npy")).values.shape
        (3, 3)
    """
    path, key = _path_and_key(str(source))
    if path.is_dir():
        raise DataError(f"{path}: needed a file, got a folder. Name one of the files in it.")
    if not path.is_file():
        raise DataError(f"{path}: needed a file, found none. Check the path{_dataset_hint(path)}.")
    packed = path.suffix.lower() == ".gz"
    reader = _READERS.get((Path(path.stem) if packed else path).suffix.lower())
    if packed and reader is not _read_words:
        reader = None
    if reader is None:
        raise DataError(
            f"{path}: needed a file ending in {', '.join(sorted(_READERS))}, got {path.suffix or 'no ending'!r}. "
            "Convert it to .npy, or rename it to what it is."
        )
    if not path.stat().st_size:
        raise DataError(f"{path}: needed vectors, got an empty file. Write it again.")
    try:
        return reader(path, key)
    except OSError as error:
        raise DataError(f"{path}: needed a readable file, got {_one_line(error)}. Check its permissions.") from error


def spaces_in(source: str | Path) -> list[str]:
    """The keys of the sets of vectors that one npz or parquet file holds, in its order; none of any other source.

    Of npz the arrays of two dimensions, of parquet the columns of lists or arrays of numbers.

    Raises:
        DataError: a damaged file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.savez(Path(folder, "both.npz"), text=np.eye(3), image=np.ones((3, 2)), ids=["a", "b", "c"])
        ...     spaces_in(Path(folder, "both.npz"))
        ['text', 'image']
    """
    path = Path(source)
    if not path.is_file():
        return []
    if path.suffix.lower() == ".parquet":
        from isthmus.pairs._tables import nested_columns  # noqa: PLC0415 - polars is heavy

        return nested_columns(path)
    return _matrices(path) if path.suffix.lower() == ".npz" else []


def _matrices(path: Path) -> list[str]:
    """Names of the arrays of two dimensions in an npz file, read from their headers alone."""
    import zipfile  # noqa: PLC0415 - only this format needs it

    found = []
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    version = np.lib.format.read_magic(member)
                    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
                    shape, _, kind = header[version](member)
                    if len(shape) == 2 and kind.kind in "biuf":
                        found.append(name.removesuffix(".npy"))
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DataError(_damaged(path, error)) from error
    return found


def _path_and_key(source: str) -> tuple[Path, str | None]:
    """`file.npz:key` taken apart; a path that exists as it stands, or a drive letter, is left whole."""
    stem, colon, key = source.rpartition(":")
    if not colon or Path(source).exists() or len(stem) < 2 or "/" in key:
        return Path(source), None
    return Path(stem), key


def _dataset_hint(path: Path) -> str:
    return "; `isthmus data list` shows the named data sets" if not path.suffix else ""


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__


def _choose(path: Path, arrays: Mapping[str, Any], key: str | None, what: str) -> str:
    """The key to read: the one asked for, or the only one there is."""
    names = sorted(arrays)
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    if key is not None and key not in arrays:
        raise DataError(f"{path}:{key}: needed {what} of the file, got {key!r}. It has {listed or 'none'}.")
    if key is None and len(names) != 1:
        example = names[0] if names else "key"
        raise DataError(
            f"{path}: needed one {what}, got {len(names)} ({listed or 'none'}). "
            f"Name it after a colon: {path.name}:{example}."
        )
    return key if key is not None else names[0]


def _no_key(path: Path, key: str | None) -> None:
    if key is not None:
        raise DataError(f"{path}: needed a path without a key, got {key!r} after the colon. This format holds one array.")


def read_array(source: str | Path) -> ndarray:
    """The numbers of an npy or npz:key file, or of any other without a row that is not finite.

    Of npy and npz rows may hold nan, which some sets have for items without vectors.

    Raises:
        DataError: as `read`.
    """
    path, key = _path_and_key(str(source))
    loader = {".npy": _load_npy, ".npz": _load_npz}.get(path.suffix.lower())
    return read(source).values if loader is None or not path.is_file() else loader(path, key)[0]


def read_rows(source: str | Path, choose: Callable[[tuple[str, ...] | None, int], ndarray]) -> Vectors:
    """Some rows of a file; of npy and npz, those that are not chosen may hold nan.

    Args:
        source: as of `read`.
        choose: gives the numbers of the rows, from their ids, if the file has any, and their number.

    Raises:
        DataError: as `read`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.save(Path(folder, "x.npy"), np.array([[1.0], [np.nan], [3.0]]))
        ...     read_rows(Path(folder, "x.npy"), lambda ids, n: np.array([0, 2])).values.tolist()
        [[1.0], [3.0]]
    """
    path, key = _path_and_key(str(source))
    loader = {".npy": _load_npy, ".npz": _load_npz}.get(path.suffix.lower())
    if loader is None or not path.is_file():
        whole = read(source)
        values, ids, name = whole.values, whole.ids, whole.name
    else:
        values, ids, name = loader(path, key)
    rows = choose(ids, len(values))
    return Vectors.of(values[rows], None if ids is None else tuple(ids[row] for row in rows), name)


def _read_npy(path: Path, key: str | None) -> Vectors:
    return Vectors.of(*_load_npy(path, key))


_Loaded = tuple[ndarray, tuple[str, ...] | None, str]


def _load_npy(path: Path, key: str | None) -> _Loaded:
    _no_key(path, key)
    mapped = path.stat().st_size >= _MAP_FROM_BYTES
    try:
        array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DataError(_damaged(path, error)) from error
    return array, _words_beside(path), path.name


def _words_beside(path: Path) -> tuple[str, ...] | None:
    from isthmus.words import read_list, words_beside  # noqa: PLC0415

    return read_list(beside) if (beside := words_beside(path)).is_file() else None


def _damaged(path: Path, error: BaseException) -> str:
    if "pickle" in str(error).lower():
        with path.open("rb") as file:
            if file.read(1) not in (b"\x93", b"P", b"\x80"):  # numpy takes any other file for a pickle too
                return f"{path}: needed a whole file, got a damaged or truncated one, or no array. Save it with numpy.save."
        return (
            f"{path}: needed plain numbers, got pickled objects, which can run code and are refused. "
            "Save array.astype('float32') with numpy.save."
        )
    return f"{path}: needed a whole file, got a damaged or truncated one ({_one_line(error)}). Write or copy it again."


def _read_npz(path: Path, key: str | None) -> Vectors:
    return Vectors.of(*_load_npz(path, key))


def _load_npz(path: Path, key: str | None) -> _Loaded:
    import zipfile  # noqa: PLC0415 - only this format needs it
    import zlib  # noqa: PLC0415

    try:
        # A file of our own: numpy leaves the one it opens open when the archive is broken.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if not isinstance(arrays, np.lib.npyio.NpzFile):
                raise DataError(f"{path}: needed an npz archive, got a single npy array. Rename it to .npy.")
            candidates = {name: None for name in arrays.files if name != "ids"} or {"ids": None}
            chosen = _choose(path, candidates, key, "key")
            ids = arrays["ids"] if "ids" in arrays.files and chosen != "ids" else None
            values = arrays[chosen]
    except DataError:
        raise
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(_damaged(path, error)) from error
    return values, None if ids is None else as_ids(ids.ravel()), f"{path.name}:{chosen}"


def _read_safetensors(path: Path, key: str | None) -> Vectors:
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - only this format needs it

    try:
        with safe_open(path, framework="numpy") as tensors:
            chosen = _choose(path, dict.fromkeys(tensors.keys()), key, "key")
            values = tensors.get_tensor(chosen)
    except (SafetensorError, TypeError, AttributeError) as error:  # TypeError: bfloat16, which numpy lacks
        raise DataError(_damaged(path, error)) from error
    return Vectors.of(values, None, f"{path.name}:{chosen}")


def _read_mat(path: Path, key: str | None) -> Vectors:
    from scipy.io import loadmat  # noqa: PLC0415 - only this format needs it
    from scipy.io.matlab import MatReadError  # noqa: PLC0415

    try:
        variables = {name: value for name, value in loadmat(path).items() if not name.startswith("__")}
    except NotImplementedError as error:
        raise DataError(f"{path}: needed MATLAB 7 or older, got version 7.3 (HDF5). Save it with -v7.") from error
    except (ValueError, TypeError, EOFError, MatReadError, OSError) as error:
        raise DataError(_damaged(path, error)) from error
    chosen = _choose(path, variables, key, "variable")
    values = variables[chosen]
    return Vectors.of(values.toarray() if hasattr(values, "toarray") else values, None, f"{path.name}:{chosen}")


def _read_pt(path: Path, key: str | None) -> Vectors:
    try:
        import torch  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: needed torch to read a .pt file, found none. Run `pip install 'isthmus[features]'`."
        ) from error
    from pickle import UnpicklingError  # noqa: PLC0415

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise DataError(_damaged(path, ValueError("pickle"))) from error
    except (RuntimeError, EOFError, ValueError) as error:
        raise DataError(_damaged(path, error)) from error
    arrays = loaded if isinstance(loaded, dict) else {path.stem: loaded}
    chosen = _choose(path, arrays, key, "key")
    tensor = arrays[chosen]
    if not isinstance(tensor, torch.Tensor):
        raise DataError(f"{path}: needed a tensor, got {type(tensor).__name__}. Save the tensor itself.")
    tensor = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    return Vectors.of(tensor.numpy(), None, f"{path.name}:{chosen}" if isinstance(loaded, dict) else path.name)


def _read_text_table(path: Path, key: str | None) -> Vectors:
    from isthmus.pairs._tables import read_numbers  # noqa: PLC0415 - polars is heavy

    _no_key(path, key)
    return read_numbers(path)


def _read_parquet(path: Path, key: str | None) -> Vectors:
    from isthmus.pairs._tables import read_parquet  # noqa: PLC0415 - polars is heavy

    return read_parquet(path, key)


def _read_words(path: Path, key: str | None) -> Vectors:
    from isthmus.words import read_words  # noqa: PLC0415

    _no_key(path, key)
    found = read_words(path)
    return Vectors.of(found.values, found.words, path.name)


_READERS: dict[str, Callable[[Path, str | None], Vectors]] = {
    ".bin": _read_words,
    ".csv": _read_text_table,
    ".mat": _read_mat,
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".parquet": _read_parquet,
    ".pt": _read_pt,
    ".safetensors": _read_safetensors,
    ".tsv": _read_text_table,
    ".txt": _read_words,
    ".vec": _read_words,
}
