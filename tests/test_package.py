"""What is given away: the sdist and the wheel hold what they should and nothing else, and the wheel works alone."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import isthmus

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from scikit_build_core.build import {0}; print({0}(sys.argv[1], {{'wheel.cmake': 'false'}}))"
ALONE = "import sys, runpy; sys.path[:0] = sys.argv.pop(1).split(';'); runpy.run_module('isthmus', run_name='__main__')"


def called(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Build without the compiled engine, which would take a minute."""
    if importlib.util.find_spec("scikit_build_core") is None:
        pytest.skip("scikit-build-core is not installed: pip install 'isthmus[test]'")
    folder = tmp_path_factory.mktemp("dist")

    def made(what):
        done = called(sys.executable, "-c", BUILD.format(what), str(folder), cwd=ROOT)
        assert done.returncode == 0, done.stderr
        return folder / done.stdout.split()[-1]

    return made


@pytest.fixture(scope="module")
def tracked():
    """The files of the repository."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no clone of the repository, which says what belongs to it")
    done = called("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    return {name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheel(build):
    return build("build_wheel")


def test_the_wheel_holds_the_package_and_nothing_else(wheel, tracked):
    names = set(zipfile.ZipFile(wheel).namelist())
    of_package = {name for name in names if name.startswith("isthmus/")}
    assert of_package == {name.removeprefix("src/") for name in tracked if name.startswith("src/isthmus/")}
    assert {"isthmus/py.typed", "isthmus/datasets/embedded/imagenet_words.npz", "isthmus/datasets/sources.toml"} < of_package
    others = {name.split("/", 1)[1] for name in names - of_package if name.split("/")[0].endswith(".dist-info")}
    assert len(others) == len(names - of_package)
    assert {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"} <= others
    assert any(name.endswith("embedded/NOTICE.md") for name in others)
    assert wheel.stat().st_size < 20e6


def test_the_wheel_works_alone(wheel, tmp_path):
    """Without the folder that it was made from, without its compiled engine, without a network."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    libraries = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    where = ";".join([str(tmp_path / "installed"), *libraries])
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    python = [sys.executable, "-S", "-c"]  # -S: no editable installation
    done = called(*python, ALONE, where, "overlap", "imagenet-words", "--json", cwd=tmp_path, env=quiet)
    assert done.returncode == 0, done.stderr
    pairs = isthmus.load("imagenet-words")
    assert json.loads(done.stdout)[0]["mnno"] == isthmus.overlap(pairs.x, pairs.y).mnno
    assert called(*python, ALONE, where, "audit", "--help", cwd=tmp_path, env=quiet).returncode == 0
    asked = "import sys; sys.path[:0] = sys.argv[1].split(';'); import isthmus; print(isthmus.__file__, isthmus.__version__)"
    file, version = called(*python, asked, where, cwd=tmp_path).stdout.split()
    assert Path(file).is_relative_to(tmp_path)
    assert version == isthmus.__version__


def test_the_sdist_holds_what_a_build_needs(build, tracked):
    with tarfile.open(build("build_sdist")) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name} - {"PKG-INFO"}
    assert {"pyproject.toml", "README.md", "LICENSE", "native/CMakeLists.txt", "mkdocs.yml"} <= names
    assert names <= tracked
    assert {name for name in tracked if name.startswith(("src/", "native/", "tests/", "docs/"))} <= names


def test_versions_agree():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.*)$", citation, flags=re.MULTILINE)[1] == isthmus.__version__


def test_the_notes_of_a_release_are_its_section():
    (command,) = re.findall(r"^awk .*$", (ROOT / "docs/releasing.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    if shutil.which("awk") is None:
        pytest.skip("there is no awk")
    notes = called("bash", "-c", command.replace("0.1.0", isthmus.__version__), cwd=ROOT).stdout
    assert notes.startswith(f"## {isthmus.__version__}")
    assert len(re.findall("^## ", notes, flags=re.MULTILINE)) == 1
    assert "isthmus audit" in notes


@pytest.mark.parametrize("platform", ["linux", "macos", "windows"])
def test_each_platform_has_a_wheel_for_every_python_and_processor(platform):
    if importlib.util.find_spec("cibuildwheel") is None:
        pytest.skip("cibuildwheel is not installed: pip install cibuildwheel")
    listed = called(sys.executable, "-m", "cibuildwheel", "--print-build-identifiers", "--platform", platform, cwd=ROOT)
    assert listed.returncode == 0, listed.stderr
    tags = {
        "linux": ["manylinux_x86_64", "manylinux_aarch64"], "macos": ["macosx_x86_64", "macosx_arm64"],
        "windows": ["win_amd64", "win_arm64"],
    }  # fmt: skip
    assert sorted(listed.stdout.split()) == sorted(f"cp3{minor}-{tag}" for minor in (11, 12, 13) for tag in tags[platform])


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob(".github/workflows/*.yml")))
def test_workflows_are_such(name):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: pip install 'isthmus[test]'")
    found = yaml.safe_load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))
    assert found[True]  # `on`, which YAML 1.1 takes for a truth value
    for job in found["jobs"].values():
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])
