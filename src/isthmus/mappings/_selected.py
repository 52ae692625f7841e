"""Choosing settings by what matters: on folds of the training items, by neighborhoods, so that no test item is ever seen.

Squared error prefers predictions near the mean; overlap, bridge rate and index see where the neighbors are. The chosen
mapping is learned anew from all training items.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
from numpy import ndarray
from sklearn.base import clone

from isthmus._errors import MappingError
from isthmus._shapes import Float
from isthmus.mappings._anchor_attention import SHARPNESS
from isthmus.mappings._contract import Mapping
from isthmus.mappings._criterion import Criterion, folds_of
from isthmus.mappings._kernel_ridge import WIDTHS
from isthmus.mappings._ridge import Ridge
from isthmus.neighbors import Metric

SelectBy = Literal["target_overlap", "bridge_rate", "index", "loss"]
"""What settings can be chosen by."""

SETTINGS: dict[str, dict[str, Sequence[Any]]] = {
    "Ridge": {"penalties": [(float(p),) for p in np.logspace(-1, 5, 7)]},
    "ReducedRankRidge": {"rank": (4, 8, 16, 32, 64), "penalties": [(float(p),) for p in np.logspace(0, 4, 3)]},
    "ReverseRidge": {"cutoff": (0.02, 0.05, 0.1, 0.2, 0.4)},
    "Procrustes": {"scaling": ("none", "standardize")},
    "CCA": {"rank": (8, 16, 32, 64), "shares": [(share,) for share in (0.01, 0.1, 0.5)]},
    "KernelRidge": {"widths": [(width,) for width in WIDTHS], "penalties": [(float(p),) for p in np.logspace(-2, 1, 4)]},
    "NearestNeighbors": {"k": (1, 2, 5, 10, 20, 50)},
    "AnchorAttention": {"sharpness": [(each,) for each in SHARPNESS]},
    "Contrastive": {"temperature": (0.05, 0.1, 0.2)},
    "Relational": {"temperature": (0.05, 0.1, 0.2)},
    "RCSLS": {"neighbors": (5, 10, 20)},
}
"""What is tried of each class; of those not named here, the mapping as it is. Settings that two spaces are too small for are
left out."""


class Selected(Mapping):
    """The mapping, among variants of one, that does best on folds of the training items.

    Args:
        mapping: the one whose settings vary, unfitted.
        by: "target_overlap", "bridge_rate" or "index", of which higher is better, the last one among what overlaps with the
            target no less than ridge regression, if anything does, since noise has a high index too; or "loss", mean squared
            error, of mappings that predict targets and not their directions alone.
        settings: for each parameter its candidates, all combinations of which are tried; `SETTINGS` of the class if None.
        k: neighbors counted.
        folds: as many as make a fold the size of the test set one has in mind.
        seed: of the folds; items with equal x or y are in the same one.
        metric: of the distances.

    Attributes:
        best_: the chosen mapping, learned from all items.
        tried_: the combinations; scores_: what each reached, nan where it was refused, or where nothing was tried, since
            there is one or fewer than 4 items are distinct: then the first is chosen.

    Example:
        >>> from isthmus.mappings import NearestNeighbors
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(90, 2))
        >>> Selected(NearestNeighbors(), "loss", {"k": (1, 80)}).fit(x, 2 * x).best_.k
        1
    """

    def __init__(
        self,
        mapping: Mapping,
        by: SelectBy = "target_overlap",
        settings: dict[str, Sequence[Any]] | None = None,
        k: int = 10,
        folds: int = 3,
        seed: int = 0,
        metric: Metric = "cosine",
    ) -> None:
        self.mapping = mapping
        self.by = by
        self.settings = settings
        self.k = k
        self.folds = folds
        self.seed = seed
        self.metric = metric

    def _learn(self, x: Float[ndarray, "n dx"], y: Float[ndarray, "n dy"]) -> None:
        check_select(self.by)
        if self.by == "loss" and self.mapping.directions_only:
            raise MappingError(
                f"by: needed target_overlap, bridge_rate or index for {type(self.mapping).__name__}, whose predictions have "
                "no length of their own, got 'loss'. Choose one of these."
            )
        if len(x) < 2 * self.folds or self.folds < 2:
            raise MappingError(
                f"folds: needed 2 or more of at least 2 items each, got {self.folds} of {len(x)} items. Use fewer folds."
            )
        settings = SETTINGS.get(type(self.mapping).__name__, {}) if self.settings is None else self.settings
        self.tried_ = [dict(zip(settings, each, strict=True)) for each in product(*settings.values())]
        refused = MappingError("settings: needed a candidate or more for each parameter, got none for one. Add some.")
        splits = folds_of(x, y, self.folds, self.seed, least=2) if len(self.tried_) > 1 else ()
        self.scores_ = np.full(len(self.tried_), 0.0 if splits else np.nan)
        overlaps, floor = np.zeros(len(self.tried_)), 0.0
        for split in splits:
            train, test, weight = split.train, split.test, len(split.test) / len(x)
            score = Criterion(x[test], y[test], self.k, self.metric)
            for position, each in enumerate(self.tried_):
                try:
                    f = self._variant(each).fit(x[train], y[train]).predict(x[test])
                except MappingError as error:
                    refused, self.scores_[position], overlaps[position] = error, np.nan, np.nan
                    continue
                found = score(f)
                self.scores_[position] += weight * (-np.mean((f - y[test]) ** 2) if self.by == "loss" else found[self.by])
                overlaps[position] += weight * found["target_overlap"]
            if self.by == "index":
                floor += weight * score(Ridge().fit(x[train], y[train]).predict(x[test]))["target_overlap"]
        scored = ~np.isnan(self.scores_)
        if not self.tried_ or (splits and not scored.any()):
            raise refused
        enough = scored & (overlaps >= min(floor, overlaps[scored].max(initial=0.0)))
        best = int(np.argmax(np.where(enough, self.scores_, -np.inf)))  # the first where nothing was tried
        self.best_ = self._variant(self.tried_[best]).fit(x, y)

    def _variant(self, settings: dict[str, Any]) -> Mapping:
        variant: Mapping = clone(self.mapping).set_params(**settings)
        return variant

    def _map(self, x: Float[ndarray, "m dx"]) -> Float[ndarray, "m dy"]:
        return self.best_.predict(x)

    def _state(self) -> dict[str, ndarray]:
        raise MappingError("mapping: needed one with learned arrays, got a selection. Save its best_.")

    def _restore(self, state: dict[str, ndarray]) -> None:
        raise NotImplementedError

    def twin(self, seed: int = 0) -> Mapping | None:
        """The untrained twin of the mapping."""
        return self.mapping.twin(seed)


def check_select(by: str) -> SelectBy:
    """What to choose by, if that is known.

    Raises:
        MappingError: an unknown word.

    Example:
        >>> check_select("index")
        'index'
    """
    if by not in get_args(SelectBy):
        raise MappingError(f"select: needed one of {', '.join(get_args(SelectBy))}, got {by!r}. Choose one.")
    found: SelectBy = by  # type: ignore[assignment]
    return found
