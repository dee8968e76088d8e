"""Ctrl-C: the first lets what is in flight finish, the second ends the process."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from posegen_runtime.progress import say

STOPPING = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
"""The last: the terminal was closed."""
NOTICE = "stopping: finishing what is in flight"


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a polite kill sets; the second time they do what they always do."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may handle signals
        return
    previous: dict[signal.Signals, Any] = {}

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()
        restore()
        # In a thread: the signal may have come in the middle of printing.
        threading.Thread(target=say, args=(NOTICE,)).start()

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    for number in STOPPING:
        if signal.getsignal(number) is signal.SIG_IGN:
            continue  # as nohup wants it
        previous[number] = signal.signal(number, ask_to_stop)
    try:
        yield stop
    finally:
        restore()
