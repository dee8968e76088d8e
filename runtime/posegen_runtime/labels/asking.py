"""Whether the inputs have what the label formats that were asked for need, before work starts."""

from collections import Counter
from collections.abc import Iterable

from posegen_runtime.errors import PoseGenError
from posegen_runtime.inputs import Inputs
from posegen_runtime.labels.left_out import AMBIGUOUS
from posegen_runtime.options import RunOptions
from posegen_runtime.poses import Pose

POSED = ("bop", "kitti")
"""Formats that hold poses."""


def check_labels(options: RunOptions, inputs: Inputs) -> None:
    """Raises `PoseGenError` where a format would stay empty, and says what is missing. Where only
    some objects lack it, those are left out, and the run says so at its end."""
    for name in POSED:
        if name not in options.labels:
            continue
        if not inputs.poses:
            raise PoseGenError(
                f"--labels {name}: needs the pose of each mask; name a poses.jsonl or BOP scene "
                f"folder with --poses, or leave {name} out"
            )
        _check_some(name, [_why_not(pose, options, inputs) for pose in inputs.poses.values()])


def _why_not(pose: Pose, options: RunOptions, inputs: Inputs) -> str:
    told = pose.mask in (inputs.viewpoints or {})
    return AMBIGUOUS if pose.ambiguous and not (told or options.keep_ambiguous) else ""


def _check_some(name: str, reasons: Iterable[str]) -> None:
    """`reasons` why each object cannot stand in the format, "" for one that can."""
    counts = Counter(reasons)
    if not counts[""]:
        reason, count = counts.most_common(1)[0]
        raise PoseGenError(
            f"--labels {name}: no object could stand there; of {count}: {reason}; "
            f"or leave {name} out"
        )
