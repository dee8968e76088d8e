"""Everything the report says about rows, gathered in one pass and in fixed memory."""

from collections.abc import Iterable

from posegen_runtime.report.rates import Rates
from posegen_runtime.report.reasons import Reasons
from posegen_runtime.report.rows import MADE, STATES, ReportRow
from posegen_runtime.report.sample import Sample
from posegen_runtime.report.timings import Timings

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
        for row in rows:
            self._add(row)
        self.counts["pending"] += max(0, planned - self.planned)

    @property
    def planned(self) -> int:
        return sum(self.counts.values())

    def _add(self, row: ReportRow) -> None:
        self.counts[row.state] += 1
        self.timings.add(row.timings)
        if row.state in ("failed", "rejected"):
            self.reasons.add(row)
        if row.state in MADE and row.finished is not None:
            self.rates.add(row.finished)
        if row.state == "done" and row.image:
            self.sample.add(row)
