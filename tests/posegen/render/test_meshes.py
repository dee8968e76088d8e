"""Meshes of users: units, axes, colours, and files that are none."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from posegen.render.meshes import MeshSource, MeshUnit, Up
from posegen.render.model import Finish
from posegen_runtime.errors import PoseGenError

PAINT = (10, 20, 30)


def brick(path: Path, **visual: np.ndarray) -> Path:
    mesh = trimesh.creation.box((4, 2, 1))
    mesh.apply_translation((10, 0, 0))
    if visual:
        mesh.visual = trimesh.visual.ColorVisuals(mesh, **visual)
    mesh.export(path)
    return path


@pytest.mark.parametrize("suffix", ["obj", "glb", "ply", "stl"])
def test_formats_are_read(tmp_path: Path, suffix: str) -> None:
    part = MeshSource(brick(tmp_path / f"brick.{suffix}")).read(PAINT)
    np.testing.assert_allclose(np.ptp(part.vertices, axis=0), (4, 2, 1))
    np.testing.assert_allclose(part.vertices.mean(axis=0), (10, 0, 0), atol=1e-6)
    assert len(part.faces) == 12
    assert part.colors.shape == part.vertices.shape


@pytest.mark.parametrize(
    ("unit", "metres"), [("mm", 0.001), ("cm", 0.01), ("m", 1.0), ("in", 0.0254)]
)
def test_units(tmp_path: Path, unit: str, metres: float) -> None:
    part = MeshSource(brick(tmp_path / "brick.ply"), MeshUnit(unit)).read()
    np.testing.assert_allclose(np.ptp(part.vertices, axis=0), np.array([4, 2, 1]) * metres)


@pytest.mark.parametrize("up", [up for up in Up if up is not Up.AUTO])
def test_up_axis_becomes_z(tmp_path: Path, up: Up) -> None:
    axis = "xyz".index(up.value[-1])
    direction = np.eye(3)[axis] * (-1 if up.value.startswith("-") else 1)
    source = MeshSource(brick(tmp_path / "brick.ply"), up=up)
    np.testing.assert_array_equal(source.upright @ direction, (0, 0, 1))
    assert np.linalg.det(source.upright) == pytest.approx(1)
    model = source.model(PAINT)
    assert model.size[2] == pytest.approx((4, 2, 1)[axis])
    vertices = model.whole.vertices
    np.testing.assert_allclose(vertices.min(axis=0), -vertices.max(axis=0))


@pytest.mark.parametrize(
    ("name", "up", "height"),
    [("a.glb", Up.AUTO, 2), ("a.GLB", Up.AUTO, 2), ("a.glb", Up.Z, 1), ("a.obj", Up.AUTO, 1)],
)
def test_gltf_is_y_up_by_itself(tmp_path: Path, name: str, up: Up, height: float) -> None:
    source = MeshSource(brick(tmp_path / name), up=up)
    assert source.model(PAINT).size[2] == pytest.approx(height)


def test_own_colours_are_kept_and_bare_meshes_are_painted(tmp_path: Path) -> None:
    colors = np.tile(np.array([200, 100, 50, 255], np.uint8), (8, 1))
    coloured = MeshSource(brick(tmp_path / "a.ply", vertex_colors=colors)).read(PAINT)
    assert (coloured.colors == (200, 100, 50)).all()
    bare = MeshSource(brick(tmp_path / "b.stl")).read(PAINT)
    assert (bare.colors == PAINT).all()
    assert bare.finish is Finish.PAINT


def test_vertices_of_no_triangle_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "stray.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 1\nv 50 50 50\nf 1 2 3\n")
    np.testing.assert_allclose(MeshSource(path).model(PAINT).size, (1, 1, 1))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.obj", None, "no such mesh"),
        ("car.fbx", b"", "unknown mesh format"),
        ("empty.obj", b"", "cannot be read|no triangles"),
        ("points.ply", b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\n"
         b"property float y\nproperty float z\nend_header\n0 0 0\n", "no triangles|cannot be read"),
        ("noise.stl", b"\x00\x01\x02" * 50, "cannot be read|no triangles"),
        ("noise.glb", b"not a model", "cannot be read"),
        ("flat.obj", b"v 0 0 0\nv 0 0 0\nv 0 0 0\nf 1 2 3\n", "one point|no triangles"),
        ("nan.obj", b"v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n", "finite|no triangles|one point"),
    ],
)  # fmt: skip
def test_unusable_files_are_one_line(
    tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PoseGenError, match=says) as caught:
        MeshSource(path).read()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
