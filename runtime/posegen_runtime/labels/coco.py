"""COCO instances: one object an image, as compressed run lengths, exact to the pixel."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import msgspec
import numpy as np
import numpy.typing as npt


class CocoMask(msgspec.Struct, frozen=True):
    """One silhouette as pycocotools sees it: box is x, y, width, height in pixels."""

    counts: str
    size: tuple[int, int]
    area: int
    bbox: tuple[float, float, float, float]


def encode_mask(mask: npt.NDArray[np.uint8]) -> CocoMask:
    """Encode a silhouette, uint8 [H, W] with 255 on the object."""
    from pycocotools import mask as coco

    encoded = coco.encode(np.asfortranarray(mask > 127, dtype=np.uint8))
    x, y, width, height = (float(value) for value in coco.toBbox(encoded))
    return CocoMask(
        counts=encoded["counts"].decode("ascii"),
        size=(mask.shape[0], mask.shape[1]),
        area=int(coco.area(encoded)),
        bbox=(x, y, width, height),
    )


class CocoWriter:
    """Writes `labels/coco/instances.json`.

    Images and annotations go to two files beside it as they come, so that memory does not grow
    with the number of images; `close` joins them.
    """

    def __init__(self, folder: Path, categories: Mapping[str, int]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "instances.json"
        self._categories = categories
        self._count = 0
        self._parts = {key: folder / f".instances.{key}.part" for key in ("images", "annotations")}
        self._open = {key: path.open("w+") for key, path in self._parts.items()}

    def add(self, file_name: str, mask: CocoMask, category: str) -> None:
        """Add one image. `file_name` is its path below `images/`."""
        self._count += 1
        height, width = mask.size
        image = {"id": self._count, "file_name": file_name, "width": width, "height": height}
        annotation = {
            "id": self._count,
            "image_id": self._count,
            "category_id": self._categories[category],
            "segmentation": {"size": [height, width], "counts": mask.counts},
            "area": mask.area,
            "bbox": list(mask.bbox),
            "iscrowd": 0,
        }
        self._append("images", image)
        self._append("annotations", annotation)

    def close(self) -> None:
        """Write the whole file, then remove the parts."""
        partial = self._file.with_name(".instances.json.part")
        categories = [{"id": number, "name": name} for name, number in self._categories.items()]
        with partial.open("w") as out:
            out.write(f'{{"info": {{}}, "licenses": [], "categories": {json.dumps(categories)}')
            for key, part in self._open.items():
                out.write(f', "{key}": [')
                _copy(part, out)
                out.write("]")
            out.write("}\n")
        partial.replace(self._file)
        for key, part in self._open.items():
            part.close()
            self._parts[key].unlink()

    def _append(self, key: str, record: dict[str, Any]) -> None:
        separator = "\n" if self._count == 1 else ",\n"
        self._open[key].write(separator + json.dumps(record))


def _copy(part: TextIO, out: TextIO) -> None:
    part.seek(0)
    shutil.copyfileobj(part, out)
