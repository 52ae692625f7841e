"""An experiment as data: a TOML file, checked whole before anything runs.

What a file says stands in structs whose names are its keys, so that a key that nobody reads is refused with its path.
Files are named relative to the spec, or to a folder of data given with it.
"""

import difflib
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from isthmus._errors import DataError, IsthmusError, MappingError
from isthmus.datasets import PaperSet
from isthmus.mappings import Mapping, mapping, takes
from isthmus.neighbors import Metric
from isthmus.pairs import ScalingKind, check_seed
from isthmus.training import GRIDS, Activation, Grid, Initialization, Optimizer, Recipe, check_loss
from isthmus.training import recipe as recipe_of

Natural = Annotated[int, Meta(ge=1)]


class Data(Struct, frozen=True, forbid_unknown_fields=True):
    """Which items: `name` of an embedded set, files x and y, or a set of the paper from the authors' files.

    Args:
        name: of an embedded set.
        x, y: files; x_test, y_test: those of the test items, where they have their own.
        labels, labels_test: `file.tsv:column` or `file.npz:key`, as of `isthmus.pairs.read_labels`.
        authors: folder of the authors' files, as of `isthmus.datasets.paper_files`; images are x, texts y.
        set, image_features, text_features: which of them, "iapr", "vgg128" and "bigru" say.
    """

    name: str | None = None
    x: str | None = None
    y: str | None = None
    labels: str | None = None
    x_test: str | None = None
    y_test: str | None = None
    labels_test: str | None = None
    authors: str | None = None
    set: PaperSet | None = None
    image_features: str | None = None
    text_features: str | None = None

    @property
    def has_split(self) -> bool:
        """Whether the data say which items are test items."""
        return self.x_test is not None or self.set in ("iapr", "wiki")


_FILES = ("x", "y", "labels", "x_test", "y_test", "labels_test")


class Protocol(Struct, frozen=True, forbid_unknown_fields=True):
    """How items are divided and how often training is repeated.

    Five folds and one seed where there is no split; five seeds where there is one: `split`, files x_test and y_test, or the
    authors' own of IAPR TC-12 and Wikipedia. `parts`: only so many of the folds, the first ones.
    `split` is a table as of `isthmus.pairs.read_split`, `file.tsv:column` where the part stands in another column.
    """

    folds: Annotated[int, Meta(ge=2)] | None = None
    parts: Natural | None = None
    split: str | None = None
    seeds: Natural | None = None
    seed: int = 0
    directions: Annotated[tuple[Literal["x->y", "y->x"], ...], Meta(min_length=1)] = ("x->y", "y->x")


class GridTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The axes of `isthmus.training.Grid`; one that is left out is the paper's."""

    learning_rate: tuple[float, ...] | UnsetType = UNSET
    hidden: tuple[int, ...] | UnsetType = UNSET
    dropout: tuple[float, ...] | UnsetType = UNSET
    margin: tuple[float, ...] | UnsetType = UNSET
    epochs: int | UnsetType = UNSET


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping to learn: its name, loss and recipe, what it sets otherwise, and the grid that it chooses from.

    Args:
        name: of a mapping, as of `isthmus.mappings.mapping`: lin, nn or nn-N, one in closed form, or your own.
        title: what results call it; the name if left out.
        loss: mse, cosine or max-margin.
        recipe: paper or authors-code.
        grid: "paper", or axes of a grid; then settings are chosen by cross-validation in the training part.
        grid_folds: of that cross-validation.
        labels: for max-margin, instead of those of the data: a file, or "ids" where every item is a class of its own.

    All others replace a setting of the recipe (`isthmus.training.Recipe`), or the activation. What the mapping has no use
    for is refused: see `isthmus.mappings.takes`.
    """

    name: str
    title: str | None = None
    loss: str = "mse"
    recipe: str = "paper"
    grid: Literal["paper"] | GridTable | None = None
    grid_folds: Annotated[int, Meta(ge=2)] = 5
    labels: str | None = None
    activation: Activation = "relu"
    optimizer: Optimizer | None = None
    learning_rate: float | None = None
    batch: int | None = None
    epochs: int | None = None
    patience: int | None = None
    held_out: float | None = None
    shuffle: bool | None = None
    initialization: Initialization | None = None
    bias: float | None = None
    scaling: ScalingKind | None = None
    hidden: int | None = None
    dropout: float | None = None
    margin: float | None = None
    weight_decay: float | None = None

    @property
    def shown(self) -> str:
        """What results call it."""
        return self.title or self.name

    @property
    def trains(self) -> bool:
        """Whether it is learned by gradient descent, so that recipe and seed mean something."""
        return "recipe" in takes(self.name)

    @property
    def has_loss(self) -> bool:
        """Whether it minimizes the loss that is set, instead of one of its own."""
        return "loss" in takes(self.name)

    def settings(self) -> Recipe:
        """The recipe with what the entry sets otherwise."""
        given = {name: getattr(self, name) for name in _SETTINGS if getattr(self, name) is not None}
        return replace(recipe_of(self.recipe), **given)

    def make(self, seed: int, checkpoints: tuple[int, ...] = ()) -> Mapping:
        """The mapping, not yet learned."""
        grid = GRIDS[self.grid] if isinstance(self.grid, str) else None
        if isinstance(self.grid, GridTable):
            grid = Grid(**{name: value for name, value in msgspec.structs.asdict(self.grid).items() if value is not UNSET})
        made = mapping(
            self.name, loss=check_loss(self.loss), recipe=self.settings(), activation=self.activation, seed=seed, grid=grid,
            folds=self.grid_folds, checkpoints=checkpoints,
        )  # fmt: skip
        if self.batch is not None and "batch" in takes(self.name):  # its own, which its loss compares items within
            made.set_params(batch=self.batch)
        return made


_SETTINGS = tuple(Recipe.__dataclass_fields__)
_NEEDS = dict.fromkeys(_SETTINGS, "recipe") | {
    "recipe": "recipe", "loss": "loss", "labels": "loss", "margin": "loss", "grid": "grid", "grid_folds": "grid",
    "activation": "activation", "hidden": "hidden", "dropout": "hidden",
}  # fmt: skip
"""For each key of an entry, the setting of a mapping without which nobody reads it."""
_OF_GRIDS = ("learning_rate", "hidden", "dropout", "margin", "epochs", "patience", "held_out")


class Measure(Struct, frozen=True, forbid_unknown_fields=True):
    """What is counted on the test items; `epochs` of training, 0 for its start, after which to count too, for curves."""

    k: Annotated[tuple[Natural, ...], Meta(min_length=1)] = (10,)
    metric: Annotated[tuple[Metric, ...], Meta(min_length=1)] = ("cosine",)
    include_self: Annotated[tuple[bool, ...], Meta(min_length=1)] = (False,)
    epochs: tuple[Annotated[int, Meta(ge=0)], ...] = ()


class Spec(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole experiment; `controls` adds the identity and the untrained twins."""

    name: Annotated[str, Meta(pattern=r"^\w[\w.-]*$")]
    data: Data
    mappings: Annotated[tuple[Entry, ...], Meta(min_length=1)]
    protocol: Protocol = Protocol()
    measure: Measure = Measure()
    controls: bool = True


READY = tuple(sorted(path.name.removesuffix(".toml") for path in (files("isthmus.experiments") / "specs").iterdir()))
"""Names of the specs in the package."""


def ready_specs() -> list[dict[str, str | None]]:
    """The specs in the package as records: name, what it is (its first line), and the files that it needs.

    Example:
        >>> [spec["name"] for spec in ready_specs() if spec["needs"] is None]
        ['emoji', 'imagenet-words']
    """
    records: list[dict[str, str | None]] = []
    for name in READY:
        text = (files("isthmus.experiments") / "specs" / f"{name}.toml").read_text(encoding="utf-8")
        spec = _converted(tomllib.loads(text))
        named = [getattr(spec.data, each) for each in _FILES] + [spec.protocol.split]
        needed = ", ".join(dict.fromkeys(_file(each) for each in named if each is not None))
        records.append({"name": name, "what": text.splitlines()[0].removeprefix("# "), "needs": needed or None})
    return records


def _file(argument: str) -> str:
    """The file of an argument, without the key after it."""
    return argument if Path(argument).exists() else argument.rpartition(":")[0] or argument


