"""posegen-run tells the model the viewpoint of each mask's pose, in the frame of its training."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posegen_runtime import PoseGenerator
from posegen_runtime.choices import Axis
from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.poses import viewpoint
from posegen_runtime.viewpoints import to_training_frame
from tiny_bundle import SIZE, example_mask, golden_viewpoint, write_tiny_bundle


@pytest.fixture(scope="module")
def generator(viewpoint_bundle: Path) -> PoseGenerator:
    return PoseGenerator.load(viewpoint_bundle, threads=1)


def distance(images: np.ndarray, others: np.ndarray) -> int:
    return int(np.abs(images.astype(int) - others.astype(int)).max())


def looking(azimuth: float, elevation: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """R and t, in OpenCV's frame, of a camera that sees an object (x forward, z up) from there."""
    away = np.array([np.cos(azimuth), np.sin(azimuth), 0]) * np.cos(elevation)
    away[2] = np.sin(elevation)
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0])
    R = np.stack([right, np.cross(-away, right), -away])
    return R, np.array([0.0, 0.0, 7.0])


class Run:
    """posegen-run on one mask at several poses."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.folder, self.bundle = folder, bundle
        (folder / "masks").mkdir()
        for index in range(3):
            cv2.imwrite(str(folder / f"masks/{index}.png"), example_mask(0))
        self.angles = (0.0, 2.0, np.pi)
        self.runs = 0

    def poses(self, frame: str = "opencv", turn: np.ndarray | None = None) -> Path:
        """Poses of all masks; `turn` takes the training frame to that of the model."""
        turn = np.eye(3) if turn is None else turn
        flip = np.diag([1.0, -1.0, -1.0]) if frame == "opengl" else np.eye(3)
        lines = []
        for index, angle in enumerate(self.angles):
            R, t = looking(angle)
            pose = {
                "mask": f"{index}.png",
                "R_m2c": (flip @ R @ turn.T).ravel().tolist(),
                "t_m2c": (flip @ t * (1000 if frame == "opengl" else 1)).tolist(),
                "t_unit": "mm" if frame == "opengl" else "m",
                "cam_K": [100, 0, 32, 0, 100, 32, 0, 0, 1],
                "image_size": [SIZE, SIZE],
                "camera_frame": frame,
                "pixel_center": "half",
            }
            lines.append(json.dumps(pose) + "\n")
        file = self.folder / "poses.jsonl"
        file.write_text("".join(lines))
        return file

    def __call__(self, *extra: object, code: int = 0) -> np.ndarray:
        """The images made, [3, H, W, 3] BGR."""
        self.runs += 1
        self.out = self.folder / f"out{self.runs}"
        options = ["--masks", self.folder / "masks", "--bundle", self.bundle, "--out", self.out]
        assert run_app(app, [str(option) for option in (*options, *extra)]) == code
        if code:
            return np.empty(0)
        return np.stack([cv2.imread(str(self.out / f"images/{i}.png")) for i in range(3)])

    def record(self) -> dict[str, Any]:
        options: dict[str, Any] = json.loads((self.out / "run.json").read_text())["options"]
        return options


@pytest.fixture
def run(tmp_path: Path, viewpoint_bundle: Path) -> Run:
    return Run(tmp_path, viewpoint_bundle)


def test_poses_decide_the_viewpoint(
    run: Run, generator: PoseGenerator, capsys: pytest.CaptureFixture[str]
) -> None:
    images = run("--poses", run.poses())
    assert "viewpoints: from poses for 3 of 3 masks\n" in capsys.readouterr().err
    seen = np.array([viewpoint(*looking(angle)) for angle in run.angles])
    assert seen[0] == pytest.approx([np.cos(0.2), 0, np.sin(0.2)])
    expected = generator.generate(np.repeat(example_mask(0)[None], 3, axis=0), viewpoint=seen)
    np.testing.assert_array_equal(images, expected[..., ::-1])
    assert distance(images[0], images[2]) > 20
    assert run.record()["viewpoints"] == 3
    rows = [json.loads(line) for line in (run.out / "manifest.jsonl").open()]
    np.testing.assert_allclose([row["viewpoint"] for row in rows], seen, atol=1e-6)


def test_camera_frame_unit_crop_and_batch_do_not_matter(run: Run) -> None:
    images = run("--poses", run.poses(), "--fit", "object")
    np.testing.assert_array_equal(run("--poses", run.poses("opengl"), "--fit", "object"), images)
    whole = run("--poses", run.poses(), "--fit", "frame")
    rows = [json.loads(line) for line in (run.out / "manifest.jsonl").open()]
    assert rows[0]["viewpoint"] == pytest.approx(viewpoint(*looking(0.0)))
    assert distance(whole, images) > 0  # the crop did differ


def test_models_with_other_axes(run: Run) -> None:
    images = run("--poses", run.poses())
    for forward, up in (("z", "y"), ("-y", "z"), ("-x", "-z")):
        turn = to_training_frame(Axis(forward), Axis(up)).T
        poses = run.poses(turn=turn)
        turned = run("--poses", poses, "--model-forward", forward, "--model-up", up)
        np.testing.assert_array_equal(turned, images)
        assert (run.record()["model_forward"], run.record()["model_up"]) == (forward, up)
        assert distance(run("--poses", poses), images) > 5


def test_without_poses_the_run_says_what_it_lacks(
    run: Run, generator: PoseGenerator, capsys: pytest.CaptureFixture[str]
) -> None:
    images = run()
    assert "give --poses, or front and rear are guessed" in capsys.readouterr().err
    np.testing.assert_array_equal(images[0], generator.generate(example_mask(0))[0][..., ::-1])
    assert run.record()["viewpoints"] == 0
    assert "viewpoint" not in (run.out / "manifest.jsonl").read_text()


def test_a_mask_without_a_pose_is_guessed(
    run: Run, generator: PoseGenerator, capsys: pytest.CaptureFixture[str]
) -> None:
    poses = run.poses()
    poses.write_text("".join(poses.read_text().splitlines(keepends=True)[:2]))
    images = run("--poses", poses)
    assert "from poses for 2 of 3 masks; the others are guessed" in capsys.readouterr().err
    np.testing.assert_array_equal(images[2], generator.generate(example_mask(0))[0][..., ::-1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--model-forward", "y", "--model-up", "-y"), "lie on one line"),
        (("--model-up", "x"), "--model-forward x --model-up x: lie on one line"),
        (("--model-up", "y"), "turn the viewpoints of poses; add --poses"),
    ],
)
def test_axes_that_mean_nothing(
    run: Run, options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(*options, code=2)
    error = capsys.readouterr().err
    assert error.startswith("error: --model-forward")
    assert message in error
    assert error.count("\n") == 1


def test_a_model_without_viewpoint_says_nothing_and_refuses_axes(
    run: Run, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.bundle = tiny_bundle
    run("--poses", run.poses())
    assert "viewpoint" not in capsys.readouterr().err
    assert run.record()["viewpoints"] is None
    run("--poses", run.poses(), "--model-up", "y", code=2)
    assert "takes no viewpoint; leave them out" in capsys.readouterr().err


def test_the_demo_knows_from_where_its_masks_are_seen(
    viewpoint_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--demo", "--bundle", viewpoint_bundle, "--out", tmp_path / "out"]
    assert run_app(app, [str(option) for option in options]) == 0
    assert "viewpoints: from the bundle for 3 of 4 masks" in capsys.readouterr().err
    rows = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").open()]
    assert rows[2]["viewpoint"] == pytest.approx(golden_viewpoint(2))


def test_selftest_holds_the_viewpoint_to_account(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundle", viewpoint=True)
    arguments = ["--selftest", "--bundle", str(bundle)]
    assert run_app(app, arguments) == 0
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["golden"][1]["viewpoint"] = (-golden_viewpoint(1)).tolist()
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    assert run_app(app, arguments) == 1
    assert capsys.readouterr().out.count("MISSED") == 2
