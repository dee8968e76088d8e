"""OpenVINO makes the same images as PyTorch, and the same bytes however it is called."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from posegen_runtime import PoseGenerator, PoseGenError
from posegen_runtime.backends.openvino import OpenvinoBackend
from posegen_runtime.selftest import selftest
from tiny_bundle import SIZE, example_mask, example_photo, expected_image

MASKS = np.stack([example_mask(index) for index in range(9)])
PHOTOS = np.stack([example_photo(index, SIZE) for index in range(9)])
SCENES = np.stack([example_photo(20 + index, SIZE) for index in range(9)])


@pytest.fixture(autouse=True)
def _installed(request: pytest.FixtureRequest) -> None:
    if "uninstall" not in request.fixturenames:
        pytest.importorskip("openvino")


@pytest.mark.parametrize("size", [1, 4, 9])
@pytest.mark.parametrize("threads", [1, 2, None])
def test_same_bytes_at_any_batch_size_and_thread_count(
    tiny_bundle: Path, size: int, threads: int | None
) -> None:
    generator = PoseGenerator.load(tiny_bundle, threads=threads, backend="openvino")
    rows = [slice(start, start + size) for start in range(0, 9, size)]
    parts = [generator.generate(MASKS[row], PHOTOS[row], SCENES[row]) for row in rows]
    each = zip(MASKS, PHOTOS, SCENES, strict=True)
    expected = np.stack([expected_image(*inputs) for inputs in each])
    np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_callers_at_the_same_time_get_their_own_images(tiny_bundle: Path) -> None:
    generator = PoseGenerator.load(tiny_bundle, threads=1, backend="openvino")
    rows = [slice(index, index + 1) for index in range(9)] * 8
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(lambda row: generator.generate(MASKS[row], PHOTOS[0]), rows))
    for row, image in zip(rows, images, strict=True):
        np.testing.assert_array_equal(image, generator.generate(MASKS[row], PHOTOS[0]))


@pytest.mark.slow
def test_the_shipped_model_keeps_the_fp32_gate_and_its_bytes() -> None:
    generators = [PoseGenerator.load(None, threads=n, backend="openvino") for n in (1, None)]
    for verdict in selftest(generators[0]):
        assert verdict.missed == [], str(verdict)
    masks = np.zeros((5, *generators[0].image_size), np.uint8)
    for index, mask in enumerate(masks):
        mask[60 : 190 + index, 40 : 200 + 3 * index] = 255
    whole = generators[0].generate(masks)
    single = np.concatenate([generators[0].generate(mask) for mask in masks])
    np.testing.assert_array_equal(whole, single)
    np.testing.assert_array_equal(whole, generators[1].generate(masks))


def test_fp32_is_not_computed_in_less(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import openvino

    backend = OpenvinoBackend(tiny_bundle / "fp32/generator.onnx", 1)
    assert backend.description.endswith("CPU f32")
    monkeypatch.setattr(openvino.CompiledModel, "get_property", lambda *_: openvino.Type.bf16)
    with pytest.raises(PoseGenError, match=r"OpenVINO would compute in bf16, must be f32"):
        OpenvinoBackend(tiny_bundle / "fp32/generator.onnx", 1)


def test_a_graph_that_does_not_load_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no protobuf")
    with pytest.raises(PoseGenError, match=r"broken\.onnx: OpenVINO cannot load it") as caught:
        OpenvinoBackend(tmp_path / "broken.onnx")
    assert "\n" not in str(caught.value)


def test_wrong_inputs_are_one_line(tiny_bundle: Path) -> None:
    backend = OpenvinoBackend(tiny_bundle / "fp32/generator.onnx", 1)
    with pytest.raises(PoseGenError, match="OpenVINO failed") as caught:
        backend.run({"mask": MASKS, "appearance": PHOTOS, "background": SCENES[:, :5]})
    assert "\n" not in str(caught.value)
    good = backend.run({"mask": MASKS, "appearance": PHOTOS, "background": SCENES})
    assert good["image"].shape == (9, SIZE, SIZE, 3)


def test_without_openvino_the_message_names_the_extra(
    tiny_bundle: Path, uninstall: Callable[[str], None]
) -> None:
    uninstall("openvino")
    with pytest.raises(PoseGenError, match=r"pip install 'posegen\[openvino\]'"):
        PoseGenerator.load(tiny_bundle, backend="openvino")


def test_ctrl_c_after_models_were_dropped() -> None:
    """As after `--precision auto` measured them. OpenVINO changes the stack of signal handlers."""
    code = (
        "import os, signal; from posegen_runtime import PoseGenerator\n"
        "first = PoseGenerator.load(None, backend='openvino')\n"
        "second = PoseGenerator.load(None, backend='openvino')\n"
        "del first, second\n"
        "try: os.kill(os.getpid(), signal.SIGINT)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
