"""COCO instances, as compressed run lengths, exact to the pixel."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

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


def decode_mask(mask: CocoMask) -> npt.NDArray[np.uint8]:
    """The silhouette, uint8 [H, W] with 255 on the object."""
    from pycocotools import mask as coco

    encoded = {"size": list(mask.size), "counts": mask.counts.encode("ascii")}
    return np.asarray(coco.decode([encoded]))[:, :, 0] * np.uint8(255)


class CocoWriter:
    """Writes `labels/coco/instances.json`, or with `part` `instances_PART.json`.

    Images and annotations go to two files beside it as they come, so that memory does not grow
    with the number of images; `close` joins them.
    """

    def __init__(self, folder: Path, categories: Mapping[str, int], part: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"instances_{part}" if part else "instances"
        self._file = folder / f"{name}.json"
        self._categories = categories
        self._counts = dict.fromkeys(("images", "annotations"), 0)
        self._parts = {key: folder / f".{name}.{key}.part" for key in self._counts}
        self._open = {key: path.open("wb+") for key, path in self._parts.items()}

    def add(
        self,
        file_name: str,
        objects: Iterable[tuple[CocoMask, str]],
        crowd: Iterable[tuple[CocoMask, str]] = (),
    ) -> None:
        """Add one image with the mask and category of each object, of which there is at least one.
        `file_name` is its path below `images/`. An object without a pixel gets no annotation.
        `crowd`: masks of many at once."""
        image = 0
        marked = [*((one, 0) for one in objects), *((one, 1) for one in crowd)]
        for (mask, category), iscrowd in marked:
            height, width = mask.size
            if not image:
                image = self._append(
                    "images", {"file_name": file_name, "width": width, "height": height}
                )
            number = self._categories[category]
            if mask.area:
                self._append(
                    "annotations",
                    {
                        "image_id": image,
                        "category_id": number,
                        "segmentation": {"size": [height, width], "counts": mask.counts},
                        "area": mask.area,
                        "bbox": mask.bbox,
                        "iscrowd": iscrowd,
                    },
                )

    def close(self) -> None:
        """Write the whole file, then remove the parts."""
        partial = self._file.with_name(f".{self._file.name}.part")
        categories = [{"id": number, "name": name} for name, number in self._categories.items()]
        with partial.open("wb") as out:
            out.write(b'{"info": {}, "licenses": [], "categories": ')
            out.write(msgspec.json.encode(categories))
            for key, part in self._open.items():
                out.write(f', "{key}": ['.encode())
                part.seek(0)
                shutil.copyfileobj(part, out)
                out.write(b"]")
            out.write(b"}\n")
        partial.replace(self._file)
        for key, part in self._open.items():
            part.close()
            self._parts[key].unlink()

    def _append(self, key: str, record: dict[str, Any]) -> int:
        """Gives the record's id, counted from 1."""
        self._counts[key] += 1
        number = self._counts[key]
        separator = b"\n" if number == 1 else b",\n"
        self._open[key].write(separator + msgspec.json.encode({"id": number, **record}))
        return number
