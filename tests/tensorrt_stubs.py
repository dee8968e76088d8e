"""The real bindings of TensorRT, importable without its libraries: gcc makes empty ones.

The libraries are gigabytes and want a GPU; the bindings are a megabyte and show every class, flag
and method of their version.
"""

import ctypes
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path


def bindings(folder: Path, requirement: str) -> Path:
    """The folder of the importable package that `requirement` holds: downloaded into `folder` by
    pip, once."""
    root = folder / requirement.replace("=", "_")
    if not root.is_dir():
        wheels = folder / "wheels"
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels)]
        # Exact as it is, it wants no constraints, which may name another version.
        subprocess.run([*pip, requirement], check=True, env={**os.environ, "PIP_CONSTRAINT": ""})
        name, version = requirement.replace("-", "_").split("==")
        (wheel,) = wheels.glob(f"{name}-{version}-*.whl")
        part = root.with_suffix(".part")
        zipfile.ZipFile(wheel).extractall(part)
        for library in part.glob("*_bindings/*.so"):
            _add_stubs(library)
        part.rename(root)
    (package,) = root.glob("*_bindings")
    return package


def _add_stubs(library: Path) -> None:
    """Beside `library`, where it looks first: what it links to, with functions that do nothing."""
    dynamic = subprocess.check_output(["readelf", "-d", str(library)], text=True)
    symbols = subprocess.check_output(["nm", "-D", "--undefined-only", str(library)], text=True)
    here = ctypes.CDLL(None)  # Python's own symbols, and those of the C library
    lacking = [s for s in re.findall(r"\bU (\w+)$", symbols, re.M) if not hasattr(here, s)]
    source = library.with_name("stubs.c")
    source.write_text("".join(f"void *{symbol}(void) {{ return 0; }}\n" for symbol in lacking))
    for name in re.findall(r"\[(lib(?:nv|tensorrt)[\w.]+)\]", dynamic):
        stub = str(library.with_name(name))
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", stub, str(source)], check=True)
