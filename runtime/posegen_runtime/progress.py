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
def progress_bar(total: int) -> Iterator[Callable[[], None]]:
    """A bar over `total` jobs, shown on a terminal only; call what it gives once a job."""
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
        task = progress.add_task("", total=total, speed="")

        def advance() -> None:
            speed = progress.tasks[0].speed
            progress.update(task, advance=1, speed=f"{speed:.1f} images/s" if speed else "")

        yield advance
