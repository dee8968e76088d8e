"""Images of the C library against those of the Python runtime: the same bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from c_programs import Built
from posegen_runtime import PoseGenerator
from posegen_runtime.generator import SHIPPED_BUNDLE
from tiny_bundle import example_mask, example_photo, write_tiny_bundle

Arrays = dict[str, np.ndarray[Any, Any]]
INPUTS = ("appearance", "background", "viewpoint")


def inputs_for(generator: PoseGenerator, count: int, rows: int = 1) -> Arrays:
    """`count` masks, and all else that the bundle takes: `rows` of each."""
    size = generator.image_size[0]
    given = {"masks": np.stack([example_mask(index, size) for index in range(count)])}
    for number, name in enumerate(generator.bundle.conditions):
        photos = [example_photo(10 * number + row, size) for row in range(rows)]
        given[name] = np.stack(photos)
    if generator.bundle.takes_viewpoint:
        angles = np.arange(rows) + 0.5
        views = [np.cos(angles), np.sin(angles), 0 * angles]
        given["viewpoint"] = np.stack(views, axis=1).astype(np.float32)
    return given


def by_c(
    native: Built,
    folder: Path,
    generator: PoseGenerator,
    given: Arrays,
    mode: str = "shared",
    pad: int = 0,
) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Images by the C library, and the lines in which it says what it is."""
    files = ["-"] * 4
    for place, name in enumerate(("masks", *INPUTS)):
        if name in given:
            files[place] = str(folder / name)
            np.ascontiguousarray(given[name]).tofile(files[place])
    out = folder / "images"
    bundle = generator.bundle.root
    said = native.ok("driver", bundle, generator.precision, 1, mode, pad, *files, out)
    images = np.fromfile(out, np.uint8).reshape(-1, *generator.image_size, 3)
    return images, said.splitlines()


def by_python(generator: PoseGenerator, given: Arrays) -> np.ndarray[Any, Any]:
    of_all = given.get("viewpoint")
    if of_all is not None and len(of_all) == 1:
        of_all = of_all[0]
    conditions = [given.get(name) for name in INPUTS[:2]]
    return generator.generate(given["masks"], *conditions, of_all)


def load(bundle: Path, precision: str = "fp32") -> PoseGenerator:
    return PoseGenerator.load(bundle, precision, threads=1, backend="cpu")


@pytest.mark.parametrize("mode", ["shared", "each"])
@pytest.mark.parametrize(
    ("variant", "viewpoint"),
    [
        ("pose", False),
        ("pose", True),
        ("pose-appearance", False),
        ("pose-appearance-background", False),
        ("pose-appearance-background", True),
    ],
)
def test_every_variant_in_batches_of_any_size(
    native: Built, tmp_path: Path, variant: str, viewpoint: bool, mode: str
) -> None:
    generator = load(write_tiny_bundle(tmp_path / "bundle", variant, viewpoint=viewpoint))
    for count in (1, 4, 9):  # the largest batch is 4
        given = inputs_for(generator, count)
        images, _ = by_c(native, tmp_path, generator, given, mode)
        assert np.array_equal(images, by_python(generator, given))


@pytest.mark.parametrize("pad", [0, 5])
def test_each_mask_with_its_own_conditions_and_viewpoint(
    sanitized: Built, tmp_path: Path, viewpoint_bundle: Path, pad: int
) -> None:
    generator = load(viewpoint_bundle)
    given = inputs_for(generator, 9, rows=9)
    images, _ = by_c(sanitized, tmp_path, generator, given, "each", pad)
    assert np.array_equal(images, by_python(generator, given))
    given["background"] = given["background"][:1]
    images, _ = by_c(sanitized, tmp_path, generator, given, "each", pad)
    assert np.array_equal(images, by_python(generator, given))


def test_strides_of_all_buffers(sanitized: Built, tmp_path: Path, viewpoint_bundle: Path) -> None:
    generator = load(viewpoint_bundle)
    given = inputs_for(generator, 6)
    images, _ = by_c(sanitized, tmp_path, generator, given, "shared", pad=7)
    assert np.array_equal(images, by_python(generator, given))


def test_a_viewpoint_that_is_not_given_is_unknown(
    native: Built, tmp_path: Path, viewpoint_bundle: Path
) -> None:
    generator = load(viewpoint_bundle)
    given = inputs_for(generator, 2)
    del given["viewpoint"]
    images, _ = by_c(native, tmp_path, generator, given)
    assert np.array_equal(images, by_python(generator, given))


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_the_shipped_model_in_every_precision(
    native: Built, tmp_path: Path, precision: str
) -> None:
    generator = load(SHIPPED_BUNDLE, precision)
    for mode, rows in (("shared", 1), ("each", 2)):
        given = inputs_for(generator, 2, rows)
        images, _ = by_c(native, tmp_path, generator, given, mode)
        assert np.array_equal(images, by_python(generator, given))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_papers_architecture_with_pose_alone(
    native: Built, tmp_path: Path, exported_bundle: Callable[..., Path], precision: str
) -> None:
    generator = load(exported_bundle("bottleneck", "pose", "fp32,fp16"), precision)
    given = inputs_for(generator, 7)
    images, said = by_c(native, tmp_path, generator, given)
    assert np.array_equal(images, by_python(generator, given))
    assert said[1:3] == ["bottleneck", "pose"]


@pytest.mark.slow
def test_the_papers_own_sizes_with_pose_alone(native: Built, tmp_path: Path) -> None:
    from posegen.config import Arch, ModelConfig, Variant
    from posegen_export.export import export_bundle, load_source, make_inputs
    from posegen_export.moving import save_moving_checkpoint

    config = ModelConfig(arch=Arch.BOTTLENECK, preset="paper", variant=Variant.POSE)
    save_moving_checkpoint(tmp_path / "model.safetensors", config)
    source = load_source(tmp_path / "model.safetensors")
    inputs = make_inputs(config, None, 12, seed=1)
    export_bundle(source, tmp_path / "bundle", inputs, name="paper", max_batch=3)
    generator = load(tmp_path / "bundle")
    given = inputs_for(generator, 4)
    images, _ = by_c(native, tmp_path, generator, given)
    assert np.array_equal(images, by_python(generator, given))


def test_it_says_what_it_is(native: Built, tmp_path: Path, viewpoint_bundle: Path) -> None:
    generator = load(viewpoint_bundle)
    _, said = by_c(native, tmp_path, generator, inputs_for(generator, 1))
    assert said == [
        "tiny",
        "spatial",
        "pose-appearance-background",
        "fp32",
        generator.engine,
        "64 64 4",
        "1 1 1",
        f"{viewpoint_bundle}/defaults/appearance.png",
        f"{viewpoint_bundle}/defaults/background.png",
    ]
