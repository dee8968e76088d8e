"""`generate` with arrays of other libraries and images in the caller's memory: by address, that
nothing is copied on the way, and what is refused."""

import array
import mmap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from posegen_runtime import PoseGenerator, PoseGenError
from posegen_runtime.arrays.device import DeviceArray
from posegen_runtime.arrays.dlpack import _given, read_capsule, write_capsule
from posegen_runtime.arrays.read import stream_handle
from posegen_runtime.arrays.view import View
from posegen_runtime.backends.device.driver import open_driver
from tiny_bundle import SIZE, example_mask, example_photo

MASKS = np.stack([example_mask(index) for index in range(9)])
PHOTOS = np.stack([example_photo(index, SIZE) for index in range(9)])
SHAPE = (9, SIZE, SIZE, 3)
NBYTES = int(np.prod(SHAPE))
BACKENDS = ("cpu", "openvino")


@pytest.fixture(scope="module")
def generators(tiny_bundle: Path) -> dict[str, PoseGenerator]:
    return {name: PoseGenerator.load(tiny_bundle, threads=1, backend=name) for name in BACKENDS}


@pytest.fixture(params=BACKENDS)
def generator(request: pytest.FixtureRequest, generators: dict[str, PoseGenerator]) -> Any:
    return generators[request.param]


@pytest.fixture(scope="module")
def expected(generators: dict[str, PoseGenerator]) -> np.ndarray:
    return generators["cpu"].generate(MASKS, PHOTOS[0], PHOTOS)


PLACES: dict[str, Callable[[], Any]] = {
    "numpy": lambda: np.empty(SHAPE, np.uint8),
    "flat": lambda: np.empty(NBYTES, np.uint8),
    "bytearray": lambda: bytearray(NBYTES),
    "memoryview": lambda: memoryview(bytearray(NBYTES)).cast("B", SHAPE),
    "mmap": lambda: mmap.mmap(-1, NBYTES),
    "array": lambda: array.array("B", bytes(NBYTES)),
    "torch": lambda: torch.empty(SHAPE, dtype=torch.uint8),
    "part": lambda: np.empty((12, SIZE, SIZE, 3), np.uint8)[2:11],
}


def as_images(place: Any) -> np.ndarray:
    return np.asarray(place if hasattr(place, "shape") else memoryview(place)).reshape(SHAPE)


@pytest.mark.parametrize("kind", PLACES)
def test_images_in_the_callers_memory(
    generator: PoseGenerator, expected: np.ndarray, kind: str
) -> None:
    """More masks than one batch of the bundle holds."""
    out = PLACES[kind]()
    made = generator.generate(MASKS, PHOTOS[0], PHOTOS, out=out, allow_copy=False)
    assert made is out
    np.testing.assert_array_equal(as_images(out), expected)


@pytest.mark.parametrize(
    "out",
    [
        np.empty((18, SIZE, SIZE, 3), np.uint8)[::2],
        np.empty((9, SIZE + 7, 2 * SIZE, 4), np.uint8)[:, 3 : 3 + SIZE, 5 : 5 + SIZE, :3],
        torch.empty((9, 3, SIZE, SIZE), dtype=torch.uint8).permute(0, 2, 3, 1),
    ],
    ids=["every second", "window of RGBA", "planes"],
)
def test_memory_with_gaps_takes_a_copy(
    generator: PoseGenerator, expected: np.ndarray, out: Any
) -> None:
    generator.generate(MASKS, PHOTOS[0], PHOTOS, out=out)
    np.testing.assert_array_equal(np.asarray(out), expected)
    with pytest.raises(PoseGenError, match=r"out: not contiguous; must be, .*allow_copy=False"):
        generator.generate(MASKS, PHOTOS[0], PHOTOS, out=out, allow_copy=False)


def test_alpha_holds_the_mask_and_the_colours_get_the_image(
    generators: dict[str, PoseGenerator], expected: np.ndarray
) -> None:
    """Interleaved, so that their bounds overlap and no byte does."""
    frames = np.zeros((9, SIZE, SIZE, 4), np.uint8)
    frames[..., 3] = MASKS
    generators["cpu"].generate(frames[..., 3], PHOTOS[0], PHOTOS, out=frames[..., :3])
    np.testing.assert_array_equal(frames[..., :3], expected)


def test_one_mask_has_one_image(generator: PoseGenerator) -> None:
    out = np.empty((SIZE, SIZE, 3), np.uint8)
    generator.generate(MASKS[0], PHOTOS[0], out=out)
    np.testing.assert_array_equal(out[None], generator.generate(MASKS[:1], PHOTOS[0]))


