"""A data set gives calibration its masks, conditions and poses."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from posegen_calibration.sampling import Sampling, data_hashes
from posegen_calibration.source import find_samples
from posegen_export.cli import app
from posegen_export.int8_data import inputs_of
from posegen_runtime.bundle import Bundle
from posegen_runtime.console import run_app
from posegen_runtime.errors import PoseGenError
from posegen_runtime.viewpoints import UNKNOWN
from synthetic_dataset import write_dataset
from tiny_bundle import write_tiny_bundle

NOTHING = dict.fromkeys(("masks", "appearance", "background", "poses"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 samples of training, 12 of validation, 6 of test; every scene with cameras."""
    root = write_dataset(tmp_path_factory.mktemp("data"), train=20, val=12, test=6, size=64)
    camera = {"cam_K": [90.0, 0, 32, 0, 90, 32, 0, 0, 1], "depth_scale": 1.0}
    for poses in root.glob("*/*/scene_gt.json"):
        frames = json.loads(poses.read_text())
        (poses.parent / "scene_camera.json").write_text(json.dumps(dict.fromkeys(frames, camera)))
    return root


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle.load(write_tiny_bundle(tmp_path_factory.mktemp("b") / "tiny", viewpoint=True))


def test_masks_conditions_and_poses_of_the_data_set(data, bundle):
    told: list[str] = []
    with inputs_of(data, NOTHING, bundle) as given:
        assert given.source == "32 samples of val and train of ellipses"
        samples = find_samples(bundle, Sampling(**given.folders, samples=24), told.append)
        used = {s.job.mask.path.resolve() for s in samples.chosen}
        masks = np.concatenate([feeds["mask"] for feeds in samples.batches(samples.chosen)])
    assert {file.relative_to(data).parts[0] for file in used} == {"train", "val"}
    assert masks.any(axis=(1, 2)).all()
    counts = samples.counts()
    assert (counts["samples"], counts["masks"]) == (24, 24)
    assert min(counts["appearances"], counts["backgrounds"]) > 10
    known = [s.viewpoint for s in samples.chosen if s.viewpoint != UNKNOWN]
    assert len(known) == 18  # three in four are told
    assert len(set(known)) == 18
    assert not any("drawn by the seed" in line for line in told)


def test_the_same_data_set_has_the_same_hashes(data, bundle):
    hashes = []
    for _ in range(2):
        with inputs_of(data, NOTHING, bundle) as given:
            hashes.append(data_hashes(Sampling(**given.folders)))
    assert hashes[0] == hashes[1]
    assert set(hashes[0]) == set(NOTHING)


def test_a_large_validation_split_stands_alone(data, bundle, monkeypatch):
    monkeypatch.setattr("posegen_export.int8_data.ENOUGH", 12)
    with inputs_of(data, NOTHING, bundle) as given:
        folder = given.folders["masks"]
        links = [link.resolve() for link in folder.rglob("*.png")]
        assert given.source == "12 samples of val of ellipses"
    assert len(links) == 12
    assert {link.relative_to(data).parts[0] for link in links} == {"val"}
    assert not folder.exists()


@pytest.mark.parametrize("kind", ["mask", "appearance", "background"])
def test_missing_files_are_one_line_before_any_work(data, bundle, tmp_path, capsys, kind):
    broken = tmp_path / "broken"
    shutil.copytree(data, broken)
    first, second, *_ = sorted(broken.glob(f"val/*/{kind}/*.png"))
    first.unlink()
    second.unlink()
    assert run_app(app, ["int8", str(bundle.root), "--data", str(broken)]) == 2
    assert capsys.readouterr().err == (
        f"error: {first}: is missing and so is 1 more file; copy or make the data set {broken} "
        "again\n"
    )


def test_the_splits_are_said_and_recorded(data, exported_bundle, tmp_path, capsys, monkeypatch):
    """`bundle.json` gets them with the samples; here nothing is measured."""
    seen = []

    def add_int8(opened, options, tell):
        seen.append(options)
        raise PoseGenError("enough")

    monkeypatch.setattr("posegen_export.int8.add_int8", add_int8)
    bundle = exported_bundle("bottleneck", "pose")
    assert run_app(app, ["int8", str(bundle), "--data", str(data)]) == 2
    source = "32 samples of val and train of ellipses"
    assert f"calibrating on {source}\n" in capsys.readouterr().err
    assert seen[0].source == source


def test_masks_or_a_data_set(data, bundle, tmp_path):
    with (
        pytest.raises(PoseGenError, match="brings its own --masks"),
        inputs_of(data, NOTHING | {"masks": tmp_path}, bundle),
    ):
        pass
    with (
        pytest.raises(PoseGenError, match=r"no data set, dataset\.json is missing"),
        inputs_of(tmp_path, NOTHING, bundle),
    ):
        pass


def test_neither_is_one_line(bundle, capsys):
    assert run_app(app, ["int8", str(bundle.root)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: nothing to calibrate on: give --masks DIR, or --data DATASET")
    assert len(error.splitlines()) == 1
