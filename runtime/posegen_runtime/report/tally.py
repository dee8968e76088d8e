"""Everything the report says about rows, gathered in one pass and in fixed memory."""

from collections.abc import Iterable

from posegen_runtime.report.labels import Labels
from posegen_runtime.report.rates import Rates
from posegen_runtime.report.reasons import Reasons
from posegen_runtime.report.rows import MADE, STATES, ReportRow
from posegen_runtime.report.sample import Sample
from posegen_runtime.report.timings import Timings
from posegen_runtime.report.verified import Verified

SAMPLED = 64
"""Twice what the gallery shows: some of the files may be gone."""


class Tally:
    """`counts` by state, and what else a run's rows add up to."""

    def __init__(self, rows: Iterable[ReportRow], planned: int, seed: int) -> None:
        self.counts = dict.fromkeys(STATES, 0)
        self.reasons = Reasons()
        self.timings = Timings()
        self.rates = Rates()
        self.sample: Sample[ReportRow] = Sample(SAMPLED, seed)
        self.labels = Labels()
        self.verified = Verified(seed)
        for place, row in enumerate(rows):
            self._add(place, row)
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
            self.sample.add(row)
