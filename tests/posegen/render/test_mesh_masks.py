"""Silhouettes of a user's mesh, at poses that are sampled or given in any convention."""

from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
import trimesh

from mesh_projection import EXACT, mismatch, rasterise
from posegen.render.mesh_masks import sample_poses, write_masks
from posegen.render.meshes import MeshSource, MeshUnit, Up
from posegen_runtime.errors import PoseGenError
from posegen_runtime.poses import Pose, read_poses

SIZE = (120, 90)  # width, height


@pytest.fixture
def source(tmp_path: Path) -> MeshSource:
    """An L of centimetres that stands on y and far from its own origin."""
    leg = trimesh.creation.box((40, 100, 20))
    foot = trimesh.creation.box((90, 25, 20)).apply_translation((25, -37, 0))
    mesh = trimesh.util.concatenate([leg, foot]).apply_translation((30, 200, -50))
    mesh.export(tmp_path / "letter.obj")
    return MeshSource(tmp_path / "letter.obj", MeshUnit.CENTIMETRE, Up.Y)


def sample(source: MeshSource, count: int = 4) -> list[Pose]:
    return sample_poses(
        source, source.read(), count, (3.0, 5.0), (0, 40), SIZE, 40.0, "letter", seed=2
    )


def masks_of(out: Path, poses: list[Pose]) -> list[np.ndarray]:
    found = [cv2.imread(str(out / "masks" / pose.mask), cv2.IMREAD_UNCHANGED) for pose in poses]
    assert all(mask is not None for mask in found)
    return found  # type: ignore[return-value]


def test_written_poses_project_the_mesh_onto_the_masks(source: MeshSource, tmp_path: Path) -> None:
    assert write_masks(source.read(), sample(source), tmp_path / "out") == 0
    poses = list(read_poses(tmp_path / "out" / "poses.jsonl").values())
    assert len(poses) == 4
    mesh = trimesh.load(source.path, process=False)
    for pose, mask in zip(poses, masks_of(tmp_path / "out", poses), strict=True):
        assert (pose.image_size, pose.t_unit, pose.camera_frame) == (SIZE, "mm", "opencv")
        pose_in = np.array(pose.R_m2c), np.array(pose.t_m2c), np.array(pose.cam_K)
        expected = rasterise(mesh.vertices * 10, mesh.faces, *pose_in, SIZE[::-1])
        assert mismatch(mask, expected) < EXACT
        top, bottom = np.array([[30, 250.0, -50], [30, 150.0, -50]]) * 10
        R, t = np.reshape(pose.R_m2c, (3, 3)), np.array(pose.t_m2c)
        assert (R @ top + t)[1] < (R @ bottom + t)[1]  # y of the mesh points up in the image


def test_every_convention_gives_the_same_silhouettes(source: MeshSource, tmp_path: Path) -> None:
    opencv = sample(source)
    flip = np.diag([1.0, -1.0, -1.0])
    other = []
    for pose in opencv:
        K = np.reshape(pose.cam_K, (3, 3)) + np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
        changed = {
            "R_m2c": (flip @ np.reshape(pose.R_m2c, (3, 3))).ravel().tolist(),
            "t_m2c": (flip @ np.array(pose.t_m2c) / 1000).tolist(),
            "t_unit": "m",
            "cam_K": K.ravel().tolist(),
            "camera_frame": "opengl",
            "pixel_center": "half",
            "mask": f"nested/{pose.mask}",
        }
        other.append(msgspec.convert(msgspec.to_builtins(pose) | changed, Pose))
    write_masks(source.read(), opencv, tmp_path / "a")
    write_masks(source.read(), other, tmp_path / "b")
    pairs = zip(masks_of(tmp_path / "a", opencv), masks_of(tmp_path / "b", other), strict=True)
    for mask, same in pairs:
        assert mismatch(same, mask) < EXACT
    written = read_poses(tmp_path / "b" / "poses.jsonl")
    assert [written[pose.mask] for pose in other] == other  # as they came


def test_image_sizes_may_differ(source: MeshSource, tmp_path: Path) -> None:
    first, second, *_ = sample(source)
    second = msgspec.structs.replace(second, image_size=(64, 200))
    write_masks(source.read(), [first, second], tmp_path / "out")
    shapes = [mask.shape for mask in masks_of(tmp_path / "out", [first, second])]
    assert shapes == [(90, 120), (200, 64)]


def test_sampling_follows_from_the_seed(source: MeshSource) -> None:
    assert sample(source, 3) == sample(source, 5)[:3]
    assert len({pose.R_m2c for pose in sample(source, 5)}) == 5


def test_empty_silhouettes_are_counted(source: MeshSource, tmp_path: Path) -> None:
    seen, lost, *_ = sample(source)
    aside = (9e6, *lost.t_m2c[1:])
    lost = msgspec.structs.replace(lost, t_m2c=aside)
    assert write_masks(source.read(), [seen, lost], tmp_path / "out") == 1
    (tmp_path / "there").mkdir()
    for out in (tmp_path / "lost", tmp_path / "there"):
        with pytest.raises(PoseGenError, match="every silhouette is empty"):
            write_masks(source.read(), [lost], out)
        assert not out.exists() or not list(out.iterdir())
        assert write_masks(source.read(), [seen], out) == 0


def test_a_camera_inside_the_object_is_refused(source: MeshSource) -> None:
    metres = MeshSource(source.path, MeshUnit.METRE, Up.Y)
    with pytest.raises(PoseGenError, match="--mesh-unit"):
        sample(metres)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["../a.png"], "leads out"),
        (["/a.png"], "leads out"),
        (["a.png", "a.jpg"], "named twice"),
        (["a.png", "a.png/b.png"], "also the folder"),
        (["a.png/b/c.png", "a.png"], "also the folder"),
    ],
)
def test_bad_mask_names(source: MeshSource, tmp_path: Path, names: list[str], says: str) -> None:
    poses = [msgspec.structs.replace(sample(source, 1)[0], mask=name) for name in names]
    with pytest.raises(PoseGenError, match=says):
        write_masks(source.read(), poses, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_images_too_large_to_draw_are_refused_first(source: MeshSource, tmp_path: Path) -> None:
    small, large = sample(source, 2)
    large = msgspec.structs.replace(large, image_size=(20000, 64))
    with pytest.raises(PoseGenError, match=r"000001\.png: image_size is 20000×64"):
        write_masks(source.read(), [small, large], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_name_that_no_disk_takes_is_one_line(source: MeshSource, tmp_path: Path) -> None:
    for name in ("a" * 300 + ".png", "a" * 300 + "/b.png"):
        pose = msgspec.structs.replace(sample(source, 1)[0], mask=name)
        with pytest.raises(PoseGenError, match="cannot be"):
            write_masks(source.read(), [pose], tmp_path / str(len(name)))
