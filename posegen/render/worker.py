"""What one process of the renderer does: the frames of one object, files and BOP entries."""

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from posegen.render import bop
from posegen.render.car_shapes import draw_car
from posegen.render.cars import build_car
from posegen.render.meshes import MeshSource
from posegen.render.model import Bytes, Model
from posegen.render.outputs import write_hashed
from posegen.render.poses import PoseRange, draw_view
from posegen.render.sensor import Sensor
from posegen.render.silhouettes import SilhouetteRenderer
from posegen.render.stage import Stage
from posegen.render.street import draw_street


@dataclass(frozen=True)
class RenderPlan:
    """What every process needs to know of the data set."""

    out: Path
    name: str
    seed: int
    width: int
    height: int
    ranges: PoseRange
    meshes: tuple[MeshSource, ...] = ()
    sensor: Sensor = field(default_factory=Sensor)

    def model(self, number: int) -> Model:
        """Object `number`: a parametric car, or a user's mesh in its turn. Meshes that bring no
        colours are painted, each time anew."""
        rng = np.random.default_rng([self.seed, number])
        car = draw_car(rng)
        if not self.meshes:
            return build_car(car)
        return self.meshes[number % len(self.meshes)].model(car.paint)


@dataclass(frozen=True)
class Task:
    """Frames start..stop of one object's scene."""

    number: int
    split: str
    start: int
    stop: int


@dataclass
class Done:
    """A finished task: BOP entries by frame, and the hash of every file written."""

    task: Task
    gt: dict[str, Any] = field(default_factory=dict)
    camera: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    model_info: dict[str, float] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)


def sensor_streams(seed: int, number: int, frame: int) -> list[np.random.Generator]:
    """The exposures' stream, then the noise's of photo, background and appearance: apart from the
    scene's, which stays the same whatever the sensor adds."""
    # From 1: a key is padded with zeros, so that one ending in 0 gives the scene's own stream.
    return [np.random.default_rng([seed, number, frame, n]) for n in range(1, 5)]


def _png(image: Bytes) -> bytes:
    bgr = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", bgr)[1].tobytes()


class Worker:
    """Keeps its windows between tasks."""

    def __init__(self, plan: RenderPlan) -> None:
        cv2.setNumThreads(1)
        self.plan = plan
        self.stage = Stage(plan.width, plan.height)
        self.silhouettes = SilhouetteRenderer(plan.width, plan.height)
        self._number = -1

    def _load(self, number: int) -> None:
        self.model = self.plan.model(number)
        self.whole = self.model.whole
        self.stage.load(self.model)
        self.silhouettes.load(self.whole.vertices, self.whole.faces)
        self._origin = np.array([0, 0, self.model.size[2] / 2])
        self._points = self.whole.vertices + self._origin
        self._number = number

    def run(self, task: Task) -> Done:
        if self._number != task.number:
            self._load(task.number)
        done = Done(task)
        if task.start == 0:
            name = f"models/obj_{task.number + 1:06d}.ply"
            write_hashed(self.plan.out, name, bop.ply(self.whole), done.hashes)
            done.model_info = bop.model_info(1000 * self.whole.vertices)
        for frame in range(task.start, task.stop):
            self._frame(frame, done)
        return done

    def _frame(self, frame: int, done: Done) -> None:
        plan, task = self.plan, done.task
        rng = np.random.default_rng([plan.seed, task.number, frame])
        view = draw_view(rng, plan.ranges, self._points, plan.width, plan.height)
        self.stage.dress(draw_street(rng), view)
        lens, *grains = sensor_streams(plan.seed, task.number, frame)
        exposure = plan.sensor.draw(lens)
        image = exposure.take(self.stage.with_object(), grains[0])
        background = exposure.take(self.stage.without_object(), grains[1])
        of_model = view.of_model(self._origin)
        mask = self.silhouettes.render(of_model)
        cut = any(edge.any() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
        whole = self.silhouettes.render_whole(of_model) if cut else None

        other = draw_view(rng, plan.ranges, self._points, plan.width, plan.height, whole=True)
        self.stage.dress(draw_street(rng), other)
        appearance = plan.sensor.draw(lens).take(self.stage.with_object(), grains[2])
        files = {
            f"rgb/{frame:06d}.png": image,
            f"background/{frame:06d}.png": background,
            f"appearance/{frame:06d}.png": appearance,
            f"mask/{frame:06d}_000000.png": mask,
            f"mask_visib/{frame:06d}_000000.png": mask,
        }
        for name, pixels in files.items():
            path = f"{task.split}/{task.number:06d}/{name}"
            write_hashed(plan.out, path, _png(pixels), done.hashes)
        done.gt[str(frame)] = bop.scene_gt(of_model, task.number + 1)
        done.camera[str(frame)] = bop.scene_camera(of_model)
        done.info[str(frame)] = bop.scene_gt_info(mask, whole)


_WORKER: Worker | None = None


def start(plan: RenderPlan) -> None:
    """Initialise this process. Ctrl-C is the parent's affair: it lets running tasks end."""
    global _WORKER
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _WORKER = Worker(plan)


def run(task: Task) -> Done:
    """Run a task in this process."""
    assert _WORKER is not None
    return _WORKER.run(task)
