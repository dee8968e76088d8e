"""The GPU is read from the CUDA driver; here a driver of our own stands in for it."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform != "linux" or platform.machine() != "x86_64":
    pytest.skip("the driver that stands in is built for Linux", allow_module_level=True)

DRIVER = """
#include <string.h>
int cuInit(unsigned flags) { return FAILURE; }
int cuDeviceGet(int *device, int index) { *device = index + 3; return 0; }
int cuDeviceGetName(char *name, int size, int device) {
    strncpy(name, device == 3 ? "Orin" : "wrong", size); return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 8 : attribute == 76 ? 7 : -1; return device != 3; }
"""
ASK = "from posegen_runtime.engines.gpu import find_gpu; print(find_gpu())"


def ask(folder: Path, failure: int) -> str:
    source = folder / "driver.c"
    source.write_text(DRIVER)
    library = str(folder / "libcuda.so.1")
    flags = ["-shared", "-fPIC", f"-DFAILURE={failure}"]
    subprocess.run(["gcc", *flags, "-o", library, str(source)], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder)}
    return subprocess.check_output([sys.executable, "-c", ASK], env=environment, text=True).strip()


def test_name_and_compute_capability(tmp_path: Path) -> None:
    assert ask(tmp_path, failure=0) == "Gpu(name='Orin', capability=(8, 7))"


def test_a_driver_without_a_gpu_is_none(tmp_path: Path) -> None:
    assert ask(tmp_path, failure=100) == "None"
