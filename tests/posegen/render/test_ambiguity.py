"""The ambiguity of a pose against silhouettes rasterised by the definition."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import trimesh

from mesh_projection import rasterise
from posegen.render.ambiguity import LEAST_TURN, Turned
from posegen.render.camera import intrinsics, orbit
from posegen.render.mesh_masks import write_masks
from posegen.render.meshes import MeshSource, MeshUnit, Up
from posegen_runtime.poses import Pose, read_poses

SIZE = (240, 180)  # width, height


def car(folder: Path, cabin: float) -> MeshSource:
    """A box with a cabin that sits so many metres behind the middle; x forward, z up."""
    body = trimesh.creation.box((4.2, 1.8, 0.7)).apply_translation((0, 0, 0.5))
    top = trimesh.creation.box((1.8, 1.6, 0.6)).apply_translation((-cabin, 0, 1.1))
    trimesh.util.concatenate([body, top]).export(folder / f"car{cabin}.ply")
    return MeshSource(folder / f"car{cabin}.ply")


def posed(
    source: MeshSource, yaw: float, elevation: float, distance: float, fill: float = 0.7
) -> Pose:
    """Degrees and metres; the object spans about `fill` of the image's width at any distance."""
    vertices = source.read().vertices @ source.upright.T
    centre = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    R, t = orbit(centre, np.radians(yaw), np.radians(elevation), distance)
    K = intrinsics(*SIZE, 40.0)
    K[0, 0] = K[1, 1] = fill * SIZE[0] * distance / np.ptp(vertices, axis=0)[:2].max()
    entry = {
        "mask": "a.png",
        "R_m2c": (R @ source.upright).ravel().tolist(),
        "t_m2c": t.tolist(),
        "t_unit": "m",
        "cam_K": K.ravel().tolist(),
        "image_size": SIZE,
        "camera_frame": "opencv",
        "pixel_center": "integer",
    }
    return msgspec.convert(entry, Pose)


def found(source: MeshSource, *poses: Pose) -> list[float]:
    """NaN where nothing is said."""
    turned = Turned(source, source.read())
    try:
        return np.array([turned.ambiguity(pose) for pose in poses], float).tolist()
    finally:
        turned.close()


def overlaps(source: MeshSource, pose: Pose, turns: np.ndarray) -> list[float]:
    """IoU of the pose's silhouette with that of the object turned by so many degrees."""
    part = source.read()
    centre = (part.vertices.min(axis=0) + part.vertices.max(axis=0)) / 2
    axis = source.upright[2]

    def drawn(turn: float) -> np.ndarray:
        rotation = trimesh.transformations.rotation_matrix(np.radians(turn), axis, centre)
        vertices = trimesh.transform_points(part.vertices, rotation)
        camera = np.array(pose.R_m2c), np.array(pose.t_m2c), np.array(pose.cam_K)
        return np.asarray(rasterise(vertices, part.faces, *camera, SIZE[::-1]) > 0)

    own = drawn(0)
    return [(own & other).sum() / (own | other).sum() for other in map(drawn, turns)]


def test_a_car_far_away_at_its_own_height_has_a_twin(tmp_path: Path) -> None:
    source = car(tmp_path, 0.5)
    pose = posed(source, 60, 0, 80)
    (value,) = found(source, pose)
    assert value > 0.95
    (twin,) = overlaps(source, pose, np.array([-60.0]))  # seen at 120° = 180° − 60°
    assert value == pytest.approx(twin, abs=0.02)


def test_a_car_from_its_side_nearby_has_none(tmp_path: Path) -> None:
    source = car(tmp_path, 1.2)
    (value,) = found(source, posed(source, 90, 10, 8))
    assert value < 0.8


def test_the_less_alike_front_and_rear_the_lower(tmp_path: Path) -> None:
    values = []
    for cabin in (0.0, 0.3, 0.6, 0.9, 1.2):
        source = car(tmp_path, cabin)
        values += found(source, posed(source, 90, 15, 10))
    assert values[0] == pytest.approx(1, abs=0.005)
    assert values == sorted(values, reverse=True)
    assert values[0] - values[-1] > 0.15


