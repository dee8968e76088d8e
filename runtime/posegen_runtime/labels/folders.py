"""A folder of label files that appears whole, in place of an earlier one."""

import shutil
from pathlib import Path


class NewFolder:
    """Filled under a hidden name until `commit`. Raises `OSError` where it cannot be."""

    def __init__(self, final: Path) -> None:
        self._final = final
        self._old = final.with_name(f".{final.name}.old.part")
        self.path = final.with_name(f".{final.name}.part")
        for left in (self.path, self._old):
            if left.exists():
                shutil.rmtree(left)
        self.path.mkdir(parents=True)

    def commit(self) -> None:
        """Put it under its final name."""
        if self._final.exists():
            self._final.replace(self._old)
        self.path.replace(self._final)
        if self._old.exists():
            shutil.rmtree(self._old)
