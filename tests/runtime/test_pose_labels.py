"""Written poses: a mesh projected with the written camera falls on the written silhouette."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.poses import read_poses

WIDTH, HEIGHT = 640, 400
TRANSLATION = np.array([0.6, -0.3, 7.0])
"""Metres, OpenCV frame."""
BOX = np.array([[x, y, z] for x in (-2, 2) for y in (-0.7, 0.7) for z in (-0.9, 0.9)])
OPENGL = np.diag([1.0, -1.0, -1.0])


def rotation() -> np.ndarray:
    return cv2.Rodrigues(np.array([0.35, 0.8, 0.1]))[0]


def hull(pose: dict[str, Any], camera: np.ndarray) -> np.ndarray:
    """The silhouette of the box as a polygon [P, 2] in the half convention."""
    points = BOX @ np.reshape(pose["R_m2c"], (3, 3)).T + np.array(pose["t_m2c"]) * (
        0.001 if pose["t_unit"] == "mm" else 1.0
    )
    if pose["camera_frame"] == "opengl":
        points = points @ OPENGL
    image = points @ camera.reshape(3, 3).T
    shift = 0.5 if pose["pixel_center"] == "integer" else 0.0
    pixels = image[:, :2] / image[:, 2:] + shift
    return cv2.convexHull(pixels.astype(np.float32)).reshape(-1, 2)


def coverage(polygon: np.ndarray, width: int, height: int) -> np.ndarray:
    """Pixels whose middle lies in a polygon of the half convention, uint8 {0, 255}."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    inside = np.ones((height, width), bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        inside &= (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0
    return inside.astype(np.uint8) * 255


def centroid(polygon: np.ndarray) -> np.ndarray:
    moments = cv2.moments(polygon.astype(np.float32))
    return np.array([moments["m10"], moments["m01"]]) / moments["m00"]


def source_pose(pixel_center: str, camera_frame: str, unit: str) -> dict[str, Any]:
    flip = OPENGL if camera_frame == "opengl" else np.eye(3)
    shift = 0.5 if pixel_center == "integer" else 0.0
    camera = [520.0, 0.0, 300.25 - shift, 0.0, 500.0, 210.75 - shift, 0.0, 0.0, 1.0]
    return {
        "mask": "car/000.png",
        "category": "car",
        "R_m2c": (flip @ rotation()).ravel().tolist(),
        "t_m2c": (flip @ TRANSLATION * (1000 if unit == "mm" else 1)).tolist(),
        "t_unit": unit,
        "cam_K": camera,
        "image_size": [WIDTH, HEIGHT],
        "camera_frame": camera_frame,
        "pixel_center": pixel_center,
        "dims_hwl_m": [1.4, 1.8, 4.0],
    }


@pytest.fixture
def inputs(tmp_path: Path) -> Any:
    def write(pose: dict[str, Any]) -> list[str]:
        (tmp_path / "masks/car").mkdir(parents=True, exist_ok=True)
        mask = coverage(hull(pose, np.array(pose["cam_K"])), WIDTH, HEIGHT)
        cv2.imwrite(str(tmp_path / "masks" / pose["mask"]), mask)
        (tmp_path / "poses.jsonl").write_text(json.dumps(pose) + "\n")
        return ["--masks", str(tmp_path / "masks"), "--poses", str(tmp_path / "poses.jsonl")]

    return write


def run(arguments: list[str], bundle: Path, out: Path, *extra: object) -> int:
    options = [*arguments, "--bundle", bundle, "--out", out, *extra]
    return run_app(app, [str(option) for option in options])


@pytest.mark.parametrize("fit", ["object", "frame", "stretch"])
@pytest.mark.parametrize("pixel_center", ["integer", "half"])
@pytest.mark.parametrize(("frame", "unit"), [("opencv", "mm"), ("opengl", "m")])
def test_the_mesh_falls_on_the_written_silhouette(
    inputs: Any,
    tiny_bundle: Path,
    tmp_path: Path,
    fit: str,
    pixel_center: str,
    frame: str,
    unit: str,
) -> None:
    pose = source_pose(pixel_center, frame, unit)
    assert run(inputs(pose), tiny_bundle, tmp_path / "out", "--fit", fit) == 0
    (line,) = (tmp_path / "out/labels/poses.jsonl").read_text().splitlines()
    written = json.loads(line)
    assert written["mask"] == "car/000.png"
    for field in ("R_m2c", "t_m2c", "t_unit", "camera_frame", "pixel_center", "dims_hwl_m"):
        assert written[field] == pose[field], field
    mask = cv2.imread(str(tmp_path / "out/masks/car/000.png"), cv2.IMREAD_UNCHANGED)
    height, width = mask.shape
    assert written["image_size"] == [width, height]
    polygon = hull(written, np.array(written["cam_K"]))
    middle = np.argwhere(mask)[:, ::-1].mean(axis=0) + 0.5

    def distance(shifted: np.ndarray) -> float:
        return float(np.abs(centroid(shifted) - middle).max())

    assert distance(polygon) < 0.1
    for shift in ([0.25, 0], [0, 0.25], [-0.25, 0], [0, -0.25]):
        assert distance(polygon + np.array(shift, np.float32)) > 0.15
    drawn = coverage(polygon, width, height) > 0
    assert (drawn & (mask > 0)).sum() / (drawn | (mask > 0)).sum() > 0.96


