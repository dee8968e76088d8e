"""Splits decoded once, at the training size, into memory-mapped arrays.

Decoding four PNGs a sample costs more than a small model's step on a GPU and about a tenth of one
on a CPU; read from the page cache it costs a copy.
"""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.data.dataset import Dataset, Sample
from posegen_runtime.errors import PoseGenError

Pixels = NDArray[np.uint8]
_IMAGES = ("photo", "background", "appearance")
_PIECE = 256


@dataclass(frozen=True)
class Split:
    """Decoded samples: `photo`, `background`, `appearance` uint8 RGB [M, S, S, 3], `mask` uint8
    [M, S, S] in {0, 255}, `scene` int64 [M] (`data.dataset.Sample`), `viewpoint` float32 [M, 3]
    (zeros: unknown).
    The images may be memory-mapped."""

    photo: Pixels
    mask: Pixels
    background: Pixels
    appearance: Pixels
    scene: NDArray[np.int64]
    viewpoint: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scene)


def prepare(
    dataset: Dataset,
    split: str,
    size: int,
    cache: Path,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Split:
    """Decode a split at `size` pixels into `cache`, or map what was decoded there before.

    With `limit`, only that many samples, evenly spaced. `progress` gets (done, all).
    Raises `PoseGenError` for an image that cannot be read, has another size than the data set,
    or would have to be enlarged.
    """
    _check_size(dataset, size)
    samples = dataset.samples(split)
    if limit is not None and len(samples) > limit:
        samples = [samples[round(i)] for i in np.linspace(0, len(samples) - 1, limit)]
    digest = dataset.description.sha256.removeprefix("sha256:")[:16]
    folder = cache / f"{split}-{size}-{len(samples)}-{digest}"
    if not folder.is_dir():
        with _whole_folder(folder) as part:
            _decode(samples, dataset.description.image_size, size, part, progress)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in (*_IMAGES, "mask")}
    scenes = np.array([sample.scene for sample in samples], np.int64)
    viewpoints = np.array([sample.viewpoint for sample in samples], np.float32).reshape(-1, 3)
    return Split(**arrays, scene=scenes, viewpoint=viewpoints)


def _check_size(dataset: Dataset, size: int) -> None:
    height, width = dataset.description.image_size
    if height != width:
        raise PoseGenError(
            f"{dataset.root}: images are {width}×{height}, training takes square ones; "
            "render the data set with --image-size"
        )
    if size > height:
        raise PoseGenError(
            f"--image-size {size} is larger than the {height} px of {dataset.root}; "
            "render larger images or train smaller ones"
        )


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """A folder that gets its name when it is complete; nothing is left when it is not, or when
    another process, on whatever machine, was faster."""
    part = folder.with_name(f".{folder.name}.{socket.gethostname()}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        yield part
        try:
            part.replace(folder)
        except OSError:
            if not folder.is_dir():
                raise
    except OSError as error:
        raise PoseGenError(
            f"{folder}: cannot be written ({error.strerror}); free space or name another --out"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _decode(
    samples: list[Sample],
    source: tuple[int, int],
    size: int,
    folder: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    shapes = {name: (len(samples), size, size, 3) for name in _IMAGES}
    arrays = {
        name: np.lib.format.open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=shape
        )
        for name, shape in {**shapes, "mask": (len(samples), size, size)}.items()
    }

    def decode(index: int) -> None:
        sample = samples[index]
        for name in _IMAGES:
            arrays[name][index] = read_image(getattr(sample, name), source, size)
        arrays["mask"][index] = read_mask(sample.mask, source, size)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(samples), _PIECE):
            piece = range(start, min(start + _PIECE, len(samples)))
            for _ in pool.map(decode, piece):
                pass
            if progress is not None:
                progress(piece.stop, len(samples))
    for array in arrays.values():
        array.flush()


def read_image(path: Path, source: tuple[int, int], size: int) -> Pixels:
    """A photo of (height, width) `source` as RGB uint8 [size, size, 3], averaged over areas."""
    rgb = cv2.cvtColor(_read(path, source, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return _shrink(np.asarray(rgb, np.uint8), size)


def read_mask(path: Path, source: tuple[int, int], size: int) -> Pixels:
    """A silhouette as uint8 [size, size] in {0, 255}: a pixel counts when half of it is covered."""
    covered = _shrink(_read(path, source, cv2.IMREAD_GRAYSCALE), size)
    return np.where(covered > 127, 255, 0).astype(np.uint8)


def _read(path: Path, source: tuple[int, int], mode: int) -> Pixels:
    if not path.is_file():
        raise PoseGenError(f"{path}: missing from the data set; copy or render it again")
    image = cv2.imread(str(path), mode)
    if image is None:
        raise PoseGenError(f"{path}: no readable image; copy or render the data set again")
    if image.shape[:2] != source:
        raise PoseGenError(
            f"{path}: {image.shape[1]}×{image.shape[0]} px where the data set says "
            f"{source[1]}×{source[0]}; render the data set again"
        )
    return np.asarray(image, np.uint8)


def _shrink(image: Pixels, size: int) -> Pixels:
    if image.shape[0] == size:
        return image
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
