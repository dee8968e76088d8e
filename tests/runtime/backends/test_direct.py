"""Arrays that lie on the GPU: TensorRT gets their addresses and the caller's stream, ONNX Runtime
their addresses. On a fake GPU, whose streams hold back all that no event or wait hurries."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake_driver import FakeDriver, content, fake_memory
from fake_gpu import FakeDevice
from fake_tensorrt import FakeContext, FakeTensorRT, fake_ensure
from posegen_runtime import PoseGenerator, PoseGenError
from posegen_runtime.arrays.device import DeviceArray
from posegen_runtime.arrays.view import View
from posegen_runtime.backends import onnx, onnx_device
from posegen_runtime.backends import tensorrt as backend_module
from posegen_runtime.backends.device import driver as driver_module
from posegen_runtime.engines.flavors import Flavor
from tiny_bundle import SIZE, example_mask, example_photo, expected_image

MASKS = np.stack([example_mask(index) for index in range(7)])
PHOTOS = np.stack([example_photo(index, SIZE) for index in range(7)])
SHAPE = (7, SIZE, SIZE, 3)
EMPTY = np.zeros(SHAPE, np.uint8)


def expected(photo: Any = lambda row: PHOTOS[0], scene: Any = lambda row: PHOTOS[1]) -> np.ndarray:
    return np.stack([expected_image(MASKS[row], photo(row), scene(row)) for row in range(7)])


@pytest.fixture(params=[Flavor.TENSORRT, Flavor.RTX])
def device(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FakeDevice:
    """A GPU with TensorRT, whose engines take up to 3 images; streams 1, the default one, and 2."""
    device = FakeDevice()
    tensorrt = FakeTensorRT(device, request.param)
    driver = FakeDriver(device)
    ensure = fake_ensure(tmp_path, (1, 3, 3))
    with device.current():
        device.stream(), device.stream()
    monkeypatch.setattr(backend_module, "open_device", lambda: device)
    monkeypatch.setattr(backend_module, "find_flavor", lambda asked: tensorrt)
    monkeypatch.setattr(backend_module, "ensure_engine", ensure)
    monkeypatch.setattr(backend_module, "open_driver", lambda: driver)
    monkeypatch.setattr(driver_module, "open_driver", lambda: driver)
    return device


@pytest.fixture
def generator(tiny_bundle: Path, device: FakeDevice) -> PoseGenerator:
    return PoseGenerator.load(tiny_bundle, backend="tensorrt")


def test_on_the_callers_stream(
    generator: PoseGenerator, device: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The masks are still being made there; the call does not wait, and copies none of them."""
    seen = []
    real = FakeContext.set_tensor_address

    def set_address(self: FakeContext, name: str, address: int) -> None:
        seen.append((name, address))
        real(self, name, address)

    monkeypatch.setattr(FakeContext, "set_tensor_address", set_address)
    generator.generate(MASKS, PHOTOS[0], PHOTOS[1])  # conditions are encoded
    seen.clear()
    driver: Any = driver_module.open_driver()
    driver.uploads = 0
    masks, out = fake_memory(device, MASKS, 2), fake_memory(device, EMPTY)
    made = generator.generate(masks, PHOTOS[0], PHOTOS[1], out=out, allow_copy=False, stream=2)
    assert made is out
    assert not content(device, out).any()
    rows = (0, 3, 4)  # the engine takes 3, the bundle 4
    given = [address for name, address in seen if name == "mask"]
    assert given == [masks.address + row * SIZE * SIZE for row in rows]
    given = [address for name, address in seen if name == "image"]
    assert given == [out.address + row * SIZE * SIZE * 3 for row in rows]
    assert driver.uploads == 0
    driver.synchronize(2)
    np.testing.assert_array_equal(content(device, out), expected())


def test_many_calls_under_way(generator: PoseGenerator, device: FakeDevice) -> None:
    """On two streams, more than there are lanes, with other conditions and inputs let go."""
    places = []
    for number in range(12):
        stream = 1 + number % 2
        masks = fake_memory(device, np.roll(MASKS, number, axis=0), stream)
        photo, scene = PHOTOS[number % 3], PHOTOS[number % 5]
        out = generator.generate(masks, photo, scene, stream=stream)
        places.append((out, np.roll(MASKS, number, axis=0), photo, scene))
        del masks
    for out, masks, photo, scene in places:
        images = out.numpy()
        for row in range(7):
            np.testing.assert_array_equal(images[row], expected_image(masks[row], photo, scene))


def test_without_a_stream_the_images_are_there_on_return(
    generator: PoseGenerator, device: FakeDevice
) -> None:
    generator.generate(MASKS, PHOTOS[0], PHOTOS[1])  # conditions are encoded
    made = generator.generate(fake_memory(device, MASKS, 2), PHOTOS[0], PHOTOS[1])
    assert isinstance(made, DeviceArray)
    assert made.stream is None
    assert repr(made) == "DeviceArray(uint8[7, 64, 64, 3] on cuda:0)"
    np.testing.assert_array_equal(content(device, made), expected())


