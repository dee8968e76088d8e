"""The real command, on a tiny checkpoint and on the bundle exported from it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from marked_cars import FRAMES, OBJECTS, SIZE, GreenHeading, RedSegmenter, write_marked_cars
from posegen.checkpoint import CheckpointInfo, Lineage, save_checkpoint
from posegen.cli import app
from posegen.config import Arch, ModelConfig, TrainConfig, Variant
from posegen.evaluation.judges import Judges
from posegen.models.build import build_discriminator, build_generator
from posegen_runtime.console import run_app

FULL = "pose-appearance-background"
NAMES = ["mask", "appearance", "background"]
TOLERANCE = 0.02
"""Relative: exported images may differ by one level of 255 here and there."""


@pytest.fixture(autouse=True)
def known_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    judges = Judges(segmenter=RedSegmenter(), heading=GreenHeading(), outline=GreenHeading())
    monkeypatch.setattr("posegen.evaluation.run.open_judges", lambda *_: judges)


def evaluate(model: Path, data: Path, *options: str) -> int:
    return run_app(
        app,
        [
            "evaluate",
            str(model),
            "--data",
            str(data),
            "--threads",
            "1",
            "--device",
            "cpu",
            *options,
        ],
    )


def report(model: Path, data: Path, file: Path, *options: str) -> dict[str, Any]:
    assert evaluate(model, data, "--json", str(file), *options) == 0
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def test_checkpoint_and_bundle_have_the_same_figures(
    moving_checkpoint: Callable[[str, str], Path],
    exported_bundle: Callable[[str, str], Path],
    marked: Path,
    tmp_path: Path,
) -> None:
    seeing = f"{FULL}+viewpoint"
    checkpoint = report(moving_checkpoint("spatial", seeing), marked, tmp_path / "a.json")
    bundle = report(exported_bundle("spatial", seeing), marked, tmp_path / "b.json")
    assert checkpoint["inputs"] == bundle["inputs"] == [*NAMES, "viewpoint"]
    assert checkpoint["model_sha256"] != bundle["model_sha256"]
    for name, figure in checkpoint["figures"].items():
        for key in ("value", "real", "control"):
            given = figure[key]
            expected = None if given is None else pytest.approx(given, rel=TOLERANCE, abs=0.01)
            assert bundle["figures"][name][key] == expected, (name, key)


def test_what_is_written(
    moving_checkpoint: Callable[[str, str], Path],
    marked: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    values, sheet = tmp_path / "values.csv", tmp_path / "new" / "sheet.png"
    content = report(
        moving_checkpoint("spatial", FULL),
        marked,
        tmp_path / "a.json",
        *("--csv", str(values), "--sheet", str(sheet), "--bins", "--seed", "3"),
    )
    printed = capsys.readouterr().out
    for words in ("pose IoU", "shuffled masks", "outline alone", "flat true colour", "elevation"):
        assert words in printed
    assert "…" not in printed.replace(" … ", "")  # nothing is cut short
    assert content["dataset"] == {
        "name": "marked",
        "sha256": "0" * 64,
        "split": "test",
        "images": OBJECTS * FRAMES,
        "objects": OBJECTS,
    }
    assert content["seed"] == 3
    assert content["inputs"] == NAMES
    assert sum(row["images"] for row in content["bins"]["yaw"]) == OBJECTS * FRAMES
    with values.open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["photo"] == "test/000000/rgb/000000.png"
    psnr = np.mean([float(row["psnr"]) for row in rows])
    assert psnr == pytest.approx(content["figures"]["background_psnr"]["value"], rel=1e-5)
    picture = cv2.imread(str(sheet))
    assert picture.shape[0] // SIZE == 5  # mask, appearance, background, generated, real
    assert picture.shape[1] // SIZE == 10


def test_folders_are_made(
    moving_checkpoint: Callable[[str, str], Path], marked: Path, tmp_path: Path
) -> None:
    files = {kind: tmp_path / kind / "new" / "file" for kind in ("json", "csv", "sheet")}
    options = [word for kind, file in files.items() for word in (f"--{kind}", str(file))]
    assert evaluate(moving_checkpoint("spatial", "pose"), marked, "--samples", "4", *options) == 0
    assert all(file.is_file() for file in files.values())


@pytest.mark.parametrize("kind", ["json", "csv", "sheet"])
@pytest.mark.parametrize(
    ("name", "message"), [("file/new", "file: cannot be made"), ("", "is a folder")]
)
def test_files_that_cannot_be_written_are_refused_before_anything_is_generated(
    kind: str,
    name: str,
    message: str,
    moving_checkpoint: Callable[[str, str], Path],
    marked: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("posegen.evaluation.run._measured", lambda *_: pytest.fail("generated"))
    model = moving_checkpoint("spatial", "pose")
    assert evaluate(model, marked, f"--{kind}", str(tmp_path / name)) == 2
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line]
    assert message in error


def test_a_segmenter_that_knows_no_such_object_is_replaced_by_one_of_the_sets_own(
    moving_checkpoint: Callable[[str, str], Path],
    marked: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Blind:
        def masks(self, images: np.ndarray) -> np.ndarray:
            return np.zeros(images.shape[:3], np.uint8)

    model = moving_checkpoint("spatial", "pose")
    own = "posegen.evaluation.own_segmenter.own_segmenter"
    blind = Judges(segmenter=Blind())
    monkeypatch.setattr("posegen.evaluation.run.open_judges", lambda *_: blind)
    monkeypatch.setattr(own, lambda _: RedSegmenter())
    found = report(model, marked, tmp_path / "own.json", "--samples", "4")
    assert found["figures"]["pose_iou"]["real"] == 1
    assert found["own_segmenter"]
    assert "trained on its own photos" in capsys.readouterr().out
    named = report(model, marked, tmp_path / "a.json", "--samples", "4", "--judges", str(tmp_path))
    assert not named["own_segmenter"]
    assert named["figures"]["pose_iou"]["real"] == 0  # what the user names is taken
    monkeypatch.setattr(own, lambda _: None)
    none = report(model, marked, tmp_path / "b.json", "--samples", "4")
    assert none["verdict"]["because"][0].startswith("the segmenter: IoU 0.00 on the real photos")


@pytest.mark.parametrize("variant", ["pose", "pose-appearance"])
def test_models_with_fewer_inputs(
    variant: str,
    moving_checkpoint: Callable[[str, str], Path],
    marked: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sheet = tmp_path / "sheet.png"
    model = moving_checkpoint("spatial", variant)
    content = report(model, marked, tmp_path / "a.json", "--samples", "4", "--sheet", str(sheet))
    assert content["figures"]["background_psnr"]["value"] is None
    assert (content["figures"]["colour_error"]["value"] is None) == (variant == "pose")
    assert content["figures"]["pose_iou"]["value"] is not None
    assert "the model takes no background" in capsys.readouterr().out
    inputs = content["inputs"]
    assert cv2.imread(str(sheet)).shape[0] // SIZE == len(inputs) + 2


def test_the_papers_architecture(
    moving_checkpoint: Callable[[str, str], Path], marked: Path, tmp_path: Path
) -> None:
    model = moving_checkpoint("bottleneck", FULL)
    figures = report(model, marked, tmp_path / "a.json", "--samples", "4")["figures"]
    unknown = {name for name, figure in figures.items() if figure["value"] is None}
    assert unknown == {"nearest", "nearest_of_real"}  # there is no train split


def test_the_gate(
    moving_checkpoint: Callable[[str, str], Path],
    marked: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = moving_checkpoint("spatial", "pose")
    assert evaluate(model, marked, "--samples", "12") == 0
    assert evaluate(model, marked, "--samples", "12", "--gate") == 1
    printed = capsys.readouterr().out
    assert "gate missed: pose_iou_of_ceiling: target ≥ 0.9" in printed
    assert "gate missed: background" not in printed  # it takes none
    assert "gate missed: nearest" not in printed  # there is no train split
    monkeypatch.setattr("posegen.evaluation.run.open_judges", lambda *_: Judges())
    assert evaluate(model, marked, "--samples", "12", "--gate") == 1
    assert "gate missed: heading_reversed: no judge: heading" in capsys.readouterr().out


def test_photos_without_poses(
    moving_checkpoint: Callable[[str, str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = write_marked_cars(tmp_path / "data", poses=False)
    content = report(moving_checkpoint("spatial", FULL), data, tmp_path / "a.json", "--bins")
    assert content["figures"]["heading_median"]["missing"] == "no poses"
    assert content["bins"]["yaw"] == []
    assert "no poses" in capsys.readouterr().out


def test_photos_of_one_object(
    moving_checkpoint: Callable[[str, str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = write_marked_cars(tmp_path / "data")
    description = json.loads((data / "dataset.json").read_text())
    description["scene_objects"] = {f"test/{n:06d}": "mine" for n in range(OBJECTS)}
    (data / "dataset.json").write_text(json.dumps(description))
    figures = report(moving_checkpoint("spatial", FULL), data, tmp_path / "a.json")["figures"]
    assert figures["mean_colour_error"]["control"] is None
    assert figures["mean_colour_error"]["control_missing"] == "one object"
    assert figures["pose_iou"]["control"] is not None
    (line,) = [
        each for each in capsys.readouterr().out.splitlines() if "of the mean colour" in each
    ]
    assert "- (one object)" in line


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": "nowhere"}, "nowhere: no such file or folder"),
        ({"model": "empty"}, "empty: no checkpoint there"),
        ({"data": "empty"}, "empty: no data set, dataset.json is missing"),
        ({"split": "val"}, "no samples in the split val; name one of test (36)"),
        ({"data": "small"}, "images of 32 px are smaller than the model's 64"),
    ],
)
def test_unusable_input_is_one_line(
    changed: dict[str, str],
    message: str,
    moving_checkpoint: Callable[[str, str], Path],
    marked: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    write_marked_cars(tmp_path / "small", size=32)
    model, data = moving_checkpoint("spatial", FULL), marked
    if "model" in changed:
        model = tmp_path / changed["model"]
    if "data" in changed:
        data = tmp_path / changed["data"]
    assert evaluate(model, data, "--split", changed.get("split", "test")) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert message in errors[0]


def test_a_model_without_a_mask_has_no_pose_to_judge(
    marked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ModelConfig(
        arch=Arch.BOTTLENECK, preset="tiny", variant=Variant.AUTOENCODER, image_size=SIZE
    )
    info = CheckpointInfo(
        train_config=TrainConfig(model=config),
        step=0,
        lineage=Lineage(dataset={}, seed=0, version="0"),
    )
    file = tmp_path / "autoencoder.safetensors"
    save_checkpoint(file, build_generator(config), build_discriminator(config), info)
    assert evaluate(file, marked) == 2
    assert "this model takes no mask" in capsys.readouterr().err
