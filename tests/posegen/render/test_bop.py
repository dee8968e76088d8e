"""BOP's definitions, worked out by hand or by brute force."""

import io

import numpy as np
import pytest
import trimesh

from posegen.render import bop
from posegen.render.camera import View
from posegen.render.model import Part


def test_boxes_are_differences_of_pixel_indices() -> None:
    mask = np.zeros((8, 10), np.uint8)
    mask[2:5, 3:9] = 255
    assert bop.box_of(mask) == [3, 2, 5, 2]
    assert bop.box_of(np.zeros((8, 10), np.uint8)) == [-1, -1, -1, -1]


def test_truncated_object_is_counted_beyond_the_border() -> None:
    whole = np.zeros((24, 30), np.uint8)  # three times 8 by 10
    whole[10:12, 6:14] = 255  # columns -4 to 3 of the image
    mask = whole[8:16, 10:20]
    (info,) = bop.scene_gt_info(mask, whole)
    assert info["bbox_obj"] == [-4, 2, 7, 1]
    assert info["bbox_visib"] == [0, 2, 3, 1]
    assert (info["px_count_all"], info["px_count_valid"], info["px_count_visib"]) == (16, 8, 8)
    assert info["visib_fract"] == 0.5


def test_whole_object_is_wholly_visible() -> None:
    mask = np.full((4, 4), 255, np.uint8)
    (info,) = bop.scene_gt_info(mask, None)
    assert info["visib_fract"] == 1.0
    assert info["bbox_obj"] == info["bbox_visib"] == [0, 0, 3, 3]


def test_poses_are_in_millimetres() -> None:
    view = View(np.eye(3), np.array([0.1, -0.2, 3.0]), np.diag([5.0, 6.0, 1.0]), 4, 4)
    (entry,) = bop.scene_gt(view, 7)
    assert entry == {
        "cam_R_m2c": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        "cam_t_m2c": pytest.approx([100, -200, 3000]),
        "obj_id": 7,
    }
    assert bop.scene_camera(view)["cam_K"] == [5, 0, 0, 0, 6, 0, 0, 0, 1]


def test_diameter_is_the_largest_distance() -> None:
    points = np.random.default_rng(0).normal(size=(500, 3)) * (3, 2, 1)
    expected = np.linalg.norm(points[:, None] - points[None], axis=-1).max()
    assert bop.diameter(points) == pytest.approx(expected)
    info = bop.model_info(points)
    assert info["diameter"] == pytest.approx(expected)
    assert (info["min_z"], info["size_x"]) == (points[:, 2].min(), np.ptp(points[:, 0]))


def test_diameter_of_a_large_mesh_is_close() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=5).vertices * (1.0, 1.3, 0.8)
    assert len(sphere) > 10_000
    assert bop.diameter(np.asarray(sphere)) == pytest.approx(2.6, rel=1e-3)


def test_ply_is_read_back_in_millimetres_with_colours() -> None:
    part = Part(
        np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3.0]]),
        np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 8, 7]], np.uint8),
    )
    mesh = trimesh.load(io.BytesIO(bop.ply(part)), file_type="ply", process=False)
    np.testing.assert_allclose(mesh.vertices, part.vertices * 1000)
    np.testing.assert_array_equal(mesh.faces, part.faces)
    np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], part.colors)
