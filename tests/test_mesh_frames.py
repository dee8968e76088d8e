"""A mesh's own frame against the frame of its renders, for every axis that may point up."""

import json
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
import trimesh

from posegen.data.cli import app as data_app
from posegen.data.dataset import open_dataset
from posegen.render.camera import View
from posegen.render.meshes import MeshSource, Up
from posegen.render.silhouettes import SilhouetteRenderer
from posegen_runtime.choices import Axis
from posegen_runtime.console import run_app
from posegen_runtime.poses import read_poses
from posegen_runtime.viewpoints import of_poses, to_training_frame

OPTIONS = {"z": ("x", "z"), "y": ("z", "y"), "x": ("y", "x")}
OPTIONS |= {"-x": ("z", "-x"), "-y": ("x", "-y"), "-z": ("x", "-z")}
"""The table of docs/output.md: up, then --model-forward and --model-up."""
PAGE = Path(__file__).parents[1] / "docs" / "output.md"


@pytest.fixture
def glb(tmp_path: Path) -> Path:
    """A lopsided mesh, no two of its sides alike, in metres; its box is centred on its origin."""
    boxes = [((4, 2, 1), (0, 0, 0)), ((1, 1, 1), (1.2, 1.3, 0.2)), ((0.6, 0.5, 2), (-1.5, 0.4, 1))]
    parts = [trimesh.creation.box(size).apply_translation(at) for size, at in boxes]
    mesh = trimesh.util.concatenate(parts)
    mesh.apply_translation(-mesh.bounds.mean(axis=0))
    mesh.export(tmp_path / "lopsided.glb")
    return tmp_path / "lopsided.glb"


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    both = ((one > 0) & (other > 0)).sum()
    return float(both / ((one > 0) | (other > 0)).sum())


@pytest.mark.parametrize("up", OPTIONS)
def test_the_options_for_each_up_axis_give_the_renders_frame(
    glb: Path, tmp_path: Path, up: str
) -> None:
    """The training frame's mesh, seen from the turned pose, has the written silhouette."""
    out = tmp_path / "out"
    arguments = ["masks", "--mesh", glb, "--out", out, "--sample", 3, "--distance", "9:10"]
    arguments += ["--image-size", "96x96", f"--up={up}"]
    assert run_app(data_app, [str(argument) for argument in arguments]) == 0
    forward, upward = (Axis(value) for value in OPTIONS[up])
    turn = to_training_frame(forward, upward)
    trained = MeshSource(glb, up=Up(up)).model((160, 160, 160)).whole
    poses = read_poses(out / "poses.jsonl")
    seen = of_poses(poses, forward, upward)
    renderer = SilhouetteRenderer(96, 96)
    renderer.load(trained.vertices, trained.faces)
    for name, pose in poses.items():
        R, t = np.reshape(pose.R_m2c, (3, 3)) @ turn.T, np.array(pose.t_m2c)
        view = View(R, t, np.reshape(pose.cam_K, (3, 3)), 96, 96)
        mask = cv2.imread(str(out / "masks" / name), cv2.IMREAD_UNCHANGED)
        assert overlap(renderer.render(view), mask) > 0.98
        away = view.position / np.linalg.norm(view.position)
        np.testing.assert_allclose(seen[name], away, atol=1e-9)
        agree = np.allclose(of_poses(poses, Axis.X, Axis.Z)[name], away, atol=0.1)
        assert agree == (up == "z")
    renderer.close()


def test_the_page_names_these_options() -> None:
    page = PAGE.read_text()
    for up, (forward, upward) in OPTIONS.items():
        if up != "z":
            equals = "=" if "-" in upward else " "
            assert f"`--model-forward {forward} --model-up{equals}{upward}`" in page


@pytest.mark.slow
def test_masks_and_renders_of_a_glb_agree(glb: Path, tmp_path: Path) -> None:
    """Poses of a rendered data set, turned back into the mesh's frame, give its silhouettes."""
    data, out = tmp_path / "data", tmp_path / "out"
    arguments = ["render", "--mesh", glb, "--out", data, "--samples", 10, "--cars", 10]
    arguments += ["--image-size", 64, "--workers", 1]
    assert run_app(data_app, [str(argument) for argument in arguments]) == 0
    turn = to_training_frame(Axis.Z, Axis.Y)
    (scene, *_) = sorted((data / "train").iterdir())
    written = json.loads((scene / "scene_gt.json").read_text())
    lines = []
    for pose in read_poses(scene).values():
        R = np.reshape(pose.R_m2c, (3, 3)) @ turn
        lines.append(msgspec.json.encode(msgspec.structs.replace(pose, R_m2c=R.ravel().tolist())))
    (tmp_path / "poses.jsonl").write_bytes(b"\n".join(lines))
    arguments = ["masks", "--mesh", glb, "--out", out, "--poses", tmp_path / "poses.jsonl"]
    assert run_app(data_app, [str(argument) for argument in arguments]) == 0
    poses = read_poses(out / "poses.jsonl")
    assert len(poses) == len(written)
    samples = open_dataset(data).samples("train")
    own = {sample.mask.name: sample for sample in samples if scene in sample.mask.parents}
    for name, seen in of_poses(poses, Axis.Z, Axis.Y).items():
        np.testing.assert_allclose(seen, own[name].viewpoint, atol=1e-6)
        files = own[name].mask, out / "masks" / name
        assert overlap(*(cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in files)) > 0.98
