"""The KITTI data set, read by the format's definition: its boxes and a wedge in them projected."""

import json
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from kitti_reader import KittiImage, KittiObject, read_kitti
from label_rows import CORNERS, DIMS, SIZE, plan_of, pose_of, turned, write_frames
from posegen_runtime.choices import Axis
from posegen_runtime.labels import cuboids, kitti
from posegen_runtime.labels.cuboids import ModelBox, ModelFrame
from posegen_runtime.labels.splits import Split
from posegen_runtime.ledger import Ledger
from posegen_runtime.outputs import write_outputs
from posegen_runtime.poses import Pose
from projection import offset, overlap

NEAR, FAR, ASIDE = (0.4, 0.6, 9.0), (-2.6, 0.7, 14.0), (7.5, 0.6, 12.0)
Frames = list[list[Pose | None]]


def write(out: Path, **changes: Any) -> list[str]:
    with Ledger.open(out, write=False) as ledger:
        return write_outputs(out, ledger, plan_of("kitti", **changes))


def read(out: Path, part: str = "train") -> list[KittiImage]:
    return list(read_kitti(out / "labels/kitti", part))


def left_out(out: Path) -> list[str]:
    rows = [json.loads(line) for line in (out / "manifest.jsonl").open()]
    return [row.get("left_out", {}).get("kitti", "") for row in rows]


def wedge_in(image: KittiImage, found: KittiObject) -> np.ndarray:
    """The model's corners (x forward, y left, z up) as KITTI has them, in the half convention."""
    points = CORNERS @ np.array([[1, 0, 0], [0, 0, -1], [0, -1, 0]]) - [0, DIMS[0] / 2, 0]
    return image.project(found.turn(points)) + 0.5


YAWS = range(-172, 180, 22)


