"""A long build: what it is doing, and how it is stopped."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from posegen_runtime.engines.bindings import IProgressMonitor
from posegen_runtime.progress import CONSOLE

T = TypeVar("T")


@contextmanager
def progress_monitor(trt: Any, title: str, stop: threading.Event) -> Iterator[IProgressMonitor]:
    """A monitor for the module `trt` that shows the phases of a build, on a terminal only, and
    ends the build when `stop` is set."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    bars = Progress(*columns, console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal)

    class Monitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._tasks: dict[str, Any] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            depth = "  " if parent_phase else f"{title}: "
            self._tasks[phase_name] = bars.add_task(depth + phase_name, total=num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            if phase_name in self._tasks:  # an exception here would end the build
                bars.update(self._tasks[phase_name], completed=step + 1)
            return not stop.is_set()

        def phase_finish(self, phase_name: str) -> None:
            if phase_name in self._tasks:
                bars.remove_task(self._tasks.pop(phase_name))

    with bars:
        yield Monitor()


def run_stoppable(work: Callable[[], T], stop: threading.Event) -> T:
    """Run `work` in a thread and return what it returns; Ctrl-C sets `stop` and waits for its end.

    Python handles signals in the main thread, and only between its own instructions: inside a
    build, which is one long call, they would not be seen.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="engine build", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.2)
    except KeyboardInterrupt:
        stop.set()
        thread.join()
        raise
    if failures:
        raise failures[0]
    return results[0]
