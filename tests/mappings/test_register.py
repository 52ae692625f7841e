"""A mapping of one's own under a name."""

import numpy as np
import pytest

import isthmus
from isthmus._errors import MappingError
from isthmus.mappings import Mapping, load, mapping, register, save


class Middle(Mapping):
    """Every item goes to the middle of the targets."""

    def _learn(self, x, y):  # noqa: ARG002
        self.middle_ = y.mean(axis=0)

    def _map(self, x):
        return np.tile(self.middle_, (len(x), 1))

    def _state(self):
        return {"middle": self.middle_}

    def _restore(self, state):
        self.middle_ = state["middle"]
        self.n_features_in_, self.n_outputs_ = 3, len(self.middle_)


def test_a_registered_mapping_is_known_by_name_and_can_be_saved(rng, tmp_path):
    with pytest.raises(MappingError, match="got 'middle'"):
        mapping("middle")
    assert register("middle", Middle) is Middle
    register("middle", type("Middle", (Middle,), {"__module__": Middle.__module__}))  # a notebook's cell, run again
    register("middle", Middle)
    x = rng.normal(size=(20, 3))
    fitted = mapping("middle").fit(x, x)
    save(fitted, tmp_path / "middle.safetensors")
    assert (load(tmp_path / "middle.safetensors").predict(x) == fitted.predict(x)).all()
    result = isthmus.audit(isthmus.Pairs(x, x), ["middle"], k=2, folds=2)
    assert [row.mapping for row in result.rows][:3] == ["identity", "untrained-middle", "middle"]


@pytest.mark.parametrize("name", ["ridge", "rcsls", "lin", "nn", "nn-3", "all"])
def test_a_name_that_is_taken_is_refused(name):
    with pytest.raises(MappingError, match=f"mapping: needed a new name, got '{name}'"):
        register(name, type("Other", (Middle,), {}))


def test_the_class_of_another_is_not_replaced():
    with pytest.raises(MappingError, match="which is taken"):
        register("ridge-2", type("Ridge", (Middle,), {}))
