"""What a run shows while it works. Everything goes to standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

CONSOLE = Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """Print one line as it is, whatever brackets it holds."""
    CONSOLE.print(line, markup=False)


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int], None]]:
    """A bar, shown on a terminal only; tell what it gives how many images of how many are over."""
    columns = (
        TextColumn("generating"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal
    ) as progress:
        task = progress.add_task("", total=None, speed="")

        def show(over: int, total: int) -> None:
            speed = progress.tasks[0].speed
            text = f"{speed:.1f} images/s" if speed else ""
            progress.update(task, completed=over, total=total, speed=text)

        yield show
