"""How networks are learned: losses, recipes, gradient descent in JAX, cross-validation."""

from isthmus.training._classes import Labels, encode_classes, of_other_classes
from isthmus.training._crossvalidation import cross_validate
from isthmus.training._curves import CellCurves, CrossValidation, TrainingWarning, steadily_decreases
from isthmus.training._descent import Descent, learn
from isthmus.training._grid import GRIDS, Cell, Grid
from isthmus.training._losses import LOSSES, Loss, check_loss, max_margin
from isthmus.training._network import NUMPY_ACTIVATIONS, Activation, Layer, Network, apply, initialize
from isthmus.training._recipes import RECIPES, Initialization, Optimizer, Recipe, recipe
from isthmus.training._scaling import fit_scalings, fit_target_scaling, target_kind
from isthmus.training._workers import divided

__all__ = [
    "GRIDS",
    "LOSSES",
    "NUMPY_ACTIVATIONS",
    "RECIPES",
    "Activation",
    "Cell",
    "CellCurves",
    "CrossValidation",
    "Descent",
    "Grid",
    "Initialization",
    "Labels",
    "Layer",
    "Loss",
    "Network",
    "Optimizer",
    "Recipe",
    "TrainingWarning",
    "apply",
    "check_loss",
    "cross_validate",
    "divided",
    "encode_classes",
    "fit_scalings",
    "fit_target_scaling",
    "initialize",
    "learn",
    "max_margin",
    "of_other_classes",
    "recipe",
    "steadily_decreases",
    "target_kind",
]
