"""Reads a BOP data set by the definition of the format, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np


class BopObject(NamedTuple):
    R: np.ndarray
    t: np.ndarray
    """Millimetres."""
    obj_id: int
    mask: np.ndarray
    mask_visib: np.ndarray
    info: dict[str, Any]


class BopImage(NamedTuple):
    name: str
    """PART/SCENE/IMAGE."""
    rgb: np.ndarray
    K: np.ndarray
    objects: list[BopObject]


def read_bop(root: Path, part: str) -> Iterator[BopImage]:
    """Every image of a part; each number of the three files is one image, no file is left over."""
    for scene in sorted((root / part).iterdir()):
        assert len(scene.name) == 6
        truths, cameras, infos = (
            json.loads((scene / f"scene_{name}.json").read_text())
            for name in ("gt", "camera", "gt_info")
        )
        assert truths.keys() == cameras.keys() == infos.keys()
        masks = set()
        for key, objects in truths.items():
            number = int(key)
            assert key == str(number)
            (rgb,) = (scene / "rgb").glob(f"{number:06d}.*")
            assert len(objects) == len(infos[key])
            found = []
            for index, (truth, info) in enumerate(zip(objects, infos[key], strict=True)):
                name = f"{number:06d}_{index:06d}.png"
                masks.add(name)
                found.append(
                    BopObject(
                        R=np.array(truth["cam_R_m2c"], float).reshape(3, 3),
                        t=np.array(truth["cam_t_m2c"], float),
                        obj_id=truth["obj_id"],
                        mask=_grey(scene / "mask" / name),
                        mask_visib=_grey(scene / "mask_visib" / name),
                        info=info,
                    )
                )
            K = np.array(cameras[key]["cam_K"], float).reshape(3, 3)
            yield BopImage(f"{part}/{scene.name}/{number:06d}", _colour(rgb), K, found)
        assert {path.name for path in (scene / "rgb").iterdir()} == {
            f"{int(key):06d}{path.suffix}" for key in truths for path in (scene / "rgb").iterdir()
        }
        for folder in ("mask", "mask_visib"):
            assert {path.name for path in (scene / folder).iterdir()} == masks


def _grey(file: Path) -> np.ndarray:
    mask = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    assert mask.ndim == 2
    assert set(np.unique(mask)) <= {0, 255}
    return mask


def _colour(file: Path) -> np.ndarray:
    image = cv2.imread(str(file))
    assert image is not None
    return image
