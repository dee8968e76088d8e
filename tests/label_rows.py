"""Outputs of a run made by hand: wedges before a camera, with exact silhouettes, in frames of one
or several objects. What nearer ones hide is known."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from posegen_runtime.jobs import Job
from posegen_runtime.labels.coco import encode_mask
from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.ledger import ImageData, ImageResult, JobResult, Ledger, State
from posegen_runtime.poses import Pose
from posegen_runtime.sources import Source
from projection import box_points, project, rasterise

SIZE = (240, 400)
"""Height, width."""
DIMS = (1.5, 1.8, 4.2)
"""Height, width, length; the model has x forward, z up, its origin in the middle."""
CORNERS = box_points(*DIMS) * [
    [1, 1, 0.2 if x > 0 and z > 0 else 1] for x, _, z in box_points(*DIMS)
]
"""A wedge that fills its box and is lower in front: no turn by 180° gives it again."""
OPENGL = np.diag([1.0, -1.0, -1.0])
UPRIGHT = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""Model to camera of an object that looks the way the camera does."""


def turned(yaw: float, tilt: float = 0.0) -> np.ndarray:
    """Model to camera: turned by `yaw` degrees to its left, the camera tilted down by `tilt`."""
    turn = cv2.Rodrigues(np.array([0, 0, np.radians(yaw)]))[0]
    return np.asarray(cv2.Rodrigues(np.array([np.radians(tilt), 0, 0]))[0] @ UPRIGHT @ turn)


def pose_of(
    mask: str,
    R: np.ndarray,
    t: Sequence[float],
    unit: str = "mm",
    frame: str = "opencv",
    pixel_center: str = "half",
    **changes: Any,
) -> Pose:
    """`R`, `t` in metres in OpenCV's frame, written in the convention asked for."""
    flip = OPENGL if frame == "opengl" else np.eye(3)
    shift = 0.5 if pixel_center == "integer" else 0.0
    entry: dict[str, Any] = {
        "mask": mask,
        "category": "car",
        "R_m2c": (flip @ R).ravel().tolist(),
        "t_m2c": (flip @ np.array(t) * (1000 if unit == "mm" else 1)).tolist(),
        "t_unit": unit,
        "cam_K": [300.0, 0.0, 201.25 - shift, 0.0, 300.0, 117.75 - shift, 0.0, 0.0, 1.0],
        "image_size": (SIZE[1], SIZE[0]),
        "camera_frame": frame,
        "pixel_center": pixel_center,
        "dims_hwl_m": DIMS,
    }
    return msgspec.convert({**entry, **changes}, Pose)


def silhouette(pose: Pose) -> np.ndarray:
    """Of the wedge, uint8 {0, 255}."""
    unit = 1000 if pose.t_unit == "mm" else 1
    return rasterise(project(CORNERS * unit, pose), SIZE)


def write_frames(
    out: Path,
    frames: Sequence[Sequence[Pose | None]],
    state: Callable[[int, int], State] = lambda frame, place: State.DONE,
    told: bool = False,
) -> list[list[np.ndarray]]:
    """Images, masks and ledger of `frames`, each with its objects from near to far; gives what is
    visible of each. An object without a pose is a disc. `told`: the model knew the viewpoint."""
    (out / "images").mkdir(parents=True)
    (out / "masks").mkdir()
    jobs = [
        Job(Source(Path(f"/m/{n}.png"), f"{n}.png"), f"{n}", 0, "", None, None, n)
        for n in range(len(frames))
    ]
    shown = []
    with Ledger.open(out, write=True) as ledger:
        ledger.plan(jobs, len(jobs))
        for number, poses in enumerate(frames):
            cv2.imwrite(str(out / f"images/{number}.png"), np.full((*SIZE, 3), number, np.uint8))
            before = np.zeros(SIZE, np.uint8)
            images, visible = [], []
            for place, pose in enumerate(poses):
                disc = cv2.circle(np.zeros(SIZE, np.uint8), (60, 60), 25, 255, -1)
                mask = silhouette(pose) if pose else disc
                visible.append(np.where(before > 0, 0, mask).astype(np.uint8))
                whole, seen = encode_mask(mask), encode_mask(visible[-1])
                name = f"masks/{number}_{place}.png"
                cv2.imwrite(str(out / name), mask)
                data = ImageData(
                    pose=pose,
                    coco=whole,
                    visible=seen if seen != whole else None,
                    visible_fraction=seen.area / whole.area,
                    viewpoint=(1.0, 0.0, 0.0) if told else None,
                )
                rejected = state(number, place) is State.REJECTED
                images.append(
                    ImageResult(
                        object=str(place),
                        state=state(number, place),
                        image=f"{'rejected/' * rejected}images/{number}.png",
                        mask_file=name,
                        data=data,
                        finished=1.7e9,
                    )
                )
                before |= mask
            ledger.finish([JobResult(number, images)])
            shown.append(visible)
    return shown


def plan_of(*formats: str, **changes: Any) -> LabelPlan:
    plan = LabelPlan(formats=formats, categories={"car": 3}, with_poses=True)
    return msgspec.structs.replace(plan, **changes)
