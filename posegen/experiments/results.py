"""What an experiment found: the rows of its table, and the pictures behind them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels
from posegen.metrics.rows import Row
from posegen.metrics.values import Values


@dataclass(frozen=True)
class RowResult:
    """One way to make images. `key` names it among the rows (its folder's name), `row.method`
    people read. `values` float64 [N] for each test image by `iou`, `isim` or `cosine_EXTRACTOR`,
    NaN where one does not apply. `group` is one of those in `rows`. `inputs` are what a trained
    model takes (`mask`, `appearance`, `background`); none for the unconditional one, and for the
    baseline and the oracles that are no model. `note`: what else there is to say, such as which
    checkpoint it is."""

    key: str
    row: Row
    values: Mapping[str, Values]
    group: str
    inputs: tuple[str, ...] = ()
    note: str = ""

    @property
    def takes_mask(self) -> bool:
        return "mask" in self.inputs


@dataclass(frozen=True)
class Shown:
    """K of the test images as pictures show them: uint8 RGB [K, S, S, 3], `masks` uint8 [K, S, S]
    in {0, 255}. `images` by the row's key; a row may be missing. `found`: the silhouettes that the
    segmenter finds in them, uint8 [K, T, T] in {0, 255}, of the rows for which they are known.
    """

    names: Sequence[str]
    photos: Pixels
    masks: Pixels
    appearances: Pixels
    backgrounds: Pixels
    images: Mapping[str, Pixels]
    found: Mapping[str, Pixels] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.names)
        sets = [self.photos, self.masks, self.appearances, self.backgrounds]
        sets += [*self.images.values(), *self.found.values()]
        if wrong := {len(each) for each in sets} - {count}:
            raise ValueError(f"{count} shown images have {wrong.pop()} pictures")


@dataclass(frozen=True)
class Table:
    """A further table: `rows` of text under `headings`, the first column names them."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: str = ""
    """What stands above it."""


@dataclass(frozen=True)
class Experiment:
    """`names` are all N test images, as the values' rows. `settings` say how the rows were made,
    `notices` what is unavailable, and why; `tables` stand after that of the rows. `objects` int64
    [N]: images of one number show the same object; None: each its own.
    """

    title: str
    settings: Mapping[str, str]
    notices: Sequence[str]
    names: Sequence[str]
    results: Sequence[RowResult]
    shown: Shown
    objects: NDArray[np.int64] | None = None
    tables: Sequence[Table] = ()

    def __post_init__(self) -> None:
        _expect_unique("keys", (result.key for result in self.results))
        # Blanks become hyphens where a method names a column of the values.
        methods = (result.row.method.replace(" ", "-") for result in self.results)
        _expect_unique("methods", methods)
        _expect_unique("names", self.names)
        for result in self.results:
            for name, values in result.values.items():
                if len(values) != len(self.names):
                    raise ValueError(
                        f"{result.key}: {len(values)} values of {name} for {len(self.names)} images"
                    )
        if unknown := set(self.shown.names) - set(self.names):
            raise ValueError(f"{min(unknown)} is shown and is none of the images")

    def shown_rows(self) -> NDArray[np.int64]:
        """Where the shown images stand among all, [K]."""
        where = {name: row for row, name in enumerate(self.names)}
        return np.array([where[name] for name in self.shown.names], np.int64)


def _expect_unique(what: str, names: Iterable[str]) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(f"two {what} are {twice[0]}")
