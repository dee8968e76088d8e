import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from posegen.cli import app
from posegen.metrics.values import read_values
from posegen_runtime.console import run_app
from simple_judges import write_judge
from small_inception import use_small_inception, write_tiles


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    real = write_tiles(tmp_path / "real", 14, 1, ending="jpeg")
    made = write_tiles(tmp_path / "made", 12, 2, red=60)
    train = write_tiles(tmp_path / "train", 20, 3)
    return [str(real), str(made), "--train", str(train)]


def run(*arguments: object) -> int:
    return run_app(app, ["metrics", "images", *map(str, arguments)])


def test_all_metrics(
    tmp_path: Path,
    folders: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import torch_fidelity

    weights = use_small_inception(monkeypatch, tmp_path)
    masks = tmp_path / "masks"
    masks.mkdir()
    for number in range(11):  # the twelfth image has none
        green = cv2.imread(str(tmp_path / f"made/{number:03d}.png"))[..., 1]
        found = cv2.resize(green, (16, 16), interpolation=cv2.INTER_AREA) > 127
        cv2.imwrite(str(masks / f"{number:03d}.png"), found.astype(np.uint8) * 255)
    write_judge(tmp_path / "judges" / "segmenter", "segmenter")
    table, rows = tmp_path / "t.csv", tmp_path / "r.json"
    options = ["--weights", weights, "--masks", masks, "--judges", tmp_path / "judges"]
    options += ["--kid-subset-size", 10, "--csv", table, "--json", rows, "--batch-size", 5]
    assert run(*folders, *options) == 0

    printed = capsys.readouterr().out
    assert "unavailable" not in printed
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines()]
    assert lines[0] == ["Method", "images", "IS", "FID", "KID", "KID, subsets", "IoU", "I_sim"]
    assert [line[0] for line in lines[2:]] == ["generated", "oracle 2"]

    theirs = torch_fidelity.calculate_metrics(
        input1=folders[1],
        input2=folders[0],
        feature_extractor_weights_path=str(weights),
        isc=True,
        fid=True,
        kid=True,
        kid_subset_size=10,
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
    )
    generated, oracle = (row["figures"] for row in json.loads(rows.read_bytes()))
    for key, name in (
        ("is", "inception_score_mean"),
        ("fid", "frechet_inception_distance"),
        ("kid_subsets", "kernel_inception_distance_mean"),
    ):
        assert generated[key]["value"] == pytest.approx(theirs[name], rel=1e-3)
    assert generated["fid"]["low"] < generated["fid"]["value"] < generated["fid"]["high"]
    assert oracle["fid"]["value"] < generated["fid"]["value"]
    assert generated["iou"]["value"] > 0.95
    assert oracle["iou"]["value"] < 0.6

    # I_sim of image 3, by hand.
    network = torch.load(weights)
    pools = []
    for name in ("real/003.jpeg", "made/003.png"):
        pixels = np.asarray(Image.open(tmp_path / name)).astype(np.float32)
        image = torch.from_numpy(pixels.transpose(2, 0, 1)[None]) / 64 - 2
        image = torch.conv2d(image, network["conv.weight"], network["conv.bias"], stride=2)
        pools.append(torch.relu(image).mean((2, 3))[0])
    expected = float(torch.cosine_similarity(*pools, dim=0))
    with table.open() as file:
        values = list(csv.DictReader(file))
    assert values[3]["path"] == "003"
    assert float(values[3]["isim_generated"]) == pytest.approx(expected, rel=1e-5)
    assert values[11]["iou_generated"] == ""
    assert list(read_values(table).models) == ["generated", "oracle-2"]


def test_without_weights(
    tmp_path: Path,
    folders: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert run(*folders, "--surrogate") == 0
    printed = capsys.readouterr().out
    generated = next(line for line in printed.splitlines() if line.startswith("| generated"))
    assert generated.count("unavailable") == 5
    assert "Fréchet distance, untrained features" in printed
    assert printed.count("FID, KID, IS and I_sim are unavailable: get https://") == 1


def test_too_few_images_for_a_subset_cost_only_that_figure(
    tmp_path: Path,
    folders: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    weights = use_small_inception(monkeypatch, tmp_path)
    assert run(*folders, "--weights", weights) == 0
    assert (
        "- KID, subsets: 12 images are fewer than a KID subset of 1000" in capsys.readouterr().out
    )


def test_a_segmenter_without_masks(folders: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Weights that nobody reads would pass for right ones."""
    for options in (["--segment", "car", "--segment-weights", "none.pth"], ["--judges", "none"]):
        assert run(*folders, *options) == 2
        assert "IoU, which needs --masks too" in capsys.readouterr().err


def test_images_of_several_sizes(
    tmp_path: Path, folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (20, 30)).save(tmp_path / "made" / "005.png")
    assert run(*folders, "--surrogate") == 2
    said = capsys.readouterr().err
    assert "005.png: 20×30 px where others have 48×48; bring all to one size" in said


def test_names_that_do_not_match(
    tmp_path: Path, folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path / "made").glob("*.png"):
        path.rename(path.with_name(f"x{path.name}"))
    assert run(*folders, "--surrogate") == 0
    said = capsys.readouterr().out
    assert "cosine, untrained features: no image has the name of a real photo" in said


def test_an_image_named_twice_and_a_broken_one(
    tmp_path: Path, folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "real" / "000.png").write_bytes(b"no image")
    assert run(*folders, "--surrogate") == 2
    assert "real: two images are named 000; keep one of them" in capsys.readouterr().err
    (tmp_path / "real" / "000.jpeg").unlink()
    assert run(*folders, "--surrogate") == 2
    assert "000.png" in capsys.readouterr().err
