"""What is tried in processes of their own: each probe tells what it finds as it finds it."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from posegen_runtime.doctor.ask import Answer
from posegen_runtime.errors import PoseGenError, printable

Told = Iterator[dict[str, Any]]

IDENTITY = bytes.fromhex(
    "08083a370a100a0178120179 22084964656e7469747912 01675a0f0a0178120a0a080801 12040a020801"
    "620f0a0179120a0a080801 12040a020801 42040a00100d"
)
"""An ONNX model that returns its input, float32 [1]: the least that a provider can load."""

TRIED = ("CPUExecutionProvider", "CUDAExecutionProvider")
"""Those that PoseGen uses; TensorRT's takes seconds to start, and has a backend of its own here."""


def answer(probe: str, *arguments: str) -> None:
    """Run a probe and print each thing it tells as a line of JSON. Engines also print: all else
    that comes to standard output goes to standard error."""
    lines = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)

    def tell(told: Answer) -> None:
        lines.write(msgspec.json.encode(told) + b"\n")

    try:
        for found in PROBES[probe](*arguments):
            tell(Answer(found))
    except PoseGenError as error:
        tell(Answer(error=str(error)))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0] in (probe, _PACKAGES.get(probe))
        tell(Answer(error=one_line(error), missing=missing))
    except Exception as error:  # whatever a broken wheel raises is what the doctor is asked for
        tell(Answer(error=f"{type(error).__name__}: {one_line(error)}"))
    lines.close()
    sys.stderr.flush()
    os._exit(0)  # libraries that were half loaded may crash on their way out


def one_line(error: BaseException) -> str:
    return printable(" ".join(str(error).split()))


def probe_onnxruntime() -> Told:
    import onnxruntime as ort

    yield {"version": str(ort.__version__)}
    build = getattr(ort, "cuda_version", "") or ""
    held = ort.get_available_providers()
    yield {"providers": dict.fromkeys(held), "cuda": str(build)}
    options = ort.SessionOptions()
    options.log_severity_level = 3
    providers: dict[str, str | None] = dict.fromkeys(held)
    for name in held:
        if name not in TRIED:
            continue
        with _heard() as heard:
            if name == "CUDAExecutionProvider" and hasattr(ort, "preload_dlls"):
                ort.preload_dlls()
            try:
                session = ort.InferenceSession(
                    IDENTITY, options, providers=[name], enable_fallback=0
                )
                loaded = session.get_providers()[0] == name
                why = "" if loaded else _told_by_onnxruntime(heard())
            except Exception as error:  # ONNX Runtime raises its own types
                why = one_line(error)
        providers[name] = why
        yield {"providers": providers}


def _told_by_onnxruntime(heard: str) -> str:
    """The lines about what could not be loaded, without where in ONNX Runtime's source that was."""
    lines = [line for line in heard.splitlines() if "rror" in line or "Failed" in line]
    text = " ".join((lines or [heard])[0].split())
    return printable(text.rpartition("] ")[2] or text)[:300] or "it gave no reason"


def probe_openvino() -> Told:
    import openvino

    yield {"version": str(openvino.__version__).split("-")[0]}
    core = openvino.Core()
    yield {"devices": list(core.available_devices)}


def probe_opencv() -> Told:
    import cv2
    import numpy as np

    yield {"version": str(cv2.__version__), "numpy": str(np.__version__)}
    image = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    broken = []
    for kind in ("png", "jpg", "webp", "tiff", "bmp"):
        try:
            done, data = cv2.imencode(f".{kind}", image)
            read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if done else None
            whole = read is not None and read.shape == image.shape
        except (cv2.error, AttributeError):
            whole = False
        if not whole:
            broken.append(kind)
    yield {"without": broken}


def probe_tensorrt(flavor: str = "tensorrt") -> Told:
    from posegen_runtime.engines.flavors import find_flavor

    try:
        found = find_flavor(flavor)
    except PoseGenError as error:
        raise error.__cause__ or error from None  # the reason alone: its repair is the doctor's
    yield {"version": ".".join(map(str, found.version))}
    from posegen_runtime.engines.gpu import find_gpu

    if find_gpu() is not None:
        with found.logger.collect() as heard:
            try:
                found.module.Runtime(found.logger)
            except TypeError:
                yield {"runtime": str(heard) or "it gave no reason"}
            else:
                yield {"runtime": ""}


def probe_tensorrt_rtx() -> Told:
    return probe_tensorrt("rtx")


def probe_cuda_core() -> Told:
    from posegen_runtime.backends.device import cuda_core

    yield {"imports": True}
    yield from _device(cuda_core.CudaCoreDevice)


def probe_pycuda() -> Told:
    from posegen_runtime.backends.device import pycuda

    yield {"imports": True}
    yield from _device(pycuda.PycudaDevice)


def _device(make: Callable[[], Any]) -> Told:
    from posegen_runtime.engines.gpu import find_gpu

    if find_gpu() is not None:
        yield {"gpu": make().name}


def probe_gpu() -> Told:
    from posegen_runtime.doctor.driver import ask_driver

    yield ask_driver()


def probe_auto(bundle: str) -> Told:
    """The bundle's hashes, what `--backend auto` takes for it, and an image made with that."""
    from posegen_runtime.backends.choosing import choose
    from posegen_runtime.choices import BackendName
    from posegen_runtime.generator import load_bundle

    loaded = load_bundle(bundle or None)
    manifest = loaded.manifest
    yield {
        "bundle": {
            "name": manifest.name,
            "variant": manifest.variant,
            "image_size": list(loaded.image_size),
            "precisions": [precision.precision for precision in manifest.precisions],
            "files": len(manifest.files),
        }
    }
    choice = choose(BackendName.AUTO, loaded)
    yield {
        "auto": {
            "backend": choice.backend.value,
            "precision": choice.precision,
            "why": choice.why,
        }
    }
    if choice.backend is not BackendName.TENSORRT:  # whose engines take minutes to build
        yield from probe_trial(choice.backend.value, bundle)


def probe_trial(backend: str, bundle: str) -> Told:
    import numpy as np

    from posegen_runtime.generator import PoseGenerator

    generator = PoseGenerator.load(bundle or None, threads=1, backend=backend)
    height, width = generator.image_size
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : -height // 4, width // 4 : -width // 4] = 255
    image = generator.generate(mask)[0]
    if int(image.max()) == int(image.min()):
        raise PoseGenError("the image that it made is of one colour")
    yield {"trial": backend}


PROBES: dict[str, Callable[..., Told]] = {
    "onnxruntime": probe_onnxruntime,
    "openvino": probe_openvino,
    "opencv": probe_opencv,
    "tensorrt": probe_tensorrt,
    "tensorrt_rtx": probe_tensorrt_rtx,
    "cuda_core": probe_cuda_core,
    "pycuda": probe_pycuda,
    "gpu": probe_gpu,
    "auto": probe_auto,
    "trial": probe_trial,
}

_PACKAGES = {"opencv": "cv2", "cuda_core": "cuda"}
"""What a probe imports, where it is not the probe's name."""


@contextmanager
def _heard() -> Iterator[Callable[[], str]]:
    """What native code writes to standard error meanwhile; it still goes there."""
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        before = os.dup(2)
        os.dup2(file.fileno(), 2)

        def text() -> str:
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            yield text
        finally:
            os.dup2(before, 2)
            os.close(before)
            sys.stderr.write(text())
