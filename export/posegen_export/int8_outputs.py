"""What `posegen-export int8` writes, looked at before hours of measuring."""

import os
import tempfile
from pathlib import Path

from posegen_runtime.errors import PoseGenError


def check_outputs(bundle: Path, cache: Path | None, report: Path | None) -> None:
    """Raise `PoseGenError` naming the option whose file or folder could not be written.

    Folders that are missing are made when there is something to put into them.
    """
    target = bundle.resolve()
    _check_folder(
        target.parent, f"{bundle}: the new bundle is made beside it", "copy the bundle elsewhere"
    )
    if cache is not None:
        if os.path.lexists(cache) and not cache.is_file():
            raise PoseGenError(f"--cache {cache}: is a folder or no regular file; name a file")
        _check_folder(cache.parent, f"--cache {cache}", "name another file")
    if report is not None:
        _check_folder(report, f"--report {report}", "name another folder")


def _check_folder(folder: Path, what: str, todo: str) -> None:
    """Raise `PoseGenError` unless a file can be made in `folder`, or in that where it would be."""
    place = folder
    try:
        while not os.path.lexists(place) and place != place.parent:
            place = place.parent
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise PoseGenError(
            f"{what}: cannot be written, {place}: {error.strerror or error}; {todo}"
        ) from error
