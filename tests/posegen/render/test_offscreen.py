"""A machine without off-screen OpenGL gets one line that names the packages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posegen.render import offscreen
from posegen.render.offscreen import MISSING, Window, require_egl
from posegen_runtime.errors import PoseGenError

README = Path(__file__).parents[3] / "README.md"


def test_this_machine_has_it() -> None:
    require_egl()


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offscreen, "_LIBRARY", "libEGL-that-is-not-there.so.1")
    with pytest.raises(PoseGenError, match=r"cannot be loaded.*libegl1") as caught:
        require_egl()
    assert "\n" not in str(caught.value)


def test_the_readme_names_the_same_packages() -> None:
    packages = re.search(r"apt-get install (.*)\)", MISSING)
    assert packages is not None
    assert packages[1] in README.read_text()


def test_missing_pyvista_is_named_before_processes_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvista", None)
    with pytest.raises(ModuleNotFoundError, match="pyvista"):
        require_egl()


@pytest.mark.parametrize(("width", "height"), [(17000, 8), (8, 10**9)])
def test_images_that_no_driver_draws_are_refused(width: int, height: int) -> None:
    with pytest.raises(PoseGenError, match="at most 16384"):
        Window(width, height)


def test_the_limit_of_the_driver_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offscreen, "MAX_SIDE", 10**6)
    with pytest.raises(PoseGenError, match="17000×8 pixels"):
        Window(17000, 8)


def test_command_without_a_driver_ends_with_one_line(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "posegen.data.cli", "render", "--out", str(out)]
    hidden = os.environ | {"__EGL_VENDOR_LIBRARY_FILENAMES": str(tmp_path / "none.json")}
    ended = subprocess.run(command, env=hidden, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert "libegl1" in ended.stderr
    assert not out.exists()


def test_pixels_are_fresh_every_time() -> None:
    window = Window(8, 6)
    for color, expected in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        window.plotter.set_background(color)
        image = window.pixels()
        assert image.shape == (6, 8, 3)
        assert (image == np.array(expected)).all()
    window.close()


def test_a_process_that_drew_can_export_as_well() -> None:
    code = (
        "from posegen.render.offscreen import Window\n"
        "window = Window(8, 8); window.pixels(); window.close()\n"
        "import torch.utils._triton as t; t.has_triton_package()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
