"""How far a long look at images has come, on stderr, where that is a terminal."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from posegen.data.prepared import Pixels

Batch = tuple[Pixels, Pixels | None]


def shown(label: str, batches: Iterable[Batch], total: int) -> Iterator[Batch]:
    """The same batches, of `total` images in all."""
    with Progress(
        label,
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        bar = progress.add_task("", total=total)
        for images, masks in batches:
            yield images, masks
            progress.advance(bar, len(images))
