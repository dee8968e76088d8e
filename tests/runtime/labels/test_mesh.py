"""--mesh: looked at against the silhouettes before work starts, and written for BOP and KITTI."""

import json
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
import trimesh

from bop_reader import read_bop
from kitti_reader import read_kitti
from label_rows import CORNERS, DIMS, pose_of, silhouette, turned
from posegen_runtime.choices import Fit, MeshUnit
from posegen_runtime.geometry import place
from posegen_runtime.labels.coco import encode_mask
from posegen_runtime.labels.mesh_check import surface_points
from posegen_runtime.labels.mesh_fit import MeshFit
from posegen_runtime.ledger import ImageData
from posegen_runtime.meshfile import read_mesh
from posegen_runtime.poses import Pose, write_poses
from projection import offset, overlap
from whole_runs import outputs, posegen_run

Capture = pytest.CaptureFixture[str]
Run = Any
YAWS = (15, 60, 110, 165, 200, 290)


@pytest.fixture
def run(tmp_path: Path, tiny_bundle: Path) -> Run:
    """Runs on silhouettes of the wedge and a mesh file of it; gives the exit code.

    `to_file` is what is done to the corners, in metres, before they are written, `slip` what is
    done to each pose. The masks stay as they are.
    """

    def go(*extra: object, to_file: Any = None, slip: Any = None, out: str = "out") -> int:
        (tmp_path / "masks").mkdir(exist_ok=True)
        poses: list[Pose] = []
        for number, yaw in enumerate(YAWS):
            pose = pose_of(f"{number}.png", turned(yaw, 2), (0.5, 0.3, 8.0), "m")
            cv2.imwrite(str(tmp_path / "masks" / pose.mask), silhouette(pose))
            poses.append(slip(pose) if slip else pose)
        write_poses(tmp_path / "poses.jsonl", poses)
        corners = to_file(CORNERS) if to_file else CORNERS
        trimesh.convex.convex_hull(corners).export(tmp_path / "wedge.ply")
        options: list[object] = ["--masks", tmp_path / "masks", "--poses", tmp_path / "poses.jsonl"]
        options += ["--mesh", tmp_path / "wedge.ply", "--bundle", tiny_bundle]
        return posegen_run(*options, "--out", tmp_path / out, *extra)

    return go


METRES = ("--mesh-unit", "m", "--labels", "bop")


def test_the_right_one_is_taken(run: Run, tmp_path: Path, capsys: Capture) -> None:
    assert run(*METRES) == 0
    said = capsys.readouterr().err
    assert "mesh: falls on the silhouettes of 6 masks looked at (median IoU 0.99)" in said
    mesh = trimesh.load(tmp_path / "out/labels/bop/models/obj_000001.ply", process=False)
    np.testing.assert_allclose(
        np.ptp(mesh.vertices, axis=0), 1000 * np.array(DIMS)[::-1], rtol=1e-5
    )
    info = json.loads((tmp_path / "out/labels/bop/models/models_info.json").read_text())["1"]
    assert (info["size_x"], info["min_z"]) == pytest.approx((4200, -750))
    distances = np.linalg.norm(CORNERS[:, None] - CORNERS, axis=2)
    assert info["diameter"] == pytest.approx(1000 * distances.max())


def test_a_file_in_millimetres(run: Run, tmp_path: Path) -> None:
    options = ("--mesh-unit", "mm", "--labels", "bop")
    assert run(*options, to_file=lambda corners: 1000 * corners) == 0
    info = json.loads((tmp_path / "out/labels/bop/models/models_info.json").read_text())["1"]
    assert info["size_x"] == pytest.approx(4200)


def opengl(pose: Pose) -> Pose:
    return msgspec.structs.replace(
        pose,
        R_m2c=tuple((np.diag([1.0, -1, -1]) @ np.reshape(pose.R_m2c, (3, 3))).ravel().tolist()),
        t_m2c=(pose.t_m2c[0], pose.t_m2c[1], pose.t_m2c[2]),
    )


def in_millimetres(pose: Pose) -> Pose:
    return msgspec.structs.replace(pose, t_unit="mm")


