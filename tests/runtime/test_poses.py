"""Poses are read, refused and corrected; what they project falls on the placed silhouette."""

import json
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from posegen_runtime.errors import MaskRejected, PoseGenError
from posegen_runtime.geometry import Fit, place
from posegen_runtime.poses import AMBIGUOUS, FIELDS, Pose, read_poses, write_poses
from projection import box_points, offset, overlap, project, rasterise

LINE: dict[str, Any] = {
    "mask": "cars/0001.png",
    "category": "car",
    "R_m2c": [1, 0, 0, 0, 0, -1, 0, 1, 0],
    "t_m2c": [0.1, -0.2, 12.5],
    "t_unit": "m",
    "cam_K": [700, 0, 319.5, 0, 700, 239.5, 0, 0, 1],
    "image_size": [640, 480],
    "camera_frame": "opencv",
    "pixel_center": "integer",
}


def write(path: Path, *entries: Any) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def message(path: Path) -> str:
    with pytest.raises(PoseGenError) as caught:
        read_poses(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def test_reads_a_line(tmp_path: Path) -> None:
    pose = read_poses(write(tmp_path / "p.jsonl", LINE))["cars/0001.png"]
    assert pose.category == "car"
    assert pose.image_size == (640, 480)
    assert pose.t_m2c == (0.1, -0.2, 12.5)
    assert pose.dims_hwl_m is None


def test_blank_lines_byte_order_mark_and_unknown_fields(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = LINE | {"mask": "b.png", "dims_hwl_m": [1.5, 1.8, 4.4], "note": "ours"}
    path = tmp_path / "p.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(LINE).encode() + b"\r\n\r\n" + json.dumps(second).encode()
    )
    poses = read_poses(path)
    assert list(poses) == ["cars/0001.png", "b.png"]
    assert poses["b.png"].dims_hwl_m == (1.5, 1.8, 4.4)
    (said,) = capsys.readouterr().err.splitlines()
    assert f"warning: {path}:3: note is no field of a pose and is not read" in said
    assert "category, dims_hwl_m, frame, ambiguity" in said
    assert read_poses(write(path, LINE | {"frame": "f"}))
    assert capsys.readouterr().err == ""


def test_ambiguity_is_kept_and_judged(tmp_path: Path) -> None:
    lines = [
        LINE | {"mask": f"{number}.png", "ambiguity": value}
        for number, value in enumerate([0, AMBIGUOUS, 1])
    ]
    poses = read_poses(write(tmp_path / "p.jsonl", LINE, *lines))
    write_poses(tmp_path / "again.jsonl", poses.values())
    again = read_poses(tmp_path / "again.jsonl")
    assert [pose.ambiguity for pose in again.values()] == [None, 0, AMBIGUOUS, 1]
    assert [pose.ambiguous for pose in again.values()] == [False, False, False, True]
    assert "ambiguity" not in (tmp_path / "again.jsonl").read_text().splitlines()[0]


def test_mask_names_are_paths_with_forward_slashes(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", LINE | {"mask": ".\\cars\\0001.png"})
    assert list(read_poses(path)) == ["cars/0001.png"]


@pytest.mark.parametrize("field", list(FIELDS))
@pytest.mark.parametrize("how", ["absent", "null"])
def test_missing_field_is_named_with_what_it_may_hold(tmp_path: Path, field: str, how: str) -> None:
    bad = {key: value for key, value in LINE.items() if key != field}
    path = write(tmp_path / "p.jsonl", LINE, bad if how == "absent" else LINE | {field: None})
    text = message(path)
    assert text.startswith(f"{path}:2: {field} is missing")
    assert FIELDS[field] in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"t_unit": "cm"}, ["t_unit", '"mm" or "m"']),
        ({"camera_frame": "OpenCV"}, ["camera_frame", '"opencv"', '"opengl"']),
        ({"pixel_center": "corner"}, ["pixel_center", '"integer"', '"half"']),
        ({"R_m2c": [1, 0, 0]}, ["R_m2c", "9 numbers"]),
        ({"R_m2c": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}, ["R_m2c", "9 numbers"]),
        ({"t_m2c": [0, 0, "5"]}, ["t_m2c", "3 numbers"]),
        ({"image_size": [640, 480, 3]}, ["image_size", "[width, height]"]),
        ({"image_size": [0, 480]}, ["image_size", "[width, height]"]),
        ({"R_m2c": [2, 0, 0, 0, 2, 0, 0, 0, 2]}, ["R_m2c is no rotation"]),
        ({"R_m2c": [1, 0.01, 0, 0, 1, 0, 0, 0, 1]}, ["R_m2c is no rotation"]),
        ({"R_m2c": [0] * 9}, ["R_m2c is no rotation"]),
        ({"R_m2c": [1, 0, 0, 0, 1, 0, 0, 0, -1]}, ["R_m2c is a reflection"]),
        ({"t_m2c": [0, 0, -12.5]}, ["behind the camera", "opencv"]),
        ({"t_m2c": [0, 0, 0]}, ["behind the camera"]),
        ({"camera_frame": "opengl"}, ["behind the camera", "opengl"]),
        ({"cam_K": [-700, 0, 319.5, 0, 700, 239.5, 0, 0, 1]}, ["cam_K", "fx, fy > 0"]),
        ({"cam_K": [700, 0, 319.5, 0, 0, 239.5, 0, 0, 1]}, ["cam_K", "fx, fy > 0"]),
        ({"cam_K": [700, 0, 0, 0, 700, 0, 319.5, 239.5, 1]}, ["cam_K", "row by row"]),
        ({"dims_hwl_m": [1.5, 0, 4]}, ["dims_hwl_m", "positive"]),
        ({"dims_hwl_m": [1682.8, 2278, 4920]}, ["dims_hwl_m is in metres", "1682.8"]),
        ({"mask": 7}, ["mask", "path"]),
        ({"ambiguity": 1.01}, ["ambiguity is 1.01", "0 to 1", "data ambiguity"]),
        ({"ambiguity": -0.1}, ["ambiguity is -0.1"]),
        ({"ambiguity": "high"}, ["ambiguity", "float"]),
    ],
)
def test_impossible_poses(tmp_path: Path, change: dict[str, Any], expected: list[str]) -> None:
    path = write(tmp_path / "p.jsonl", LINE, LINE | {"mask": "b.png"} | change)
    text = message(path)
    assert text.startswith(f"{path}:2: ")
    for part in expected:
        assert part in text


