"""Why images failed or were rejected: like reasons are counted together."""

import re

import msgspec

from posegen_runtime.paths import IMAGE_SUFFIXES
from posegen_runtime.report.rows import ReportRow

MAX_GROUPS = 500
MAX_READ = 1000
"""Characters of a reason that are looked at."""
OTHER = "other reasons"
UNKNOWN = "no reason is recorded"

_PATH = re.compile(
    rf"^.*?(?:{'|'.join(re.escape(suffix) for suffix in IMAGE_SUFFIXES)}): ", re.I | re.S
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class Group(msgspec.Struct):
    """Rows of one state whose reasons differ by the file's name and by numbers only."""

    state: str
    reason: str
    """As the first row gives it, without the file's name."""
    example: str
    """Name of that row."""
    count: int = 0


class Reasons:
    """Groups of reasons, at most `MAX_GROUPS` and what is left over."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], Group] = {}

    def add(self, row: ReportRow) -> None:
        reason = without_path(row.reason, row.mask) or UNKNOWN
        key = row.state, _NUMBER.sub("0", reason)
        if key not in self._groups and len(self._groups) >= MAX_GROUPS:
            key, reason = (row.state, OTHER), OTHER
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(row.state, reason, row.name)
        group.count += 1

    def groups(self) -> list[Group]:
        """The most frequent first."""
        return sorted(self._groups.values(), key=lambda group: -group.count)


def without_path(reason: str, mask: str) -> str:
    """`reason` without the name of the file that it opens with."""
    return _PATH.sub("", reason.removeprefix(f"{mask}: ")[:MAX_READ], count=1).strip()
