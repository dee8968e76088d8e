"""`posegen data stanford-cars` on small replicas of the published layout."""

import csv
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from photo_folder import scene
from posegen.data import mask_rcnn
from posegen.data.cli import app
from posegen.data.dataset import open_dataset
from posegen.data.prepared import prepare
from posegen.data.stanford_cars import read_stanford_cars, split_of
from posegen_runtime.console import run_app
from published_layouts import annotations, categories, names_cell, write_stanford_cars
from red_segmenter import RedNetwork, red_segmenter


@pytest.fixture
def cars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(mask_rcnn, "load", red_segmenter(RedNetwork()))
    write_stanford_cars(tmp_path / "cars")
    return tmp_path / "cars"


def make(*arguments: object) -> int:
    words = ["stanford-cars", *arguments, "--image-size", 64]
    return run_app(app, [str(word) for word in words])


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert make(*arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def sources(out: Path) -> list[dict[str, str]]:
    with (out / "sources.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_both_halves_split_by_category(
    cars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert make(cars, "--out", out) == 0
    said = capsys.readouterr().out
    assert "80 photos, 80 used" in said
    rows = sources(out)
    splits = {
        name: {row["split"] for row in rows if row["group"] == name} for name in categories(20)
    }
    assert splits == {name: {split_of(name)} for name in categories(20)}
    assert set(Counter(row["group"] for row in rows).values()) == {4}
    for half in ("cars_train", "cars_test"):
        assert sum(row["photo"].startswith(half) for row in rows) == 40
    assert all(row["photo"] == row["appearance"] for row in rows)
    counts = Counter(row["split"] for row in rows)
    for split, paper in (("train", "12,678"), ("val", "2,075"), ("test", "1,435")):
        (line,) = [line for line in said.splitlines() if line.startswith(f"{split} ")]
        assert str(counts[split]) in line.split()
        assert paper in line
    assert "16,188, three more than the 16,185" in said
    dataset = open_dataset(out)
    assert dataset.description.kind == "stanford-cars"
    split = prepare(dataset, "train", 64, tmp_path / "prepared")
    assert len(split) == counts["train"]
    assert len(set(split.scene.tolist())) == len(split)
    assert {one.object_id for one in dataset.samples("train")} == set(
        range(len({row["group"] for row in rows if row["split"] == "train"}))
    )


def test_appearance_of_the_category(cars: Path, tmp_path: Path) -> None:
    assert make(cars, "--out", tmp_path / "out", "--appearance", "category") == 0
    rows = sources(tmp_path / "out")
    group = {row["photo"]: row["group"] for row in rows}
    assert all(row["photo"] != row["appearance"] for row in rows)
    assert all(group[row["appearance"]] == row["group"] for row in rows)


def test_masks_made_before(cars: Path, tmp_path: Path) -> None:
    out = tmp_path / "silhouettes"
    assert run_app(app, ["silhouettes", str(cars), "--out", str(out)]) == 0
    assert make(cars, "--out", tmp_path / "one", "--masks", out / "masks") == 0
    assert make(cars, "--out", tmp_path / "two") == 0
    one, two = (open_dataset(tmp_path / name).description.sha256 for name in ("one", "two"))
    assert one == two


def test_a_photo_without_a_mask_takes_no_namesakes(
    cars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """cars_train and cars_test number their photos alike."""
    Image.fromarray(scene(3)).save(cars / "cars_test" / "00007.jpg")
    out = tmp_path / "silhouettes"
    assert run_app(app, ["silhouettes", str(cars), "--out", str(out)]) == 0
    assert make(cars, "--out", tmp_path / "out", "--masks", out / "masks") == 0
    said = capsys.readouterr().out
    assert "80 photos, 79 used" in said
    assert "cars_test/00007.jpg: no mask of its name" in said


def test_the_split_of_a_name_is_fixed() -> None:
    """About 80, 10 and 10 %, and for ever the same."""
    names = [f"Maker {number}" for number in range(2000)]
    shares = Counter(split_of(name) for name in names)
    assert abs(shares["train"] - 1600) < 60
    assert abs(shares["val"] - 200) < 45
    held = {name: split for name in names[:30] if (split := split_of(name)) != "train"}
    assert held == {
        "Maker 8": "val",
        "Maker 9": "test",
        "Maker 11": "test",
        "Maker 14": "test",
        "Maker 21": "val",
        "Maker 23": "val",
    }


def test_the_merged_layout(cars: Path, tmp_path: Path) -> None:
    merged = tmp_path / "merged"
    shutil.copytree(cars / "cars_train", merged / "car_ims")
    rows = [(f"car_ims/{number + 1:05d}.jpg", number % 20 + 1) for number in range(40)]
    table = annotations(rows, "relative_im_path")
    cells = names_cell(categories(20))
    savemat(merged / "cars_annos.mat", {"annotations": table, "class_names": cells})
    found = read_stanford_cars(merged)
    assert found.category[Path("car_ims/00021.jpg")] == categories(20)[0]
    assert (len(found.category), found.missing, found.empty) == (40, [], [])


def test_missing_photos_and_an_empty_category(
    cars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for half in ("cars_train", "cars_test"):
        for number in (1, 21):
            (cars / half / f"{number:05d}.jpg").unlink()
    said = fails(capsys, cars, "--out", out)
    assert "4 of 80 photos are missing, the first cars_train/00001.jpg" in said
    assert not out.exists()
    assert make(cars, "--out", out, "--partial") == 0
    said = capsys.readouterr().out
    assert f"no photo of 1 categories, the first {categories(20)[0]}" in said
    assert "80 photos, 76 used" in said
    assert "dropped 4: missing" in said


def test_a_category_that_no_photo_has(
    cars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = names_cell([*categories(20), "Nobody's Car 2012"])
    savemat(cars / "devkit" / "cars_meta.mat", {"class_names": cells})
    said = fails(capsys, cars, "--out", tmp_path / "out")
    assert "no photo of 1 categories, the first Nobody's Car 2012" in said


@pytest.mark.parametrize("name", ["devkit/cars_meta.mat", "devkit/cars_train_annos.mat"])
@pytest.mark.parametrize("damage", ["cut", "text", "empty", "other"])
def test_a_corrupt_mat(
    cars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, damage: str
) -> None:
    file = cars / name
    content = file.read_bytes()
    if damage == "other":
        savemat(file, {"x": np.zeros(3)})
    else:
        file.write_bytes(
            {"cut": content[: len(content) // 2], "text": b"a" * 300, "empty": b""}[damage]
        )
    said = fails(capsys, cars, "--out", tmp_path / "out")
    assert str(file) in said
    assert "unpack" in said


def test_another_layout(cars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no Stanford Cars here" in fails(capsys, tmp_path, "--out", tmp_path.parent / "out")
    (cars / "cars_test_annos_withlabels.mat").unlink()
    said = fails(capsys, cars, "--out", tmp_path / "out")
    assert "cars_test_annos_withlabels.mat: missing; the categories of cars_test" in said
    shutil.copy(cars / "devkit" / "cars_test_annos.mat", cars / "cars_test_annos_withlabels.mat")
    assert "lack fname or class" in fails(capsys, cars, "--out", tmp_path / "out")
    rows = [("00001.jpg", 21), ("00002.jpg", 1)]
    savemat(cars / "cars_test_annos_withlabels.mat", {"annotations": annotations(rows)})
    said = fails(capsys, cars, "--out", tmp_path / "out")
    assert "00001.jpg has category 21 of 20" in said
    for half in ("cars_train", "cars_test"):
        shutil.rmtree(cars / half)
    rows = [("00001.jpg", 1), ("00002.jpg", 1)]
    savemat(cars / "cars_test_annos_withlabels.mat", {"annotations": annotations(rows)})
    assert "none of its 42 photos is there" in fails(capsys, cars, "--out", tmp_path / "out")
