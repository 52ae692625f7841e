"""What is optional and absent costs one line with the command that installs it."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
from cli.in_process import invoke

import isthmus
from isthmus._errors import MissingExtraError

ROOT = Path(isthmus.__file__).parent
OPTIONAL = {"PIL", "distributed", "faiss", "pynndescent", "torch", "timm"}
CORE = {
    "altair", "jax", "jaxtyping", "jinja2", "joblib", "msgspec", "numpy", "optax", "polars", "rich", "safetensors", "scipy",
    "sklearn", "threadpoolctl", "typer", "vl_convert",
}  # fmt: skip


def test_nothing_else_is_optional():
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).partition(".")[0])
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "needed" and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value.partition(".")[0])
    assert found - sys.stdlib_module_names - CORE - {"isthmus"} <= OPTIONAL


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.random.default_rng(0).normal(size=(60, 4)))
    Path("x.pt").write_bytes(b"x")
    Path("items.tsv").write_text("id\ttext\tkind\n0\ta dog\ta\n1\ta cat\tb\n2\tan owl\ta\n")
    Path("pictures").mkdir()
    Path("pictures/a.png").write_bytes(b"x")
    Path("w.safetensors").write_bytes(b"x")
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("hidden", "verb", "extra"),
    [
        ("faiss", "overlap x.npy x.npy -k 3 --approximate hnsw --sample 20", "ann"),
        ("faiss", "overlap x.npy x.npy -k 3 --approximate ivf --sample 20", "ann"),
        ("pynndescent", "overlap x.npy x.npy -k 3 --approximate pynndescent --sample 20", "ann"),
        ("distributed", "overlap x.npy x.npy -k 3 --cluster 2", "cluster"),
        ("torch", "overlap x.pt x.npy", "features"),
        ("torch", "features text items.tsv:text --labels items.tsv:kind --out t.npy", "features"),
        ("torch", "features image pictures --out i.npz --weights w.safetensors", "features"),
        ("timm", "features image pictures --out i.npz --backbone resnet18 --weights w.safetensors", "features"),
        ("PIL", "features image pictures --out i.npz --weights w.safetensors", "features"),
    ],
)
def test_a_missing_extra_is_one_line_with_the_pip_command(hidden, verb, extra, monkeypatch):
    for name in [each for each in sys.modules if each.partition(".")[0] == hidden]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, hidden, None)
    with pytest.raises(MissingExtraError) as raised:
        invoke(*verb.split())
    message = str(raised.value)
    assert "\n" not in message
    assert message.endswith(f"Run `pip install 'isthmus[{extra}]'`.")
