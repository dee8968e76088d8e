"""ONNX Runtime on arrays that lie on its GPU, bound by address."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.arrays.device import DeviceArray
from posegen_runtime.arrays.view import View
from posegen_runtime.backends.base import Kept, one_line
from posegen_runtime.backends.device.driver import open_driver
from posegen_runtime.errors import PoseGenError

if TYPE_CHECKING:
    from posegen_runtime.backends.onnx import OnnxBackend


class OnnxOnDevice:
    """See `base.OnDevice`. ONNX Runtime has a stream of its own, fixed with the session: the host
    waits for the caller's before, and the images are there on return."""

    gpu = 0
    returns_before = False

    def __init__(self, backend: "OnnxBackend", memory: str) -> None:
        self._backend = backend
        self._memory = memory

    def allocate(self, shape: tuple[int, ...], dtype: str) -> DeviceArray:
        make = self._backend.ort.OrtValue.ortvalue_from_shape_and_type
        value = make(list(shape), np.dtype(dtype).type, self._memory, self.gpu)
        view = View(value.data_ptr(), shape, None, np.dtype(dtype), False, value, self.gpu)
        return DeviceArray(view)

    def run(
        self,
        feeds: Mapping[str, npt.NDArray[Any] | DeviceArray],
        kept: Sequence[Kept],
        out: Mapping[str, DeviceArray],
        stream: int | None,
    ) -> None:
        given = [*feeds.values(), *out.values()]
        streams = {array.stream for array in given if isinstance(array, DeviceArray)}
        for each in {stream, *streams} - {None}:
            open_driver().synchronize(each)  # type: ignore[arg-type]
        session = self._backend.session
        try:
            binding = session.io_binding()
            for name, array in feeds.items():
                if isinstance(array, DeviceArray):
                    binding.bind_input(name, *self._place(array))
                else:
                    binding.bind_cpu_input(name, np.ascontiguousarray(array))
            self._bind_kept(binding, kept)
            for name, array in out.items():
                binding.bind_output(name, *self._place(array))
            binding.synchronize_inputs()
            session.run_with_iobinding(binding)
            binding.synchronize_outputs()
        except Exception as error:  # ONNX Runtime raises its own types, one for each status code
            raise PoseGenError(f"{self._backend.path}: failed ({one_line(error)})") from error

    def _place(self, array: DeviceArray) -> tuple[Any, ...]:
        return self._memory, self.gpu, array.dtype.type, array.shape, array.address

    def _bind_kept(self, binding: Any, kept: Sequence[Kept]) -> None:
        from posegen_runtime.backends.onnx import joined

        if len(kept) == 1:
            for name, value in kept[0].held[1].items():
                binding.bind_ortvalue_input(name, value)
        else:
            for name, array in joined(kept).items():
                binding.bind_cpu_input(name, array)
