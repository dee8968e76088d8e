"""TensorRT's own messages, kept so that its error lines stand in ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

KEPT = 3
"""Error lines that a message of ours quotes: the first say what happened, the rest follow from it.
"""


class Errors:
    """What TensorRT complained about while a block ran."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __str__(self) -> str:
        return "; ".join(self.lines[:KEPT]) or "it gave no reason"


class Log(Protocol):
    """TensorRT's logger, and a way to hear what it logs."""

    def collect(self) -> Any:
        """A context manager that gives the `Errors` logged while it is open."""
        ...


def make_logger(trt: Any) -> Log:
    """A logger for the module `trt` that prints nothing. Thread-safe.

    Blocks that are open at the same time in several threads each get the errors of all.
    """

    class Logger(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self._lock = threading.Lock()
            self._open: list[Errors] = []

        def log(self, severity: Any, message: str) -> None:
            if severity not in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                return
            line = " ".join(message.split())
            with self._lock:
                for errors in self._open:
                    errors.lines.append(line)

        @contextmanager
        def collect(self) -> Iterator[Errors]:
            errors = Errors()
            with self._lock:
                self._open.append(errors)
            try:
                yield errors
            finally:
                with self._lock:
                    self._open.remove(errors)

    logger: Log = Logger()
    return logger
