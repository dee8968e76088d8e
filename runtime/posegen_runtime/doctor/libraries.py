"""What to do about a shared library that is missing."""

import re

from posegen_runtime.doctor.commands import apt_install

MISSING = re.compile(r"(lib[\w.+-]+\.so[\w.]*|\w+\.dll): cannot open shared object file")

PACKAGES = {
    "libGL.so": ("libgl1",),
    "libEGL.so": ("libegl1",),
    "libgthread-2.0.so": ("libglib2.0-0",),
    "libglib-2.0.so": ("libglib2.0-0",),
    "libgomp.so": ("libgomp1",),
    "libSM.so": ("libsm6",),
    "libXext.so": ("libxext6",),
    "libXrender.so": ("libxrender1",),
    "libstdc++.so": ("libstdc++6",),
}
"""Debian's and Ubuntu's package for each that wheels are known to want of the system."""


def missing_library(error: str) -> str:
    """The library that `error` says cannot be found; empty where it says nothing like that."""
    found = MISSING.search(error)
    return found[1] if found else ""


def commands_for(library: str) -> list[str]:
    """What brings `library`; nothing where that is not known."""
    for start, packages in PACKAGES.items():
        if library.startswith(start):
            return apt_install(*packages)
    return []
