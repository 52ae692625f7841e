"""What the documents claim: the Python in README runs and prints what it says; the public names are all there."""

import re
from pathlib import Path

import pytest

import isthmus

ROOT = Path(__file__).parents[1]


def test_readme_python_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == re.search(r"print\(result\) +# (.*)", code)[1]


def test_the_experiment_of_the_documents_runs(capsys, tmp_path, monkeypatch):
    text = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    (spec,) = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(spec, encoding="utf-8")
    exec(compile(code, "experiments.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == ["18", "2 989 0.3333333333333333"]


def test_the_figures_of_the_documents_are_drawn(capsys, tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "figures.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "figures.md", "exec"), {})
    assert capsys.readouterr().out.strip() == re.search(r"print.* # (.*)", code)[1]
    assert Path("plane.svg").stat().st_size > 1000


def test_the_encoder_of_the_documents_learns(capsys):
    pytest.importorskip("torch", reason="torch is not installed: pip install 'isthmus[features]'", exc_type=ImportError)
    text = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0]
    exec(compile(code, "features.md", "exec"), {})
    assert capsys.readouterr().out.strip() == re.search(r"print.* # (.*)", code)[1]


def test_every_public_name_is_documented_and_loads():
    for name in isthmus.__all__:
        assert getattr(isthmus, name).__doc__, name
    assert dir(isthmus) == sorted([*isthmus.__all__, "__version__"])