def test_the_higher_the_camera_the_further_apart_the_twins(tmp_path: Path) -> None:
    source = car(tmp_path, 0.5)
    values = found(source, *(posed(source, 60, elevation, 80) for elevation in (0, 3, 6, 9)))
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


@pytest.mark.parametrize("shift", [0, 100], ids=["whole", "cut by the border"])
@pytest.mark.parametrize(("yaw", "elevation"), [(25, 5), (140, 30), (-60, 12)])
def test_every_turn_was_looked_at(
    tmp_path: Path, yaw: float, elevation: float, shift: float
) -> None:
    """An L that stands on y, far from its own origin, against rasterised silhouettes."""
    leg = trimesh.creation.box((40, 100, 20))
    foot = trimesh.creation.box((90, 25, 20)).apply_translation((25, -37, 0))
    mesh = trimesh.util.concatenate([leg, foot]).apply_translation((30, 100, -50))
    mesh.export(tmp_path / "letter.obj")
    source = MeshSource(tmp_path / "letter.obj", MeshUnit.CENTIMETRE, Up.Y)
    pose = posed(source, yaw, elevation, 4, fill=0.5)
    K = np.array(pose.cam_K) + np.array([0, 0, shift, 0, 0, 0, 0, 0, 0])
    pose = msgspec.structs.replace(pose, cam_K=tuple(K.tolist()))
    (value,) = found(source, pose)
    turns = np.arange(LEAST_TURN, 360 - LEAST_TURN + 1, 3.0)
    assert value == pytest.approx(max(overlaps(source, pose, turns)), abs=0.02)


def test_conventions_do_not_matter(tmp_path: Path) -> None:
    source = car(tmp_path, 0.5)
    pose = posed(source, 35, 10, 12)
    flip = np.diag([1.0, -1.0, -1.0])
    K = np.reshape(pose.cam_K, (3, 3)) + np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    changed = {
        "R_m2c": (flip @ np.reshape(pose.R_m2c, (3, 3))).ravel().tolist(),
        "t_m2c": (1000 * flip @ np.array(pose.t_m2c)).tolist(),
        "t_unit": "mm",
        "cam_K": K.ravel().tolist(),
        "camera_frame": "opengl",
        "pixel_center": "half",
    }
    other = msgspec.convert(msgspec.to_builtins(pose) | changed, Pose)
    one, same = found(source, pose, other)
    assert one == pytest.approx(same, abs=0.002)


def test_nothing_is_said_where_nothing_is_seen(tmp_path: Path) -> None:
    source = car(tmp_path, 0.5)
    pose = posed(source, 35, 10, 12)
    aside = msgspec.structs.replace(pose, t_m2c=(500.0, 0.0, 12.0))
    inside = msgspec.structs.replace(pose, t_m2c=(0.0, 0.0, 1.0))
    assert np.isnan(found(source, aside, inside)).all()
    tiny = MeshSource(source.path, MeshUnit.MILLIMETRE)
    assert np.isnan(found(tiny, pose)).all()


def test_a_mesh_without_area_is_not_seen(tmp_path: Path) -> None:
    source = car(tmp_path, 0.5)
    part = source.read()
    line = replace(part, vertices=part.vertices * [1, 0, 0])
    turned = Turned(source, line)
    assert turned.ambiguity(posed(source, 35, 10, 12)) is None
    turned.close()


def test_masks_carry_it(tmp_path: Path) -> None:
    source = car(tmp_path, 0.5)
    part, pose = source.read(), posed(source, 60, 0, 80)
    turned = Turned(source, part)
    write_masks(part, [pose], tmp_path / "marked", turned=turned)
    write_masks(part, [pose], tmp_path / "plain")
    assert read_poses(tmp_path / "marked" / "poses.jsonl")["a.png"] == turned.marked(pose)
    assert read_poses(tmp_path / "plain" / "poses.jsonl")["a.png"] == pose
    turned.close()
