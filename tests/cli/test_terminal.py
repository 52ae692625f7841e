"""What a terminal shows and a file does not: colors, a bar, the next command. On a pseudo-terminal."""

import os
import re
import shlex
import subprocess
import sys
import time

import numpy as np
import pytest

from in_process import parsed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
COLOR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7]|4[0-8])(?:;\d+)*m")
CLEAN = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "CI")


def environment(**more):
    return {name: value for name, value in os.environ.items() if name not in CLEAN} | {"TERM": "xterm-256color"} | more


def in_terminal(folder, *arguments, **more):
    """What a terminal receives of both outputs, and the exit code."""
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "isthmus", *arguments]
    running = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, cwd=folder, env=environment(**more))
    os.close(theirs)
    received, until = b"", time.monotonic() + 120
    while time.monotonic() < until:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        received += part
    os.close(ours)
    return received.decode(), running.wait(timeout=10)


def piped(folder, *arguments, **more):
    command = [sys.executable, "-m", "isthmus", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment(**more), check=False, timeout=120
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("terminal")
    rng = np.random.default_rng(0)
    np.save(place / "x.npy", rng.normal(size=(60, 4)))
    np.save(place / "two words.npy", rng.normal(size=(60, 4)))
    return place


OVERLAP = ("overlap", "x.npy", "two words.npy", "-k", "3")


def test_a_terminal_has_a_bar_colors_and_the_next_command(folder):
    shown, code = in_terminal(folder, *OVERLAP)
    assert code == 0
    assert COLOR.search(shown)
    assert "\x1b[?25l" in shown  # the bar hides the cursor
    line = re.search(r"next: (.*?)(\x1b|\r)", shown)[1]
    assert shlex.split(line) == ["isthmus", "audit", "x.npy", "two words.npy"]
    parsed(shlex.split(line)[1:])


@pytest.mark.parametrize(
    ("more", "colors"), [({"NO_COLOR": "1"}, False), ({"NO_COLOR": "anything"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=["NO_COLOR", "any NO_COLOR", "empty NO_COLOR", "dumb"],
)  # fmt: skip
def test_colors_are_left_out_where_the_environment_says_so(folder, more, colors):
    shown, code = in_terminal(folder, *OVERLAP, **more)
    assert code == 0
    assert bool(COLOR.search(shown)) == colors
    assert "next: isthmus audit" in shown
    if more == {"TERM": "dumb"}:
        assert "\x1b" not in shown


def test_a_file_has_neither_colors_nor_a_bar_nor_a_suggestion(folder):
    done = piped(folder, *OVERLAP)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert "next:" not in done.stdout + done.stderr
    assert "━" in done.stdout or "+" in done.stdout


def test_colors_may_be_forced_into_a_pipe_but_not_into_records(folder):
    assert "\x1b[" in piped(folder, *OVERLAP, FORCE_COLOR="1").stdout
    for form in ("--json", "--csv"):
        done = piped(folder, *OVERLAP, form, FORCE_COLOR="1")
        assert "\x1b" not in done.stdout + done.stderr
    shown, code = in_terminal(folder, *OVERLAP, "--json")
    assert code == 0
    assert "next:" not in shown


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["audit", "--help"], 0), (["audti"], 2), (["overlap", "gone.npy", "x.npy"], 2), ([], 2)],
    ids=["help", "help of a verb", "typing error", "missing file", "nothing"],
)  # fmt: skip
def test_help_and_errors_are_plain(folder, arguments, code):
    shown, left = in_terminal(folder, *arguments)
    assert left == code
    assert "\x1b" not in shown
    assert "next:" not in shown
