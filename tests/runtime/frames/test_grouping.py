"""Which masks belong to one frame, and what they are called in it."""

from pathlib import Path
from typing import Any

import pytest

from posegen_runtime.errors import PoseGenError
from posegen_runtime.frames.grouping import group
from posegen_runtime.poses import Pose
from posegen_runtime.sources import Source


def masks(*names: str) -> list[Source]:
    return [Source(Path("/masks", name), name) for name in names]


def pose(mask: str, frame: str | None, **changes: Any) -> Pose:
    fields = {
        "R_m2c": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        "t_m2c": (0.0, 0.0, 5.0),
        "t_unit": "m",
        "cam_K": (30.0, 0.0, 16.0, 0.0, 30.0, 16.0, 0.0, 0.0, 1.0),
        "image_size": (32, 32),
        "camera_frame": "opencv",
        "pixel_center": "half",
    }
    return Pose(mask=mask, frame=frame, **(fields | changes))


def named(*poses: Pose) -> dict[str, Pose]:
    return {one.mask: one for one in poses}


def found(frames: Any) -> dict[str, list[tuple[str, str]]]:
    return {
        source.name: [(name, mask.name) for name, mask in frames.members[source.name]]
        for source in frames.sources
    }


def test_masks_of_a_bop_scene_by_their_image() -> None:
    frames = group(masks("000001_000000.png", "000001_000012.png", "s/000002_000003.png"), {})
    assert found(frames) == {
        "000001": [("0", "000001_000000.png"), ("12", "000001_000012.png")],
        "s/000002": [("3", "s/000002_000003.png")],
    }


def test_masks_by_the_frame_of_their_poses() -> None:
    poses = named(pose("a.png", "left/7"), pose("b.png", "left\\7"), pose("c.png", None))
    assert found(group(masks("a.png", "b.png", "c.png", "d.png"), poses)) == {
        "left/7": [("0", "a.png"), ("1", "b.png")],
        "c.png": [("0", "c.png")],
        "d.png": [("0", "d.png")],
    }


def test_without_any_frame_the_masks_are_the_jobs() -> None:
    sources = masks("a.png", "b_1.png", "12_3.png")
    frames = group(sources, named(pose("a.png", None)))
    assert frames.sources is sources
    assert not frames.members


def test_a_mask_without_a_frame_is_in_that_of_its_bop_image() -> None:
    names = [f"s/000000_00000{k}.png" for k in range(4)]
    poses = named(pose(names[0], "f0"), pose(names[1], "f0"), pose(names[2], None))
    frames = group(masks(*names, "000000_000000.png"), poses)
    assert found(frames) == {
        "f0": [(str(k), name) for k, name in enumerate(names)],
        "000000": [("0", "000000_000000.png")],
    }


def test_a_mask_without_a_frame_whose_bop_image_has_two() -> None:
    names = [f"000000_00000{k}.png" for k in range(3)]
    poses = named(pose(names[0], "f0"), pose(names[2], "f1"))
    message = rf"{names[1]} has no frame, .*: {names[0]} f0, {names[2]} f1; give it a pose"
    with pytest.raises(PoseGenError, match=message):
        group(masks(*names), poses)


@pytest.mark.parametrize("frame", ["", "..", "/x", "a/../b", "a\nb", "x/.."])
def test_a_frame_that_is_no_name(frame: str) -> None:
    with pytest.raises(PoseGenError, match=r"of a\.png is no name for an image; give a relative"):
        group(masks("a.png"), named(pose("a.png", frame)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cam_K", (31.0, 0.0, 16.0, 0.0, 30.0, 16.0, 0.0, 0.0, 1.0)),
        ("image_size", (32, 30)),
        ("pixel_center", "integer"),
    ],
)
def test_one_frame_with_two_cameras(field: str, value: Any) -> None:
    poses = named(pose("a.png", "f"), pose("b.png", "f", **{field: value}))
    message = rf"a\.png and b\.png are of the frame f and have different {field}"
    with pytest.raises(PoseGenError, match=message):
        group(masks("a.png", "b.png"), poses)


def test_a_mask_with_the_name_of_a_frame() -> None:
    with pytest.raises(PoseGenError, match=r"b\.png has the name of a frame"):
        group(masks("a.png", "b.png"), named(pose("a.png", "b.png")))
