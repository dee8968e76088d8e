"""`posegen data silhouettes`, and `posegen data photos --segment`, on folders of photos."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from photo_folder import photo, scene, silhouette, write_photos
from posegen.data import mask_rcnn
from posegen.data.cli import app
from posegen.data.dataset import open_dataset
from posegen.data.prepared import prepare
from posegen_runtime.console import run_app
from red_segmenter import RedNetwork, red_segmenter


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RedNetwork:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network = RedNetwork()
    monkeypatch.setattr(mask_rcnn, "load", red_segmenter(network))
    return network


def run(*arguments: object) -> int:
    return run_app(app, [str(argument) for argument in arguments])


def rows(file: Path) -> dict[str, dict[str, str]]:
    with file.open(newline="") as lines:
        return {row["photo"]: row for row in csv.DictReader(lines)}


def iou(mask: np.ndarray, wanted: np.ndarray) -> float:
    both = (mask > 0) & (wanted > 0)
    return both.sum() / ((mask > 0) | (wanted > 0)).sum()


def test_masks_and_the_list(
    tmp_path: Path, network: RedNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = write_photos(tmp_path, 7)
    (folder / "more").mkdir()
    Image.fromarray(scene(8)).save(folder / "more" / "empty.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    Image.fromarray(photo(0)).save(folder / "000.bmp")
    out = tmp_path / "out"
    assert run("silhouettes", folder, "--out", out, "--batch-size", 3) == 0
    said = capsys.readouterr().out
    assert "10 photos, 7 silhouettes, 3 without; 0 known from before" in said
    assert "without, 1: no car" in said
    assert max(network.batches) == 3
    listed = rows(out / "silhouettes.csv")
    assert listed["more/empty.png"]["reason"] == "no car: nothing was found"
    assert listed["000.png"]["reason"] == "another has its name: 000.bmp"
    assert listed["broken.jpg"]["mask"] == ""
    assert "broken.jpg" not in listed["broken.jpg"]["reason"]
    for number in range(1, 7):
        row = listed[f"{number:03d}.png"]
        mask = cv2.imread(str(out / "masks" / row["mask"]), cv2.IMREAD_UNCHANGED)
        assert set(np.unique(mask)) == {0, 255}
        assert iou(mask, silhouette(number)) > 0.9
        assert float(row["share"]) == pytest.approx((mask > 0).mean(), abs=1e-3)
        assert row["score"] == "0.9000"


def test_a_run_that_was_cut_off_goes_on(
    tmp_path: Path, network: RedNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = write_photos(tmp_path, 6)
    line = ["silhouettes", folder, "--out", tmp_path / "out", "--batch-size", 2]
    network.stop_after = 4
    assert run(*line) == 130
    assert not (tmp_path / "out" / "silhouettes.csv").exists()
    network.stop_after, network.batches = 100, []
    assert run(*line) == 0
    assert network.batches == [2]
    assert "6 silhouettes, 0 without; 4 known from before" in capsys.readouterr().out
    Image.fromarray(scene(20)).save(folder / "003.png")
    assert run(*line) == 0
    assert network.batches == [2, 1]
    assert not (tmp_path / "out" / "masks" / "003.png").exists()


def test_another_class_into_the_same_folder(
    tmp_path: Path, network: RedNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = write_photos(tmp_path, 2)
    assert run("silhouettes", folder, "--out", tmp_path / "out") == 0
    assert run("silhouettes", folder, "--out", tmp_path / "out", "--class", "dog") == 2
    assert "holds silhouettes found with class car, not dog" in capsys.readouterr().err
    assert run("silhouettes", folder, "--out", tmp_path / "dogs", "--class", "dog") == 2
    said = capsys.readouterr().err
    assert "none of the 2 photos has a silhouette; the first, 000.png: no dog" in said
    assert said.count("\n") == 1
    assert run("silhouettes", folder, "--out", folder / "out") == 2
    assert "lies inside" in capsys.readouterr().err


def test_a_data_set_of_segmented_photos(
    tmp_path: Path, network: RedNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = write_photos(tmp_path, 6)
    Image.fromarray(scene(8)).save(folder / "empty.png")
    out = tmp_path / "out"
    line = ["photos", folder, "--segment", "car", "--out", out, "--image-size", 64]
    assert run(*line) == 0
    assert "7 photos, 6 used (train 5, val 1, test 0), 1 dropped" in capsys.readouterr().out
    assert rows(out / "dropped.csv")["empty.png"]["reason"] == "no car: nothing was found"
    assert rows(out / "silhouettes" / "silhouettes.csv").keys() == {
        *rows(out / "sources.csv"),
        "empty.png",
    }
    split = prepare(open_dataset(out), "train", 64, tmp_path / "prepared")
    for image, mask in zip(split.photo, split.mask, strict=True):
        red = image[..., 0].astype(int) - image[..., 1] > 60
        assert iou(red, mask) > 0.9


def test_options_that_do_not_go_with_segment(
    tmp_path: Path, network: RedNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, masks = write_photos(tmp_path, 2)
    line = ["photos", folder, "--out", tmp_path / "out"]
    assert run(*line, "--segment", "car", "--masks", masks) == 2
    assert "--masks: with --segment the masks are found" in capsys.readouterr().err
    assert run(*line, "--masks", masks, "--weights", "some.pth") == 2
    assert "of use with --segment CLASS only" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