def test_no_masks(generator: PoseGenerator) -> None:
    out = np.empty((0, SIZE, SIZE, 3), np.uint8)
    assert generator.generate(MASKS[:0], out=out) is out


@pytest.mark.parametrize(
    "given",
    [torch.from_numpy(MASKS), torch.from_numpy(MASKS > 0), memoryview(MASKS)],
    ids=["torch", "torch bool", "buffer"],
)
def test_masks_of_other_libraries(
    generator: PoseGenerator, expected: np.ndarray, given: Any
) -> None:
    made = generator.generate(given, torch.from_numpy(PHOTOS[0]), memoryview(PHOTOS))
    np.testing.assert_array_equal(made, expected)


def test_onnx_runtime_reads_and_writes_at_the_callers_addresses(
    generators: dict[str, PoseGenerator], monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    bound: dict[str, list[int]] = {"mask": [], "image": []}
    run = onnxruntime.InferenceSession.run_with_iobinding
    output, feed = onnxruntime.IOBinding.bind_output, onnxruntime.IOBinding.bind_cpu_input

    def bind_cpu_input(self: Any, name: str, given: np.ndarray) -> None:
        bound.setdefault(name, []).append(given.ctypes.data)
        feed(self, name, given)

    def bind_output(self: Any, name: str, *where: Any) -> None:
        bound[name].append(where[-1])
        output(self, name, *where)

    def run_and_look(self: Any, binding: Any, *rest: Any) -> None:
        run(self, binding, *rest)
        assert binding.get_outputs()[0].data_ptr() == bound["image"][-1]

    monkeypatch.setattr(onnxruntime.IOBinding, "bind_cpu_input", bind_cpu_input)
    monkeypatch.setattr(onnxruntime.IOBinding, "bind_output", bind_output)
    monkeypatch.setattr(onnxruntime.InferenceSession, "run_with_iobinding", run_and_look)
    masks, out = torch.from_numpy(MASKS), torch.empty(SHAPE, dtype=torch.uint8)
    generators["cpu"].generate(masks, PHOTOS[0], out=out, allow_copy=False)
    starts = (0, 4, 8)  # the bundle's largest batch is 4
    assert bound["mask"] == [masks[start:].data_ptr() for start in starts]
    assert bound["image"] == [out[start:].data_ptr() for start in starts]


def test_openvino_reads_and_writes_at_the_callers_addresses(
    tiny_bundle: Path,
) -> None:
    generator = PoseGenerator.load(tiny_bundle, backend="openvino")
    generator.generate(MASKS[:1], PHOTOS[0])  # conditions are encoded
    backend: Any = generator.backend("generator_cached")
    request = backend._idle.get()
    assert backend._idle.empty()
    seen: list[tuple[int, int]] = []

    def infer(inputs: Any, **how: Any) -> None:
        request.infer(inputs, **how)
        ends = (request.get_tensor(name).data.ctypes.data for name in ("mask", "image"))
        seen.append(tuple(ends))  # type: ignore[arg-type]

    backend._idle.put(SimpleNamespace(infer=infer, set_tensor=request.set_tensor))
    out = np.empty(SHAPE, np.uint8)
    generator.generate(MASKS, PHOTOS[0], out=out, allow_copy=False)
    assert seen == [(MASKS[row:].ctypes.data, out[row:].ctypes.data) for row in range(9)]


FIXED = np.empty(SHAPE, np.uint8)
FIXED.flags.writeable = False
BOTH = np.zeros(NBYTES + MASKS.nbytes, np.uint8)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"out": np.empty(SHAPE, np.float32)}, "out: float32; must be uint8"),
        ({"out": np.empty((8, SIZE, SIZE, 3), np.uint8)}, r"out: shape \(8, 64, 64, 3\); must be"),
        ({"out": bytearray(NBYTES - 1)}, r"out: shape .*; must be .*, or 110592 bytes in a row"),
        ({"out": FIXED}, "out: is read-only"),
        ({"out": bytes(NBYTES)}, "out: is read-only"),
        ({"out": [1, 2]}, "out: list; must be a writable array"),
        (
            {"out": np.lib.stride_tricks.as_strided(PHOTOS.copy(), SHAPE, (0, 192, 3, 1))},
            "out: overlaps itself",
        ),
        (
            {"out": np.lib.stride_tricks.as_strided(PHOTOS.copy(), SHAPE, (99, 192, 3, 1))},
            "out: overlaps itself",
        ),
        ({"out": np.empty(2 * NBYTES, np.uint8)[::2]}, "out: bytes in a row with gaps"),
        (
            {
                "masks": BOTH[NBYTES // 2 :][: MASKS.nbytes].reshape(MASKS.shape),
                "out": BOTH[:NBYTES],
            },
            "out: overlaps masks",
        ),
        ({"masks": MASKS > 0, "allow_copy": False}, "masks: bool; must be uint8 .*allow_copy"),
        ({"masks": MASKS[:, ::-1], "allow_copy": False}, "masks: not contiguous; must be"),
        ({"masks": torch.zeros(SHAPE[:3])}, "masks: float32; must be a uint8 or bool array"),
        (
            {"masks": torch.zeros(SHAPE[:3], dtype=torch.bfloat16)},
            "masks: Tensor cannot be taken",
        ),
        ({"stream": 7}, "stream: all arrays lie in the host's memory"),
        ({"stream": "fast"}, "stream: str; must be a CUDA stream or its handle"),
    ],
)
def test_what_is_refused_is_one_line(
    generators: dict[str, PoseGenerator], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(PoseGenError, match=message) as caught:
        generators["cpu"].generate(**{"masks": MASKS, **given})
    assert "\n" not in str(caught.value)


def test_a_default_image_cannot_be_overwritten(generators: dict[str, PoseGenerator]) -> None:
    generator = generators["cpu"]
    before = generator.default("background").copy()
    with pytest.raises(PoseGenError, match="out: is read-only"):
        generator.generate(MASKS[0], out=generator.default("background"))
    np.testing.assert_array_equal(generator.default("background"), before)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shape": None}, r"SimpleNamespace cannot be taken \(.*__cuda_array_interface__ is wrong"),
        ({"typestr": "no type"}, "SimpleNamespace cannot be taken"),
        ({"data": None}, "SimpleNamespace cannot be taken"),
        ({"data": (0, False), "strides": (1,)}, "SimpleNamespace cannot be taken"),
        ({"mask": MASKS}, "has a mask of valid elements"),
        ({}, "an array on a GPU, but there is no NVIDIA driver here"),
    ],
)
def test_a_gpus_array_that_cannot_be_had_is_named(
    generators: dict[str, PoseGenerator],
    monkeypatch: pytest.MonkeyPatch,
    wrong: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.setattr("posegen_runtime.backends.device.driver.LIBRARY", "libno-such-cuda.so")
    open_driver.cache_clear()
    interface = {"shape": MASKS.shape, "typestr": "|u1", "data": (4096, False), "version": 3}
    given = SimpleNamespace(__cuda_array_interface__={**interface, **wrong})
    with pytest.raises(PoseGenError, match=f"^masks: {message}") as caught:
        generators["cpu"].generate(given)
    assert "\n" not in str(caught.value)


def test_an_array_on_a_gpu_needs_a_backend_there(generators: dict[str, PoseGenerator]) -> None:
    view = View(4096, MASKS.shape, None, np.dtype(np.uint8), False, None, gpu=0)
    for given in ({"masks": DeviceArray(view)}, {"masks": MASKS, "out": DeviceArray(view)}):
        with pytest.raises(PoseGenError, match="lies on cuda:0, but the backend cpu reads"):
            generators["cpu"].generate(**given)


@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.bool_])
def test_dlpack_there_and_back(versioned: bool, dtype: Any) -> None:
    source = np.arange(24).reshape(2, 3, 4).astype(dtype)
    view = View(source.ctypes.data, source.shape, None, source.dtype, False, source)
    before = len(_given)

    class Speaks:
        def __dlpack_device__(self) -> tuple[int, int]:
            return 1, 0

        def __dlpack__(self, **asked: Any) -> Any:
            return write_capsule(view, versioned)

    tensor = torch.from_dlpack(Speaks())
    assert tensor.data_ptr() == source.ctypes.data
    np.testing.assert_array_equal(tensor.numpy(), source)
    array = read_capsule(write_capsule(view, versioned)).on_host()
    assert array.ctypes.data == source.ctypes.data
    np.testing.assert_array_equal(array, source)
    assert len(_given) == before + 2
    del tensor, array  # one consumed its capsule, the other let it go
    assert len(_given) == before


def test_streams_of_all_libraries() -> None:
    for stream in (
        7,
        SimpleNamespace(cuda_stream=7),
        SimpleNamespace(ptr=7),
        SimpleNamespace(handle=7),
        SimpleNamespace(__cuda_stream__=lambda: (0, 7)),
    ):
        assert stream_handle(stream) == 7
    assert stream_handle(0) == 1  # both protocols name the default stream 1
