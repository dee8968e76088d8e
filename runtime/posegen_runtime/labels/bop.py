"""A BOP data set: millimetres, OpenCV's camera frame, integer pixel centres.

Images and masks are hard links to those of the run where the file system has such, else copies.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from posegen_runtime.images import encode_png
from posegen_runtime.labels.categories import category_of
from posegen_runtime.labels.coco import CocoMask, decode_mask
from posegen_runtime.labels.folders import NewFolder
from posegen_runtime.labels.opencv import opencv_view
from posegen_runtime.ledger.entries import ImageRow
from posegen_runtime.links import Linker

IMAGES = 10_000
"""In a scene: readers load its JSON files whole."""
FILES = ("scene_gt", "scene_camera", "scene_gt_info")
FOLDERS = ("rgb", "mask", "mask_visib")


AddModels = Callable[[Path], None]
"""Writes `models/` into the folder of the data set."""


class BopWriter:
    """Writes `labels/bop/PART/SSSSSS/`; scene folders of `IMAGES` images each, in their order.

    Methods raise `OSError` or `PoseGenError` when a file cannot be written.
    """

    def __init__(
        self,
        out: Path,
        categories: Mapping[str, int],
        parts: Sequence[str],
        add_models: AddModels | None = None,
    ) -> None:
        self._add_models = add_models
        self._out = out
        self._folder = NewFolder(out / "labels" / "bop")
        self._linker = Linker(self._folder.path)
        self._categories = categories
        self._counts = dict.fromkeys(parts, 0)
        self._scenes: dict[str, _Scene] = {}
        self._camera: dict[str, Any] = {}

    def add(self, rows: Sequence[ImageRow], part: str) -> list[str]:
        """Add an image with these of its objects, which all have poses and masks; gives the names
        that their masks have, without suffix."""
        number, place = divmod(self._counts[part], IMAGES)
        self._counts[part] += 1
        if place == 0:
            if part in self._scenes:
                self._scenes[part].close()
            self._scenes[part] = _Scene(self._folder.path / part / f"{number:06}")
        scene = f"{part}/{number:06}"
        suffix = f".{rows[0].image.rpartition('.')[2]}"
        self._linker.add(f"{self._out}/{rows[0].image}", f"{scene}/rgb/{place:06}{suffix}")
        truths, infos, names = [], [], []
        for index, row in enumerate(rows):
            name = f"{place:06}_{index:06}"
            self._add_masks(row, scene, name)
            truths.append(self._truth(row))
            infos.append(_info(row))
            names.append(f"{scene}/{name}")
        camera = {"cam_K": _camera_of(rows[0]).ravel().tolist(), "depth_scale": 1.0}
        self._scenes[part].add(place, truths, camera, infos)
        self._camera = self._camera or _data_set_camera(rows[0])
        return names

    def close(self) -> None:
        """Every file appears."""
        for part in self._counts:
            if part not in self._scenes:  # readers of an empty part find its files
                self._scenes[part] = _Scene(self._folder.path / part / "000000")
                for name in FOLDERS:
                    (self._folder.path / part / "000000" / name).mkdir()
        for scene in self._scenes.values():
            scene.close()
        if self._camera:
            text = msgspec.json.format(msgspec.json.encode(self._camera), indent=2)
            (self._folder.path / "camera.json").write_bytes(text + b"\n")
        if self._add_models:
            self._add_models(self._folder.path)
        self._folder.commit()

    def _add_masks(self, row: ImageRow, scene: str, name: str) -> None:
        self._linker.add(f"{self._out}/{row.mask_file}", f"{scene}/mask/{name}.png")
        visible = f"{scene}/mask_visib/{name}.png"
        if row.data.visible is None:
            self._linker.add(f"{self._out}/{row.mask_file}", visible)
        else:
            drawn = decode_mask(row.data.visible)
            file = self._folder.path / visible
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(encode_png(drawn))

    def _truth(self, row: ImageRow) -> dict[str, Any]:
        assert row.data.pose is not None
        R, t, _ = opencv_view(row.data.pose)
        return {
            "cam_R_m2c": R.ravel().tolist(),
            "cam_t_m2c": (1000 * t).tolist(),
            "obj_id": self._categories[category_of(row.data.pose, self._categories)],
        }


class _Scene:
    """The JSON files of one scene, which grow with its images."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._files: list[BinaryIO] = [(folder / f"{name}.json").open("wb") for name in FILES]
        for file in self._files:
            file.write(b"{")

    def add(self, image: int, *entries: object) -> None:
        opening = b"," if image else b""
        for file, entry in zip(self._files, entries, strict=True):
            file.write(opening + f'\n"{image}": '.encode() + msgspec.json.encode(entry))

    def close(self) -> None:
        for file in self._files:
            file.write(b"\n}\n")
            file.close()


def _camera_of(row: ImageRow) -> np.ndarray:
    assert row.data.pose is not None
    return opencv_view(row.data.pose).K


def _data_set_camera(row: ImageRow) -> dict[str, Any]:
    """Of the first image; each image has its own in scene_camera.json."""
    assert row.data.pose is not None
    (fx, _, cx), (_, fy, cy), _ = _camera_of(row).tolist()
    width, height = row.data.pose.image_size
    return {
        "cx": cx,
        "cy": cy,
        "depth_scale": 1.0,
        "fx": fx,
        "fy": fy,
        "height": height,
        "width": width,
    }


def _info(row: ImageRow) -> dict[str, Any]:
    """BOP's counts and boxes, of the pixels that the image has."""
    whole = row.data.coco
    assert whole is not None
    visible = row.data.visible or whole
    return {
        "bbox_obj": box_of(whole),
        "bbox_visib": box_of(visible),
        "px_count_all": whole.area,
        "px_count_valid": whole.area,
        "px_count_visib": visible.area,
        "visib_fract": visible.area / whole.area if whole.area else 0.0,
    }


def box_of(mask: CocoMask) -> list[int]:
    """BOP's box: x, y, and the differences of the last and first column and row; -1s for none."""
    if not mask.area:
        return [-1, -1, -1, -1]
    x, y, width, height = (int(value) for value in mask.bbox)
    return [x, y, width - 1, height - 1]
