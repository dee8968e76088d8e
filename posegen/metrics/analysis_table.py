"""An analysis as a Markdown table, which a terminal shows as well."""

from posegen.metrics.analysis import Analysis
from posegen.metrics.estimate import Estimate

HEADINGS = ("", "images", "I_sim", "IoU", "IoU = 0", "IoU of the rest", "r(I_sim, IoU)")
NONE = "-"


def markdown(analyses: dict[str, Analysis]) -> str:
    """One row a model; means with their 95 % intervals."""
    rows = [HEADINGS, *(_row(name, analysis) for name, analysis in analyses.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, analysis: Analysis) -> tuple[str, ...]:
    zero = analysis.iou_zero.value
    return (
        name,
        str(analysis.images),
        _cell(analysis.isim),
        _cell(analysis.iou),
        NONE if zero is None else f"{100 * zero:.1f} %",
        NONE if analysis.iou_rest.value is None else f"{analysis.iou_rest.value:.3f}",
        _cell(analysis.correlation),
    )


def _cell(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return NONE
    return f"{estimate.value:.3f} ({estimate.low:.2f} … {estimate.high:.2f})"
