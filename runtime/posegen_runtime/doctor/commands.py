"""Commands as they can be pasted into a shell here."""

import importlib.util
import os
import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path


def pip_install(*requirements: str) -> str:
    """Into the environment that runs this."""
    return f"{_pip('install')} {_quoted(requirements)}"


def pip_uninstall(*distributions: str) -> str:
    return f"{_pip('uninstall')} {_quoted(distributions)}"


def extra(name: str) -> str:
    return pip_install(f"posegen[{name}]")


def apt_install(*packages: str) -> list[str]:
    """No command where the system has another package manager: names differ there."""
    if shutil.which("apt-get") is None:
        return []
    return [f"{_sudo()}apt-get install -y {_quoted(packages)}"]


def nvidia_driver() -> list[str]:
    """Ubuntu chooses the driver by the card; Debian has it in its section non-free."""
    if shutil.which("ubuntu-drivers"):
        return [f"{_sudo()}ubuntu-drivers install"]
    return apt_install("nvidia-driver")


def _sudo() -> str:
    return "" if not hasattr(os, "geteuid") or os.geteuid() == 0 else "sudo "


def _pip(verb: str) -> str:
    # Environments that uv made have no pip of their own.
    if importlib.util.find_spec("pip") is None and shutil.which("uv") is not None:
        return f"uv pip {verb} --python {_python()}"
    return f"{_python()} -m pip {verb}{' -y' if verb == 'uninstall' else ''}"


def _python() -> str:
    """`python` where the shell means this one by it, else its path."""
    here = sys.executable
    for name in ("python", "python3"):
        if shutil.which(name) == here:
            return name
    with suppress(OSError, ValueError):  # the working folder is gone, or elsewhere
        return shlex.quote(str(Path(here).relative_to(Path.cwd())))
    quoted = shlex.quote(here)
    return tilde(here) if quoted == here else quoted  # no shell expands a quoted ~


def _quoted(words: tuple[str, ...]) -> str:
    return " ".join(shlex.quote(word) for word in words)


def tilde(text: str) -> str:
    """`text` with the home folder as ``~``: a bug report need not name its writer."""
    home = os.path.expanduser("~").rstrip("/")
    return text.replace(f"{home}/", "~/") if len(home) > 1 else text
