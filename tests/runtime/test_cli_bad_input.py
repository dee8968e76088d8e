"""Bad input through the real command: one line, the right exit code, and the run goes on."""

import builtins
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from tiny_bundle import SIZE, example_mask, write_tiny_bundle


class Command:
    """Runs posegen-run on `masks` into `out` and keeps what it printed."""

    def __init__(self, tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.masks, self.out, self.bundle = tmp_path / "masks", tmp_path / "out", bundle
        self.masks.mkdir(exist_ok=True)
        self._capsys = capsys
        self.errors = ""

    def __call__(self, *extra: object, **replaced: object) -> int:
        options = {"masks": self.masks, "out": self.out, "bundle": self.bundle, **replaced}
        arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
        code = run_app(app, [str(argument) for argument in (*arguments, *extra)])
        self.errors = self._capsys.readouterr().err
        assert "Traceback" not in self.errors
        return code

    def write(self, name: str, mask: np.ndarray) -> Path:
        cv2.imwrite(str(self.masks / name), mask)
        return self.masks / name

    def rows(self) -> dict[str, dict[str, Any]]:
        lines = (self.out / "manifest.jsonl").read_text().splitlines()
        return {row["mask"]: row for row in map(json.loads, lines)}

    def refusal(self) -> str:
        """The one line of an error."""
        (line,) = [line for line in self.errors.splitlines() if line.startswith("error: ")]
        return line


@pytest.fixture
def command(tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, tiny_bundle, capsys)


def test_missing_and_empty_folders(command: Command, tmp_path: Path) -> None:
    assert command(masks=tmp_path / "nowhere") == 2
    assert "--masks" in command.refusal()
    assert "nowhere" in command.refusal()
    assert command() == 2
    assert "no images found" in command.refusal()
    command.write("a.png", example_mask(0))
    assert command("--appearance", tmp_path / "no.jpg") == 2
    assert "--appearance" in command.refusal()
    assert not command.out.exists()


def test_bad_files_cost_their_row_and_not_the_run(command: Command) -> None:
    command.write("good.png", example_mask(0))
    command.write("black.png", np.zeros((SIZE, SIZE), np.uint8))
    (command.masks / "text.png").write_text("this is no image")
    whole = command.write("cut.png", example_mask(1)).read_bytes()
    (command.masks / "cut.png").write_bytes(whole[: len(whole) // 2])
    command.write("tiny.png", np.array([[255]], np.uint8))
    command.write("dot.png", _dot())
    assert command("--fit", "frame") == 1
    rows = command.rows()
    assert {name for name, row in rows.items() if row["state"] == "failed"} == {
        "black.png", "text.png", "cut.png", "dot.png",
    }  # fmt: skip
    assert "empty" in rows["black.png"]["reason"]
    assert "no image" in rows["text.png"]["reason"]
    assert "cut short" in rows["cut.png"]["reason"]
    assert "--fit object" in rows["dot.png"]["reason"]
    assert "failed: black.png" in command.errors
    coco = json.loads((command.out / "labels/coco/instances.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == ["good.png", "tiny.png"]
    assert sorted(path.name for path in (command.out / "images").iterdir()) == [
        "good.png", "tiny.png",
    ]  # fmt: skip


def _dot() -> np.ndarray:
    mask = np.zeros((900, 900), np.uint8)
    mask[450, 450] = 255
    return mask


def test_a_white_mask_is_made_with_a_warning(command: Command) -> None:
    command.write("white.png", np.full((SIZE, SIZE), 255, np.uint8))
    command.write("a.png", example_mask(0))
    assert command() == 0
    assert "1 of 2 masks are mostly white: perhaps inverted" in command.errors
    record = json.loads((command.out / "run.json").read_text())
    assert any("inverted" in line for line in record["warnings"])


def test_unclear_pixels_and_masks_outside_the_trained_range_are_counted(
    command: Command, tmp_path: Path
) -> None:
    blurred = cv2.GaussianBlur(example_mask(0), (0, 0), 4)
    command.write("blurred.png", blurred)
    command.write("a.png", example_mask(1))
    ranges = {"area": [0.0, 1.0], "aspect": [0.1, 0.2]}
    bundle = write_tiny_bundle(tmp_path / "ranged", mask_range=ranges)
    assert command("--mask-values", "half", bundle=bundle) == 0
    assert re.search(
        r"1 of 2 masks have more than 1% of pixels \(at most \d+\.\d%\)", command.errors
    )
    assert "2 of 2 masks lie outside the range" in command.errors
    assert "(aspect)" in command.errors


@pytest.mark.parametrize("kind", ["zero-one", "ids", "palette", "alpha", "rgb", "16-bit"])
def test_every_way_to_store_a_mask_gives_the_same_image(command: Command, kind: str) -> None:
    mask = example_mask(0)
    binary = mask > 0
    extra: list[str] = []
    if kind == "zero-one":
        command.write("a.png", binary.astype(np.uint8))
    elif kind == "ids":
        ids = np.where(binary, 9, 0).astype(np.uint8)
        ids[:4] = 3
        command.write("a.png", ids)
        extra = ["--mask-values", "9"]
    elif kind == "palette":
        image = Image.fromarray(binary.astype(np.uint8), "P")
        image.putpalette([200, 0, 0, 0, 0, 90])
        image.save(command.masks / "a.png")
    elif kind == "alpha":
        rgba = np.dstack([np.full((SIZE, SIZE, 3), 77, np.uint8), mask])
        command.write("a.png", rgba)
    elif kind == "rgb":
        command.write("a.png", np.dstack([mask] * 3))
    else:
        command.write("a.png", mask.astype(np.uint16) * 257)
    assert command("--fit", "stretch", *extra) == 0, command.errors
    written = cv2.imread(str(command.out / "masks/a.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(written, mask)


def test_several_ids_are_asked_for(command: Command) -> None:
    ids = np.zeros((SIZE, SIZE), np.uint8)
    ids[:20], ids[40:] = 3, 9
    command.write("a.png", ids)
    assert command() == 2
    assert "--mask-values" in command.refusal()


def test_a_mask_of_8000_by_6000(command: Command) -> None:
    large = np.zeros((6000, 8000), np.uint8)
    cv2.ellipse(large, (5000, 4000), (400, 200), 0, 0, 360, 255, -1)
    command.write("large.png", large)
    assert command() == 0
    placement = command.rows()["large.png"]["placement"]
    assert placement["fit"] == "object"
    assert placement["window"][2] - placement["window"][0] < 2000
    mask = cv2.imread(str(command.out / "masks/large.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (SIZE, SIZE)
    assert 0.1 < (mask > 0).mean() < 0.5


def test_a_bundle_that_needs_an_appearance_or_takes_none(command: Command, tmp_path: Path) -> None:
    photo = command.write("a.png", example_mask(0))
    needy = write_tiny_bundle(tmp_path / "needy", with_defaults=False)
    assert command(bundle=needy) == 2
    assert "--appearance: the bundle tiny (pose-appearance-background) needs" in command.refusal()
    pose_only = write_tiny_bundle(tmp_path / "pose", "pose")
    assert command("--background", photo, bundle=pose_only) == 2
    assert "takes none; leave it out" in command.refusal()


def test_damaged_bundles(command: Command, tmp_path: Path, tiny_bundle: Path) -> None:
    command.write("a.png", example_mask(0))
    changed = Path(shutil.copytree(tiny_bundle, tmp_path / "changed"))
    data = bytearray((changed / "fp32/conditions.onnx").read_bytes())
    data[20] ^= 1
    (changed / "fp32/conditions.onnx").write_bytes(data)
    assert command(bundle=changed) == 2
    assert "conditions.onnx: changed since export" in command.refusal()
    assert command(bundle=tmp_path / "none") == 2
    assert "not a bundle" in command.refusal()
    assert not command.out.exists()


def test_an_output_that_cannot_be_written(command: Command, tmp_path: Path) -> None:
    command.write("a.png", example_mask(0))
    (tmp_path / "file").write_text("")
    assert command(out=tmp_path / "file") == 2
    assert "--out" in command.refusal()
    assert command(out=tmp_path / "file" / "below") == 2
    assert "name a folder that can be written" in command.refusal()


def test_an_output_that_is_in_use(command: Command) -> None:
    command.write("a.png", example_mask(0))
    assert command() == 0
    command.write("b.png", example_mask(1))
    (command.masks / "a.png").unlink()
    assert command() == 2
    assert "--masks: 1 file more, 1 fewer" in command.refusal()
    assert command("--fresh") == 0
    assert [path.name for path in (command.out / "images").iterdir()] == ["b.png"]
    assert [path.name for path in (command.out / "labels/yolo/labels").iterdir()] == ["b.txt"]


def test_fresh_removes_nothing_that_a_run_did_not_write(command: Command) -> None:
    command.write("a.png", example_mask(0))
    assert command() == 0
    precious = command.out / "images/precious.png"
    precious.write_text("mine")
    assert command("--fresh") == 2
    assert "images/precious.png was not written by a run" in command.refusal()
    assert precious.read_text() == "mine"
    assert (command.out / "images/a.png").exists()
    other = command.out.parent / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    assert command("--fresh", out=other) == 2
    assert "is not empty" in command.refusal()


def test_an_output_inside_an_input_or_around_it(command: Command) -> None:
    """An input must never be deleted by --fresh, nor outputs be read as masks."""
    command.write("a.png", example_mask(0))
    assert command(out=command.masks / "out") == 2
    assert "name a folder apart" in command.refusal()
    assert command() == 0
    assert command("--fresh", masks=command.out / "masks") == 2
    assert "lies inside --masks" in command.refusal()
    assert (command.out / "masks/a.png").exists()


def test_a_condition_that_is_no_image(command: Command, tmp_path: Path) -> None:
    command.write("a.png", example_mask(0))
    (tmp_path / "car.jpg").write_text("no image")
    assert command("--appearance", tmp_path / "car.jpg") == 2
    assert "car.jpg" in command.refusal()


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--labels", "coco,kitti"], "--labels kitti"),
        (["--category", ":3"], "--category :3"),
        (["--category", "car:zero"], "--category car:zero"),
        (["--mask-values", "many"], "--mask-values many"),
        (["--precision", "int4"], "holds no int4 variant"),
        (["--demo"], "--demo brings its own masks"),
    ],
)
def test_bad_options(command: Command, extra: list[str], message: str) -> None:
    command.write("a.png", example_mask(0))
    assert command(*extra) == 2
    assert message in command.refusal()


def test_missing_options(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run_app(app, []) == 2
    assert "--masks is missing" in capsys.readouterr().err
    assert run_app(app, ["--masks", str(tmp_path)]) == 2
    assert "--out is missing" in capsys.readouterr().err
    assert run_app(app, ["--per-mask", "0"]) == 2


def test_more_variations_than_pairs(command: Command) -> None:
    command.write("a.png", example_mask(0))
    assert command("--per-mask", "5") == 0
    assert "only 1 different pairs" in command.errors
    assert list(command.rows()) == ["a.png"]


def test_no_engine_installed(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command.write("a.png", example_mask(0))
    real_import = builtins.__import__

    def without_engine(name: str, *args: Any, **kwargs: Any) -> Any:
        if name in ("onnxruntime", "openvino"):
            raise ModuleNotFoundError(name)
        return real_import(name, *args, **kwargs)

    for name in ("onnxruntime", "openvino"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(builtins, "__import__", without_engine)
    assert command() == 2
    assert "posegen[cpu]" in command.refusal()
    assert "posegen[gpu]" in command.refusal()
