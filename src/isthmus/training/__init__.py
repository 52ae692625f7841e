"""How networks are learned: losses, recipes, gradient descent in JAX."""

from isthmus.training._descent import Descent, learn
from isthmus.training._losses import LOSSES, Loss, check_loss
from isthmus.training._network import NUMPY_ACTIVATIONS, Activation, Layer, Network, apply, initialize
from isthmus.training._recipes import RECIPES, Initialization, Optimizer, Recipe, recipe

__all__ = [
    "LOSSES",
    "NUMPY_ACTIVATIONS",
    "RECIPES",
    "Activation",
    "Descent",
    "Initialization",
    "Layer",
    "Loss",
    "Network",
    "Optimizer",
    "Recipe",
    "apply",
    "check_loss",
    "initialize",
    "learn",
    "recipe",
]
