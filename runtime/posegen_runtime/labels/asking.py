"""Whether the inputs have what the label formats that were asked for need, before work starts."""

from collections import Counter
from collections.abc import Iterable

import cv2

from posegen_runtime.choices import ImageFormat
from posegen_runtime.errors import PoseGenError
from posegen_runtime.inputs import Inputs
from posegen_runtime.labels.cuboids import ModelBox, ModelFrame, why_no_cuboid
from posegen_runtime.labels.left_out import is_aside, why_ambiguous
from posegen_runtime.labels.limits import Rectangle
from posegen_runtime.labels.sampled import Sampled, sampled
from posegen_runtime.options import RunOptions
from posegen_runtime.progress import say

POSED = ("bop", "kitti")
"""Formats that hold poses."""

NEARLY_ALL = 0.9


def check_labels(options: RunOptions, inputs: Inputs, box: ModelBox | None) -> None:
    """Raises `PoseGenError` where a format would stay empty, and says what is missing. Where only
    some objects lack it, those are left out, and the run says so at its end. `box`: of --mesh."""
    _check_ambiguous(options, inputs)
    for name in POSED:
        if name not in options.labels:
            continue
        if not inputs.poses:
            raise PoseGenError(
                f"--labels {name}: needs the pose of each mask; name a poses.jsonl or BOP scene "
                f"folder with --poses, or leave {name} out"
            )
        if name == "kitti" and options.format is not ImageFormat.PNG:
            raise PoseGenError("--labels kitti: its images are PNG; leave --format out")
        if box is None:
            _check_origins(name, inputs)
        if name == "kitti" and box is None:
            _check_order(inputs)
        frame = ModelFrame(forward=options.model_forward, up=options.model_up, box=box)
        reasons = []
        for pose in inputs.poses.values():
            told = pose.mask in (inputs.viewpoints or {})
            open_heading = pose.ambiguous and why_ambiguous(
                told, options.keep_ambiguous, options.leave_ambiguous
            )
            cuboid = why_no_cuboid(pose, frame) if name == "kitti" else ""
            reasons.append(open_heading or cuboid)
        _check_some(name, reasons)


def _check_ambiguous(options: RunOptions, inputs: Inputs) -> None:
    given = [name for name in ("keep_ambiguous", "leave_ambiguous") if getattr(options, name)]
    if len(given) == 2:
        raise PoseGenError("--keep-ambiguous: the opposite of --leave-ambiguous; leave one out")
    if given and not (inputs.poses and set(POSED) & set(options.labels)):
        raise PoseGenError(
            f"--{given[0].replace('_', '-')}: is about poses in BOP and KITTI; add --poses and bop "
            "or kitti to --labels, or leave it out"
        )


def _check_some(name: str, reasons: Iterable[str]) -> None:
    """`reasons` why each object cannot stand in the format, "" for one that can."""
    counts = Counter(reasons)
    if not counts[""]:
        reason, count = counts.most_common(1)[0]
        raise PoseGenError(
            f"--labels {name}: no object could stand there; of {count}: {reason}; "
            f"or leave {name} out"
        )


def _check_order(inputs: Inputs) -> None:
    dims = [pose.dims_hwl_m for pose in inputs.poses.values() if pose.dims_hwl_m]
    wide = sum(width > length for _, width, length in dims)
    if dims and wide >= NEARLY_ALL * len(dims):
        say(
            f"warning: --labels kitti: {wide} of {len(dims)} objects are wider than long: "
            "dims_hwl_m is [height, width, length]"
        )


def _check_origins(name: str, inputs: Inputs) -> None:
    """Poses that belong to other masks, or to another camera, mostly show by the origin alone."""
    looked_at = list(sampled(inputs))
    aside = [one.name for one in looked_at if _is_aside(one)]
    if aside and len(aside) >= NEARLY_ALL * len(looked_at):
        raise PoseGenError(
            f"--labels {name}: the poses do not belong to the masks: of {len(aside)} of "
            f"{len(looked_at)} looked at, such as {aside[0]}, the pose puts the model's origin far "
            "from the silhouette; check t_m2c, cam_K and the names, or say with --mesh where the "
            "model is"
        )


def _is_aside(one: Sampled) -> bool:
    x, y, width, height = cv2.boundingRect(one.mask)
    rows, columns = one.mask.shape
    box = Rectangle(x, y, x + width - 1, y + height - 1)
    return is_aside(one.pose, box, Rectangle(0, 0, columns - 1, rows - 1))
