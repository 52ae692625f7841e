"""How networks are learned: losses, recipes, gradient descent in JAX."""

from isthmus.training._classes import Labels, encode_classes, of_other_classes
from isthmus.training._descent import Descent, learn
from isthmus.training._losses import LOSSES, Loss, check_loss, max_margin
from isthmus.training._network import NUMPY_ACTIVATIONS, Activation, Layer, Network, apply, initialize
from isthmus.training._recipes import RECIPES, Initialization, Optimizer, Recipe, recipe

__all__ = [
    "LOSSES",
    "NUMPY_ACTIVATIONS",
    "RECIPES",
    "Activation",
    "Descent",
    "Initialization",
    "Labels",
    "Layer",
    "Loss",
    "Network",
    "Optimizer",
    "Recipe",
    "apply",
    "check_loss",
    "encode_classes",
    "initialize",
    "learn",
    "max_margin",
    "of_other_classes",
    "recipe",
]
