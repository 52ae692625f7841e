"""The scalings around a network that is learned by gradient descent."""

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float
from isthmus.pairs import Scaling, ScalingKind


def fit_target_scaling(y: Float[ndarray, "n dy"], kind: ScalingKind) -> Scaling:
    """The scaling of the targets: under `isotropic`, numbers of size 1 instead of rows of length 1.

    A step of RMSprop changes every weight by about the learning rate, whatever the units of the loss; with targets of
    size 1 that is a fine step for every number of outputs.
    """
    scaling = Scaling.fit(y, kind)
    if kind == "isotropic":
        return Scaling(kind, scaling.shift, scaling.scale / np.sqrt(y.shape[1]))
    return scaling


def fit_scalings(x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"], kind: ScalingKind) -> tuple[Scaling, Scaling]:
    """The scalings of inputs and targets under one kind, fitted on items to learn from."""
    return Scaling.fit(x, kind), fit_target_scaling(y, kind)
