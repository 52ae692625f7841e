"""What the command line refuses before it works, and what it leaves behind when it fails."""

import os
import subprocess
import sys

import numpy as np
import pytest


def run(folder, *arguments):
    command = [sys.executable, "-m", "isthmus", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=120)


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(60, 4)))
    (tmp_path / "junk.npy").write_text("hello")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "--hidden", "3"], "No such option: --hidden. See `isthmus audit --help`."),
        (["overlap"], "Missing argument 'A B [C ...] | FILE | NAME'. See `isthmus overlap --help`."),
        (["nope"], "No such command 'nope'. See `isthmus --help`."),
        (["overlap", "junk.npy", "x.npy"], "junk.npy: needed a whole file, got a damaged or truncated one, or no array."),
        (["audit", "x.npy", "x.npy", "--mapped", "x.npy", "--select", "index"], "select: needed none with --mapped"),
        (["audit", "x.npy", "x.npy", "--mapped", "x.npy", "--mapping", "nn"], "mapping: needed none with --mapped"),
        (["data", "fetch", "emoji", "--to", "there"], "name: needed a set of others, got emoji, which the package holds."),
        (["check", "x.npy", "x.npy", "x.npy", "--max-echo", "0.5"], "echo_rate: needed spaces with different neighbors"),
    ],
)
def test_one_line_and_exit_code_2(folder, arguments, message):
    done = run(folder, *arguments)
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, done.stdout, last.startswith(f"isthmus: {message}")) == (2, "", True), done.stderr


def test_what_is_read_is_not_written_over(folder):
    assert run(folder, "fit", "x.npy", "x.npy", "--out", "f.safetensors").returncode == 0
    before = (folder / "x.npy").read_bytes()
    done = run(folder, "apply", "f.safetensors", "x.npy", "--out", "x.npy")
    assert (done.returncode, done.stderr.startswith("isthmus: out: needed another place")) == (2, True)
    assert (folder / "x.npy").read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs ulimit")
@pytest.mark.parametrize(
    "verb", ["reproduce figure1 --chart out.html", "audit x.npy x.npy --mapping ridge --report out.html"]
)
def test_a_full_disk_leaves_nothing(folder, verb):
    command = f"ulimit -f 8; '{sys.executable}' -m isthmus {verb}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=folder, check=False, timeout=300)
    assert done.returncode == 2
    assert "out.html: needed a file that can be written" in done.stderr.splitlines()[-1]
    assert sorted(path.name for path in folder.iterdir()) == ["junk.npy", "x.npy"]


def test_a_terminal_that_knows_fewer_characters(folder):
    (folder / "wörd.txt").write_text("dog 1 0\ncat 0 1\nowl 1 1\n", encoding="utf-8")
    (folder / "men.tsv").write_text("word1\tword2\trating\ndog\tcat\t1\ndog\towl\t2\ncat\towl\t4\n")
    command = [sys.executable, "-m", "isthmus", "concepts", "wörd.txt", "--ratings", "men.tsv", "--map", "none"]
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=plain, check=False, timeout=120)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_an_audit_says_where_rows_are_equal(folder):
    np.save(folder / "ones.npy", np.ones((60, 3)))
    done = run(folder, "audit", "x.npy", "ones.npy", "--mapping", "ridge", "-k", "3", "--csv")
    assert done.returncode == 0
    assert "ones.npy: 60 of 60 items are equal to 3 others or more" in done.stderr
    assert "x.npy: " not in done.stderr
    assert "Warning" not in done.stderr