def test_masks_of_the_host_into_the_gpu(generator: PoseGenerator, device: FakeDevice) -> None:
    out = fake_memory(device, EMPTY)
    generator.generate(MASKS, PHOTOS[0], PHOTOS[1], out=out)
    np.testing.assert_array_equal(content(device, out), expected())
    with pytest.raises(PoseGenError, match=r"masks: lie in the host's memory; must be on cuda:0"):
        generator.generate(MASKS, PHOTOS[0], PHOTOS[1], out=out, allow_copy=False)
    with pytest.raises(PoseGenError, match="tensorrt computes on a GPU; give masks and out there"):
        generator.generate(MASKS, PHOTOS[0], PHOTOS[1], allow_copy=False)


@pytest.mark.parametrize("photos", [1, 7])
@pytest.mark.parametrize("scenes", [1, 7])
def test_conditions_on_the_gpu(
    generator: PoseGenerator, device: FakeDevice, photos: int, scenes: int
) -> None:
    made = generator.generate(
        fake_memory(device, MASKS, 1),
        fake_memory(device, PHOTOS[:photos], 2),
        fake_memory(device, PHOTOS[::-1][:scenes]),
        stream=2,
    )
    right = expected(lambda row: PHOTOS[row % photos], lambda row: PHOTOS[::-1][row % scenes])
    np.testing.assert_array_equal(made.numpy(), right)


class Interface:
    """An array as CuPy and PyCUDA show theirs."""

    def __init__(self, array: DeviceArray, **changes: Any) -> None:
        self.array = array
        self.__cuda_array_interface__ = {**array.__cuda_array_interface__, **changes}


class Speaks:
    """An array as PyTorch shows its own; what fills it is on stream 2."""

    def __init__(self, array: DeviceArray) -> None:
        self.array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, **asked: Any) -> Any:
        return self.array.__dlpack__(**asked)


@pytest.mark.parametrize("of", [Interface, Speaks])
@pytest.mark.parametrize("stream", [None, 1, 2])
def test_arrays_of_other_libraries(
    generator: PoseGenerator, device: FakeDevice, of: Any, stream: int | None
) -> None:
    out = of(fake_memory(device, EMPTY, 2))
    made = generator.generate(
        of(fake_memory(device, MASKS, 2)), PHOTOS[0], PHOTOS[1], out=out, stream=stream
    )
    assert made is out
    driver: Any = driver_module.open_driver()
    # What CUDA's interface names is ordered; after DLPack, the caller's own stream is.
    driver.synchronize(2 if of is Interface else stream or 1)
    np.testing.assert_array_equal(content(device, out.array), expected())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strides": (8192, 128, 2)}, "masks: not contiguous; an array on a GPU must be"),
        ({"typestr": "|b1"}, "masks: bool; on a GPU they must be uint8"),
        ({"shape": (7, 32, 128)}, r"masks: shape \(7, 32, 128\); must be \[N, 64, 64\]"),
        ({"mask": object()}, "masks: has a mask of valid elements"),
        ({"data": (12345678, False)}, "masks: starts at an address that is no multiple of 256"),
    ],
)
def test_what_is_refused(
    generator: PoseGenerator, device: FakeDevice, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(PoseGenError, match=message):
        generator.generate(Interface(fake_memory(device, MASKS), **change), PHOTOS[0], PHOTOS[1])


def test_outs_that_are_refused(generator: PoseGenerator, device: FakeDevice) -> None:
    masks, out = fake_memory(device, MASKS), fake_memory(device, EMPTY)
    elsewhere = DeviceArray(View(**{**vars(out.view), "gpu": 1}))
    same = DeviceArray(View(**{**vars(out.view), "shape": MASKS.shape}))
    fixed = Interface(out, data=(out.address, True))
    for given, place, message in (
        (masks, elsewhere, "out: lies on cuda:1, but the generator runs on cuda:0"),
        (same, out, "out: overlaps masks"),
        (masks, fixed, "out: is read-only"),
        (masks, EMPTY, "out: lies in the host's memory, but an input on a GPU"),
        (masks, same, "out: shape"),
    ):
        with pytest.raises(PoseGenError, match=message):
            generator.generate(given, PHOTOS[0], PHOTOS[1], out=place)


def test_onnx_runtime_binds_addresses(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same code on the memory of the host, which waits for the caller's streams before."""
    waited: list[int] = []
    monkeypatch.setitem(onnx.MEMORY, onnx.CPU, "cpu")
    monkeypatch.setattr(
        onnx_device, "open_driver", lambda: type("Driver", (), {"synchronize": waited.append})
    )
    generator = PoseGenerator.load(tiny_bundle, backend="cpu")

    def there(array: np.ndarray, stream: int | None = None) -> DeviceArray:
        return DeviceArray(
            View(array.ctypes.data, array.shape, None, array.dtype, False, array, 0, stream)
        )

    out = EMPTY.copy()
    for photo, scene in ((PHOTOS[0], PHOTOS[1]), (there(PHOTOS[:1]), PHOTOS[1])):
        out[:] = 0
        made = generator.generate(there(MASKS, 5), photo, scene, out=there(out), stream=6)
        assert made.address == out.ctypes.data
        np.testing.assert_array_equal(out, expected())
    assert {*waited} == {5, 6}
    made = generator.generate(there(MASKS), there(PHOTOS), there(PHOTOS))
    right = expected(lambda row: PHOTOS[row], lambda row: PHOTOS[row])
    np.testing.assert_array_equal(made.view.owner.numpy(), right)
    assert made.stream is None
