"""The one place that knows every backend."""

from posegen_runtime.backends.base import Backend
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName


def open_backend(
    name: BackendName, bundle: Bundle, precision: str, graph: str, threads: int | None = None
) -> Backend:
    """The graph of that name (generator, conditions, generator_cached) on the backend `name`.

    `threads` is the number of CPU threads in one call (None: one for each core). Raises
    `PoseGenError` when that backend cannot be had: none stands in for another.
    """
    if name is BackendName.NULL:
        from posegen_runtime.backends.null import NullBackend

        return NullBackend()
    path = bundle.path(bundle.precision(precision).graphs[graph].path)
    if name is BackendName.TENSORRT:
        from posegen_runtime.backends.tensorrt import open_tensorrt

        return open_tensorrt(bundle, precision, graph)
    if name is BackendName.OPENVINO:
        from posegen_runtime.backends.openvino import OpenvinoBackend

        return OpenvinoBackend(path, threads)
    from posegen_runtime.backends.onnx import CPU, CUDA, OnnxBackend

    return OnnxBackend(path, CUDA if name is BackendName.CUDA else CPU, threads)
