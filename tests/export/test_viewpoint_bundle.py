"""A model that takes the viewpoint, from its checkpoint to posegen-run, through the commands."""

import json

import cv2
import numpy as np
import pytest

from posegen_export.cli import app as export_app
from posegen_runtime import PoseGenerator
from posegen_runtime.bundle import Bundle
from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.images import read_rgb

FULL = "pose-appearance-background"
FLIP = np.diag([1.0, -1.0, -1.0])


@pytest.fixture
def bundle(exported_bundle):
    return exported_bundle("spatial", f"{FULL}+viewpoint")


def test_the_runtime_proves_itself(bundle, capsys):
    assert run_app(app, ["--selftest", "--bundle", str(bundle)]) == 0
    assert capsys.readouterr().out.count("passed") == 2


def test_check_repeats_the_figures_and_tells_models_apart(bundle, moving_checkpoint, capsys):
    own = str(moving_checkpoint("spatial", f"{FULL}+viewpoint"))
    assert run_app(export_app, ["check", str(bundle), "--checkpoint", own]) == 0
    assert "golden files" in capsys.readouterr().out
    other = str(moving_checkpoint("spatial", FULL))
    assert run_app(export_app, ["check", str(bundle), "--checkpoint", other]) == 2
    assert "at 64 px with viewpoint, the checkpoint" in capsys.readouterr().err


def silhouette(bundle):
    return read_rgb(bundle / Bundle.load(bundle).manifest.golden[0].mask)[..., 0]


def test_the_same_mask_from_front_and_rear_gives_other_images(bundle):
    generator = PoseGenerator.load(bundle, threads=1)
    mask = silhouette(bundle)
    sides = np.array([[1, 0, 0], [-1, 0, 0], [0, 0, 0]], np.float32)
    images = generator.generate(np.repeat(mask[None], 3, axis=0), viewpoint=sides)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        difference = np.abs(images[one].astype(int) - images[other])
        assert difference[mask > 127].mean() > 1
    alone = [generator.generate(mask, viewpoint=side)[0] for side in sides]
    np.testing.assert_array_equal(images, np.stack(alone))


def test_poses_in_any_camera_frame_are_the_interface_s_viewpoints(bundle, tmp_path):
    mask = silhouette(bundle)
    generator = PoseGenerator.load(bundle, threads=1)
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/car.png"), mask)
    # Seen from its left side: x (forward) is to the left in the image, z (up) is up.
    R, t = np.array([[-1.0, 0, 0], [0, 0, -1], [0, -1, 0]]), np.array([0.0, 0, 6])
    made = {}
    for frame, turn in (("opencv", np.eye(3)), ("opengl", FLIP)):
        pose = {
            "mask": "car.png",
            "R_m2c": (turn @ R).ravel().tolist(),
            "t_m2c": (turn @ t).tolist(),
            "t_unit": "m",
            "cam_K": [80, 0, 32, 0, 80, 32, 0, 0, 1],
            "image_size": [64, 64],
            "camera_frame": frame,
            "pixel_center": "half",
        }
        poses = tmp_path / f"{frame}.jsonl"
        poses.write_text(json.dumps(pose))
        out = tmp_path / frame
        arguments = ["--bundle", bundle, "--masks", tmp_path / "masks", "--out", out]
        arguments += ["--poses", poses, "--fit", "frame"]
        assert run_app(app, [str(argument) for argument in arguments]) == 0
        made[frame] = read_rgb(out / "images/car.png")
    left = generator.generate(mask, viewpoint=np.array([0, 1, 0], np.float32))[0]
    np.testing.assert_array_equal(made["opencv"], left)
    np.testing.assert_array_equal(made["opengl"], left)
    assert not np.array_equal(left, generator.generate(mask)[0])
