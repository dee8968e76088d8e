"""Ctrl-C and SIGTERM: finish the step, save, leave with the signal's exit code."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """`received` is the signal that asked to stop. Until `graceful` is set, and at the second
    signal, the process leaves at once."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.graceful = False

    @property
    def exit_code(self) -> int:
        """130 for SIGINT, 143 for SIGTERM, as shells report them."""
        return 128 + (self.received or 0)

    def handle(self, number: int, _frame: FrameType | None) -> None:
        again = self.received is not None
        self.received = number
        if again or not self.graceful:
            raise SystemExit(self.exit_code)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """The signals end the process without Python, for what waits outside of Python."""
        watched = [number for number in _SIGNALS if signal.getsignal(number) == self.handle]
        for number in watched:
            signal.signal(number, signal.SIG_DFL)
        try:
            yield
        finally:
            for number in watched:
                signal.signal(number, self.handle)


@contextmanager
def watch_signals(signals: Sequence[signal.Signals] = _SIGNALS) -> Iterator[Interrupt]:
    """Take over SIGINT and SIGTERM, or others; the former handlers come back at the end."""
    interrupt = Interrupt()
    former = {number: signal.signal(number, interrupt.handle) for number in signals}
    try:
        yield interrupt
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
