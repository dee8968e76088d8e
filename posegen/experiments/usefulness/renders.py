"""The two domains, rendered: `sim` has poses and no light, `target` is what a camera would see.

One file a car, written whole, so that a run that was stopped goes on with the next car.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.experiments.usefulness.arrays import read_npz, write_npz
from posegen.experiments.usefulness.config import Config
from posegen.render.camera import View
from posegen.render.car_shapes import draw_car
from posegen.render.cars import build_car
from posegen.render.flat import FlatRenderer
from posegen.render.poses import PoseRange, draw_view
from posegen.render.sensor import Sensor
from posegen.render.silhouettes import SilhouetteRenderer
from posegen.render.stage import Stage
from posegen.render.street import draw_street

Pixels = NDArray[np.uint8]
POSES = PoseRange(truncated=0.0)
SENSOR = Sensor(noise=(2.0, 8.0), blur=(0.0, 0.7))


class Part(str, Enum):
    """What is rendered; no car is in two parts."""

    SIM = "sim"
    """Flat shaded, with poses."""
    PHOTOS = "photos"
    """Target photos, whose poses are not used, and empty scenes from elsewhere."""
    CEILING = "ceiling"
    """Target photos with the labels that nobody has."""
    TEST = "test"

    @property
    def stream(self) -> int:
        return list(Part).index(self)

    def frames(self, config: Config) -> int:
        return {Part.PHOTOS: config.photos, Part.TEST: config.test}.get(self, config.images)


@dataclass(frozen=True)
class Drawn:
    """N frames: `image` uint8 RGB [N, S, S, 3], in the simulator on black; `cover` uint8
    [N, S, S], the share of each pixel that the object covers; `mask` uint8 [N, S, S] in {0, 255};
    `viewpoint` float32 [N, 3]; `car` int64 [N]; `empty` uint8 RGB [N, S, S, 3], a scene without
    object, black but for `Part.PHOTOS`."""

    image: Pixels
    cover: Pixels
    mask: Pixels
    viewpoint: NDArray[np.float32]
    car: NDArray[np.int64]
    empty: Pixels

    def __len__(self) -> int:
        return len(self.car)


def render(config: Config, folder: Path, progress: Callable[[int], None]) -> None:
    """Render what is missing below `folder`. `progress` gets the frames of each finished car."""
    renderer: Renderer | None = None
    for part in Part:
        (folder / part.value).mkdir(parents=True, exist_ok=True)
        for car in range(config.cars):
            file = _file(folder, part, car)
            frames = _frames(config, part, car)
            if not file.exists():
                renderer = renderer or Renderer(config.image_size, config.seed)
                write_npz(file, vars(renderer.car(part, car, frames)))
            progress(frames)


def load(config: Config, folder: Path, part: Part) -> Drawn:
    """What `render` made of a part. Raises `PoseGenError` naming a file that cannot be read."""
    names = tuple(f.name for f in fields(Drawn))
    cars = [read_npz(_file(folder, part, car), names) for car in range(config.cars)]
    columns: list[Any] = [np.concatenate(column) for column in zip(*cars, strict=True)]
    return Drawn(*columns)


class Renderer:
    """What a frame shows follows from (seed, part, car, frame)."""

    def __init__(self, size: int, seed: int) -> None:
        cv2.setNumThreads(1)
        self.size, self.seed = size, seed
        self.stage = Stage(size, size)
        self.flat = FlatRenderer(size, size)
        self.silhouettes = SilhouetteRenderer(size, size)

    def car(self, part: Part, number: int, frames: int) -> Drawn:
        """All frames of one car."""
        # From 1: a key is padded with zeros.
        key = [self.seed, part.stream + 1, number + 1]
        model = build_car(draw_car(np.random.default_rng(key)))
        whole = model.whole
        self.silhouettes.load(whole.vertices, whole.faces)
        renderer = self.flat if part is Part.SIM else self.stage
        renderer.load(model)
        origin = np.array([0, 0, model.size[2] / 2])
        points = whole.vertices + origin
        shots = []
        for frame in range(frames):
            rng = np.random.default_rng([*key, frame + 1])
            view = draw_view(rng, POSES, points, self.size, self.size)
            of_model = view.of_model(origin)
            mask = self.silhouettes.render(of_model)
            empty = np.zeros((self.size, self.size, 3), np.uint8)
            cover = mask
            if part is Part.SIM:
                image, cover = self.flat.render(of_model)
            else:
                image = self._photo(view, rng, True)
            if part is Part.PHOTOS:
                other = draw_view(rng, POSES, points, self.size, self.size)
                empty = self._photo(other, rng, False)
            away = of_model.position / np.linalg.norm(of_model.position)
            shots.append((image, cover, mask, away.astype(np.float32), number, empty))
        image, cover, mask, viewpoint, numbers, empty = (
            np.stack(column) for column in zip(*shots, strict=True)
        )
        return Drawn(image, cover, mask, viewpoint, numbers.astype(np.int64), empty)

    def _photo(self, view: View, rng: np.random.Generator, with_object: bool) -> Pixels:
        self.stage.dress(draw_street(rng), view)
        seen = self.stage.with_object() if with_object else self.stage.without_object()
        return SENSOR.draw(rng).take(seen, rng)


def _frames(config: Config, part: Part, car: int) -> int:
    frames = part.frames(config)
    return frames // config.cars + (car < frames % config.cars)


def _file(folder: Path, part: Part, car: int) -> Path:
    return folder / part.value / f"{car:06d}.npz"
