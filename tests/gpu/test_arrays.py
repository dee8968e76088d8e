"""Arrays of PyTorch on the GPU go in and come out without a copy, on the caller's stream."""

from typing import Any

import numpy as np
import pytest

from posegen_runtime import PoseGenerator, PoseGenError
from posegen_runtime.choices import BackendName

torch: Any = pytest.importorskip("torch")


@pytest.fixture
def masks() -> Any:
    if not torch.cuda.is_available():
        pytest.skip("this build of PyTorch finds no GPU")
    made = torch.zeros(5, 256, 256, dtype=torch.uint8)
    for index in range(5):
        made[index, 60 + index : 190, 40 : 200 + index] = 255
    return made


def close(made: Any, right: np.ndarray) -> bool:
    return bool(np.abs(made.cpu().numpy().astype(int) - right).max() <= 1)


def test_into_a_tensor_on_the_callers_stream(way: BackendName, masks: Any) -> None:
    generator = PoseGenerator.load(None, backend=way)
    right = generator.generate(masks.numpy())
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        out = torch.empty(5, 256, 256, 3, dtype=torch.uint8, device="cuda")
        for _ in range(3):
            there = masks.cuda(non_blocking=True)
            made = generator.generate(there, out=out, allow_copy=False, stream=stream)
            assert made is out
            assert close(made, right)
            out.zero_()


def test_a_new_array_speaks_dlpack(way: BackendName, masks: Any) -> None:
    generator = PoseGenerator.load(None, backend=way)
    right = generator.generate(masks.numpy())
    for stream in (None, torch.cuda.current_stream()):
        made = generator.generate(masks.cuda(), stream=stream)
        tensor = torch.from_dlpack(made)
        assert tensor.data_ptr() == made.address
        assert close(tensor, right)
        np.testing.assert_array_equal(made.numpy(), tensor.cpu().numpy())


def test_cupy(way: BackendName, masks: Any) -> None:
    cupy = pytest.importorskip("cupy")
    generator = PoseGenerator.load(None, backend=way)
    made = generator.generate(cupy.asarray(masks.numpy()))
    right = generator.generate(masks.numpy()).astype(int)
    assert np.abs(cupy.asnumpy(cupy.from_dlpack(made)).astype(int) - right).max() <= 1


def test_a_copy_that_is_not_allowed(way: BackendName, masks: Any) -> None:
    generator = PoseGenerator.load(None, backend=way)
    with pytest.raises(PoseGenError, match="allow_copy=False"):
        generator.generate(masks.numpy(), allow_copy=False)
    with pytest.raises(PoseGenError, match="not contiguous"):
        generator.generate(masks.cuda()[:, ::2])
