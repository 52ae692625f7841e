"""Shapes are checked at run time in the tests; real data beyond the package's own is used where it is at hand."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from jaxtyping import config, install_import_hook

install_import_hook("isthmus", "beartype.beartype")

settings.register_profile("isthmus", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("isthmus")

ROOT = Path(__file__).parents[1]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def data_folder():
    """The folder of real data sets that are not in the package: $ISTHMUS_DATA, or shared/data beside the repository."""
    folder = Path(os.environ.get("ISTHMUS_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets in {folder}; set ISTHMUS_DATA to their folder")
    return folder


@pytest.fixture
def unchecked_shapes():
    """For arguments of a wrong type or shape on purpose: a user has no run-time checks, and meets the library's own."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace):
    doctest_namespace["np"] = np
