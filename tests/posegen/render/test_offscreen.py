"""A machine without off-screen OpenGL gets one line that names the packages."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posegen.render import offscreen
from posegen.render.offscreen import Window, require_egl
from posegen_runtime.errors import PoseGenError


def test_this_machine_has_it() -> None:
    require_egl()


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offscreen, "_LIBRARY", "libEGL-that-is-not-there.so.1")
    with pytest.raises(PoseGenError, match=r"cannot be loaded.*libegl1") as caught:
        require_egl()
    assert "\n" not in str(caught.value)


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
