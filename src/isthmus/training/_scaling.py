"""The scalings around a network that is learned by gradient descent: none may change what its loss means."""

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.pairs import Scaling, ScalingKind
from isthmus.training._losses import MAX_MARGIN, Loss

_UNSHIFTED: dict[ScalingKind, ScalingKind] = {"center": "none", "isotropic": "scale", "standardize": "scale"}


def target_kind(kind: ScalingKind, loss: str | Loss) -> ScalingKind:
    """How targets are scaled for a loss, where the recipe scales by `kind`.

    Squared error and max-margin see differences of vectors, which a shift of all leaves as they are. An angle to a shifted
    target is another angle: for the cosine, and for a loss of which nothing is known, targets are not shifted, and they are
    divided by one number at most.

    Example:
        >>> [target_kind("isotropic", loss) for loss in ("mse", "cosine", lambda f, y: abs(f - y).sum(axis=1))]
        ['isotropic', 'scale', 'scale']
    """
    return kind if loss in ("mse", MAX_MARGIN) else _UNSHIFTED.get(kind, kind)


def fit_target_scaling(y: Float[ndarray, "n dy"], kind: ScalingKind) -> Scaling:
    """The scaling of the targets: under `isotropic` and `scale`, numbers of size 1 instead of rows of length 1.

    A step of RMSprop changes every weight by about the learning rate, whatever the units of the loss; with targets of
    size 1 that is a fine step for every number of outputs.
    """
    scaling = Scaling.fit(y, kind)
    if kind in ("isotropic", "scale"):
        return Scaling(kind, scaling.shift, scaling.scale / np.sqrt(y.shape[1]))
    return scaling


def fit_scalings(
    x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], kind: ScalingKind, of_targets: ScalingKind
) -> tuple[Scaling, Scaling]:
    """The scalings of inputs and targets, fitted on items to learn from."""
    return Scaling.fit(x, kind), fit_target_scaling(y, of_targets)
