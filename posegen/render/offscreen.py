"""Off-screen OpenGL through EGL: whether it is there, windows, cameras, pixels."""

import contextlib
import ctypes
import importlib
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from posegen.render.camera import View
from posegen.render.model import Bytes, Floats
from posegen_runtime.errors import PoseGenError

MISSING = (
    "rendering needs off-screen OpenGL (EGL), and {what}: install the system packages of EGL and a "
    "driver (apt-get install libegl1 libgl1 libgl1-mesa-dri)"
)
MAX_SIDE = 16384
"""Pixels: what drivers can be expected to draw at once. Beyond its limit OpenGL draws nonsense."""
_LIBRARY = "libEGL.so.1"
_PLATFORM_DEVICE = 0x313F


def prepare_environment() -> None:
    """Choose EGL and one thread for Mesa's rasteriser: workers are the parallelism here, and
    VTK reads both before its first window.

    PyTorch's Triton and Mesa bring an LLVM each. A process that draws and then exports (which
    imports Triton) crashes, unless Triton came first.
    """
    with contextlib.suppress(ImportError):
        importlib.import_module("triton")
    os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkEGLRenderWindow"
    os.environ.setdefault("LP_NUM_THREADS", "0")


def require_egl() -> None:
    """Raise `PoseGenError` naming the system packages where EGL has no device that starts, and
    `ModuleNotFoundError` without PyVista: a process of the pool could not say what it lacks.

    Asks EGL itself, because VTK without a device prints pages of warnings or aborts the process.
    """
    prepare_environment()
    try:
        egl = ctypes.CDLL(_LIBRARY)
    except OSError:
        raise PoseGenError(MISSING.format(what=f"{_LIBRARY} cannot be loaded")) from None
    if not _starts(egl):
        raise PoseGenError(MISSING.format(what="EGL finds no device that starts"))
    importlib.import_module("pyvista")


def _starts(egl: ctypes.CDLL) -> bool:
    """Whether EGL has a device whose display can be initialised."""
    pointer, integers = ctypes.c_void_p, ctypes.POINTER(ctypes.c_int)
    egl.eglGetProcAddress.restype = pointer
    egl.eglInitialize.argtypes = [pointer, integers, integers]
    egl.eglTerminate.argtypes = [pointer]
    query = egl.eglGetProcAddress(b"eglQueryDevicesEXT")
    display = egl.eglGetProcAddress(b"eglGetPlatformDisplayEXT")
    if not query or not display:
        return False
    query_devices = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_int, pointer, integers)(query)
    get_display = ctypes.CFUNCTYPE(pointer, ctypes.c_uint, pointer, pointer)(display)
    devices, count = (pointer * 64)(), ctypes.c_int(0)
    if not query_devices(len(devices), devices, ctypes.byref(count)):
        return False
    for device in devices[: count.value]:
        opened = get_display(_PLATFORM_DEVICE, device, None)
        if opened and egl.eglInitialize(opened, ctypes.c_int(0), ctypes.c_int(0)):
            egl.eglTerminate(opened)
            return True
    return False


def surface(points: Floats, faces: npt.NDArray[Any]) -> Any:
    """PyVista's mesh of points [V, 3] and faces [F, 3] or [F, 4]."""
    import pyvista

    cells: Any = faces.astype(np.int64)
    return pyvista.PolyData.from_regular_faces(points, cells)


def smooth_surface(
    points: Floats, faces: npt.NDArray[Any], colors: npt.NDArray[np.uint8], angle: float = 38.0
) -> Any:
    """A coloured mesh with normals that stay smooth up to `angle` degrees. `colors` [V, 3]."""
    mesh = surface(points, faces)
    mesh.point_data["rgb"] = colors
    mesh = mesh.compute_normals(
        cell_normals=False,
        split_vertices=True,
        feature_angle=angle,
        consistent_normals=False,
        auto_orient_normals=False,
    )
    mesh.set_active_scalars("rgb", preference="point")
    return mesh


def _check_side(width: int, height: int, limit: int) -> None:
    if max(width, height) > limit:
        raise PoseGenError(
            f"image of {width}×{height} pixels: OpenGL draws sides of at most {limit} here; "
            "make the image smaller"
        )


class Window:
    """An off-screen window of fixed size without multisampling.

    Raises `PoseGenError` when the driver cannot draw images of this size.
    """

    def __init__(self, width: int, height: int) -> None:
        _check_side(width, height, MAX_SIDE)
        prepare_environment()
        import pyvista
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
        from vtkmodules.vtkCommonMath import vtkMatrix4x4
        from vtkmodules.vtkRenderingOpenGL2 import vtkTextureObject

        pyvista.OFF_SCREEN = True
        self.width, self.height = width, height
        plotter: Any = pyvista.Plotter(off_screen=True, window_size=[width, height])
        self.plotter, self._window = plotter, plotter.ren_win
        self._window.SetMultiSamples(0)
        self._window.Render()  # only then the driver can be asked
        _check_side(width, height, vtkTextureObject.GetMaximumTextureSize(self._window))
        self._buffer = vtkUnsignedCharArray()
        self._matrix = vtkMatrix4x4()

    def look(self, view: View, near: float, far: float) -> None:
        """Set the camera exactly: any camera matrix, `near` and `far` in scene units.

        The view may be of another size than the window; the image is scaled to fit.
        """
        matrix: Any = self._matrix
        fx, fy, cx, cy = view.K[0, 0], view.K[1, 1], view.K[0, 2] + 0.5, view.K[1, 2] + 0.5
        rows = np.zeros((4, 4))
        rows[0, 0], rows[0, 1], rows[0, 2] = fx, -view.K[0, 1], view.width / 2 - cx
        rows[0] *= 2 / view.width
        rows[1, 1], rows[1, 2] = 2 * fy / view.height, 2 * cy / view.height - 1
        rows[2, 2], rows[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
        rows[3, 2] = -1
        matrix.DeepCopy(rows.ravel().tolist())
        camera = self.plotter.camera
        camera.SetUseExplicitProjectionTransformMatrix(True)
        camera.SetExplicitProjectionTransformMatrix(matrix)
        position = view.position
        camera.SetPosition(*position)
        # VTK derives a unit direction from a point on the line of sight.
        camera.SetFocalPoint(*(position + view.R[2] * far))
        camera.SetViewUp(*-view.R[1])
        camera.SetClippingRange(near, far)
        camera.Modified()  # the matrix changed inside: the camera does not see that by itself

    def pixels(self) -> Bytes:
        """Render anew and read the image, uint8 [H, W, 3] RGB."""
        from vtkmodules.util.numpy_support import vtk_to_numpy

        self._window.Render()
        self._window.GetPixelData(0, 0, self.width - 1, self.height - 1, 0, self._buffer, 0)
        image = vtk_to_numpy(self._buffer).reshape(self.height, self.width, 3)
        return np.ascontiguousarray(image[::-1])

    def close(self) -> None:
        self.plotter.close()
