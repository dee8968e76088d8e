"""TensorRT's own messages, kept so that its error lines stand in ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

KEPT = 3
"""Error lines that a message of ours quotes: the first say what happened, the rest follow from it.
"""
OPSET = "Opset version:"
"""How the parser's line about the graph's opset begins; nothing else in TensorRT tells it."""
KEPT_ALIVE: list["Log"] = []
"""TensorRT goes on using the first logger that it was given, whether it still exists or not."""


class Heard:
    """What TensorRT said while a block ran. As text, what it complained about."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.opset: int | None = None
        """Of the graph that was parsed."""

    def __str__(self) -> str:
        return "; ".join(self.errors[:KEPT]) or "it gave no reason"


class Log(Protocol):
    """TensorRT's logger, and a way to hear what it logs."""

    def collect(self) -> Any:
        """A context manager that gives the `Heard` of what is logged while it is open."""
        ...


def make_logger(trt: Any) -> Log:
    """A logger for the module `trt` that prints nothing. Thread-safe.

    Blocks that are open at the same time in several threads each hear what all of them log.
    """

    class Logger(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self._lock = threading.Lock()
            self._open: list[Heard] = []

        def log(self, severity: Any, message: str) -> None:
            wrong = severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR)
            if not wrong and not message.startswith(OPSET):
                return
            with self._lock:
                for heard in self._open:
                    if wrong:
                        heard.errors.append(" ".join(message.split()))
                    else:
                        heard.opset = int(message.removeprefix(OPSET))

        @contextmanager
        def collect(self) -> Iterator[Heard]:
            heard = Heard()
            with self._lock:
                self._open.append(heard)
            try:
                yield heard
            finally:
                with self._lock:
                    self._open.remove(heard)

    logger: Log = Logger()
    KEPT_ALIVE.append(logger)
    return logger
