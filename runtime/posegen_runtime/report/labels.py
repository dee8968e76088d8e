"""What the labels of a run cover: categories, sizes, sides and distances."""

from collections import Counter

import numpy as np

from posegen_runtime.report.histogram import Histogram, LogHistogram
from posegen_runtime.report.rows import ReportRow

MAX_CATEGORIES = 500
OTHERS = "other categories"


class Labels:
    """Added up row by row, in fixed memory; rows that were made count."""

    def __init__(self) -> None:
        self._categories: dict[str, Counter[str]] = {}
        self.area = LogHistogram()
        self.yaw = Histogram(-180.0, 180.0)
        self.distance = LogHistogram()

    def add(self, row: ReportRow) -> None:
        name = row.category
        if name not in self._categories and len(self._categories) >= MAX_CATEGORIES:
            name = OTHERS
        self._categories.setdefault(name, Counter())[row.state] += 1
        if row.area is not None:
            self.area.add(100 * row.area, row.state)
        if row.viewpoint is not None:
            x, y, _ = row.viewpoint
            self.yaw.add(float(np.degrees(np.arctan2(y, x))), row.state)
        if row.pose is not None:
            metres = 1.0 if row.pose.t_unit == "m" else 1e-3
            self.distance.add(metres * float(np.linalg.norm(row.pose.t_m2c)), row.state)

    def categories(self) -> list[tuple[str, Counter[str]]]:
        """The most frequent first."""
        return sorted(self._categories.items(), key=lambda item: (-item[1].total(), item[0]))
