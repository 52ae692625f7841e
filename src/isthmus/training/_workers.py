"""Tasks divided among processes that end with the one that started them.

The processes are fresh interpreters, which start a JAX of one thread each; scripts need no main guard. Each watches from
its first step whether its parent is still there: the parent may be killed while it starts them or hands out tasks, which
leaves locks held that a process would wait for without end.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

_T = TypeVar("_T")


def divided(
    work: Callable[..., _T], tasks: Sequence[tuple[Any, ...]], processes: int, *, ordered: bool = True
) -> Iterator[_T]:
    """What `work` returns for each task, a tuple of its arguments, as soon as it is there.

    Args:
        work: a function that another process can import, or a method of an object that it can read.
        tasks: the arguments; those that take longest first.
        processes: among which the tasks are divided; with 1 they are done here.
        ordered: as the tasks are, instead of as they end.
    """
    if min(processes, len(tasks)) <= 1:
        for each in tasks:
            yield work(*each)
        return
    import joblib  # noqa: PLC0415

    parallel = joblib.Parallel(
        min(processes, len(tasks)), backend="loky", return_as="generator" if ordered else "generator_unordered",
        batch_size=1, pre_dispatch="all", initializer=_end_with, initargs=(os.getpid(),),
    )  # fmt: skip
    here = Path.cwd()
    yield from parallel(joblib.delayed(_work_in)(here, work, *each) for each in tasks)


def _work_in(folder: Path, work: Callable[..., _T], *task: Any) -> _T:
    """Do a task in the folder that its caller is in: a process from an earlier call may stand in another."""
    os.chdir(folder)
    return work(*task)


def _end_with(parent: int) -> None:
    """End this process once its parent is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
