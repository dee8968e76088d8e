"""Machines that lack something: other places that Python imports from, a driver of our own."""

import importlib
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

import pytest

OURS = [str(Path(__file__).parents[3] / "runtime")]

Environment = Callable[..., Path]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """(without, fakes, distributions) → Python finds what is installed less the packages and
    metadata that match `without`, and first of all the modules `fakes` (name → source) and the
    metadata `distributions` (name → version). Returns the folder that it is found in."""

    def make(
        without: Sequence[str] = (),
        fakes: Mapping[str, str] | None = None,
        distributions: Mapping[str, str] | None = None,
    ) -> Path:
        site = tmp_path / "site"
        site.mkdir()
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            fake = entry.name in (fakes or {})
            if not fake and not any(fnmatch(entry.name, pattern) for pattern in without):
                (site / entry.name).symlink_to(entry)
        for name, source in (fakes or {}).items():
            (site / name).mkdir()
            (site / name / "__init__.py").write_text(source)
        for name, version in (distributions or {}).items():
            folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            )
        installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        library = [place for place in sys.path if place not in installed]
        monkeypatch.setattr(sys, "path", [*OURS, *library, str(site)])
        importlib.invalidate_caches()
        return site

    return make


DRIVER = """
#include <string.h>
typedef int R;
R cuDriverGetVersion(int *v) {{ *v = {version}; return 0; }}
R cuInit(unsigned f) {{ return {code}; }}
R cuGetErrorString(R code, const char **t) {{ *t = "{reason}"; return 0; }}
R cuDeviceGetCount(int *n) {{ *n = {count}; return 0; }}
R cuDeviceGet(int *d, int i) {{ *d = i; return 0; }}
R cuDeviceGetName(char *n, int size, int d) {{ strncpy(n, "Pretended GPU", size); return 0; }}
R cuDeviceGetAttribute(int *v, int a, int d) {{ *v = a == 75 ? 8 : 7; return 0; }}
R cuDeviceTotalMem_v2(unsigned long *b, int d) {{ *b = 8ul << 30; return 0; }}
"""


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """(code, reason, version, count) → a libcuda.so.1 for processes that start from now on."""

    def make(code: int = 0, reason: str = "", version: int = 12060, count: int = 1) -> None:
        folder = tmp_path / "driver"
        folder.mkdir()
        text = DRIVER.format(code=code, reason=reason, version=version, count=count)
        (folder / "cuda.c").write_text(text)
        library = str(folder / "libcuda.so.1")
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-o", library, str(folder / "cuda.c")], check=True
        )
        monkeypatch.setenv("LD_LIBRARY_PATH", os.fspath(folder))

    return make
