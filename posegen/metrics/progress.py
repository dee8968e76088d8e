"""Batches of images on their way to a metric, under a bar."""

from collections.abc import Iterable, Iterator

from posegen.data.prepared import Pixels
from posegen.watching import watched

Batch = tuple[Pixels, Pixels | None]


def shown(label: str, batches: Iterable[Batch], total: int) -> Iterator[Batch]:
    """The same batches, of `total` images in all."""
    with watched(label, total) as done:
        for images, masks in batches:
            yield images, masks
            done(len(images))
