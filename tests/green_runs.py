"""Runs of a bundle whose images show by their green what a segmenter finds in them.

The tiny bundle paints the silhouette in the mean colour of the appearance over the background, and
the segmenter of `simple_judges` finds what is green. So a green appearance shows its mask, a black
one nothing, and a green background something else; a background that is blue at the left is an
object seen from azimuth 0°, one that is blue at the right from 90°.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from simple_judges import write_judge
from tiny_bundle import SIZE, example_mask
from whole_runs import posegen_run

GREEN, BLACK, BLUE = (0, 255, 0), (0, 0, 0), (255, 0, 0)
"""BGR."""
GOOD, EMPTY, WRONG = ("green.png", "left.png"), ("black.png", "left.png"), ("green.png", "wide.png")
RIGHT = ("green.png", "right.png")
"""Appearance and background of images that show their mask, nothing, more than that; and the same
as the first, seen from the left."""


class GreenRun:
    """posegen-run with judges, on masks each with an appearance and a background of its own."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.folder, self.bundle = folder, bundle
        for kind in ("masks", "appearance", "background"):
            (folder / kind).mkdir(parents=True)
        whole, left = np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((SIZE, SIZE, 3), np.uint8)
        left[:, : SIZE // 2] = BLUE
        for name, colour in (("green", GREEN), ("black", BLACK)):
            self._write(f"appearance/{name}.png", np.full_like(whole, colour))
        self._write("background/left.png", left)
        self._write("background/right.png", left[:, ::-1])
        self._write("background/wide.png", np.full_like(whole, GREEN))
        self.segmenter = write_judge(
            folder / "segmenter", "segmenter", size=SIZE, figures={"iou": 0.95, "iou_p05": 0.9}
        )
        self.heading = write_judge(folder / "heading", "heading", size=SIZE)

    def _write(self, name: str, image: np.ndarray) -> None:
        cv2.imwrite(str(self.folder / name), image)

    def masks(self, shown: Sequence[tuple[str, str]]) -> None:
        """One mask for each pair of appearance and background."""
        lines = ["mask,appearance,background"]
        for index, pair in enumerate(shown):
            self._write(f"masks/{index:02}.png", example_mask(index))
            lines.append(",".join((f"{index:02}.png", *pair)))
        (self.folder / "pairs.csv").write_text("\n".join(lines))

    def poses(self, azimuths: Sequence[float], frame: str = "opencv") -> Path:
        """Poses of the masks, in degrees; objects have x forward and z up."""
        file = self.folder / "poses.jsonl"
        flip = np.diag([1.0, -1.0, -1.0]) if frame == "opengl" else np.eye(3)
        with file.open("w") as lines:
            for index, degrees in enumerate(azimuths):
                angle = np.radians(degrees)
                away = np.array([np.cos(angle), np.sin(angle), 0.2]) / np.hypot(1, 0.2)
                right = np.array([-np.sin(angle), np.cos(angle), 0])
                pose = {
                    "mask": f"{index:02}.png",
                    "R_m2c": (flip @ np.stack([right, np.cross(-away, right), -away]))
                    .ravel()
                    .tolist(),
                    "t_m2c": (flip @ [0.0, 0.0, 7.0]).tolist(),
                    "t_unit": "m",
                    "cam_K": [100, 0, 32, 0, 100, 32, 0, 0, 1],
                    "image_size": [SIZE, SIZE],
                    "camera_frame": frame,
                    "pixel_center": "half",
                }
                lines.write(json.dumps(pose) + "\n")
        return file

    def arguments(self, out: Path, *more: object) -> list[object]:
        given: list[object] = ["--out", out, "--bundle", self.bundle, "--backend", "cpu", *more]
        for kind in ("masks", "appearance", "background"):
            given += [f"--{kind}", self.folder / kind]
        return [*given, "--pairs", self.folder / "pairs.csv", "--fit", "stretch"]

    def __call__(self, out: Path, *more: object) -> int:
        """With --verify and the green segmenter; the exit code."""
        judged = ("--verify", "--segmenter", self.segmenter)
        return posegen_run(*self.arguments(out, *judged, *more))
