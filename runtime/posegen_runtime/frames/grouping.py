"""Which masks show objects of the same camera frame."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from posegen_runtime.errors import PoseGenError, printable
from posegen_runtime.frames.files import Members
from posegen_runtime.poses import Pose
from posegen_runtime.sources import Source

BOP = re.compile(r"(?P<image>(?:.*/)?\d{6})_(?P<object>\d{6})\.png")
"""A mask's name in a BOP scene: image and object."""
SAME_CAMERA = ("cam_K", "image_size", "pixel_center")
"""What the poses of one frame have in common."""


class Frames(msgspec.Struct, frozen=True):
    """What jobs are about: `sources` as the frames' names, each with the path of one of its masks,
    and `members`, the masks of each, where any frame is named; else empty."""

    sources: Sequence[Source]
    members: Mapping[str, Members]


def group(masks: Sequence[Source], poses: Mapping[str, Pose]) -> Frames:
    """The frames of `masks`: by the `frame` of their poses, else by the image number where a name
    is ``IIIIII_GGGGGG.png`` as in a BOP scene, else each mask is a frame of its own. A mask whose
    pose is missing or names no frame belongs to the frame that poses name for its BOP image.

    Raises `PoseGenError` where a frame's name cannot be an output's, where the poses of one frame
    have different cameras, and where those of one BOP image name several frames and one mask none.
    """
    of_images = _named_frames(masks, poses)
    found: dict[str, list[tuple[str, Source]]] = {}
    alone: list[Source] = []
    for mask in masks:
        pose = poses.get(mask.name)
        bop = BOP.fullmatch(mask.name)
        if pose and pose.frame is not None:
            frame, name = _checked(pose.frame, mask), ""
        elif bop and bop["image"] in of_images:
            frame, name = _only(of_images[bop["image"]], mask), ""
        elif bop:
            frame, name = bop["image"], str(int(bop["object"]))
        else:
            alone.append(mask)
            continue
        found.setdefault(frame, []).append((name, mask))
    if not found:
        return Frames(masks, {})
    for mask in alone:
        if mask.name in found:
            raise PoseGenError(
                f"--masks: {mask.name} has the name of a frame that other masks belong to; give "
                "its pose a frame, too, or rename it"
            )
        found[mask.name] = [("", mask)]
    members = {}
    for frame, several in found.items():
        _check_camera(frame, [poses[mask.name] for _, mask in several if mask.name in poses])
        numbered = all(name for name, _ in several)
        members[frame] = tuple(
            (name if numbered else str(number), mask) for number, (name, mask) in enumerate(several)
        )
    sources = [Source(several[0][1].path, frame) for frame, several in members.items()]
    return Frames(sources, members)


def _named_frames(
    masks: Sequence[Source], poses: Mapping[str, Pose]
) -> dict[str, dict[str, Source]]:
    """The frames that poses name for each BOP image, each with a mask that has it."""
    found: dict[str, dict[str, Source]] = {}
    for mask in masks:
        pose, bop = poses.get(mask.name), BOP.fullmatch(mask.name)
        if bop and pose and pose.frame is not None:
            found.setdefault(bop["image"], {}).setdefault(_checked(pose.frame, mask), mask)
    return found


def _only(frames: Mapping[str, Source], mask: Source) -> str:
    (frame, one), *others = frames.items()
    for other, another in others:
        raise PoseGenError(
            f"--poses: {mask.name} has no frame, and others of its image have several: {one.name} "
            f"{frame}, {another.name} {other}; give it a pose with its frame, or leave it out"
        )
    return frame


def _checked(frame: str, mask: Source) -> str:
    path = PurePosixPath(frame.replace("\\", "/"))
    if not path.name or path.is_absolute() or ".." in path.parts or printable(frame) != frame:
        raise PoseGenError(
            f"--poses: the frame {printable(frame)!r} of {mask.name} is no name for an image; give "
            "a relative path such as 000012"
        )
    return path.as_posix()


def _check_camera(frame: str, poses: Sequence[Pose]) -> None:
    for pose in poses[1:]:
        for field in SAME_CAMERA:
            if getattr(pose, field) != getattr(poses[0], field):
                raise PoseGenError(
                    f"--poses: {poses[0].mask} and {pose.mask} are of the frame "
                    f"{frame} and have different {field}; a frame has one "
                    "camera"
                )
