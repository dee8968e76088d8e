"""What `--backend auto` and `--precision auto` choose, and why.

A backend is chosen by what the machine has: TensorRT on an NVIDIA GPU, else ONNX Runtime's CUDA
there, else ONNX Runtime on the CPU, else OpenVINO. A precision is only ever chosen by measuring,
on this machine, when the user asked for that.
"""

import msgspec

from posegen_runtime.backends.opening import open_backend
from posegen_runtime.backends.speed import speed_graph, time_backends
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.engines.gpu import find_gpu
from posegen_runtime.errors import PoseGenError

AUTO = "auto"
WORTH = 1.05
"""How many times as fast another backend than the preferred one must be to be chosen, and another
precision than FP32: either changes pixels, and two measurements of the same thing differ by a few
per cent."""


class Choice(msgspec.Struct, frozen=True):
    """What runs the graphs. `backend` is never `AUTO`, nor `precision` "auto"."""

    backend: BackendName
    precision: str
    why: str

    def __str__(self) -> str:
        return f"backend {self.backend.value}, precision {self.precision}: {self.why}"


def choose(name: BackendName, bundle: Bundle, precision: str = "fp32") -> Choice:
    """The backend and precision to run `bundle` with.

    Raises `PoseGenError` when the bundle lacks `precision`, or nothing can run it.
    """
    chosen, why = (name, "asked for") if name is not BackendName.AUTO else _by_machine(bundle)
    if name is BackendName.NULL:
        why = "computes nothing: the images show no object, only the time that all else takes"
        precision = precision if precision != AUTO else "fp32"
    if precision != AUTO:
        bundle.precision(precision)
        return Choice(chosen, precision, why)
    backends = [chosen]
    if name is BackendName.AUTO and not chosen.on_gpu:
        backends = installed_on_cpu()
    held = [p.precision for p in bundle.manifest.precisions]
    # A CPU computes FP16 graphs in FP32, and converts on top of that.
    candidates = [
        (backend, precision)
        for backend in backends
        for precision in held
        if precision != "fp16" or backend.on_gpu
    ]
    if len(candidates) == 1:
        return Choice(*candidates[0], f"{why}; the bundle holds no other precision for it")
    return _fastest(candidates, bundle)


def installed_on_cpu() -> list[BackendName]:
    """The backends for the CPU whose packages are installed, in order of preference."""
    from posegen_runtime.backends import onnx, openvino

    found = []
    for name, module in ((BackendName.CPU, onnx), (BackendName.OPENVINO, openvino)):
        try:
            module.engine()
        except PoseGenError:
            continue
        found.append(name)
    return found


def _by_machine(bundle: Bundle) -> tuple[BackendName, str]:
    missing = "no NVIDIA GPU here"
    if find_gpu() is not None:
        why_not = []
        for name, available in (
            (BackendName.TENSORRT, _tensorrt),
            (BackendName.CUDA, lambda: _cuda(bundle)),
        ):
            try:
                what = available()
            except PoseGenError as error:
                why_not.append(f"{name.value} cannot be had ({error})")
            else:
                return name, "; ".join([f"an NVIDIA GPU and {what} are here", *why_not])
        missing = "; ".join(["an NVIDIA GPU is here", *why_not])
    on_cpu = installed_on_cpu()
    if on_cpu:
        return on_cpu[0], missing
    from posegen_runtime.backends.onnx import engine

    engine()  # raises what to install
    raise AssertionError


def _tensorrt() -> str:
    from posegen_runtime.backends.device import open_device
    from posegen_runtime.engines.flavors import find_flavor

    tensorrt = find_flavor(AUTO)
    open_device()
    return str(tensorrt)


def _cuda(bundle: Bundle) -> str:
    from posegen_runtime.backends.onnx import CUDA, engine

    ort = engine()
    if CUDA not in ort.get_available_providers():
        raise PoseGenError(
            "this ONNX Runtime was built without it; install 'posegen[gpu]' in place of "
            "'posegen[cpu]'"
        )
    # Its libraries may be missing, or of another version than the driver's: only opening it tells.
    open_backend(BackendName.CUDA, bundle, "fp32", speed_graph(bundle))
    return f"onnxruntime {ort.__version__} with CUDA"


def _fastest(candidates: list[tuple[BackendName, str]], bundle: Bundle) -> Choice:
    candidates, refused = _had(candidates, bundle)
    seconds = time_backends(candidates, bundle)
    preferred = candidates[0][0]

    def cost(candidate: tuple[BackendName, str]) -> float:
        backend, precision = candidate
        return seconds[candidate] * WORTH ** ((backend is not preferred) + (precision != "fp32"))

    chosen = min(candidates, key=cost)
    measured = ", ".join(
        f"{backend.value} {precision} {1000 * seconds[backend, precision]:.1f} ms"
        for backend, precision in candidates
    )
    return Choice(*chosen, "; ".join([f"measured here, an image: {measured}", *refused]))


def _had(
    candidates: list[tuple[BackendName, str]], bundle: Bundle
) -> tuple[list[tuple[BackendName, str]], list[str]]:
    """Those that can be had, and why the others cannot. Only a GPU, whose engines are built here,
    takes one precision and not another. Raises `PoseGenError` where there is none."""
    had, errors = [], []
    for backend, precision in candidates:
        try:
            if backend.on_gpu:
                open_backend(backend, bundle, precision, speed_graph(bundle))
        except PoseGenError as error:
            errors.append(error)
        else:
            had.append((backend, precision))
    if not had:
        raise errors[0]
    missing = [precision for backend, precision in candidates if (backend, precision) not in had]
    return had, [
        f"{precision} cannot be had ({error})"
        for precision, error in zip(missing, errors, strict=True)
    ]
