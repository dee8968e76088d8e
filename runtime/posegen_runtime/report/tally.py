"""Everything the report says about rows, gathered in one pass and in fixed memory."""

from collections.abc import Iterable

import msgspec

from posegen_runtime.report.labels import Labels
from posegen_runtime.report.rates import Rates
from posegen_runtime.report.reasons import Reasons
from posegen_runtime.report.rows import MADE, STATES, ReportRow
from posegen_runtime.report.sample import Sample
from posegen_runtime.report.timings import Timings
from posegen_runtime.report.verified import Verified

SAMPLED = 64
"""Twice what the gallery shows: some of the files may be gone."""
OUTLINED = 100
"""Objects of one image that the gallery outlines at most."""


class Tally:
    """`counts` by state, and what else a run's rows add up to. `images`: how many are done. With
    `pasted` rows are objects, and those that share an image come one after the other."""

    def __init__(
        self, rows: Iterable[ReportRow], planned: int, seed: int, pasted: bool = False
    ) -> None:
        self.noun = "object" if pasted else "image"
        """What a row is."""
        self._pasted = pasted
        self.images = 0
        self._objects: list[ReportRow] = []
        self.counts = dict.fromkeys(STATES, 0)
        self.reasons = Reasons()
        self.timings = Timings()
        self.rates = Rates()
        self.sample: Sample[ReportRow] = Sample(SAMPLED, seed)
        self.labels = Labels()
        self.verified = Verified(seed)
        for place, row in enumerate(rows):
            self._add(place, row)
        self._end_image()
        self.counts["pending"] += max(0, planned - self.planned)

    @property
    def planned(self) -> int:
        return sum(self.counts.values())

    def _add(self, place: int, row: ReportRow) -> None:
        self.counts[row.state] += 1
        self.timings.add(row.timings)
        if row.state in ("failed", "rejected"):
            self.reasons.add(row)
        if row.state in MADE and row.finished is not None:
            self.rates.add(row.finished)
        if row.state in MADE:
            self.labels.add(row)
            if row.verdict is not None:
                self.verified.add(place, row, row.verdict)
        if row.state == "done" and row.image:
            if not self._pasted or (self._objects and self._objects[0].image != row.image):
                self._end_image()
            if len(self._objects) < OUTLINED:
                self._objects.append(row)

    def _end_image(self) -> None:
        if self._objects:
            first, *others = self._objects
            self.sample.add(msgspec.structs.replace(first, others=tuple(others)))
            self.images += 1
            self._objects = []
