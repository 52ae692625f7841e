"""What a shell is offered at the press of a key, by typer's protocol, and how quickly."""

import os
import subprocess
import sys
from typing import get_args

import pytest

from in_process import parsed
from isthmus.cli import _options
from isthmus.concepts import MAPS
from isthmus.concepts import SIMILARITIES as KINDS
from isthmus.datasets import CATALOG, sources
from isthmus.experiments import ready_specs
from isthmus.mappings import FAMILY, SelectBy, mapping
from isthmus.measures import MEASURES
from isthmus.neighbors import check_approximation, check_metric
from isthmus.training import check_loss, recipe


def offered(line, folder=None, *python):
    """What bash is offered for a line, up to its end."""
    words = line.split(" ")
    more = {"_ISTHMUS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, *python, "-m", "isthmus"], capture_output=True, text=True, env=os.environ | more, check=False, timeout=60, cwd=folder
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


def test_names_are_those_of_the_registries():
    assert set(_options.SETS) == set(CATALOG)
    assert set(_options.MAPPINGS) >= set(FAMILY)
    assert all(mapping(name) for name in _options.MAPPINGS)
    assert set(_options.MEASURES) == set(MEASURES)
    assert {each.replace("-", "_") for each in _options.CRITERIA} == set(get_args(SelectBy))
    assert {check_metric(each) for each in _options.METRICS} == set(_options.METRICS)
    assert all(check_loss(each) and recipe(name) for each in _options.LOSSES for name in _options.RECIPES)
    assert [check_approximation(each) for each in _options.APPROXIMATIONS] == list(_options.APPROXIMATIONS)
    assert set(_options.SIMILARITIES) == set(KINDS)
    assert set(_options.UNTRAINED) == {*MAPS, "all"}
    assert set(_options.SPECS) == {each["name"] for each in ready_specs()}
    assert set(_options.FETCHED) == set(sources())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("isthmus aud", ["audit"]),
        ("isthmus data f", ["fetch"]),
        ("isthmus audit im", ["imagenet-glosses", "imagenet-words"] + [f"imagenet-{each}:{side}" for each in ("glosses", "words") for side in "xy"]),
        ("isthmus audit --mapping ridge,nn", ["ridge,nn", "ridge,nn-3", "ridge,nn-5"]),
        ("isthmus overlap --metric eu", ["euclidean"]),
        ("isthmus measure --measure cka,r", ["cka,rbo", "cka,rnx", "cka,rnx-area", "cka,rsa", "cka,rsa-pearson", "cka,recall-at-k"]),
        ("isthmus audit --recipe a", ["authors-code"]),
        ("isthmus fit --loss m", ["mse", "max-margin"]),
        ("isthmus audit --select b", ["bridge-rate"]),
        ("isthmus reproduce figure", ["figure1", "figure2"]),
        ("isthmus data fetch glove", ["glove-6b"]),
        ("isthmus audit x", []),  # the shell knows files itself
    ],
)  # fmt: skip
def test_values_are_completed(line, expected, tmp_path):
    from typer._completion_classes import BashComplete
    from typer.main import get_command

    from isthmus.cli import app

    os.chdir(tmp_path)
    words = line.split(" ")
    found = BashComplete(get_command(app), {}, "isthmus", "_ISTHMUS_COMPLETE").get_completions(words[1:-1], words[-1])
    assert [each.value for each in found] == expected


def test_files_stand_beside_names_where_both_fit(tmp_path, monkeypatch):
    (tmp_path / "en.vec").touch()
    (tmp_path / "emb").mkdir()
    (tmp_path / ".env").touch()
    monkeypatch.chdir(tmp_path)
    assert _options.sets_or_files(["emoji"])("em") == ["emoji", "emb/"]
    assert _options.sets_or_files(["emoji"])("e") == ["emoji", "emb/", "en.vec"]


def test_the_protocol_works_and_loads_nothing_heavy():
    found, imports = offered("isthmus audit emoj", None, "-X", "importtime")
    assert found == ["emoji", "emoji:x", "emoji:y"]
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in imports.splitlines()}
    assert "isthmus" in loaded
    assert not loaded & {"numpy", "jax", "polars", "rich", "msgspec"}


@pytest.mark.skipif(sys.platform == "win32", reason="bash")
def test_completion_installs_into_a_shell(tmp_path):
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m isthmus --install-completion bash; true"], capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )  # fmt: skip
    assert "completion installed" in done.stdout, done.stderr
    script = next(tmp_path.rglob("isthmus.sh")).read_text()
    assert "_ISTHMUS_COMPLETE=complete_bash" in script
    assert "isthmus.sh" in (tmp_path / ".bashrc").read_text()


def test_every_completed_value_is_one_that_the_option_takes():
    parsed(
        [
            "audit",
            "emoji",
            "--mapping",
            "ridge,nn-3",
            "--metric",
            "csls",
            "--recipe",
            "paper",
            "--select",
            "index",
            "--loss",
            "mse",
        ]
    )
