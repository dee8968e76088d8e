"""What the outputs of each input are called."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

from posegen_runtime.sources import Source

_OUTPUT_SUFFIX = re.compile(r"\.(png|jpg|txt)(?=/|$)", re.IGNORECASE)


class OutputStems:
    """Input name to output name without suffix, where no two outputs are the same file.

    `a/b.png` becomes `a/b`. Where other inputs would take that name too (`a/b.jpg`, or `A/b.png`
    on a file system that ignores case), each keeps its suffix as a part of the name (`a/b_jpg`).
    A folder's name never ends as an output's does: `a.png/b.png` becomes `a_png/b`.

    There may be a million: hashes of all are held, and names of those only that meet another.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        hashes = np.fromiter(
            (hash(_folded(_stem(source.name))) for source in sources), np.int64, len(sources)
        )
        hashes.sort()
        self._hashes = hashes
        repeated = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
        self._own: dict[str, str] = {}
        if len(repeated):
            self._settle(sources, set(repeated.tolist()))

    def __getitem__(self, name: str) -> str:
        return self._own.get(name) or _stem(name)

    def _settle(self, sources: Sequence[Source], repeated: set[int]) -> None:
        names = [s.name for s in sources if hash(_folded(_stem(s.name))) in repeated]
        counts = Counter(_folded(_stem(name)) for name in names)
        given: set[str] = set()
        for name in sorted(names):
            stem = _stem(name)
            if counts[_folded(stem)] == 1:
                continue
            stem = f"{stem}_{name.rpartition('.')[2]}"
            while (
                (folded := _folded(stem)) in given
                or counts[folded] == 1
                or (folded not in counts and self._has(hash(folded)))
            ):
                stem += "_"
            given.add(folded)
            self._own[name] = stem

    def _has(self, value: int) -> bool:
        place = int(np.searchsorted(self._hashes, value))
        return place < len(self._hashes) and int(self._hashes[place]) == value


def _stem(name: str) -> str:
    folder, slash, file = name.rpartition("/")
    return _OUTPUT_SUFFIX.sub(r"_\1", folder) + slash + (file.rpartition(".")[0] or file)


def _folded(stem: str) -> str:
    """The same for names that some file system takes for the same."""
    return unicodedata.normalize("NFC", stem.casefold())
