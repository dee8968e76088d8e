"""What is asked of ONNX Runtime for a GPU, of a stand-in that runs it on the CPU."""

from pathlib import Path

import numpy as np
import pytest

from c_programs import Built
from posegen_runtime import PoseGenerator
from tiny_bundle import example_mask, example_photo

CUDA = "cuda device_id=2 use_tf32=0 cudnn_conv_algo_search=HEURISTIC"


@pytest.fixture
def with_gpu(sanitized: Built) -> Built:
    environment = dict(sanitized.environment)
    environment["REAL_ONNXRUNTIME"] = environment["POSEGEN_ONNXRUNTIME"]
    environment["POSEGEN_ONNXRUNTIME"] = str(sanitized.programs / "libfake_onnxruntime.so")
    environment.pop("NVIDIA_TF32_OVERRIDE", None)
    return sanitized._replace(environment=environment)


def arguments(bundle: Path, folder: Path, backend: str) -> list[object]:
    """Of a run of the driver, and their files."""
    masks = np.stack([example_mask(index) for index in range(6)])
    photos = [example_photo(index) for index in (1, 2)]
    for name, array in zip("mab", (masks, *photos), strict=True):
        array.tofile(folder / name)
    files = [folder / "m", folder / "a", folder / "b", "-", folder / "out"]
    return [bundle, "fp32", 1, "shared", 0, *files, backend]


def test_cuda_without_tf32_and_conditions_that_stay_there(
    with_gpu: Built, tmp_path: Path, tiny_bundle: Path
) -> None:
    said = with_gpu.ok("driver", *arguments(tiny_bundle, tmp_path, "cuda")).splitlines()
    assert said[:2] == [CUDA, "memory Cuda 2"]
    assert said[6] == "onnxruntime 1.2.3 CUDAExecutionProvider"
    images = np.fromfile(tmp_path / "out", np.uint8).reshape(6, 64, 64, 3)
    masks = np.stack([example_mask(index) for index in range(6)])
    expected = PoseGenerator.load(tiny_bundle, threads=1, backend="cpu").generate(
        masks, example_photo(1), example_photo(2)
    )
    assert np.array_equal(images, expected)


def test_tensorrt_asks_for_no_precision_and_takes_cuda_beside_it(
    with_gpu: Built, tmp_path: Path, tiny_bundle: Path
) -> None:
    with_gpu.environment["NVIDIA_TF32_OVERRIDE"] = "0"
    said = with_gpu.ok("driver", *arguments(tiny_bundle, tmp_path, "tensorrt")).splitlines()
    assert said[:2] == [
        "tensorrt device_id=2 trt_engine_cache_enable=1 trt_engine_cache_path=engines",
        CUDA,
    ]
    assert said[7] == "onnxruntime 1.2.3 TensorrtExecutionProvider"


@pytest.mark.parametrize(
    ("backend", "set_to", "words"),
    [
        ("tensorrt", {}, "start the program with NVIDIA_TF32_OVERRIDE=0"),
        ("tensorrt", {"NVIDIA_TF32_OVERRIDE": "1"}, "start the program with"),
        ("cuda", {"FAKE_BROKEN": "1"}, "ONNX Runtime cannot load it (no driver)"),
        ("cuda", {"FAKE_TOO_OLD": "1"}, "ONNX Runtime 1.2.3 is too old; 1.18 or newer"),
    ],
)
def test_nothing_stands_in_for_a_backend(
    with_gpu: Built,
    tmp_path: Path,
    tiny_bundle: Path,
    backend: str,
    set_to: dict[str, str],
    words: str,
) -> None:
    with_gpu.environment.update(set_to)
    done = with_gpu.run("driver", *arguments(tiny_bundle, tmp_path, backend))
    assert done.returncode == 3
    assert done.stderr.startswith("backend: ")
    assert words in done.stderr