@pytest.mark.parametrize("text", ["{", "[1, 2]", '"pose"', '{"R_m2c": [NaN]}', "\xff"])
def test_lines_that_are_no_objects(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(json.dumps(LINE).encode() + b"\n" + text.encode("latin1"))
    assert message(path).startswith(f"{path}:2: ")


def test_infinite_number(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(LINE).replace("12.5", "1e999"))
    assert f"{path}:1: " in message(path)


@pytest.mark.parametrize("field", ["R_m2c", "t_m2c", "cam_K"])
@pytest.mark.parametrize("number", [1e10, -1e200, 1e308])
@pytest.mark.filterwarnings("error")
def test_numbers_that_nothing_can_be_computed_with(
    tmp_path: Path, field: str, number: float
) -> None:
    """Squares of them are infinite, and infinity minus infinity passes every bound."""
    change = [number if value else 0 for value in LINE[field]]
    text = message(write(tmp_path / "p.jsonl", LINE | {field: change}))
    assert f"{field} holds a number that is no length or pixel" in text


def test_masks_with_odd_names_find_their_poses(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", LINE | {"mask": "a\nb.png"}, LINE | {"mask": "caf%E9.png"})
    assert list(read_poses(path)) == ["a%0Ab.png", "caf%E9.png"]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_files_nested_deeper_than_any_parser_goes(tmp_path: Path, opening: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(opening * 100_000)
    assert "not one JSON object a line" in message(path)
    path = tmp_path / "scene_gt.json"
    path.write_text(opening * 100_000)
    assert "unreadable" in message(path)


def test_rotation_with_four_decimals_passes(tmp_path: Path) -> None:
    rotation = cv2.Rodrigues(np.array([0.3, -0.5, 0.2]))[0].round(4).ravel().tolist()
    assert read_poses(write(tmp_path / "p.jsonl", LINE | {"R_m2c": rotation}))


def test_opengl_in_front_passes(tmp_path: Path) -> None:
    line = LINE | {"camera_frame": "opengl", "t_m2c": [0, 0, -12.5]}
    assert read_poses(write(tmp_path / "p.jsonl", line))


def test_one_mask_twice_missing_and_empty_files(tmp_path: Path) -> None:
    assert "has a pose already" in message(write(tmp_path / "p.jsonl", LINE, LINE))
    assert "no poses found" in message(write(tmp_path / "e.jsonl"))
    assert "cannot be read" in message(tmp_path / "none.jsonl")


def test_size_of_the_mask(tmp_path: Path) -> None:
    pose = read_poses(write(tmp_path / "p.jsonl", LINE))["cars/0001.png"]
    mask = np.full((480, 640), 255, np.uint8)
    pose.check_size(mask.shape)
    for other in (np.full((640, 480), 255, np.uint8), np.full((256, 256), 255, np.uint8)):
        size = f"{other.shape[1]}×{other.shape[0]}"
        expected = rf"cars/0001\.png: the mask is {size} pixels, its pose says 640×480"
        with pytest.raises(MaskRejected, match=expected):
            pose.check_size(other.shape)
        with pytest.raises(MaskRejected, match=expected):
            pose.placed(place(other, (64, 64)))


def test_written_poses_read_back_the_same(tmp_path: Path) -> None:
    pose = msgspec.convert(LINE, Pose)
    other = msgspec.structs.replace(
        pose, mask="ü.png", t_m2c=(1 / 3, 2e-7, 1e5), dims_hwl_m=(1.4, 1.8, 4.6)
    )
    write_poses(tmp_path / "p.jsonl", [pose, other])
    assert list(read_poses(tmp_path / "p.jsonl").values()) == [pose, other]
    assert [p.name for p in tmp_path.iterdir()] == ["p.jsonl"]


def bop_scene(root: Path) -> Path:
    scene = root / "train" / "000003"
    (scene / "mask").mkdir(parents=True)
    entry = {"cam_R_m2c": LINE["R_m2c"], "cam_t_m2c": [100, -200, 12500], "obj_id": 4}
    camera = {"cam_K": LINE["cam_K"], "depth_scale": 1.0}
    (scene / "scene_gt.json").write_text(json.dumps({"0": [entry, entry], "12": [entry]}))
    (scene / "scene_camera.json").write_text(json.dumps({"0": camera, "12": camera}))
    for name in ("000000_000000", "000000_000001", "000012_000000"):
        cv2.imwrite(str(scene / "mask" / f"{name}.png"), np.zeros((480, 640), np.uint8))
    return scene


@pytest.mark.parametrize("name", ["", "scene_gt.json"])
def test_bop_scene(tmp_path: Path, name: str) -> None:
    poses = read_poses(bop_scene(tmp_path) / name)
    assert list(poses) == ["000000_000000.png", "000000_000001.png", "000012_000000.png"]
    expected = LINE | {
        "mask": "000012_000000.png",
        "category": "obj_000004",
        "t_m2c": [100, -200, 12500],
        "t_unit": "mm",
    }
    assert poses["000012_000000.png"] == msgspec.convert(expected, Pose)


def test_bop_scene_without_masks_takes_the_size_from_camera_json(tmp_path: Path) -> None:
    scene = bop_scene(tmp_path)
    for mask in (scene / "mask").iterdir():
        mask.unlink()
    assert "image size is unknown" in message(scene)
    (tmp_path / "camera.json").write_text('{"width": 640, "height": 480}')
    assert {pose.image_size for pose in read_poses(scene).values()} == {(640, 480)}


@pytest.mark.parametrize("name", ["scene_gt.json", "scene_camera.json"])
def test_broken_bop_scenes(tmp_path: Path, name: str) -> None:
    scene = bop_scene(tmp_path)
    (scene / name).write_text("[1]")
    assert name in message(scene)
    (scene / name).write_text('{"0": {}}')
    assert "image 0" in message(scene) or "image 12" in message(scene)
    (scene / name).unlink()
    assert f"{name} is missing" in message(scene)


@pytest.mark.parametrize("image", ["9" * 5000, "٣", "-1", "1_0", ""])
def test_bop_images_that_are_no_numbers(tmp_path: Path, image: str) -> None:
    (tmp_path / "scene_gt.json").write_text(json.dumps({image: [{"obj_id": 1}]}))
    (tmp_path / "scene_camera.json").write_text(json.dumps({image: {}}))
    with pytest.raises(PoseGenError, match="not BOP's; images are numbers"):
        read_poses(tmp_path)


def test_bop_object_without_a_number(tmp_path: Path) -> None:
    scene = bop_scene(tmp_path)
    text = (scene / "scene_gt.json").read_text().replace('"obj_id": 4', '"obj_id": "car"')
    (scene / "scene_gt.json").write_text(text)
    assert "image 0, object 0: not a JSON object with a whole number as obj_id" in message(scene)


def test_bop_pose_that_is_no_rotation_is_named(tmp_path: Path) -> None:
    scene = bop_scene(tmp_path)
    text = (scene / "scene_gt.json").read_text().replace("-1", "-2")
    (scene / "scene_gt.json").write_text(text)
    assert "image 0, object 0: R_m2c is no rotation" in message(scene)


def random_pose(seed: int, frame: tuple[int, int], pixel_center: str, camera_frame: str) -> Pose:
    """A 4.4 m long box 9 to 14 m away, wholly in the picture, in millimetres."""
    rng = np.random.default_rng(seed)
    height, width = frame
    rotation = cv2.Rodrigues(rng.uniform(-1, 1, 3) * 2)[0]
    translation = np.array([rng.uniform(-600, 600), rng.uniform(-300, 300), rng.uniform(9e3, 14e3)])
    if camera_frame == "opengl":
        flip = np.diag([1.0, -1, -1])
        rotation, translation = flip @ rotation, flip @ translation
    focal = 1.1 * min(frame)
    camera = (focal, 0.7, width / 2 + 3, 0, focal * 1.02, height / 2 - 5, 0, 0, 1)
    return msgspec.convert(
        LINE
        | {
            "R_m2c": rotation.ravel().tolist(),
            "t_m2c": translation.tolist(),
            "t_unit": "mm",
            "cam_K": camera,
            "image_size": (width, height),
            "camera_frame": camera_frame,
            "pixel_center": pixel_center,
        },
        Pose,
    )


BOX = box_points(1500, 1800, 4400)
POSES = 12
DRIFT = 0.06
"""Pixels; a shift of a quarter of a pixel must be far above it."""


def mean_offset(
    fit: Fit, pixel_center: str, camera_frame: str, shift: tuple[float, float] = (0, 0)
) -> np.ndarray:
    """Mean offset (x, y) of placed silhouettes from what the corrected poses project."""
    offsets = []
    for seed in range(POSES):
        pose = random_pose(seed, (360, 480), pixel_center, camera_frame)
        mask = rasterise(project(BOX, pose), (360, 480))
        placement = place(mask, (256, 256), fit)
        placed = pose.placed(placement)
        assert placed.image_size == (256, 256)
        points = project(BOX, placed) + shift
        silhouette = placement.mask(mask)
        assert overlap(silhouette, points) > 0.97
        offsets.append(offset(silhouette, points))
    return np.mean(offsets, axis=0)


@pytest.mark.parametrize("camera_frame", ["opencv", "opengl"])
@pytest.mark.parametrize("pixel_center", ["integer", "half"])
@pytest.mark.parametrize("fit", [Fit.OBJECT, Fit.FRAME, Fit.STRETCH])
def test_corrected_pose_projects_on_the_placed_silhouette(
    fit: Fit, pixel_center: str, camera_frame: str
) -> None:
    assert np.abs(mean_offset(fit, pixel_center, camera_frame)).max() < DRIFT


@pytest.mark.parametrize("shift", [(0.25, 0), (0, 0.25), (-0.25, 0), (0, -0.25)])
@pytest.mark.parametrize("fit", [Fit.OBJECT, Fit.FRAME, Fit.STRETCH])
def test_a_quarter_of_a_pixel_is_seen(fit: Fit, shift: tuple[float, float]) -> None:
    assert np.abs(mean_offset(fit, "integer", "opencv", shift)).max() > 3 * DRIFT


@pytest.mark.parametrize("fit", [Fit.OBJECT, Fit.FRAME, Fit.STRETCH])
def test_the_wrong_pixel_centre_is_seen(fit: Fit) -> None:
    """Silhouettes of "integer" cameras corrected as if they were "half"."""
    offsets = []
    for seed in range(POSES):
        pose = random_pose(seed, (360, 480), "integer", "opencv")
        mask = rasterise(project(BOX, pose), (360, 480))
        placement = place(mask, (256, 256), fit)
        wrong = msgspec.structs.replace(pose, pixel_center="half").placed(placement)
        offsets.append(offset(placement.mask(mask), project(BOX, wrong)))
    assert np.abs(np.mean(offsets, axis=0)).max() > 3 * DRIFT
