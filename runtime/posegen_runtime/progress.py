"""What a run shows while it works. Everything goes to standard error."""

import functools
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

EVERY = 60.0


def on_terminal() -> bool:
    return sys.stderr.isatty()


@functools.cache
def console() -> "Console":
    """For bars on a terminal: loading it takes as long as generating an image or two."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """Print one line as it is, whatever brackets it holds. That nobody reads it ends no run."""
    with suppress(OSError):
        if console.cache_info().currsize:  # a bar may be below it
            console().print(line, markup=False, emoji=False)
        else:
            print(line, file=sys.stderr, flush=True)


class Progress:
    """A bar on a terminal; elsewhere a line every `EVERY` seconds. A context manager.

    `planned` images, or what `noun` calls them, in all, of which `left` are to be made now; `doing`
    says how.
    """

    def __init__(
        self, planned: int, left: int, doing: str = "generating", noun: str = "image"
    ) -> None:
        self._noun = noun
        self._doing = doing
        self.failed = 0
        self._over = 0
        self._planned = planned
        self._left = left
        self._start = time.monotonic()
        self._told = self._start
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> "Progress":
        self._start = self._told = time.monotonic()
        if on_terminal():
            self._bar = _bar(self._doing)
            self._task = self._bar.add_task("", total=self._planned, more="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def add(self, failed: bool, images: int = 1) -> None:
        """Another image is over, or `images` of them."""
        self._over += images
        self.failed += failed
        self._left = max(self._left, self._over)  # a mask file may hold several objects
        if self._bar and self._task is not None:
            before = max(0, self._planned - self._left)
            self._bar.update(self._task, completed=before + self._over, more=self._more())
        elif time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            say(f"{self._over} of {self._left} {self._noun}s, {self._more()}")

    def _more(self) -> str:
        """Rate, time left and failures in words."""
        seconds = time.monotonic() - self._start
        if seconds < 1:
            return ""
        rate = self._over / seconds
        failed = f", {self.failed} failed" if self.failed else ""
        left = duration((self._left - self._over) / rate)
        return f"{rate:.1f} {self._noun}s/s, {left} left{failed}"


def _bar(doing: str) -> "Bar":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[more]}"),
        console=console(),
        transient=True,
    )


def duration(seconds: float) -> str:
    """Such as "2 h 05 min", "3 min 20 s" or "12 s"."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {whole % 60:02} s" if minutes else f"{whole} s"
