"""A long build: what it is doing, and how it is stopped."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from posegen_runtime.engines.bindings import IProgressMonitor
from posegen_runtime.progress import console, on_terminal, say

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
    bars = Progress(*columns, console=console(), transient=True, disable=not on_terminal())

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
    """Run `work` in a thread and return what it returns. Ctrl-C sets `stop`, waits for the end of
    `work` and raises `KeyboardInterrupt`; a second one ends the process at once.

    TensorRT calls our logger and monitor. In the main thread Python raises Ctrl-C inside those
    calls, where TensorRT's bindings print and forget it; and an interpreter that ends while a
    build still calls them aborts. So the main thread only waits, and nothing is raised meanwhile.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="engine build", daemon=True)
    with _ctrl_c_sets(stop):
        thread.start()
        said = False
        while thread.is_alive():
            thread.join(0.2)
            if stop.is_set() and not said:
                said = True
                say("stopping the build; Ctrl-C again ends it at once")
    if stop.is_set():
        raise KeyboardInterrupt
    if failures:
        raise failures[0]
    return results[0]


@contextmanager
def interrupted_after() -> Iterator[None]:
    """A block that Ctrl-C does not break: `KeyboardInterrupt` is raised when it has ended well. For
    calls of TensorRT in the main thread, which log, and so would forget it (see `run_stoppable`).
    A second Ctrl-C ends the process at once."""
    stop = threading.Event()
    with _ctrl_c_sets(stop):
        yield
    if stop.is_set():
        raise KeyboardInterrupt


@contextmanager
def _ctrl_c_sets(stop: threading.Event) -> Iterator[None]:
    """Leaves a program's own handler, and other threads than the main one, alone."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends without Python: nothing can abort

    signal.signal(signal.SIGINT, ask_to_stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