@pytest.mark.parametrize(
    "plant", ["", "unit", "axis", "frame", "quarter pixel", "middle", "turned back"]
)
def test_the_model_falls_on_the_masks_and_each_planted_slip_shows(
    tmp_path: Path, plant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right_view, right_cuboid = cuboids.opencv_view, kitti.cuboid_of

    def slipped(pose: Pose) -> Any:
        R, t, K = right_view(pose)
        if plant == "unit":
            t = t / 1000
        elif plant == "axis":
            R = R @ np.diag([1.0, -1.0, -1.0])
        elif plant == "frame":
            R, t = np.diag([1.0, -1.0, -1.0]) @ R, t * (1, -1, 1)
        return type(right_view(pose))(R, t, K)

    def cuboid(*given: Any) -> Any:
        found = right_cuboid(*given)
        if found and plant == "middle":
            return found._replace(location=found.location - [0, DIMS[0] / 2, 0])
        if found and plant == "turned back":
            return found._replace(rotation_y=-found.rotation_y)
        return found

    def with_shift(pose: Pose) -> Any:
        R, t, K = right_view(pose)
        return type(right_view(pose))(R, t, K + np.array([[0, 0, 0.25], [0, 0, 0], [0, 0, 0]]))

    monkeypatch.setattr(cuboids, "opencv_view", slipped)
    monkeypatch.setattr(kitti, "cuboid_of", cuboid)
    if plant == "quarter pixel":
        monkeypatch.setattr(kitti, "opencv_view", with_shift)
    out = tmp_path / "out"
    conventions = [("mm", "opencv", "half"), ("m", "opengl", "integer")] * 8
    frames: Frames = [
        [pose_of("x.png", turned(yaw), NEAR, *convention)]
        for yaw, convention in zip(YAWS, conventions, strict=True)
    ]
    write_frames(out, frames)
    write(out)
    images = read(out)
    worst_overlap, offsets = float(len(images) == len(YAWS)), [np.zeros(2)]
    for image in images:
        mask = cv2.imread(str(out / f"masks/{image.image[0, 0, 0]}_0.png"), 0)
        assert mask is not None
        (found,) = image.objects
        points = wedge_in(image, found)
        worst_overlap = min(worst_overlap, overlap(mask, points))
        offsets.append(offset(mask, points))
    # Upright edges lie along the pixels, so that one silhouette alone says less.
    shift = float(np.abs(np.mean(offsets, axis=0)).max())
    assert (worst_overlap < 0.95 or shift > 0.15) == bool(plant)


def test_the_definitions_of_the_fields(tmp_path: Path) -> None:
    out = tmp_path / "out"
    # Seen from behind, in the middle of the image: KITTI's heading of a car driven after.
    write_frames(out, [[pose_of("x.png", turned(0), (0, 0.6, 10.0), category="my car")]])
    write(out, categories={"my car": 1})
    (image,) = read(out)
    (found,) = image.objects
    assert found.type == "my_car"
    assert found.rotation_y == pytest.approx(-np.pi / 2, abs=1e-4)
    assert found.alpha == pytest.approx(-np.pi / 2, abs=1e-4)
    assert (found.truncated, found.occluded) == (0, 0)
    np.testing.assert_allclose(found.hwl, DIMS)
    np.testing.assert_allclose(found.location, [0, 0.6 + DIMS[0] / 2, 10])
    mask = cv2.imread(str(out / "masks/0_0.png"), 0)
    y, x = np.nonzero(mask)
    np.testing.assert_array_equal(found.bbox, [x.min(), y.min(), x.max(), y.max()])


def test_what_nearer_objects_hide_is_occluded(tmp_path: Path) -> None:
    out = tmp_path / "out"
    behind = pose_of("1.png", turned(90), (4.0, 0.6, 14.0))
    visible = write_frames(out, [[pose_of("0.png", turned(90), NEAR), behind]])
    write(out)
    (image,) = read(out)
    whole = cv2.imread(str(out / "masks/0_1.png"), 0)
    share = np.count_nonzero(visible[0][1]) / np.count_nonzero(whole)
    assert 0.5 < share < 0.95
    assert [found.occluded for found in image.objects] == [0, 1]


def test_what_the_border_cuts_is_truncated(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_frames(out, [[pose_of("0.png", turned(90), ASIDE)]])
    write(out)
    (image,) = read(out)
    (found,) = image.objects
    x = image.project(found.corners)[:, 0]
    expected = (x.max() - (SIZE[1] - 1)) / (np.ptp(x) + 1)
    assert 0.2 < expected < 0.8
    assert found.truncated == pytest.approx(expected, abs=0.02)
    assert found.bbox[2] == SIZE[1] - 1


@pytest.mark.parametrize(
    ("pose", "reason"),
    [
        (pose_of("1.png", turned(90), FAR, dims_hwl_m=None), "has no dims_hwl_m"),
        (pose_of("1.png", turned(90, 6), FAR), "leans by more than 3°"),
        (pose_of("1.png", turned(90), FAR, ambiguity=0.99), "leaves the heading open"),
        (pose_of("1.png", turned(90), FAR, dims_hwl_m=(4.2, 1.8, 1.5)), "do not fit"),
        (None, "has no pose"),
    ],
)
def test_what_kitti_cannot_say_is_left_out_as_dont_care(
    tmp_path: Path, pose: Pose | None, reason: str
) -> None:
    out = tmp_path / "out"
    write_frames(out, [[pose_of("0.png", turned(40), NEAR), pose], [pose]])
    lines = write(out)
    (image,) = read(out)
    assert [found.type for found in image.objects] == ["car", "DontCare"]
    mask = cv2.imread(str(out / "masks/0_1.png"), 0)
    y, x = np.nonzero(mask)
    np.testing.assert_array_equal(image.objects[1].bbox, [x.min(), y.min(), x.max(), y.max()])
    reasons = left_out(out)
    assert [reason in found for found in reasons] == [False, True, True]
    assert any(line.startswith("labels/kitti: 2 of 3") and reason in line for line in lines)


def test_an_origin_on_the_ground_is_seen_and_a_mesh_mends_it(tmp_path: Path) -> None:
    """The model's origin lies below the box's middle: only the mesh tells where the box is."""
    out = tmp_path / "out"
    R = turned(40)
    t = np.array(NEAR)
    pose = pose_of("0.png", R, t)
    write_frames(out, [[pose]])
    grounded = pose_of("0.png", R, t + R @ [0, 0, -DIMS[0] / 2])
    with Ledger.open(out, write=True) as ledger:
        (row,) = ledger.rows()
    moved = msgspec.structs.replace(row, data=msgspec.structs.replace(row.data, pose=grounded))
    box = ModelBox(low=(-DIMS[2] / 2, -DIMS[1] / 2, 0.0), size=(DIMS[2], DIMS[1], DIMS[0]))
    for frame, count in ((ModelFrame(), 0), (ModelFrame(box=box), 1)):
        writer = kitti.KittiWriter(out, plan_of("kitti", model=frame))
        writer.add([moved], "train")
        writer.close()
        images = read(out)
        assert len(images) == count
    (found,) = images[0].objects
    np.testing.assert_allclose(found.location, t + np.array([0, DIMS[0] / 2, 0]), atol=1e-4)


def test_other_axes_of_the_model(tmp_path: Path) -> None:
    """A model with y up and z forward, as a GLB."""
    out = tmp_path / "out"
    to_ours = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    R = turned(-35)
    write_frames(out, [[pose_of("0.png", R, NEAR)]])
    write(out)
    (expected,) = read(out)[0].objects
    glb = pose_of("0.png", R @ to_ours, NEAR)
    frame = ModelFrame(forward=Axis.Z, up=Axis.Y)
    found = cuboids.cuboid_of(glb, frame)
    assert found is not None
    assert not cuboids.why_no_cuboid(glb, frame)
    assert cuboids.why_no_cuboid(glb, ModelFrame()) == cuboids.LEANS
    np.testing.assert_allclose(found.location, expected.location, atol=1e-3)
    assert found.rotation_y == pytest.approx(expected.rotation_y, abs=1e-3)
    assert found.alpha == pytest.approx(expected.alpha, abs=1e-3)


def test_parts(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_frames(out, [[pose_of(f"{n}.png", turned(20 * n), NEAR)] for n in range(10)])
    write(out, split=Split(shares=(0.6, 0.4), seed=1))
    names = [[image.name for image in read(out, part)] for part in ("train", "val")]
    assert sorted(names[0] + names[1]) == [f"{n:06}" for n in range(10)]
    assert all(names)
