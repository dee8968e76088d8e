"""YOLO-seg: for each image a text file, one row an object: class, then x y of a polygon."""

import contextlib
import functools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from posegen_runtime.labels.polygons import Contour, mask_to_polygons
from posegen_runtime.labels.splits import NAMES
from posegen_runtime.paths import write_atomic

PIXEL_OFFSET = 0.25
"""Where in its pixel a vertex stands. Readers that cut off the fraction and readers that round it
both come back to the pixel."""

MIN_VERTICES = 3
"""A row needs seven numbers to be read as a polygon, so a single pixel is repeated."""


def label_rows(mask: npt.NDArray[np.uint8], category: int) -> str:
    """The text file of one silhouette, uint8 [H, W] with 255 on the object."""
    height, width = mask.shape
    rows = [_row(polygon, category, width, height) for polygon in mask_to_polygons(mask)]
    return "".join(rows)


def _row(polygon: Contour, category: int, width: int, height: int) -> str:
    padded = polygon.tolist() * (MIN_VERTICES if len(polygon) < MIN_VERTICES else 1)
    across, down = _shares(width), _shares(height)
    points = " ".join(f"{across[x]} {down[y]}" for x, y in padded)
    return f"{category} {points}\n"


@functools.lru_cache(8)
def _shares(side: int) -> list[str]:
    """Where the vertex of each pixel stands, as a share of the side. Formatting costs more than
    looking up, and every image of a run has the same size."""
    return [f"{(pixel + PIXEL_OFFSET) / side:.6f}" for pixel in range(side)]


class YoloLabels:
    """The label file of each image. Classes are counted from 0 in the order of category ids."""

    def __init__(self, categories: Mapping[str, int]) -> None:
        names = sorted(categories, key=lambda name: categories[name])
        self._classes = {name: index for index, name in enumerate(names)}

    @staticmethod
    def file(stem: str) -> str:
        """Its path in the output directory."""
        return f"labels/yolo/labels/{stem}.txt"

    def rows(self, mask: npt.NDArray[np.uint8], category: str) -> str:
        """Its text; see `label_rows`."""
        return label_rows(mask, self._classes[category])


class YoloWriter:
    """Writes what makes `labels/yolo/` a data set: `data.yaml`, and for each of `parts` the list of
    its images, `train.txt`.

    Ultralytics finds a label by replacing `/images/` with `/labels/` in the path of its image, so
    `labels/yolo/images` is a link to the run's `images/`.
    """

    def __init__(
        self, folder: Path, categories: Mapping[str, int], parts: Sequence[str] = ("train",)
    ) -> None:
        self._folder = folder
        names = sorted(categories, key=lambda name: categories[name])
        (folder / "labels").mkdir(parents=True, exist_ok=True)
        self._lists = {part: (folder / f".{part}.txt.part").open("w") for part in parts}
        # Ultralytics wants a "val"; without a split it is what there is.
        given = {"val": "train", **{part: part for part in parts}}
        files = "".join(f"{part}: {given[part]}.txt\n" for part in NAMES if part in given)
        listed = "".join(f"  {index}: {json.dumps(name)}\n" for index, name in enumerate(names))
        text = f"{files}nc: {len(names)}\nnames:\n{listed}"
        write_atomic(folder / "data.yaml", text.encode())

    def add(self, file_name: str, part: str = "train") -> None:
        """List one image, named below `images/`, in a part of the data set."""
        self._lists[part].write(f"./images/{file_name}\n")

    def close(self) -> None:
        for part, file in self._lists.items():
            file.close()
            (self._folder / f".{part}.txt.part").replace(self._folder / f"{part}.txt")
        link = self._folder / "images"
        # A file system without links: only Ultralytics needs it, see docs/output.md.
        with contextlib.suppress(OSError):
            os.symlink(Path("..", "..", "images"), link, target_is_directory=True)
