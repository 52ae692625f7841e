"""`isthmus run` and `isthmus show` as a user meets them."""

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import isthmus

SPEC = """
name = "small"
[data]
x = "x.npy"
y = "y.npy"
[protocol]
folds = 3
[measure]
k = [3, 5]
[[mappings]]
name = "ridge"
"""


def isthmus_run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "isthmus", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False,
        timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    pairs = isthmus.load("imagenet-words").take(np.arange(90))
    np.save(folder / "x.npy", pairs.x)
    np.save(folder / "y.npy", pairs.y[:, :40])
    (folder / "small.toml").write_text(SPEC)
    (folder / "bad.toml").write_text(SPEC + "epochz = 3\n")
    first = isthmus_run("run", "small.toml", "--processes", "1", cwd=folder)
    assert first.returncode == 0, first.stderr
    assert "untrained-ridge" in first.stdout
    assert "isthmus show runs/small" in first.stderr
    return folder


def test_show_filters_sorts_and_writes(done):
    records = json.loads(isthmus_run("run", "small.toml", "--json", cwd=done).stdout)
    assert json.loads(isthmus_run("show", "runs/small", "--json", cwd=done).stdout) == records
    assert len(records) == 2 * 3 * 2
    chosen = isthmus_run(
        "show", "runs/small", "--where", "k=5", "--where", "include_self=false", "--sort", "-bridge_rate", "--json", cwd=done
    )
    rates = [record["bridge_rate"] for record in json.loads(chosen.stdout)]
    assert len(rates) == 6
    assert rates == sorted(rates, reverse=True)
    text = isthmus_run("show", "runs/small", "--cells", "--csv", cwd=done).stdout
    assert pl.read_csv(io.StringIO(text)).height == 2 * (3 + 9 + 3) * 2
    table = isthmus_run("show", "runs/small", cwd=done).stdout
    assert "identity" in table
    assert isthmus_run("show", "runs/small", "--cells", cwd=done).returncode == 0


def test_report_writes_one_page(done):
    ended = isthmus_run("report", "runs/small", cwd=done)
    assert ended.returncode == 0
    assert ended.stderr.splitlines()[-1] == f"wrote {Path('runs', 'small', 'report.html')}"
    first = (done / "runs" / "small" / "report.html").read_bytes()
    assert isthmus_run("report", "runs/small", "--out", "again.html", cwd=done).returncode == 0
    assert (done / "again.html").read_bytes() == first


def test_lists_the_specs_in_the_package(done):
    found = json.loads(isthmus_run("run", "--list", "--json", cwd=done).stdout)
    assert {each["name"]: each["needs"] for each in found}["imagenet-words"] is None
    assert "wiki_rasiwasia" in isthmus_run("run", "--list", cwd=done).stdout


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["run", "bad.toml"], "spec.mappings[0].epochz: needed one of"),
        (["run"], "spec: needed a TOML file or a name, got none"),
        (["run", "nothing.toml"], "spec: needed a TOML file or one of"),
        (["run", "iapr"], "data: needed the folder that holds iapr_tc12_test/iapr_tc12_test.npz"),
        (["run", "small.toml", "--processes", "0"], "processes: needed 1 or more"),
        (["run", "small.toml", "--out", "x.npy"], "x.npy: needed a folder that can be written to"),
        (["show", "."], "needed a folder that `isthmus run` wrote"),
        (["show", "runs/small", "--where", "kk=5"], "where: needed key=value with one of"),
        (["show", "runs/small", "--sort", "kk"], "sort: needed one of"),
        (["show", "runs/small", "--where", "k=99", "--sort", "kk"], "sort: needed one of"),
        (["show", "runs/small", "--where", "k=99", "--where", "kk=5"], "where: needed key=value with one of"),
        (["show", "runs/small", "--csv", "--json"], "csv: needed one of"),
        (["report", "."], "needed a folder that `isthmus run` wrote"),
        (["report", "nowhere"], "needed a folder that `isthmus run` wrote"),
        (["report", "runs/small", "--out", "page.pdf"], "out: needed a file ending in .html"),
        (["report", "runs/small", "--images", "nowhere"], "images: needed a folder of pictures"),
        (["audit", "x.npy", "y.npy", "--images", "."], "images: needed --report OUT.html"),
        (["audit", "--images", ".", "--report", "out.html"], "images: needed pictures named after ids such as"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(done, arguments, match):
    ended = isthmus_run(*arguments, cwd=done)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("isthmus: ")
    assert ended.stderr.count("\n") == 1
    assert match in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a process on Windows")
def test_ctrl_c_stops_at_once_without_a_trace(tmp_path):
    arguments = [sys.executable, "-m", "isthmus", "run", "imagenet-words", "--out", tmp_path / "out", "--processes", "2"]
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    first = running.stderr.readline()
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    begin = time.monotonic()
    running.wait(timeout=60)
    assert time.monotonic() - begin < 2
    out, err = running.communicate(timeout=60)
    assert "cells left" in first
    assert (running.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "isthmus: stopped"
    assert "Traceback" not in err
