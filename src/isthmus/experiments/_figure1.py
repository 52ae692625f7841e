"""The paper's figure 1 again: a manifold of three classes before and after untrained maps, and the same on real vectors.

The figure is a drawing: its caption gives neither the manifold nor the maps, and a footnote says that their parameters were
drawn at random. Here the manifold is three curves in the plane that do not touch, and the maps are those of experiment 2,
with more and more hidden layers. What the eye sees there, input overlap says of real vectors: mNNO(X, f(X)).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError, MappingError
from isthmus._html import html_table
from isthmus._shapes import Float, Int, Progress
from isthmus.concepts import DRAWS, check_activation, images
from isthmus.measures import chance, mnno
from isthmus.neighbors import Metric, check_metric, search
from isthmus.pairs import check_seed, check_vectors
from isthmus.training import Activation

DEPTHS, WIDTHS = (0, 1, 2, 3, 5), (64, 512)
ACTIVATIONS: tuple[Activation, ...] = ("tanh", "sigmoid", "relu")
CLASSES = ("square", "triangle", "circle")
"""The three arcs of figure 1."""
_MANIFOLD_WIDTH = 64  # units of the maps of the plane


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """The manifold as a map leaves it.

    Args:
        depth: hidden layers of the map; None before any map.
        points: n x 2.
        input_overlap: mNNO_K(X, f(X)) of its points, Euclidean.
        same_class: share of the K nearest neighbors that are of the point's class.
    """

    depth: int | None
    points: Float[ndarray, "n 2"]
    input_overlap: float
    same_class: float


@dataclass(frozen=True, slots=True)
class UntrainedOverlap:
    """How many neighbors untrained maps of one architecture keep.

    Args:
        vectors, n, dimension: what was mapped.
        depth, width: hidden layers, and units of each.
        activation: of them.
        output: dimensions that the maps lead into.
        draws: of random weights.
        k, metric: of the neighbors, self excluded.
        input_overlap: mNNO_K(X, f(X)), the mean over draws; sd over draws.
        chance: what a random pairing gives.
    """

    vectors: str
    n: int
    dimension: int
    depth: int
    width: int
    activation: Activation
    output: int
    draws: int
    k: int
    metric: Metric
    input_overlap: float
    sd: float
    chance: float


@dataclass(frozen=True, slots=True, eq=False)
class Figure1:
    """The manifold before and after maps of growing depth, and the input overlap of untrained maps of real vectors.

    Args:
        classes: of each point of the manifold, 0 to 2 for `CLASSES`.
        panels: the manifold, and what each map makes of it.
        overlaps: on real vectors, by activation, width and depth.
    """

    classes: Int[ndarray, " n"]
    panels: tuple[Panel, ...]
    overlaps: tuple[UntrainedOverlap, ...]

    def records(self) -> list[dict[str, Any]]:
        """The overlaps on real vectors as flat records."""
        return [asdict(each) for each in self.overlaps]

    def _repr_html_(self) -> str:
        columns = ("activation", "width", "depth", "input_overlap", "sd", "chance")
        first = self.overlaps[0]
        note = f"N={first.n}, K={first.k}, {first.metric}, self excluded; {first.draws} draws of random weights."
        return html_table(f"Input overlap of untrained maps of {first.vectors}", self.records(), columns, note)


def manifold(points: int = 60) -> tuple[Float[ndarray, "n 2"], Int[ndarray, " n"]]:
    """Three curves in the plane that do not touch, one for each class, and the class of each point.

    Arcs of 200 degrees of circles with radius 0.6, whose middles stand at the corners of a triangle 1.6 from the origin.

    Args:
        points: of each class.

    Example:
        >>> points, classes = manifold(4)
        >>> points.shape, classes.tolist()
        ((12, 2), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    """
    place = np.linspace(0, np.deg2rad(200), points)
    arcs = []
    for number in range(3):
        turn = 2 * np.pi * number / 3 + np.pi / 2
        middle = 1.6 * np.array([np.cos(turn), np.sin(turn)])
        arcs.append(middle + 0.6 * np.stack([np.cos(place + turn), np.sin(place + turn)], axis=1))
    return np.concatenate(arcs), np.repeat(np.arange(3), points)


def mapped_manifold(
    depths: Sequence[int] = DEPTHS, *, activation: Activation = "tanh", points: int = 60, k: int = 10, seed: int = 0
) -> tuple[tuple[Panel, ...], Int[ndarray, " n"]]:
    """The manifold, and what one untrained map of each depth makes of it, from the plane into the plane.

    Args:
        depths: numbers of hidden layers, of 64 units each; 0 is a linear map.
        activation: of the hidden layers.
        points: of each class.
        k: neighbors counted.
        seed: of the weights.

    Raises:
        MappingError: a depth below 0, or an unknown activation.

    Example:
        >>> panels, _ = mapped_manifold((0, 3), points=20)
        >>> [panel.depth for panel in panels], panels[0].input_overlap
        ([None, 0, 3], 1.0)
    """
    _check_depths(depths)
    plane, classes = manifold(points)
    before = search(plane, k, "euclidean")
    spaces: list[tuple[int | None, Any]] = [(None, plane)]
    for layers in depths:
        (image,) = images(plane, (_MANIFOLD_WIDTH,) * layers, activation=activation, output=2, draws=1, seed=seed)
        spaces.append((layers, image.astype(np.float64)))
    panels = []
    for depth, space in spaces:
        found = search(space, k, "euclidean")
        same = float((classes[found.index] == classes[:, None]).mean())
        panels.append(Panel(depth, space, mnno(before, found), same))
    return tuple(panels), classes


def untrained_overlaps(
    vectors: Float[ndarray, "n d"],
    name: str = "vectors",
    *,
    depths: Sequence[int] = DEPTHS,
    widths: Sequence[int] = WIDTHS,
    activations: Sequence[Activation] = ACTIVATIONS,
    output: int = 128,
    draws: int = DRAWS,
    k: int = 10,
    metric: Metric = "cosine",
    seed: int = 0,
    progress: Progress | None = None,
) -> list[UntrainedOverlap]:
    """Input overlap of untrained maps against depth, width and activation: mNNO_K(X, f(X)), self excluded.

    Args:
        vectors: X, n x d.
        name: of them.
        depths: numbers of hidden layers; 0 is linear and stands once for each width and activation.
        widths: units of each hidden layer.
        activations: of the hidden layers.
        output: dimensions that the maps lead into.
        draws: of random weights.
        k: neighbors counted.
        metric: of the neighbors.
        seed: of the draws.
        progress: called with what is being done, the architectures done and all.

    Raises:
        DataError: vectors that are not a finite two-dimensional array.
        MappingError: an unknown activation, a depth below 0, or a width, output or draws below 1.
        NeighborError: k out of range, or an unknown metric.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(60, 8))
        >>> found = untrained_overlaps(x, depths=(0, 4), widths=(32,), activations=("tanh",), draws=2, k=5)
        >>> found[0].input_overlap > found[1].input_overlap > found[1].chance
        True
    """
    _check_depths(depths)
    check_seed(seed)
    check_metric(metric)
    x = check_vectors(vectors, name)
    before = search(x, k, metric, name=name)
    linear: list[float] | None = None
    found = []
    cases = [(activation, width, depth) for activation in activations for width in widths for depth in depths]
    for number, (activation, width, depth) in enumerate(cases):
        check_activation(activation)
        if progress is not None:
            progress(f"{activation}, {width} units, {depth} layers", number, len(cases))
        values = linear if depth == 0 else None
        if values is None:
            maps = images(x, (width,) * depth, activation=activation, output=output, draws=draws, seed=seed)
            values = [mnno(before, search(image, k, metric)) for image in maps]
        linear = values if depth == 0 else linear
        found.append(UntrainedOverlap(
            name, len(x), x.shape[1], depth, width, activation, output, draws, k, metric, float(np.mean(values)),
            float(np.std(values, ddof=1)) if draws > 1 else float("nan"), chance(k, len(x)),
        ))  # fmt: skip
    return found


def figure1(
    vectors: Float[ndarray, "n d"] | None = None,
    name: str = "imagenet-words:x",
    *,
    k: int = 10,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Figure1:
    """Figure 1 again: the manifold under untrained maps of growing depth, and input overlaps on real vectors.

    Args:
        vectors: real ones; the words of the embedded data set if left out.
        name: of them.
        k: neighbors counted.
        draws: of random weights, on real vectors.
        seed: of the weights.
        progress: called with what is being done, the architectures done and all.

    Raises:
        DataError, NeighborError: as `untrained_overlaps`.
    """
    if vectors is None:
        from isthmus.datasets import load  # noqa: PLC0415

        vectors = load("imagenet-words").x
    check_seed(seed)
    panels, classes = mapped_manifold(seed=seed)
    overlaps = untrained_overlaps(vectors, name, k=k, draws=draws, seed=seed, progress=progress)
    return Figure1(classes, panels, tuple(overlaps))


def _check_depths(depths: Sequence[int]) -> None:
    if not depths:
        raise DataError("depths: needed at least one number of hidden layers, got none. Give 0,1,3, say.")
    if min(depths) < 0:
        raise MappingError(f"depths: needed 0 or more hidden layers, got {min(depths)}. Give 0 for a linear map.")
