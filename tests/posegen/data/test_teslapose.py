"""`posegen data teslapose` on small replicas of the authors' layout."""

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from posegen.data import mask_rcnn
from posegen.data.cli import app
from posegen.data.dataset import open_dataset
from posegen.data.prepared import prepare
from posegen.data.teslapose import read_teslapose, split_runs
from posegen_runtime.console import run_app
from published_layouts import write_teslapose
from red_segmenter import RedNetwork, red_segmenter


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_teslapose(tmp_path / "TeslaPoseGen")
    return tmp_path / "TeslaPoseGen"


def make(*arguments: object) -> int:
    words = ["teslapose", *arguments, "--image-size", 64]
    return run_app(app, [str(word) for word in words])


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert make(*arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def rows(out: Path, name: str = "sources.csv") -> list[dict[str, str]]:
    with (out / name).open(newline="") as file:
        return list(csv.DictReader(file))


def number_of(photo: str) -> tuple[str, int]:
    path = Path(photo)
    return path.parts[1], int(path.stem.removeprefix("IMG_"))


def test_neighbours_stay_together(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert make(root, "--out", out, "--gap", 1) == 0
    said = capsys.readouterr().out
    assert "photos: 60, the paper's 1,509; in 2 locations, 2" in said
    assert "backgrounds: 24, the paper's 736" in said
    used = {number_of(row["photo"]): row["split"] for row in rows(out)}
    assert set(used.values()) == {"train", "val", "test"}
    for (place, number), split in used.items():
        assert used.get((place, number + 1), split) == split
    left_out = [row for row in rows(out, "dropped.csv") if row["reason"] == "beside another split"]
    assert len(left_out) + len(used) == 60
    assert 4 <= len(left_out) <= 8
    splits = {row["photo"]: row["split"] for row in rows(out)}
    assert all(splits[row["appearance"]] == row["split"] for row in rows(out))
    assert all(row["appearance"] != row["photo"] for row in rows(out))
    dataset = open_dataset(out)
    assert dataset.description.kind == "teslapose"
    split = prepare(dataset, "train", 64, tmp_path / "prepared")
    assert set(np.unique(split.mask)) == {0, 255}
    for image, mask in zip(split.photo, split.mask, strict=True):
        red = image[..., 0].astype(int) - image[..., 1] > 60
        assert (red == (mask > 0)).mean() > 0.98
    scenes = sorted((out / "backgrounds").rglob("*.png"))
    assert {file.parent.name for file in scenes} == {"train", "val", "test"}
    assert cv2.imread(str(scenes[0])).shape == (64, 64, 3)


@pytest.mark.parametrize("count", [1, 2, 3, 9, 10, 11, 40, 320, 800])
@pytest.mark.parametrize("gap", [0, 2])
def test_runs(count: int, gap: int) -> None:
    splits = split_runs(count, 0.1, 0.1, 32, gap, (0, 0))
    assert len(splits) == count
    for number, split in enumerate(splits):
        for other in splits[number + 1 : number + 1 + gap]:
            assert len({split, other} - {""}) <= 1
    if gap == 0:
        assert "" not in splits
    if count >= 320:
        assert 0.07 * count <= splits.count("test") <= 0.13 * count
        assert splits.count("train") >= 0.7 * count
    assert splits == split_runs(count, 0.1, 0.1, 32, gap, (0, 0))


def test_all_for_training() -> None:
    assert split_runs(50, 0, 0, 32, 2, (0,)) == ["train"] * 50


def test_photos_in_the_order_in_which_they_were_taken(root: Path) -> None:
    first = read_teslapose(root)[0]
    numbers = [number_of(photo.as_posix())[1] for photo in first.photos]
    assert numbers == sorted(numbers)
    assert numbers[0] == 990
    assert numbers[-1] == 1019


def test_images_without_masks_and_masks_without_images(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = root / "tesla-model-3" / "avana-sunnyvale"
    splits = split_runs(30, 0.1, 0.1, 32, 0, (0, 0))
    training = [number for number, split in enumerate(splits) if split == "train"]
    for kind, number in (("mask", training[0]), ("image", training[1])):
        name = 990 + number
        (place / kind / f"IMG_{name}.JPEG").unlink()
    assert make(root, "--out", tmp_path / "out", "--gap", 0) == 0
    said = capsys.readouterr().out
    assert "59 photos, 58 used" in said
    assert "dropped 1: no mask of its name" in said
    assert "1 masks belong to no photo" in said


def test_bad_layouts(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    (tmp_path / "none").mkdir()
    assert "no TeslaPose here" in fails(capsys, tmp_path / "none", "--out", out)
    place = root / "tesla-model-3" / "avana-sunnyvale"
    for photo in (place / "image").iterdir():
        photo.unlink()
    assert f"{place / 'image'}: no images found" in fails(capsys, root, "--out", out)
    shutil.rmtree(place)
    shutil.rmtree(root / "tesla-model-3" / "santa-clara-square-rooftop" / "mask")
    assert "no mask folder beside image; find masks" in fails(capsys, root, "--out", out)
    assert not out.exists()


def test_masks_of_another_size(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for mask in root.rglob("mask/*"):
        Image.open(mask).resize((64, 64)).save(mask)
    said = fails(capsys, root, "--out", tmp_path / "out")
    assert "none of the" in said
    assert "mask is 64×64, the photo 160×120" in said


def test_masks_found_anew(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(mask_rcnn, "load", red_segmenter(RedNetwork()))
    for folder in root.rglob("mask"):
        shutil.rmtree(folder)
    out = tmp_path / "out"
    assert make(root, "--out", out, "--segment", "car") == 0
    assert len(list((out / "silhouettes").rglob("*.png"))) == len(rows(out)) > 40
