"""The capture loop on frames that are files: silhouettes, and a thing that comes into a scene."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from c_programs import REPOSITORY, STRICT, Built, build_against
from posegen_runtime import PoseGenerator
from shared import made_once, shared_folder
from tiny_bundle import SIZE, example_mask


@pytest.fixture(scope="session")
def capture(native: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shared_folder(tmp_path_factory, "capi-capture")
    source = REPOSITORY / "examples" / "capture"
    made_once(folder, lambda: build_against(native.installed, source, folder / "built", STRICT))
    return folder / "built" / "capture"


def frames(folder: Path) -> list[np.ndarray]:
    return [cv2.imread(str(file)) for file in sorted(folder.iterdir())]


def test_silhouettes_become_images(
    native: Built, capture: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    for name in ("masks", "out"):
        (tmp_path / name).mkdir()
    masks = np.stack([example_mask(index) for index in range(5)])
    for index, mask in enumerate(masks):
        wide = np.pad(mask, ((0, 0), (20, 20)))  # its middle is what the model gets
        cv2.imwrite(str(tmp_path / f"masks/{index:03}.png"), wide)
    source, out = tmp_path / "masks/%03d.png", tmp_path / "out/%03d.png"
    assert native.ok(capture, tiny_bundle, source, out, "masks").startswith("5 frames in ")
    expected = PoseGenerator.load(tiny_bundle, backend="cpu").generate(masks)
    made = np.stack(frames(tmp_path / "out"))[..., ::-1]
    assert np.abs(made.astype(int) - expected).max() <= 1


def test_what_comes_into_the_scene_becomes_the_object(
    native: Built, capture: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    scene = np.random.default_rng(0).integers(90, 110, (120, 160, 3), dtype=np.uint8)
    (tmp_path / "camera").mkdir()
    for index in range(40):
        frame = scene.copy()
        if index >= 30:
            frame[40:80, 5 * (index - 30) + 40 : 5 * (index - 30) + 90] = (0, 0, 255)
        cv2.imwrite(str(tmp_path / f"camera/{index:03}.png"), frame)
    source, out = tmp_path / "camera/%03d.png", tmp_path / "out/%03d.png"
    native.ok(capture, tiny_bundle, source, out)
    made = frames(tmp_path / "out")
    assert len(made) == 40
    empty = made[28].astype(int)
    for index in (31, 35, 39):
        changed = np.abs(made[index].astype(int) - empty).max(axis=2) > 8
        left = (5 * (index - 30) + 40 - 20) * SIZE // 120
        inside = np.zeros_like(changed)
        inside[40 * SIZE // 120 : 80 * SIZE // 120, max(left, 0) : left + 50 * SIZE // 120] = True
        both = (changed & inside).sum() / max((changed | inside).sum(), 1)
        assert both > 0.8, (index, both)


def test_a_source_that_is_not_there_is_named(
    native: Built, capture: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    done = native.run(capture, tiny_bundle, tmp_path / "no.avi", tmp_path / "out.avi")
    assert done.returncode == 1
    assert f"{tmp_path / 'no.avi'}: no camera or video" in done.stderr
    assert native.run(capture).returncode == 2
