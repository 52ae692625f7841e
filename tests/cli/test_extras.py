"""What is optional and absent costs one line with the command that installs it."""

import ast
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import isthmus
from in_process import invoke
from isthmus._errors import MissingExtraError
from isthmus.features import Look

ROOT = Path(isthmus.__file__).parent
OPTIONAL = {"IPython", "PIL", "distributed", "faiss", "pynndescent", "torch", "timm"}
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
            elif (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "needed"
                and isinstance(node.args[0], ast.Constant)
            ):
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


class Absent:
    """Finds no module of a package, as where it is not installed."""

    def __init__(self, package):
        self.package = package

    def find_spec(self, name, path=None, target=None):
        del path, target
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {self.package!r}", name=self.package)


def hide(package, monkeypatch):
    for name in [each for each in sys.modules if each.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(package), *sys.meta_path])


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
    ],
)
def test_a_missing_extra_is_one_line_with_the_pip_command(hidden, verb, extra, monkeypatch):
    hide(hidden, monkeypatch)
    with pytest.raises(MissingExtraError) as raised:
        invoke(*verb.split())
    message = str(raised.value)
    assert "\n" not in message
    assert message.endswith(f"Run `pip install 'isthmus[{extra}]'`.")


@pytest.mark.usefixtures("folder")
def test_pictures_without_pillow_are_not_skipped_as_bad_ones(monkeypatch):
    network = SimpleNamespace(name="mean color", look=Look(size=8))
    monkeypatch.setattr("isthmus.features.open_backbone", lambda *_: network)
    hide("PIL", monkeypatch)
    with pytest.raises(MissingExtraError, match=r"needed pillow, found none\. Run `pip install 'isthmus\[features\]'`\.$"):
        invoke("features", "image", "pictures", "--out", "i.npz")
