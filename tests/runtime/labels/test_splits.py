"""--split: shares by mask, whatever else there is, in every file that a training reads."""

import json
from pathlib import Path

import cv2
import pytest
import supervision
import yaml
from pycocotools.coco import COCO

from posegen_runtime.labels.splits import Split
from posegen_runtime.options import parse_split
from tiny_bundle import example_mask
from whole_runs import posegen_run

Capture = pytest.CaptureFixture[str]
SPLIT = Split(shares=(0.7, 0.2, 0.1), seed=0)


@pytest.mark.parametrize("shares", [(0.9, 0.1), (0.7, 0.2, 0.1)])
def test_names_fall_by_the_shares(shares: tuple[float, ...]) -> None:
    split = Split(shares=shares, seed=3)
    drawn = [split.of_name(f"{number:06}.png") for number in range(4000)]
    for part, share in zip(split.parts, shares, strict=True):
        assert drawn.count(part) / 4000 == pytest.approx(share, abs=0.02)


def test_another_seed_is_another_split() -> None:
    other = Split(shares=SPLIT.shares, seed=1)
    names = [f"{number}.png" for number in range(100)]
    assert [SPLIT.of_name(n) for n in names] != [other.of_name(n) for n in names]


@pytest.mark.parametrize(
    "text", ["0.9", "0.9,0.2", "1,0", "a,b", "0.25,0.25,0.25,0.25", "1.5,-0.5"]
)
def test_shares_that_make_no_whole_are_refused(
    text: str, tmp_path: Path, tiny_bundle: Path, masks: Path, capsys: Capture
) -> None:
    options = ["--masks", masks, "--out", tmp_path / "out", "--bundle", tiny_bundle]
    assert posegen_run(*options, "--split", text) == 2
    assert f"--split {text}: give the shares" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_shares_in_decimals() -> None:
    assert parse_split("0.7,0.2,0.1") == SPLIT.shares


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    """24 masks, two images of each, half of them with poses in frames of two."""
    folder = tmp_path_factory.mktemp("split")
    (folder / "masks").mkdir()
    (folder / "photos").mkdir()
    for index in range(24):
        cv2.imwrite(str(folder / f"masks/{index:02}.png"), example_mask(index))
    for index in range(2):
        cv2.imwrite(str(folder / f"photos/{index}.png"), example_mask(index))
    pose = {
        "R_m2c": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        "t_m2c": [0, 0, 5],
        "t_unit": "m",
        "cam_K": [100, 0, 32, 0, 100, 32, 0, 0, 1],
        "image_size": [64, 64],
        "camera_frame": "opencv",
        "pixel_center": "integer",
    }
    lines = [{"mask": f"{i:02}.png", "frame": f"f{i // 2}", **pose} for i in range(12)]
    (folder / "poses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    options = ["--masks", folder / "masks", "--bundle", tiny_bundle, "--per-mask", 2]
    options += ["--background", folder / "photos", "--poses", folder / "poses.jsonl"]
    assert posegen_run(*options, "--split", "0.5,0.3,0.2", "--out", folder / "out") == 0
    return folder / "out"


def parts_of(out: Path) -> dict[str, str]:
    """By image, from the manifest."""
    rows = [json.loads(line) for line in (out / "manifest.jsonl").open()]
    return {row["image"].removeprefix("images/"): row["split"] for row in rows}


def test_images_of_a_mask_and_objects_of_a_frame_stay_together(out: Path) -> None:
    parts = parts_of(out)
    assert len(parts) == 48
    assert set(parts.values()) == {"train", "val", "test"}
    by_mask = {name[:2]: {parts[f"{name[:2]}-v{v}.png"] for v in (0, 1)} for name in parts}
    assert all(len(found) == 1 for found in by_mask.values())
    by_frame = [by_mask[f"{i:02}"] | by_mask[f"{i + 1:02}"] for i in range(0, 12, 2)]
    assert all(len(found) == 1 for found in by_frame)
    assert any(by_mask[f"{i:02}"] != by_mask[f"{i + 1:02}"] for i in range(12, 24, 2))


def test_coco_and_yolo_split_as_the_manifest_says(out: Path, capsys: Capture) -> None:
    parts = parts_of(out)
    assert not (out / "labels/coco/instances.json").exists()
    names = yaml.safe_load((out / "labels/yolo/data.yaml").read_text())
    for part in ("train", "val", "test"):
        expected = sorted(name for name, found in parts.items() if found == part)
        coco = COCO(str(out / f"labels/coco/instances_{part}.json"))
        assert sorted(image["file_name"] for image in coco.imgs.values()) == expected
        assert len(coco.anns) == len(expected)
        read = supervision.DetectionDataset.from_coco(
            str(out / "images"), str(out / f"labels/coco/instances_{part}.json"), force_masks=True
        )
        assert sorted(Path(path).name for path, _, _ in read) == expected
        listed = (out / "labels/yolo" / names[part]).read_text().splitlines()
        assert sorted(line.removeprefix("./images/") for line in listed) == expected


def test_without_a_split_nothing_says_so(tmp_path: Path, tiny_bundle: Path, masks: Path) -> None:
    out = tmp_path / "out"
    assert posegen_run("--masks", masks, "--out", out, "--bundle", tiny_bundle) == 0
    assert "split" not in (out / "manifest.jsonl").read_text()
    assert (out / "labels/coco/instances.json").is_file()
    assert "val: train.txt" in (out / "labels/yolo/data.yaml").read_text()
