"""The examples run as they stand, and draw the pictures that the repository shows."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.py"))
LARGEST = 200_000


def texts(picture):
    """What a picture says: the texts of an SVG without its numbers, which may differ in the last digit between machines."""
    return [text.text for text in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_draws_its_pictures(name, tmp_path):
    command = [sys.executable, str(FOLDER / name), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()
    stem = name.removesuffix(".py").replace("_", "-")
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == sorted(path.name for path in (FOLDER / "pictures").glob(f"{stem}*"))
    for picture in drawn:
        if picture.endswith(".svg"):
            assert texts(tmp_path / picture) == texts(FOLDER / "pictures" / picture), (
                f"draw it again: python examples/{name}"
            )


def test_every_picture_is_small_and_shown():
    shown = re.findall(r"\]\((pictures/[^)]+)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    there = [path.relative_to(FOLDER).as_posix() for path in (FOLDER / "pictures").iterdir()]
    assert sorted(shown) == sorted(there)
    assert max((FOLDER / each).stat().st_size for each in there) < LARGEST


def test_the_readme_names_every_example():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"python examples/{name}" in text for name in SCRIPTS)
