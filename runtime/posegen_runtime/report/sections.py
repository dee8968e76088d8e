"""The label side of the report: what judges found, and what the labels cover."""

from collections.abc import Mapping
from typing import Any

from posegen_runtime.report import pictures, text
from posegen_runtime.report.gallery import Gallery
from posegen_runtime.report.histogram import Bar, Histogram, drawn
from posegen_runtime.report.labels import Labels
from posegen_runtime.report.rows import MADE
from posegen_runtime.report.verified import Verified

IOU_BARS, YAW_BARS = 40, 16
MAX_CATEGORIES = 25
KEY = '<p class="key"><i class="done"></i>done <i class="rejected"></i>rejected</p>'


def verified(found: Verified, worst: Gallery, turned: Gallery, run: Mapping[str, Any]) -> str:
    """Distribution, control, the worst; "" where nobody judged."""
    if not found.count:
        return ""
    options = run.get("options")
    limit = options.get("min_iou") if isinstance(options, Mapping) else None
    limit = float(limit) if isinstance(limit, int | float) else None
    below = f" The dashed line, {limit:.3f}, is --min-iou." if limit is not None else ""
    parts = [
        f"<h2>Do the images show their masks?</h2><p><b>IoU {found.iou.mean:.3f}</b> on average "
        f"between the mask asked for and what the segmenter finds in the image; half of the images "
        f"reach {found.iou.quantile(0.5):.3f}, 95% reach {found.iou.quantile(0.05):.3f}.{below}</p>"
        f'{KEY}<div class="chart one">'
        f"{drawn('IoU', found.iou.bars(MADE, IOU_BARS), MADE, every=4, mark=limit)}</div>",
        _control(found.control(), limit),
    ]
    if found.heading.count:
        parts.append(
            f"<p>Heading: known for {text.plural(found.heading.count, 'image')}, half of them at "
            f"most {found.heading.quantile(0.5):.1f}° off, {text.count(found.wrong)} "
            f"({text.share(found.wrong, found.heading.count)}) by more than 90°.</p>"
        )
    if worst.pictures:
        parts.append(
            f"<h3>The {len(worst.pictures)} lowest IoUs</h3><p>Yellow: the mask asked for. Dashed: "
            f"what the segmenter finds.</p>{pictures.gallery(worst.pictures, small=True)}"
        )
    if turned.pictures:
        parts.append(
            f"<h3>The {len(turned.pictures)} largest heading errors</h3>"
            f"{pictures.gallery(turned.pictures, small=True)}"
        )
    return "".join(parts)


def _control(control: Histogram | None, limit: float | None) -> str:
    if control is None:
        return "<p>No control: the images show too few different masks.</p>"
    bars = control.bars(("control",), IOU_BARS)
    reach = ""
    if limit is not None:
        reach = f"; {text.share(control.above(limit), control.count)} of them would pass"
    return (
        f"<p>Control, the same images against the masks of others: IoU {control.mean:.3f} on "
        f"average over {text.plural(control.count, 'image')}{reach}. A model that ignores its mask "
        'scores this.</p><div class="chart one">'
        f"{drawn('IoU with the masks of other images', bars, ('control',), every=4, mark=limit)}"
        "</div>"
    )


def labels(found: Labels) -> str:
    """What the labels cover; "" where nothing was made."""
    groups = found.categories()
    if not groups:
        return ""
    rows = "".join(
        f"<tr><td>{text.escape(name or 'object', 80)}</td>"
        + "".join(f'<td class="n">{text.count(counts[state])}</td>' for state in MADE)
        + "</tr>"
        for name, counts in groups[:MAX_CATEGORIES]
    )
    hidden = groups[MAX_CATEGORIES:]
    if hidden:
        sums = "".join(
            f'<td class="n">{text.count(sum(counts[state] for _, counts in hidden))}</td>'
            for state in MADE
        )
        rows += f"<tr><td>{text.plural(len(hidden), 'more')}</td>{sums}</tr>"
    heads = "".join(f'<th class="n">{state}</th>' for state in MADE)
    charts = [
        _chart("Silhouette, share of the image", found.area.bars(MADE), "%"),
        _chart("Yaw: 0° seen from the front, 90° from its left", _yaw(found), "°"),
        _chart("Distance", found.distance.bars(MADE), " m"),
    ]
    return (
        "<h2>What the labels cover</h2>"
        f'<table class="categories"><thead><tr><th>category</th>{heads}</tr></thead>'
        f'<tbody>{rows}</tbody></table>{KEY}<div class="charts">{"".join(charts)}</div>'
    )


def _yaw(found: Labels) -> list[Bar]:
    return found.yaw.bars(MADE, YAW_BARS) if found.yaw.count else []


def _chart(title: str, bars: list[Bar], unit: str) -> str:
    if not bars:
        return ""
    every = max(1, len(bars) // 4)
    return f'<div class="chart"><h3>{title}</h3>{drawn(title, bars, MADE, unit, every)}</div>'