def test_the_output_is_input_for_another_run(
    inputs: Any, tiny_bundle: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    pose = source_pose("integer", "opencv", "mm")
    assert run(inputs(pose), tiny_bundle, first, "--fit", "object") == 0
    again = ["--masks", str(first / "masks"), "--poses", str(first / "labels/poses.jsonl")]
    assert run(again, tiny_bundle, second, "--fit", "frame") == 0
    name = "car/000.png"
    before, after = (read_poses(out / "labels/poses.jsonl")[name] for out in (first, second))
    assert before == after
    assert before.category == "car"


def test_categories_of_the_labels_are_those_of_the_poses(
    inputs: Any, tiny_bundle: Path, tmp_path: Path
) -> None:
    arguments = inputs(source_pose("half", "opencv", "m"))
    assert run(arguments, tiny_bundle, tmp_path / "out") == 0
    coco = json.loads((tmp_path / "out/labels/coco/instances.json").read_text())
    assert coco["categories"] == [{"id": 1, "name": "car"}]


def test_a_pose_of_another_size_fails_its_mask_alone(
    inputs: Any, tiny_bundle: Path, tmp_path: Path
) -> None:
    arguments = inputs({**source_pose("half", "opencv", "m"), "image_size": [1280, 800]})
    cv2.imwrite(str(tmp_path / "masks/other.png"), np.eye(64, dtype=np.uint8) * 255)
    right = {**source_pose("half", "opencv", "m"), "mask": "other.png", "image_size": [64, 64]}
    with (tmp_path / "poses.jsonl").open("a") as lines:
        lines.write(json.dumps(right) + "\n")
    assert run(arguments, tiny_bundle, tmp_path / "out") == 1
    rows = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").open()]
    assert [(row["mask"], row["state"]) for row in rows] == [
        ("car/000.png", "failed"),
        ("other.png", "done"),
    ]
    assert "640×400" in rows[0]["reason"]
    assert "1280×800" in rows[0]["reason"]


@pytest.mark.parametrize("field", ["t_unit", "camera_frame", "pixel_center"])
def test_what_is_never_guessed_must_be_there(
    inputs: Any, tiny_bundle: Path, tmp_path: Path, field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pose = source_pose("half", "opencv", "m")
    arguments = inputs(pose)
    del pose[field]
    (tmp_path / "poses.jsonl").write_text(json.dumps(pose))
    assert run(arguments, tiny_bundle, tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert f"{field} is missing" in error
    assert not (tmp_path / "out").exists()


def test_poses_of_other_masks_are_refused(
    inputs: Any, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = inputs(source_pose("half", "opencv", "m"))
    (tmp_path / "masks/car/000.png").rename(tmp_path / "masks/car/001.png")
    assert run(arguments, tiny_bundle, tmp_path / "out") == 2
    assert "names none of the masks; it has car/000.png" in capsys.readouterr().err


def test_masks_without_a_pose_are_counted(
    inputs: Any, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = inputs(source_pose("half", "opencv", "m"))
    cv2.imwrite(str(tmp_path / "masks/other.png"), np.eye(64, dtype=np.uint8) * 255)
    assert run(arguments, tiny_bundle, tmp_path / "out") == 0
    assert "1 of 2 masks have no pose" in capsys.readouterr().err


def test_several_objects_a_file_cannot_have_one_pose(
    inputs: Any, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = inputs(source_pose("half", "opencv", "m"))
    assert run(arguments, tiny_bundle, tmp_path / "out", "--mask-values", "each") == 2
    assert "write one mask file for each object" in capsys.readouterr().err


def test_a_mask_without_a_pose_beside_poses_of_several_categories(
    inputs: Any, tiny_bundle: Path, tmp_path: Path
) -> None:
    arguments = inputs(source_pose("half", "opencv", "m"))
    first = tmp_path / "masks/car/000.png"
    lines = []
    for name in ("car", "van"):
        (tmp_path / f"masks/{name}.png").write_bytes(first.read_bytes())
        pose = {**source_pose("half", "opencv", "m"), "mask": f"{name}.png", "category": name}
        lines.append(json.dumps(pose))
    (tmp_path / "poses.jsonl").write_text("\n".join(lines))
    assert run(arguments, tiny_bundle, tmp_path / "out") == 0
    coco = json.loads((tmp_path / "out/labels/coco/instances.json").read_text())
    names = {category["id"]: category["name"] for category in coco["categories"]}
    assert sorted(names[a["category_id"]] for a in coco["annotations"]) == ["car", "object", "van"]
