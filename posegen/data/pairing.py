"""Which mask, and which empty scene, belongs to a photo: by name.

A partner may lie anywhere below its folder and have another format. Endings that tools add count as
nothing: `a.jpg` finds `a.png`, `a_mask.png`, `a.jpg.png` and BOP's `a_000000.png`.
"""

from collections.abc import Sequence
from pathlib import Path

from posegen_runtime.paths import IMAGE_SUFFIXES

ENDINGS = ("_000000", "_mask", "-mask", ".mask", "_seg", "_segmentation", "_alpha", "_matte")
"""BOP writes `FRAME_OBJECT.png`: only the first object's mask is the photo's."""


class Partners:
    """The files of one folder, to be found by the names of photos."""

    def __init__(self, root: Path, files: Sequence[Path]) -> None:
        """`files` lie below `root`."""
        self._ranks: tuple[dict[str, list[Path]], ...] = ({}, {}, {}, {})
        for file in files:
            exact = _name(file.relative_to(root))
            plain = _without_ending(exact)
            for rank, key in zip(self._ranks, _keys(exact, plain), strict=True):
                rank.setdefault(key, []).append(file)

    def of(self, photo: Path, by_name: bool = True) -> list[Path]:
        """The partners of a photo, given by its path below its own folder; more than one means
        that the name does not decide. The whole path counts before the file's name alone, which
        counts `by_name` only, and a name as it is before one without its ending."""
        name = _name(photo)
        keys = _keys(name, name)
        for rank, key in zip(self._ranks, keys if by_name else keys[:2], strict=False):
            if key in rank:
                return rank[key]
        return []


class ByPath:
    """Partners by their whole path alone, for folders that number their photos alike."""

    def __init__(self, partners: Partners) -> None:
        self._partners = partners

    def of(self, photo: Path) -> list[Path]:
        """As `Partners.of`."""
        return self._partners.of(photo, by_name=False)


def name_alone(photo: Path) -> str:
    """What a photo has in common with its namesakes in other folders."""
    return _name(photo).rpartition("/")[2]


def _keys(exact: str, plain: str) -> tuple[str, str, str, str]:
    return exact, plain, exact.rpartition("/")[2], plain.rpartition("/")[2]


def _name(path: Path) -> str:
    """Path without the format, once more for `a.jpg.png`; upper and lower case are the same."""
    bare = path.with_suffix("")
    if bare.suffix.lower() in IMAGE_SUFFIXES:
        bare = bare.with_suffix("")
    return bare.as_posix().casefold()


def _without_ending(name: str) -> str:
    for ending in ENDINGS:
        if name.endswith(ending) and len(name.rpartition("/")[2]) > len(ending):
            return name.removesuffix(ending)
    return name
