"""The model that comes along: small, whole, PyTorch's own images, and it follows its inputs."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from posegen_runtime import PoseGenerator
from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.generator import SHIPPED_BUNDLE
from posegen_runtime.images import read_rgb

ROOT = Path(__file__).parents[1]
CHECKPOINT = ROOT / "checkpoints" / "edge-cars.safetensors"


@pytest.fixture(scope="module")
def generator() -> PoseGenerator:
    return PoseGenerator.load(threads=1)


def golden(generator: PoseGenerator, name: str) -> np.ndarray:
    """Masks or images of the golden set."""
    paths = [getattr(entry, name) for entry in generator.bundle.manifest.golden]
    images = np.stack([read_rgb(generator.bundle.path(path)) for path in paths])
    return images[..., 0] if name == "mask" else images


def test_it_is_at_most_10_mb_and_12_with_fp16_and_int8() -> None:
    sizes = {path: path.stat().st_size for path in SHIPPED_BUNDLE.rglob("*") if path.is_file()}
    others = [path for path in sizes if path.parent.name in ("fp16", "int8")]
    assert sum(sizes.values()) <= 12e6
    assert sum(size for path, size in sizes.items() if path not in others) <= 10e6


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_selftest_passes_without_naming_a_bundle(precision: str) -> None:
    assert run_app(app, ["--selftest", "--precision", precision]) == 0


@pytest.mark.parametrize("backend", ["auto", "openvino"])
def test_a_precision_is_chosen_by_measuring(backend: str) -> None:
    """FP16 is not tried on a CPU."""
    generator = PoseGenerator.load(threads=1, backend=backend, precision="auto")
    assert generator.precision in ("fp32", "int8")
    found = re.findall(r"(\w+) (fp32|fp16|int8) [\d.]+ ms", generator.choice.why)
    assert {precision for _, precision in found} == {"fp32", "int8"}
    if backend != "auto":
        assert {name for name, _ in found} == {backend}


@pytest.mark.parametrize("backend", ["cpu", "openvino"])
@pytest.mark.parametrize(("int8", "taken"), [(0.5, "int8"), (0.9, "int8"), (1.5, "fp32")])
def test_int8_is_taken_where_it_measured_faster_and_only_there(
    monkeypatch: pytest.MonkeyPatch, backend: str, int8: float, taken: str
) -> None:
    """`int8`: the time that it takes, FP32's being 1."""
    seconds = {"fp32": 1.0, "int8": int8}
    monkeypatch.setattr(
        "posegen_runtime.backends.choosing.time_backends",
        lambda candidates, bundle: {c: seconds[c[1]] for c in candidates},
    )
    generator = PoseGenerator.load(threads=1, backend=backend, precision="auto")
    assert generator.precision == taken
    assert generator.choice.backend.value == backend
    assert f"{backend} int8 {1000 * int8:.1f} ms" in generator.choice.why


def test_int8_says_what_it_was_measured_to_lose(generator: PoseGenerator) -> None:
    parity = generator.bundle.precision("int8").parity
    pose = parity["pose_iou"]
    assert pose["judged"]
    assert pose["int8"] >= pose["fp32"] - 0.01
    assert pose["fp32"] > 0.85 > 0.4 > pose["shuffled"]
    assert parity["calibration"]["samples"] == 512
    assert parity["rest"] == "fp16"


def test_demo_needs_nothing_but_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_app(app, ["--demo"]) == 0
    assert (tmp_path / "posegen-demo" / "preview.png").stat().st_size > 10_000


def test_the_readme_examples_give_labelled_images(tmp_path: Path) -> None:
    examples = ROOT / "examples"
    arguments = ["--masks", examples / "masks", "--poses", examples / "poses.jsonl"]
    assert run_app(app, [str(a) for a in (*arguments, "--out", tmp_path / "out")]) == 0
    coco = json.loads((tmp_path / "out/labels/coco/instances.json").read_text())
    assert len(coco["annotations"]) == len(list((examples / "masks").iterdir()))


def test_the_background_stays_and_the_object_changes(generator: PoseGenerator) -> None:
    """Shadows fall beside the object; 16 pixels away little may change."""
    masks = golden(generator, "mask")
    background = generator.default("background")
    images = generator.generate(masks)
    difference = np.abs(images.astype(int) - background.astype(int)).mean(axis=3)
    inside = np.mean([d[m > 127].mean() for d, m in zip(difference, masks, strict=True)])
    far = [cv2.dilate(mask, np.ones((33, 33), np.uint8)) == 0 for mask in masks]
    outside = np.mean([d[f].mean() for d, f in zip(difference, far, strict=True) if f.any()])
    assert outside < 4 < 20 < inside


def test_the_object_takes_the_appearance_s_colour(generator: PoseGenerator) -> None:
    """The flat red and blue photos are no cars: only the colour in them can be followed."""
    masks = golden(generator, "mask")
    middle = masks[np.argsort((masks > 127).mean(axis=(1, 2)))[len(masks) // 2]]
    inside = middle > 127
    appearance = np.repeat(generator.default("appearance")[None], 2, axis=0)
    for image, channel in zip(appearance, (0, 2), strict=True):
        image[...] = 60
        image[64:192, 48:208] = 30
        image[64:192, 48:208, channel] = 220
    red, blue = (image[inside].mean(axis=0) for image in _each(generator, middle, appearance))
    assert red[0] > blue[0] + 20
    assert blue[2] > red[2] + 20


def _each(generator: PoseGenerator, mask: np.ndarray, appearances: np.ndarray) -> np.ndarray:
    return generator.generate(np.repeat(mask[None], len(appearances), axis=0), appearances)


@pytest.mark.slow
def test_it_is_what_the_checkpoint_makes() -> None:
    from posegen_export.cli import app as export_app

    arguments = ["check", str(SHIPPED_BUNDLE), "--checkpoint", str(CHECKPOINT)]
    assert run_app(export_app, arguments) == 0
