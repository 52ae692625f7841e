"""Tasks among processes: the same results as in one, and no process is left when the one that started them is killed."""

import os
import signal
import subprocess
import sys

import pytest

from isthmus.training import divided

# The first task kills the process that hands it out, so that the processes which were started for it never get one.
KILLED = """
import os, signal
from isthmus.training import divided

class Deadly:
    def __reduce__(self):
        os.kill(os.getpid(), signal.SIGKILL)

list(divided(pow, [(Deadly(), 2), (1, 2)], 2))
"""


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_every_task_once(processes):
    tasks = [(base, 2) for base in range(5)]
    assert list(divided(pow, tasks, processes)) == [0, 1, 4, 9, 16]
    assert sorted(divided(pow, tasks, processes, ordered=False)) == [0, 1, 4, 9, 16]
    assert list(divided(pow, [], processes)) == []


def test_tasks_are_done_where_their_caller_is(tmp_path, monkeypatch):
    for name in ("first", "second"):  # the processes of the first call may serve the second
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert set(divided(os.getcwd, [(), ()], 2)) == {str(folder)}


def test_an_error_in_a_task_arrives():
    with pytest.raises(ZeroDivisionError):
        list(divided(divmod, [(1, 1), (1, 0)], 2))


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_no_process_outlives_a_parent_that_is_killed_before_they_get_a_task():
    process = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.communicate(timeout=60)  # ends once no process holds the pipe
    assert process.returncode == -signal.SIGKILL
