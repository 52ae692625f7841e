"""Paired spaces made up so that the answer is known: for power studies, and for the tests of a measure.

Each function gives one kind of pair and says in its docstring what is true of it. The same seed gives the same numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._numbers import check_number
from isthmus._shapes import Float
from isthmus.pairs._pairs import Pairs
from isthmus.pairs._splits import check_seed


def _checked(n: int, d: int, seed: int) -> None:
    check_number("n", n, 2.0, np.inf, 500.0, whole=True, error=DataError)
    check_number("d", d, 1.0, np.inf, 16.0, whole=True, error=DataError)
    check_seed(seed)


def _rotation(d: int, rng: np.random.Generator) -> Float[ndarray, "d d"]:
    q, r = np.linalg.qr(rng.normal(size=(d, d)))
    return q * np.sign(np.diag(r))


def shared_latent(n: int = 500, d: int = 16, *, shared: float = 0.5, seed: int = 0) -> Pairs:
    """Two views of a common latent space, each with a private part of its own.

    x = sqrt(s) z + sqrt(1-s) u and y = (sqrt(s) z + sqrt(1-s) v) R with z, u, v standard normal and R a rotation. Known:
    every canonical correlation of the population is s; overlap is at chance for s = 0, 1 for s = 1 (under Euclidean and
    cosine), and rises in between.

    Args:
        n: number of items.
        d: dimensions of both spaces.
        shared: share s of the variance that is common, in [0, 1].
        seed: of the numbers.

    Raises:
        DataError: a share outside [0, 1], or too few items or dimensions.

    Example:
        >>> shared_latent(100, 4, shared=1.0).x.shape
        (100, 4)
    """
    _checked(n, d, seed)
    _check_share(shared, "shared")
    rng = np.random.default_rng([seed, 0x1A7E])
    z, u, v = rng.normal(size=(3, n, d))
    own, common = np.sqrt(1 - shared), np.sqrt(shared)
    return Pairs(common * z + own * u, (common * z + own * v) @ _rotation(d, rng), name=f"shared-latent-{shared:g}")


@dataclass(frozen=True, slots=True, eq=False)
class MappedPairs:
    """A pair of spaces and the image of the first under a mapping whose bridge is known.

    Args:
        pairs: input and target.
        mapped: f(X), n x d.
    """

    pairs: Pairs
    mapped: Float[ndarray, "n d"]


def echo_to_bridge(n: int = 500, d: int = 16, *, dial: float = 0.5, shared: float = 0.3, seed: int = 0) -> MappedPairs:
    """A mapping that echoes its input at dial 0, carries its target at dial 1, and stands between them in between.

    x and y are `shared_latent` without the rotation; f = (1 - t) x + t y. Known: the bridge index is -1 at t = 0 and +1 at
    t = 1 exactly; by symmetry of x and y its mean over samples is 0 at t = 1/2, and that at t is the negative of that at 1
    - t.

    Args:
        n: number of items.
        d: dimensions.
        dial: t, in [0, 1].
        shared: share of the variance that input and target have in common, in [0, 1).
        seed: of the numbers.

    Raises:
        DataError: a dial or share outside its range, or too few items or dimensions.

    Example:
        >>> made = echo_to_bridge(50, 4, dial=0.0)
        >>> bool((made.mapped == made.pairs.x).all())
        True
    """
    _checked(n, d, seed)
    _check_share(dial, "dial")
    _check_share(shared, "shared")
    rng = np.random.default_rng([seed, 0xEC40])
    z, u, v = rng.normal(size=(3, n, d))
    x, y = (np.sqrt(shared) * z + np.sqrt(1 - shared) * w for w in (u, v))
    return MappedPairs(
        Pairs(x, y, name=f"echo-to-bridge-{dial:g}"), x if dial == 0 else y if dial == 1 else (1 - dial) * x + dial * y
    )


def rotated_copies(n: int = 500, d: int = 16, *, scale: float = 4.0, seed: int = 0) -> Pairs:
    """A space and the same one rotated and scaled.

    Known: every measure that rotation and scale leave alone is at its best: overlap, CKA, RSA and all canonical correlations
    are 1, the Procrustes distance 0.

    Raises:
        DataError: too few items or dimensions.

    Example:
        >>> pairs = rotated_copies(20, 3)
        >>> np.allclose(pairs.y @ pairs.y.T, 16 * pairs.x @ pairs.x.T)
        True
    """
    _checked(n, d, seed)
    rng = np.random.default_rng([seed, 0x407A])
    x = rng.normal(size=(n, d))
    return Pairs(x, scale * x @ _rotation(d, rng), name="rotated-copies")


def independent(n: int = 500, d: int = 16, *, dy: int | None = None, seed: int = 0) -> Pairs:
    """Two standard normal spaces that have nothing in common.

    Known: every measure is at chance on average over samples, and p-values are uniform.

    Raises:
        DataError: too few items or dimensions.

    Example:
        >>> independent(30, 4, dy=2).y.shape
        (30, 2)
    """
    _checked(n, d, seed)
    _checked(n, d if dy is None else dy, seed)
    rng = np.random.default_rng([seed, 0x14DE])
    return Pairs(rng.normal(size=(n, d)), rng.normal(size=(n, d if dy is None else dy)), name="independent")


def hub_heavy(n: int = 500, d: int = 64, *, seed: int = 0) -> Pairs:
    """Two spaces with nothing in common but their hubs: how far an item lies from the middle.

    x = r u and y = r v with u, v independent and standard normal and one radius r an item, log-normal. Known: under
    Euclidean distance the items near the middle are hubs in both spaces, so overlap is above chance although directions are
    unrelated, and about what `isthmus.measures.hub_expectation` gives; under cosine it is at chance.

    Raises:
        DataError: too few items or dimensions.

    Example:
        >>> hub_heavy(30, 4).x.shape
        (30, 4)
    """
    _checked(n, d, seed)
    rng = np.random.default_rng([seed, 0x4B5])
    radius = np.exp(0.25 * rng.normal(size=(n, 1)))
    return Pairs(radius * rng.normal(size=(n, d)), radius * rng.normal(size=(n, d)), name="hub-heavy")


def duplicated(n: int = 500, d: int = 16, *, copies: int = 2, shared: float = 0.5, seed: int = 0) -> Pairs:
    """`shared_latent` in which every item stands several times, as near-identical captions or images do.

    Known: the nearest neighbors of an item are its copies in both spaces, so mNNO at k = copies - 1 is 1; intervals and
    tests that take items as independent are too sure of it, as n / copies items would be enough to say the same.

    Raises:
        DataError: fewer than 2 copies, n no multiple of them, or what `shared_latent` refuses.

    Example:
        >>> pairs = duplicated(40, 4, copies=4)
        >>> bool((pairs.x[0] == pairs.x[3]).all())
        True
    """
    _checked(n, d, seed)
    check_number("copies", copies, 2.0, np.inf, 2.0, whole=True, error=DataError)
    if n % copies:
        raise DataError(f"copies: needed 2 or more, and n a multiple of them, got {copies} of n={n}. Use copies=2, n=500.")
    made = shared_latent(n // copies, d, shared=shared, seed=seed)
    return Pairs(np.repeat(made.x, copies, axis=0), np.repeat(made.y, copies, axis=0), name=f"duplicated-{copies}")


def low_signal(n: int = 500, d: int = 64, *, signal: int = 2, seed: int = 0) -> Pairs:
    """Two wide spaces of noise with a few common dimensions.

    The first `signal` of d dimensions are the same in both; the others are independent. Known: that many canonical
    correlations of the population are 1 and the rest 0; overlap is a little above chance, which a test of some hundred
    items finds.

    Raises:
        DataError: more common dimensions than there are, or too few items or dimensions.

    Example:
        >>> pairs = low_signal(30, 8, signal=1)
        >>> (pairs.x == pairs.y).all(axis=0).tolist()
        [True, False, False, False, False, False, False, False]
    """
    _checked(n, d, seed)
    check_number("signal", signal, 0.0, float(d), float(min(2, d)), whole=True, error=DataError)
    rng = np.random.default_rng([seed, 0x105])
    x, y = rng.normal(size=(2, n, d))
    y[:, :signal] = x[:, :signal]
    return Pairs(x, y, name=f"low-signal-{signal}")


SYNTHETIC: dict[str, Callable[..., Pairs]] = {
    "shared-latent": shared_latent, "rotated-copies": rotated_copies, "independent": independent, "hub-heavy": hub_heavy,
    "duplicated": duplicated, "low-signal": low_signal,
}  # fmt: skip
"""The synthetic spaces, by name."""


def _check_share(value: float, name: str) -> None:
    check_number(name, value, 0.0, 1.0, 0.5, error=DataError)
