"""`PoseGenerator`: what it makes, what it refuses, and that it makes the same everywhere."""

import builtins
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posegen_runtime import PoseGenerator, PoseGenError
from posegen_runtime.backends.onnx import CUDA, OnnxBackend
from tiny_bundle import SIZE, example_mask, example_photo, expected_image, write_tiny_bundle

MASKS = np.stack([example_mask(index) for index in range(9)])
PHOTOS = np.stack([example_photo(index, SIZE) for index in range(9)])
SCENES = np.stack([example_photo(20 + index, SIZE) for index in range(9)])


@pytest.fixture(scope="module")
def generator(tiny_bundle: Path) -> PoseGenerator:
    return PoseGenerator.load(tiny_bundle)


def reference(rows: range) -> np.ndarray:
    return np.stack([expected_image(MASKS[i], PHOTOS[i], SCENES[i]) for i in rows])


def test_generates_each_row_from_its_own_inputs(generator: PoseGenerator) -> None:
    images = generator.generate(MASKS, PHOTOS, SCENES)
    assert images.dtype == np.uint8
    assert images.shape == (9, SIZE, SIZE, 3)
    np.testing.assert_array_equal(images, reference(range(9)))


def test_one_image_for_all_masks_is_the_same_as_one_each(generator: PoseGenerator) -> None:
    shared = generator.generate(MASKS, PHOTOS[0], SCENES)
    each = generator.generate(MASKS, np.repeat(PHOTOS[:1], 9, axis=0), SCENES)
    np.testing.assert_array_equal(shared, each)


@pytest.mark.parametrize("size", [1, 2, 4, 9])
@pytest.mark.parametrize("threads", [1, 2, None])
def test_same_bytes_at_any_batch_size_and_thread_count(
    tiny_bundle: Path, size: int, threads: int | None
) -> None:
    generator = PoseGenerator.load(tiny_bundle, threads=threads)
    rows = [slice(start, start + size) for start in range(0, 9, size)]
    parts = [generator.generate(MASKS[row], PHOTOS[row], SCENES[row]) for row in rows]
    np.testing.assert_array_equal(np.concatenate(parts), reference(range(9)))


def test_a_single_mask_and_a_bool_mask(generator: PoseGenerator) -> None:
    single = generator.generate(MASKS[0], PHOTOS[0], SCENES[0])
    as_bool = generator.generate(MASKS[:1] > 0, PHOTOS[0], SCENES[0])
    np.testing.assert_array_equal(single, reference(range(1)))
    np.testing.assert_array_equal(as_bool, single)


def test_no_masks_give_no_images(generator: PoseGenerator) -> None:
    assert generator.generate(MASKS[:0]).shape == (0, SIZE, SIZE, 3)


def test_missing_conditions_are_the_bundles_own(generator: PoseGenerator) -> None:
    expected = expected_image(
        MASKS[0], generator.default("appearance"), generator.default("background")
    )
    np.testing.assert_array_equal(generator.generate(MASKS[0])[0], expected)


def test_each_pair_of_conditions_is_encoded_once(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = PoseGenerator.load(tiny_bundle)
    conditions = generator.backend("conditions")
    calls = []
    run = conditions.run
    monkeypatch.setattr(conditions, "run", lambda feeds: calls.append(1) or run(feeds))
    for _ in range(3):
        generator.generate(MASKS, PHOTOS[0], SCENES[0])
        generator.generate(MASKS[:4], PHOTOS[:4], SCENES[1])
    assert len(calls) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"masks": MASKS.astype(np.float32)}, "masks: float32; must be a uint8 or bool array"),
        ({"masks": MASKS.tolist()}, "masks: list; must be"),
        ({"masks": MASKS[:, :-1]}, r"masks: shape \(9, 63, 64\); must be \[N, 64, 64\]"),
        ({"masks": MASKS[..., None]}, "masks: shape"),
        ({"masks": MASKS // 255}, "masks: values are 0 and 1; use 0 and 255"),
        ({"appearance": PHOTOS[:2]}, "appearance: 2 images for 9 masks; give one or 9"),
        ({"appearance": PHOTOS[..., :1]}, "appearance: shape"),
        ({"background": PHOTOS.astype(float)}, "background: float64; must be a uint8 array"),
        ({"background": PHOTOS[0, :, :32]}, r"background: shape \(64, 32, 3\)"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(
    generator: PoseGenerator, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(PoseGenError, match=message) as caught:
        generator.generate(**{"masks": MASKS, **arguments})
    assert "\n" not in str(caught.value)


def test_a_condition_the_bundle_does_not_take(tmp_path: Path) -> None:
    generator = PoseGenerator.load(write_tiny_bundle(tmp_path, "pose"))
    assert generator.generate(MASKS).shape == (9, SIZE, SIZE, 3)
    with pytest.raises(PoseGenError, match=r"appearance: this bundle \(tiny, pose\) takes none"):
        generator.generate(MASKS, appearance=PHOTOS)


def test_a_condition_that_is_missing_and_has_no_default(tmp_path: Path) -> None:
    generator = PoseGenerator.load(write_tiny_bundle(tmp_path, with_defaults=False))
    with pytest.raises(PoseGenError, match=r"background: this bundle .* needs one"):
        generator.generate(MASKS, appearance=PHOTOS)


def test_precisions_and_backends_that_are_not_there(tiny_bundle: Path) -> None:
    with pytest.raises(PoseGenError, match="holds no int8 variant, only fp32"):
        PoseGenerator.load(tiny_bundle, precision="int8")
    with pytest.raises(PoseGenError, match="backend 'tpu': must be one of auto, cpu, cuda"):
        PoseGenerator.load(tiny_bundle, backend="tpu")
    with pytest.raises(PoseGenError, match="threads 0: must be at least 1"):
        PoseGenerator.load(tiny_bundle, threads=0)


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_no_silent_fall_back_to_another_provider(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    graph = tiny_bundle / "fp32/generator.onnx"
    with pytest.raises(PoseGenError, match=r"this ONNX Runtime has only .*CPU"):
        OnnxBackend(graph, CUDA)
    # A build with CUDA on a machine without a GPU: ONNX Runtime warns and takes the CPU.
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: [CUDA, "CPUExecutionProvider"]
    )
    with pytest.raises(PoseGenError, match="could only load CPUExecutionProvider"):
        OnnxBackend(graph, CUDA)


def test_without_an_engine_the_message_names_the_extras(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_import = builtins.__import__

    def without_engine(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "onnxruntime":
            raise ModuleNotFoundError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_engine)
    with pytest.raises(PoseGenError, match=r"posegen\[cpu\].*posegen\[gpu\]"):
        PoseGenerator.load(tiny_bundle, backend="cpu")


def test_a_graph_that_does_not_load_is_named(tmp_path: Path) -> None:
    graph = tmp_path / "broken.onnx"
    graph.write_bytes(b"no protobuf")
    with pytest.raises(PoseGenError, match=r"broken\.onnx: ONNX Runtime cannot load it"):
        OnnxBackend(graph)