PLANTED = {
    "metres declared as millimetres": (("--mesh-unit", "mm"), None, None, "1000 times larger"),
    "millimetres declared as metres": (
        ("--mesh-unit", "m"),
        lambda corners: 1000 * corners,
        None,
        "1000 times smaller",
    ),
    "unit of the poses": (("--mesh-unit", "m"), None, in_millimetres, "1000 times smaller"),
    "flipped axis": (
        ("--mesh-unit", "m"),
        lambda corners: corners * [-1, 1, 1],
        None,
        "with its axes x, y, z taken from -x, ",
    ),
    "y up": (
        ("--mesh-unit", "m"),
        lambda corners: corners[:, [1, 2, 0]],
        None,
        "with its axes x, y, z taken from z, ",
    ),
    "rotation in another frame": (("--mesh-unit", "m"), None, opengl, "does not fall well on"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_each_planted_slip_is_refused_in_one_line(
    run: Run, tmp_path: Path, capsys: Capture, name: str
) -> None:
    extra, to_file, slip, expected = PLANTED[name]
    assert run(*extra, "--labels", "bop", to_file=to_file, slip=slip) == 2
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error: ")]
    assert "does not fall well on the silhouettes" in line
    assert expected in line
    assert not (tmp_path / "out").exists()


def focal(pose: Pose) -> Pose:
    fx, s, cx, _, fy, cy, *rest = pose.cam_K
    return msgspec.structs.replace(pose, cam_K=(1.1 * fx, s, cx, 0.0, 1.1 * fy, cy, *rest))


WRONG = {
    "focal length 10% off": (None, focal),
    "mesh too large": (lambda corners: 1.15 * corners, None),
    "mesh elsewhere": (lambda corners: corners + [0.4, 0.2, 0], None),  # noqa: RUF005
}


@pytest.mark.parametrize("name", WRONG)
def test_what_lies_near_the_silhouettes_is_refused_too(
    run: Run, tmp_path: Path, capsys: Capture, name: str
) -> None:
    to_file, slip = WRONG[name]
    assert run(*METRES, to_file=to_file, slip=slip) == 2
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error: ")]
    assert "true poses mostly have 0.96 or more" in line
    assert not (tmp_path / "out").exists()


def test_in_between_there_is_a_warning(run: Run, capsys: Capture) -> None:
    assert run(*METRES, to_file=lambda corners: 1.03 * corners) == 0
    said = capsys.readouterr().err
    assert "warning: mesh: a median IoU of 0.9" in said
    assert "left out" not in said


@pytest.mark.parametrize("fit", ["object", "frame"])
def test_a_pose_of_another_mask_is_named_and_left_out(
    run: Run, tmp_path: Path, capsys: Capture, fit: str
) -> None:
    def one_other(pose: Pose) -> Pose:
        other = pose_of(pose.mask, turned(15, 2), (0.5, 0.3, 8.0), "m")
        return other if pose.mask == "2.png" else pose

    labels = ("--mesh-unit", "m", "--labels", "bop,kitti", "--fit", fit, "--per-mask", "2")
    assert run(*labels, slip=one_other) == 0
    said = capsys.readouterr().err
    assert "poses of 1 of 6 masks looked at do not fit them: 2.png (IoU 0." in said
    for name in ("bop", "kitti"):
        assert f"labels/{name}: 1 of 6 objects are left out: the mesh, seen by its pose" in said
    rows = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").open()]
    assert [row["mask"] for row in rows if "bop" in row.get("left_out", {})] == ["2.png"]
    assert len(list(read_bop(tmp_path / "out/labels/bop", "train"))) == 5


@pytest.mark.parametrize("t", [(0.5, 0.3, 8.0), (3.4, 0.3, 6.0), (0.5, 0.3, 60.0)])
def test_objects_cut_by_the_border_and_far_ones_fit(tmp_path: Path, t: Any) -> None:
    trimesh.convex.convex_hull(CORNERS).export(tmp_path / "wedge.ply")
    mesh = read_mesh(tmp_path / "wedge.ply", MeshUnit.METRE)
    pose = pose_of("0.png", turned(60, 2), t, "m")
    mask = silhouette(pose)
    placement = place(mask, (64, 64), Fit.OBJECT)
    facts = {"source_size": placement.source_size, "target_size": placement.target_size}
    facts |= {name: getattr(placement, name) for name in ("sx", "sy", "tx", "ty")}
    fit = MeshFit(mesh)
    whole = ImageData(pose=pose, coco=encode_mask(mask))
    assert fit.misfit(whole) is None
    crop = encode_mask(placement.mask(mask))
    placed = ImageData(pose=pose.placed(placement), coco=crop, placement=facts)
    assert fit.misfit(placed) is None
    wrong = pose_of("0.png", turned(5, 2), t, "m").placed(placement)
    assert fit.misfit(msgspec.structs.replace(placed, pose=wrong)) is not None


def test_a_unit_without_a_mesh(tmp_path: Path, masks: Path, tiny_bundle: Path, capsys: Any) -> None:
    options = ["--masks", masks, "--bundle", tiny_bundle, "--out", tmp_path / "out"]
    assert posegen_run(*options, "--mesh-unit", "mm") == 2
    assert "--mesh-unit mm: is the unit of a mesh; name its file" in capsys.readouterr().err


def test_the_unit_is_never_guessed(run: Run, capsys: Capture) -> None:
    assert run("--labels", "bop") == 2
    assert "--mesh needs --mesh-unit" in capsys.readouterr().err


def test_a_mesh_needs_poses(
    tmp_path: Path, masks: Path, tiny_bundle: Path, capsys: Capture
) -> None:
    options = ["--masks", masks, "--bundle", tiny_bundle, "--out", tmp_path / "out"]
    assert posegen_run(*options, "--mesh", tmp_path / "a.ply", "--mesh-unit", "m") == 2
    assert "is the model of poses; name those with --poses" in capsys.readouterr().err


def test_kitti_takes_size_and_middle_from_it(run: Run, tmp_path: Path) -> None:
    """The origin lies on the ground and the poses give no size."""

    def ground(pose: Pose) -> Pose:
        R = np.reshape(pose.R_m2c, (3, 3))
        t = np.array(pose.t_m2c) + R @ [0, 0, -DIMS[0] / 2]
        return msgspec.structs.replace(pose, t_m2c=tuple(t.tolist()), dims_hwl_m=None)

    options = ("--mesh-unit", "m", "--labels", "kitti", "--fit", "frame")
    assert run(*options, to_file=lambda c: c + [0, 0, DIMS[0] / 2], slip=ground) == 0  # noqa: RUF005
    images = list(read_kitti(tmp_path / "out/labels/kitti"))
    assert len(images) == 6
    for image in images:
        (found,) = image.objects
        np.testing.assert_allclose(found.hwl, DIMS, atol=1e-3)
        np.testing.assert_allclose(found.location, [0.5, 0.3 + DIMS[0] / 2, 8], atol=0.03)


def test_another_mesh_is_another_run_and_shards_share_it(
    run: Run, tmp_path: Path, capsys: Capture
) -> None:
    options = ("--mesh-unit", "m", "--labels", "bop,kitti")
    assert run(*options) == 0
    assert run(*options, to_file=lambda corners: 1.01 * corners) == 2
    assert "--mesh (" in capsys.readouterr().err
    for part in (1, 2):
        assert run(*options, "--shard", f"{part}/2", out=f"part{part}") == 0
    (tmp_path / "wedge.ply").unlink()
    parts = [tmp_path / "part1", tmp_path / "part2"]
    assert posegen_run("--merge", *parts, "--out", tmp_path / "merged") == 0
    assert outputs(tmp_path / "merged") == outputs(tmp_path / "out")


def test_points_lie_on_the_surface(tmp_path: Path) -> None:
    trimesh.creation.box((4.2, 1.8, 1.5)).export(tmp_path / "box.ply")
    points = surface_points(read_mesh(tmp_path / "box.ply", MeshUnit.METRE), 4000)
    sides = np.abs(points) / (np.array([4.2, 1.8, 1.5]) / 2)
    np.testing.assert_allclose(sides.max(axis=1), 1, atol=1e-6)
    areas = np.bincount(sides.argmax(axis=1)) / 4000
    whole = np.array([1.8 * 1.5, 4.2 * 1.5, 4.2 * 1.8])
    np.testing.assert_allclose(areas, whole / whole.sum(), atol=0.03)


def test_a_replay_has_the_mesh_too(run: Run, tmp_path: Path) -> None:
    assert run("--mesh-unit", "m", "--labels", "bop,kitti") == 0
    again = tmp_path / "again"
    assert posegen_run("--replay", tmp_path / "out/run.json", "--out", again) == 0
    for name, data in outputs(tmp_path / "out").items():
        assert outputs(again)[name] == data, name


@pytest.mark.parametrize("fit", ["object", "frame", "stretch"])
def test_the_mesh_falls_on_the_masks_of_generated_images(
    run: Run, tmp_path: Path, fit: str
) -> None:
    """Through the crop, to both formats; a quarter of a pixel shows in the mean of six."""
    assert run("--mesh-unit", "m", "--labels", "bop,kitti", "--fit", fit) == 0
    offsets = []
    for image in read_bop(tmp_path / "out/labels/bop", "train"):
        (found,) = image.objects
        seen = (1000 * CORNERS @ found.R.T + found.t) @ image.K.T
        points = seen[:, :2] / seen[:, 2:] + 0.5
        assert overlap(found.mask, points) > 0.93
        offsets.append(offset(found.mask, points))
    shift = np.mean(offsets, axis=0)
    assert len(offsets) == 6
    assert np.abs(shift).max() < 0.12
    for planted in ([0.25, 0], [0, 0.25], [-0.25, 0], [0, -0.25]):
        assert np.abs(shift + planted).max() > 0.13
    for image in read_kitti(tmp_path / "out/labels/kitti"):
        (car,) = image.objects
        corners = image.project(car.corners)
        # The box holds the silhouette, and all but fills the same rectangle.
        assert (corners.min(axis=0) < car.bbox[:2] + 1.5).all()
        assert (corners.max(axis=0) > car.bbox[2:] - 1.5).all()
