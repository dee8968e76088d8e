"""How every command starts and ends: one line for an error, an exit code that means something."""

import errno
import sys
from collections.abc import Sequence

import typer

from posegen_runtime.errors import PoseGenError, printable

EXIT_OK = 0
EXIT_SOME_FAILED = 1
EXIT_USAGE = 2
EXIT_DISK_FULL = 3
EXIT_INTERRUPTED = 130

EXTRAS = {
    "train": ("torch", "torchvision", "lightning_fabric", "safetensors", "tensorboard"),
    "export": ("onnx", "onnxscript"),
    "data": ("pyvista", "vtkmodules", "vtk", "trimesh", "scipy"),
    "int8": ("onnx",),
    "metrics": ("torch_fidelity", "matplotlib"),
    "ray": ("ray", "pyarrow"),
}
"""Which extra brings which package; the base installation has the commands of all. Where several
bring one, that of the command's own name is the right one, or else the first."""

OPENCV = (
    "on a Jetson it comes with JetPack, for `python -m venv --system-site-packages`; elsewhere "
    "pip install opencv-python-headless"
)


def run_app(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run a Typer application and return its exit code.

    A command returns nothing (0) or raises ``typer.Exit(code)``. `PoseGenError`, a missing extra
    and what the system refuses become one line on standard error and exit code 2 (a full disk: 3);
    Ctrl-C becomes 130.
    """
    app.pretty_exceptions_enable = False
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(args=given)
    except PoseGenError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_DISK_FULL if _is_full(error.__cause__) else EXIT_USAGE
    except ModuleNotFoundError as error:
        if error.name == "cv2":
            print(f"error: OpenCV is not installed: {OPENCV}", file=sys.stderr)
            return EXIT_USAGE
        extra = _extra_of(error.name, given[:1])
        if extra is None:
            raise
        print(
            f"error: this command needs {error.name}, which is not installed: "
            f"pip install 'posegen[{extra}]'",
            file=sys.stderr,
        )
        return EXIT_USAGE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {printable(f'{where}{error.strerror or error}')}", file=sys.stderr)
        return EXIT_DISK_FULL if _is_full(error) else EXIT_USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except SystemExit as stop:
        # Typer makes Ctrl-C an exit code and says nothing.
        if isinstance(getattr(stop.__context__, "__cause__", None), KeyboardInterrupt):
            print("interrupted", file=sys.stderr)
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    return EXIT_OK


def _is_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _extra_of(module: str | None, command: Sequence[str]) -> str | None:
    package = (module or "").partition(".")[0]
    extras = [extra for extra, packages in EXTRAS.items() if package in packages]
    return next((extra for extra in extras if extra in command), next(iter(extras), None))
