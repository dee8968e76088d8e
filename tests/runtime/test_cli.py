"""`posegen-run` from end to end: the output tree, the same bytes again, every option."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posegen_runtime import __version__
from posegen_runtime.images import read_resized_rgb, read_rgb
from posegen_runtime.paths import read_bytes
from tiny_bundle import SIZE, expected_image, write_tiny_bundle
from whole_runs import (
    images_there,
    outputs,
    posegen_run,
    record,
    rows,
    start,
    wait_for,
    write_masks,
)


@pytest.fixture
def run(tiny_bundle: Path, masks: Path, tmp_path: Path) -> Any:
    def run_into(name: str, *arguments: object) -> Path:
        out = tmp_path / name
        assert posegen_run("--masks", masks, "--out", out, "--bundle", tiny_bundle, *arguments) == 0
        return out

    return run_into


def test_writes_images_masks_labels_and_records(run: Any, capsys: Any) -> None:
    out = run("out")
    names = set(outputs(out))
    for stem in ("a", "b", "nested/a"):
        assert {f"images/{stem}.png", f"masks/{stem}.png", f"labels/yolo/labels/{stem}.txt"} < names
    assert {"labels/coco/instances.json", "labels/yolo/data.yaml", "manifest.jsonl"} < names
    assert not any(".part" in name for name in names)
    assert [row["state"] for row in rows(out)] == ["done"] * 3
    told = record(out)
    assert (told["state"], told["planned"], told["done"], told["failed"]) == ("finished", 3, 3, 0)
    assert told["options"]["mask_values"] == "half"
    assert told["versions"]["posegen"] == __version__
    captured = capsys.readouterr()
    assert "3 images done, 0 failed in" in captured.out
    assert "images/s" in captured.out


def test_images_are_those_of_the_masks_and_conditions_in_the_manifest(
    run: Any, photos: Path
) -> None:
    out = run("out", "--appearance", photos, "--background", photos, "--per-mask", 3)
    assert len(rows(out)) == 9
    for row in rows(out):
        mask = cv2.imread(str(out / row["mask_file"]), cv2.IMREAD_UNCHANGED)
        assert set(np.unique(mask)) == {0, 255}
        expected = expected_image(
            mask,
            read_resized_rgb(photos / row["appearance"], (SIZE, SIZE)),
            read_resized_rgb(photos / row["background"], (SIZE, SIZE)),
        )
        np.testing.assert_array_equal(read_rgb(out / row["image"]), expected)
    pairs = {(row["mask"], row["appearance"], row["background"]) for row in rows(out)}
    assert len(pairs) == 9


def test_same_bytes_again_at_any_number_of_lanes_and_any_batch(
    run: Any, photos: Path, tmp_path: Path
) -> None:
    options = ("--appearance", photos, "--background", photos, "--per-mask", 4, "--preview")
    first = outputs(run("first", *options, "--lanes", 1, "--batch", 1))
    assert outputs(run("second", *options, "--lanes", 3, "--batch", 4)) == first
    assert outputs(run("third", *options)) == first
    sheets = {read_bytes(tmp_path / name / "preview.png") for name in ("first", "second", "third")}
    assert len(sheets) == 1
    assert outputs(run("fourth", *options, "--seed", 1)) != first


def test_jpg_images_and_no_labels(run: Any) -> None:
    out = run("out", "--format", "jpg", "--labels", "none")
    assert {path.suffix for path in (out / "images").rglob("*.*")} == {".jpg"}
    assert not (out / "labels").exists()


def test_category_is_written_with_its_id(run: Any) -> None:
    out = run("out", "--category", "car:3")
    coco = json.loads((out / "labels/coco/instances.json").read_text())
    assert coco["categories"] == [{"id": 3, "name": "car"}]
    assert {annotation["category_id"] for annotation in coco["annotations"]} == {3}
    assert '0: "car"' in (out / "labels/yolo/data.yaml").read_text()


def test_each_object_of_a_mask_file_gets_an_image(tiny_bundle: Path, tmp_path: Path) -> None:
    ids = np.zeros((SIZE, SIZE), np.uint8)
    ids[5:30, 5:30], ids[35:60, 35:60] = 7, 12
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/scene.png"), ids)
    out = tmp_path / "out"
    common = ("--masks", tmp_path / "masks", "--out", out, "--bundle", tiny_bundle)
    assert posegen_run(*common, "--mask-values", "each", "--fit", "stretch") == 0
    assert [(row["image"], row["object"]) for row in rows(out)] == [
        ("images/scene_7.png", "7"),
        ("images/scene_12.png", "12"),
    ]
    mask = cv2.imread(str(out / "masks/scene_12.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask > 0, ids == 12)


def test_a_background_of_the_masks_size_gets_the_masks_window(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    """Under --fit object the crop of the background is the crop of the mask."""
    (tmp_path / "masks").mkdir()
    for name, left in (("left.png", 20), ("right.png", 200)):
        mask = np.zeros((200, 300), np.uint8)
        mask[120:160, left : left + 60] = 255
        cv2.imwrite(str(tmp_path / "masks" / name), mask)
    scene = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "scene.png"), scene[..., ::-1])
    out = tmp_path / "out"
    code = posegen_run(
        "--masks", tmp_path / "masks", "--out", out, "--bundle", tiny_bundle,
        "--background", tmp_path / "scene.png", "--fit", "object",
    )  # fmt: skip
    assert code == 0
    for row in rows(out):
        x0, y0, x1, y1 = row["placement"]["window"]
        crop = cv2.resize(scene[y0:y1, x0:x1], (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        image = read_rgb(out / row["image"]).astype(int)
        outside = cv2.imread(str(out / row["mask_file"]), cv2.IMREAD_UNCHANGED) == 0
        assert np.abs(image - crop)[outside].mean() < 10


def test_the_demo_needs_nothing_else(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert posegen_run("--demo", "--bundle", tiny_bundle) == 0
    assert "contact sheet: posegen-demo/preview.png" in capsys.readouterr().out
    assert read_rgb(tmp_path / "posegen-demo/preview.png").shape[1] > 4 * SIZE


def test_the_demo_leaves_random_masks_out(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundle", golden=3)
    noise = np.random.default_rng(0).integers(0, 2, (SIZE, SIZE), dtype=np.uint8) * 255
    cv2.imwrite(str(bundle / "golden/mask/001.png"), noise)
    manifest = json.loads((bundle / "bundle.json").read_text())
    data = (bundle / "golden/mask/001.png").read_bytes()
    manifest["files"]["golden/mask/001.png"] = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
    }
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    assert posegen_run("--demo", "--bundle", bundle, "--out", tmp_path / "out") == 0
    assert [row["mask"] for row in rows(tmp_path / "out")] == ["mask/000.png", "mask/002.png"]


def test_selftest_prints_figures_and_fails_on_a_miss(
    tiny_bundle: Path, tmp_path: Path, capsys: Any
) -> None:
    assert posegen_run("--selftest", "--bundle", tiny_bundle) == 0
    assert "max difference" in capsys.readouterr().out
    bundle = write_tiny_bundle(tmp_path)
    manifest = json.loads((bundle / "bundle.json").read_text())
    first, second = manifest["golden"][:2]
    first["image"] = second["image"]
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    assert posegen_run("--selftest", "--bundle", bundle) == 1
    assert "MISSED" in capsys.readouterr().out


def test_version_and_help(capsys: Any) -> None:
    assert posegen_run("--version") == 0
    assert capsys.readouterr().out == f"posegen {__version__}\n"
    assert posegen_run("--help") == 0
    assert "--per-mask" in capsys.readouterr().out


def test_a_whole_run_loads_neither_torch_nor_onnx(
    tiny_bundle: Path, masks: Path, tmp_path: Path
) -> None:
    arguments = [
        "--masks", str(masks), "--out", str(tmp_path / "out"), "--bundle", str(tiny_bundle),
        "--preview", "--selftest",
    ]  # fmt: skip
    code = f"""