def read_spec(source: str | Path, data: str | Path | None = None) -> Spec:
    """The experiment in a TOML file, or a ready one by its name.

    Args:
        source: a file, or one of `READY`.
        data: the folder that files are named relative to; that of the spec if left out.

    Raises:
        DataError: no such file, no TOML, an unknown key or a value of another type (with its path), settings that exclude
            each other, or data files that are missing.
        MappingError: an unknown mapping, loss or recipe, an empty grid, or a setting out of range.

    Example:
        >>> spec = read_spec("imagenet-words")
        >>> spec.data.name, spec.measure.k
        ('imagenet-words', (5, 10, 30))
    """
    path = Path(source)
    ready = str(source) in READY and not path.is_file()
    if not ready and not path.is_file():
        near = difflib.get_close_matches(str(source), READY, n=1)
        raise DataError(
            f"spec: needed a TOML file or one of {', '.join(READY)}, got {str(source)!r}. "
            + (f"Did you mean {near[0]!r}?" if near else "Check the path.")
        )
    file = files("isthmus.experiments") / "specs" / f"{source}.toml" if ready else path
    try:
        spec = _converted(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{source}: needed TOML, got {error}. Correct it there.") from error
    _check(spec)
    return _located(spec, None if ready and data is None else Path(data) if data is not None else path.parent)


def _converted(found: dict[str, Any]) -> Spec:
    try:
        return msgspec.convert(found, Spec)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `$")
        where = f"spec{where.removesuffix('`')}"
        unknown = re.fullmatch(r"Object contains unknown field `(.*)`", text)
        if unknown is None:
            raise DataError(f"{where}: {_needed(text, where)}. Correct it, or leave it out if it has a default.") from None
        kind = next(kind for pattern, kind in _KINDS.items() if re.fullmatch(pattern, where))
        known = [field.name for field in msgspec.structs.fields(kind)]
        near = difflib.get_close_matches(unknown[1], known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Leave it out."
        raise DataError(f"{where}.{unknown[1]}: needed one of {', '.join(known)}, got an unknown key. {hint}") from None


def _needed(text: str, where: str) -> str:
    """What a rule of msgspec asks for, in the words of all other errors."""
    missing = re.fullmatch(r"Object missing required field `(.*)`", text)
    if missing is not None:
        return f"needed {missing[1]}, got none"
    wrong = re.fullmatch(r"Expected `(.*?)`(.*), got `(.*)`", text)
    if wrong is not None:
        return f"needed {wrong[1]}{wrong[2]}, got {wrong[3]}"
    short = re.fullmatch(r"Expected `(.*?)`(.*)", text)
    if short is not None:
        return f"needed {'a list' if short[1] == 'array' else short[1]}{short[2]}, got another"
    choice = re.fullmatch(r"Invalid enum value (.*)", text)
    name = re.sub(r"\[.*\]", "", where.rpartition(".")[2])
    if choice is not None and name in _CHOICES:
        return f"needed one of {', '.join(_CHOICES[name])}, got {choice[1]}"
    return f"needed another value, got one that breaks a rule: {text[0].lower()}{text[1:]}"


_CHOICES: dict[str, tuple[str, ...]] = {
    "activation": get_args(Activation), "optimizer": get_args(Optimizer), "initialization": get_args(Initialization),
    "scaling": get_args(ScalingKind), "metric": get_args(Metric), "directions": ("x->y", "y->x"),
    "set": get_args(PaperSet),
}  # fmt: skip


_KINDS: dict[str, type[Struct]] = {
    r"spec": Spec, r"spec\.data": Data, r"spec\.protocol": Protocol, r"spec\.measure": Measure,
    r"spec\.mappings\[.*\]\.grid": GridTable, r"spec\.mappings\[.*\]": Entry,
}  # fmt: skip


def _check(spec: Spec) -> None:
    """Refuse settings that no run could use.

    Raises:
        DataError, MappingError: see `read_spec`.
    """
    data, protocol = spec.data, spec.protocol
    _prefixed("spec.protocol", lambda: check_seed(protocol.seed))
    if sum(each is not None for each in (data.name, data.x, data.authors)) != 1 or (data.x is None) != (data.y is None):
        raise DataError("spec.data: needed either name, or both x and y, or authors, got others. Name a set or two files.")
    of_authors = (data.set, data.image_features, data.text_features)
    if any((each is None) != (data.authors is None) for each in of_authors):
        raise DataError("spec.data: needed authors with set, image_features and text_features, got some. Name all four.")
    if (data.x_test is None) != (data.y_test is None) or (data.x_test and not data.x):
        raise DataError("spec.data: needed x_test and y_test beside x and y, got one of them. Name both or none.")
    if data.x is None and data.labels is not None:
        raise DataError("spec.data.labels: needed none, as the set has its own, got some. Leave them out.")
    if (data.labels_test is None) != (data.labels is None or data.x_test is None):
        raise DataError("spec.data.labels_test: needed for labels and x_test together, got one alone. Name both.")
    if sum((protocol.folds is not None, protocol.split is not None, data.has_split)) > 1:
        raise DataError("spec.protocol: needed folds, or a split, or test items in spec.data, got several. Keep one.")
    for where, values in (
        ("protocol.directions", protocol.directions), ("measure.k", spec.measure.k), ("measure.metric", spec.measure.metric),
        ("measure.include_self", spec.measure.include_self), ("measure.epochs", spec.measure.epochs),
    ):  # fmt: skip
        if len(set(values)) < len(values):
            raise DataError(f"spec.{where}: needed each value once, got {list(values)}. Leave out the second.")
    seen: set[tuple[str, str, str]] = set()
    for number, entry in enumerate(spec.mappings):
        where = f"spec.mappings[{number}]"
        _check_entry(where, entry)
        key = (entry.shown, entry.loss, entry.recipe)
        if key in seen:
            raise DataError(
                f"{where}.title: needed another for the same loss and recipe, got {entry.shown!r} twice. Set one."
            )
        seen.add(key)


def _check_entry(where: str, entry: Entry) -> None:
    _prefixed(where, lambda: entry.make(0))
    plain, taken = Entry(entry.name, entry.title), takes(entry.name)
    given = [name for name in _NEEDS if getattr(entry, name) != getattr(plain, name)]
    for key in given:
        if _NEEDS[key] not in taken:
            raise MappingError(
                f"{where}.{key}: needed none for {entry.name}, which has no use for it, got one. Leave it out."
            )
        if entry.grid is None and key == "grid_folds":
            raise MappingError(f"{where}.grid_folds: needed only with a grid, got no grid. Leave it out.")
        if entry.grid is not None and key in _OF_GRIDS:
            raise MappingError(f"{where}.{key}: needed none beside a grid, which settles it, got one. Leave it out.")
    if entry.grid == GridTable():
        raise MappingError(f'{where}.grid: needed one axis or more, got none. Set learning_rate, say, or grid = "paper".')
    unread = [key for key in given if key in ("labels", "margin")]
    if unread and entry.loss != "max-margin":
        raise MappingError(f"{where}.{unread[0]}: needed only for the loss max-margin, got loss {entry.loss}. Leave it out.")


def _prefixed(where: str, act: Callable[[], object]) -> None:
    """Do something whose error then says where in the spec its cause stands."""
    try:
        act()
    except IsthmusError as error:
        raise type(error)(f"{where}.{re.sub('^mapping:', 'name:', str(error))}") from None


def _located(spec: Spec, folder: Path | None) -> Spec:
    """The spec with whole paths of its files.

    Raises:
        DataError: files that are missing, or that no folder was given for.
    """
    missing: list[str] = []

    def whole(argument: str | None, *, is_folder: bool = False) -> str | None:
        if argument is None or argument == "ids":
            return argument
        path = str((folder or Path()) / argument)
        if folder is None or not (Path(path).is_dir() if is_folder else Path(_file(path)).is_file()):
            missing.append(_file(argument))
        return path

    files = {name: whole(getattr(spec.data, name)) for name in _FILES}
    data = msgspec.structs.replace(spec.data, **files, authors=whole(spec.data.authors, is_folder=True))
    protocol = msgspec.structs.replace(spec.protocol, split=whole(spec.protocol.split))
    entries = tuple(msgspec.structs.replace(entry, labels=whole(entry.labels)) for entry in spec.mappings)
    if missing:
        listed = ", ".join(dict.fromkeys(missing))
        if folder is None:
            raise DataError(
                f"data: needed the folder that holds {listed}, got none. Run `isthmus run {spec.name} --data DIR`."
            )
        raise DataError(f"data: needed {listed} in {folder}, found none there. Check the paths, or give --data.")
    return msgspec.structs.replace(spec, data=data, protocol=protocol, mappings=entries)
