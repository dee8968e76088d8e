"""The report of a run, from its ledger and `run.json`."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from posegen_runtime.choices import Axis
from posegen_runtime.labels.categories import category_of
from posegen_runtime.ledger import Counts, ImageData, ImageRow, Ledger, State
from posegen_runtime.options import DEFAULT_CATEGORY
from posegen_runtime.paths import read_bytes
from posegen_runtime.report import ReportRow, write_report
from posegen_runtime.report.verified import silhouette
from posegen_runtime.sinks.tree import RUN
from posegen_runtime.viewpoints import seen_from, to_training_frame


def report_of(
    out: Path, ledger: Ledger, read: Callable[[str], bytes], counts: Counts, seed: int
) -> Path:
    """Write `report.html`. `read` gives the bytes of an image or mask that a row names."""
    run = msgspec.json.decode(read_bytes(out / RUN))
    rows = _rows(ledger, _Row(run.get("options", {})))
    return write_report(out, rows, run, read, planned=counts.planned, seed=seed)


def _rows(ledger: Ledger, row: "_Row") -> Iterator[ReportRow]:
    return map(row, ledger.rows())


class _Row:
    """Makes of the ledger's rows the report's. `options`: those of the run."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        forward = Axis(options.get("model_forward", Axis.X.value))
        self._turn = to_training_frame(forward, Axis(options.get("model_up", Axis.Z.value)))
        self._with_paste = bool(options.get("paste"))
        self._categories = options.get("categories") or {DEFAULT_CATEGORY: 1}

    def __call__(self, row: ImageRow) -> ReportRow:
        data = row.data
        is_frame = self._with_paste and row.state is State.DONE
        seen = seen_from(data.pose, self._turn) if data.pose else None
        return ReportRow(
            mask=data.mask or row.mask,
            object=row.object,
            appearance=data.appearance or row.appearance,
            background=row.background,
            state=row.state.value,
            reason=row.reason,
            image=row.image,
            mask_file=row.mask_file,
            timings=row.timings,
            finished=row.finished,
            category=category_of(data.pose, self._categories),
            area=_area(data, self._with_paste and not is_frame),
            viewpoint=data.viewpoint or seen,
            pose=data.pose,
            window=tuple(data.placement["window"]) if is_frame else None,
            visible=data.visible,
            verdict=data.verdict,
        )


def _area(data: ImageData, is_crop_of_frame: bool) -> float | None:
    """Share of the image, or of the frame of a crop, that the silhouette covers."""
    if data.coco is not None:
        return data.coco.area / (data.coco.size[0] * data.coco.size[1])
    seen = data.verdict and data.verdict.seen
    if not seen:
        return None
    share = float((silhouette(seen.asked, seen.size) > 0).mean())
    if is_crop_of_frame:
        x0, y0, x1, y1 = data.placement["window"]
        height, width = data.placement["source_size"]
        share *= (x1 - x0) * (y1 - y0) / (height * width)
    return share