import sys
from posegen_runtime.cli import app
from posegen_runtime.console import run_app
assert run_app(app, {arguments!r}) == 0
heavy = {{"torch", "onnx", "pyvista", "matplotlib", "scipy"}} & set(sys.modules)
assert not heavy, heavy
assert "onnxruntime" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert len(rows(tmp_path / "out")) == 3


def test_ctrl_c_leaves_labels_of_what_is_done(tiny_bundle: Path, tmp_path: Path) -> None:
    masks, out = write_masks(tmp_path / "masks", 600), tmp_path / "out"
    options = ("--masks", masks, "--out", out, "--bundle", tiny_bundle, "--lanes", 1)
    process = start(*options, "--preview", seconds=0.005)
    wait_for(lambda: images_there(out) > 20, process)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    done = {row["image"].removeprefix("images/") for row in rows(out)}
    assert 20 < len(done) < 600
    assert stdout.startswith(f"interrupted: {len(done)} images done, 0 failed, ")
    assert f", {600 - len(done)} to do in " in stdout
    assert "Traceback" not in stderr
    assert "stopping: finishing what is in flight\n" in stderr
    coco = json.loads((out / "labels/coco/instances.json").read_text())
    assert {image["file_name"] for image in coco["images"]} == done
    assert {path.name for path in (out / "images").iterdir()} == done
    listed = (out / "labels/yolo/train.txt").read_text().split()
    assert {line.removeprefix("./images/") for line in listed} == done
    assert record(out)["state"] == "interrupted"
    assert f"report: {out / 'report.html'}" in stdout
    assert (out / "preview.png").exists()
