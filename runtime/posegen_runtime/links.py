"""The same file in a second place, without its bytes where the disk allows that."""

import os
import shutil
from pathlib import Path

from posegen_runtime.errors import PoseGenError

BESIDE = ".link.part"
"""While it is copied; what a kill leaves is removed when the folder is next used."""


class Linker:
    """Links files into `out`, or copies them: to another disk, or where there are no hard links.

    Neither the original nor the new name is ever seen without the whole file.
    """

    def __init__(self, out: Path, advice: str = "give its command again") -> None:
        self._out = str(out)
        self._advice = advice
        self._folders: set[str] = set()

    def add(self, source: Path | str, name: str) -> None:
        """Give `source` the name `name` below `out`, in place of what has it.

        Raises `PoseGenError` naming the file that is missing, or the one that cannot be written;
        its ``__cause__`` is the `OSError`.
        """
        target = f"{self._out}/{name}"  # paths as text: there are hundreds of thousands
        folder = target.rpartition("/")[0]
        try:
            if folder not in self._folders:
                os.makedirs(folder, exist_ok=True)
                Path(folder, BESIDE).unlink(missing_ok=True)
                self._folders.add(folder)
            _place(source, target, f"{folder}/{BESIDE}")
        except FileNotFoundError as error:
            raise PoseGenError(
                f"{source}: is missing, and its run is finished; put it back, or {self._advice}"
            ) from error
        except OSError as error:
            raise PoseGenError(
                f"{target}: cannot be written ({error.strerror or error}); "
                "free space or name another folder"
            ) from error


def _place(source: Path | str, target: str, beside: str) -> None:
    try:
        os.link(source, target)
        return
    except FileExistsError:
        if os.path.samefile(source, target):
            return
    except FileNotFoundError:
        raise
    except OSError:
        pass  # what is true of a disk, and what of a file, differs by system: a copy tells
    try:
        try:
            os.link(source, beside)
        except OSError:
            shutil.copyfile(source, beside)
        os.replace(beside, target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
