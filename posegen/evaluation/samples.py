"""The samples that a model is evaluated on, read from disk a batch at a time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posegen.data.dataset import Dataset, Sample
from posegen.data.prepared import Pixels, read_image, read_mask
from posegen_runtime.errors import PoseGenError

Order = NDArray[np.int64]


@dataclass(frozen=True)
class SampleBatch:
    """`rows` int64 [N], positions among the samples; `photo`, `background`, `appearance` uint8
    [N, S, S, 3]; `mask` uint8 [N, S, S] in {0, 255}; `viewpoint` float32 [N, 3], zeros: unknown."""

    rows: Order
    photo: Pixels
    mask: Pixels
    background: Pixels
    appearance: Pixels
    viewpoint: NDArray[np.float32]


class Samples:
    """A split of a data set at `size` pixels; with `limit` that many samples, evenly spaced.

    Raises `PoseGenError` when the data set has no such split, or its images are not square or
    smaller than `size`.
    """

    def __init__(
        self, dataset: Dataset, split: str, size: int, limit: int | None = None, threads: int = 1
    ) -> None:
        self.size = size
        self.split = split
        self.root = dataset.root
        self.description = dataset.description
        self._source = _checked_size(dataset, size)
        self._threads = threads
        self.samples = _chosen(dataset, split, limit)
        self.object_id = np.array([sample.object_id for sample in self.samples], np.int64)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def objects(self) -> int:
        """How many different objects the samples show."""
        return len(np.unique(self.object_id))

    def batches(self, batch_size: int) -> Iterator[SampleBatch]:
        """All samples in order."""
        for start in range(0, len(self), batch_size):
            yield self.read(np.arange(start, min(start + batch_size, len(self))))

    def read(self, rows: Order) -> SampleBatch:
        """Raises `PoseGenError` for an image that is missing or unreadable."""
        samples = [self.samples[row] for row in rows]
        return SampleBatch(
            rows=rows,
            photo=self.photo(rows),
            mask=self.mask(rows),
            background=self._read(read_image, [sample.background for sample in samples]),
            appearance=self.appearance(rows),
            viewpoint=np.array([sample.viewpoint for sample in samples], np.float32),
        )

    def photo(self, rows: Order) -> Pixels:
        """The photos of these samples, uint8 [N, S, S, 3]."""
        return self._read(read_image, [self.samples[row].photo for row in rows])

    def mask(self, rows: Order) -> Pixels:
        """The silhouettes of these samples, uint8 [N, S, S] in {0, 255}."""
        return self._read(read_mask, [self.samples[row].mask for row in rows])

    def appearance(self, rows: Order) -> Pixels:
        """The appearances stored with these samples, uint8 [N, S, S, 3]."""
        return self._read(read_image, [self.samples[row].appearance for row in rows])

    def _read(
        self, read: Callable[[Path, tuple[int, int], int], Pixels], paths: list[Path]
    ) -> Pixels:
        with ThreadPoolExecutor(self._threads) as pool:
            return np.stack(list(pool.map(lambda path: read(path, self._source, self.size), paths)))


def _checked_size(dataset: Dataset, size: int) -> tuple[int, int]:
    height, width = dataset.description.image_size
    if height != width:
        raise PoseGenError(
            f"{dataset.root}: images are {width}×{height}, models take square ones; "
            "render the data set with --image-size"
        )
    if size > height:
        raise PoseGenError(
            f"{dataset.root}: images of {height} px are smaller than the model's {size}; "
            "name a data set of at least that size"
        )
    return height, width


def _chosen(dataset: Dataset, split: str, limit: int | None) -> list[Sample]:
    samples = dataset.samples(split)
    if not samples:
        held = [f"{name} ({count})" for name, count in dataset.description.splits.items() if count]
        raise PoseGenError(
            f"{dataset.root}: no samples in the split {split}; name one of {', '.join(held)}"
        )
    if limit is None or limit >= len(samples):
        return samples
    return [samples[i] for i in np.linspace(0, len(samples) - 1, limit).round().astype(int)]
