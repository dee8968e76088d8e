"""How far a long task has come: a bar on stderr, where that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn


@contextmanager
def watched(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar of `total` steps that vanishes at the end; it is told how many more are done."""
    with Progress(
        what,
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        bar = progress.add_task("", total=total)
        yield lambda done: progress.advance(bar, done)
