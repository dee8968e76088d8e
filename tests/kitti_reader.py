"""Reads a KITTI object data set by the definition of the format, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np


class KittiObject(NamedTuple):
    type: str
    truncated: float
    occluded: int
    alpha: float
    bbox: np.ndarray
    """left, top, right, bottom: pixels, the first is 0."""
    hwl: np.ndarray
    location: np.ndarray
    rotation_y: float

    @property
    def corners(self) -> np.ndarray:
        """[8, 3]: the devkit's box, which stands on its location and turns about y."""
        h, w, length = self.hwl
        x = np.array([1, 1, -1, -1, 1, 1, -1, -1]) * length / 2
        y = np.array([0, 0, 0, 0, -h, -h, -h, -h])
        z = np.array([1, -1, -1, 1, 1, -1, -1, 1]) * w / 2
        return self.turn(np.stack([x, y, z], axis=1))

    def turn(self, points: np.ndarray) -> np.ndarray:
        """Points [n, 3] of the object (x forward, y down, z right, on its bottom) to the camera."""
        c, s = np.cos(self.rotation_y), np.sin(self.rotation_y)
        return np.asarray(points @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T + self.location)


class KittiImage(NamedTuple):
    name: str
    image: np.ndarray
    P2: np.ndarray
    """[3, 4]"""
    objects: list[KittiObject]

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points [n, 3] before the camera → pixels [n, 2] whose centres are integers."""
        seen = np.c_[points, np.ones(len(points))] @ self.P2.T
        return np.asarray(seen[:, :2] / seen[:, 2:])


def read_kitti(root: Path, part: str = "train") -> Iterator[KittiImage]:
    """Every image of a part."""
    for name in (root / "ImageSets" / f"{part}.txt").read_text().splitlines():
        image = cv2.imread(str(root / f"training/image_2/{name}.png"))
        assert image is not None
        calibration = {}
        for line in (root / f"training/calib/{name}.txt").read_text().splitlines():
            key, _, numbers = line.partition(":")
            calibration[key] = np.array(numbers.split(), float)
        assert list(calibration) == [
            *("P0", "P1", "P2", "P3", "R0_rect", "Tr_velo_to_cam", "Tr_imu_to_velo")
        ]
        velo = calibration["Tr_velo_to_cam"].reshape(3, 4)
        np.testing.assert_array_equal(velo @ [1, 0, 0, 1], [0, 0, 1])  # forward
        np.testing.assert_array_equal(velo @ [0, 0, 1, 1], [0, -1, 0])  # up
        lines = (root / f"training/label_2/{name}.txt").read_text().splitlines()
        yield KittiImage(name, image, calibration["P2"].reshape(3, 4), [_object(x) for x in lines])


def _object(line: str) -> KittiObject:
    kind, *words = line.split()
    assert len(words) == 14
    numbers = np.array(words, float)
    return KittiObject(
        type=kind,
        truncated=numbers[0],
        occluded=int(words[1]),
        alpha=numbers[2],
        bbox=numbers[3:7],
        hwl=numbers[7:10],
        location=numbers[10:13],
        rotation_y=numbers[13],
    )
