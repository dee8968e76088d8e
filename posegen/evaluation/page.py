"""An evaluation as one page for people, with everything inside: `--report`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posegen.evaluation.bins import Bin
from posegen.evaluation.exhibits import SIDE, Pair, nearest, worst
from posegen.evaluation.figures import FIGURES, Result
from posegen.evaluation.measure import Columns, Evaluator
from posegen.evaluation.report import Report
from posegen.evaluation.samples import Samples
from posegen.evaluation.table import bin_cells, bin_headings, figure_cells
from posegen.evaluation.verdict import Verdict
from posegen_runtime.paths import write_atomic
from posegen_runtime.report.histogram import Histogram, drawn
from posegen_runtime.report.page import document
from posegen_runtime.report.pictures import switch
from posegen_runtime.report.text import escape, plural

BARS = 40
BINS = {
    "yaw": "By yaw: 0° seen from the front, 90° from its left",
    "elevation": "By elevation of the camera",
    "area": "By area of the mask, share of the image",
}


def write_page(
    path: Path,
    title: str,
    report: Report,
    evaluator: Evaluator,
    samples: Samples,
    columns: Columns,
) -> None:
    """Write the page. The images that it shows are generated once more. About 1 MB."""
    low, near = worst(evaluator, samples, columns), nearest(evaluator, samples, columns)
    parts = [
        _head(title, report.verdict),
        _figures(report.figures),
        _ious(columns),
        *(_bins(BINS[kind], rows) for kind, rows in report.bins.items()),
        switch() if low or near else "",
        _worst(low),
        _nearest(near, evaluator),
    ]
    name = escape(title.partition(" (")[0])
    write_atomic(path, document(f"Is {name} good?", parts).encode())


def _head(title: str, verdict: Verdict) -> str:
    word, kind = ("usable", "good") if verdict.usable else ("not usable", "bad")
    faults = "".join(f"<li>{escape(each, 300)}</li>" for each in verdict.because)
    because = f" because of<ul>{faults}</ul>" if faults else ""
    unknown = "; ".join(verdict.not_judged)
    rest = f'<p class="dim">Not judged: {escape(unknown, 600)}.</p>' if unknown else ""
    return (
        f"<header><h1>Is the model good?</h1><p>{escape(title, 400)}</p></header>"
        f'<div><span class="state {kind}">{word}</span>{because}</div>{rest}'
    )


def _figures(figures: dict[str, Result]) -> str:
    rows = []
    for name, result in figures.items():
        value, span, real, control, target = figure_cells(FIGURES[name], result)
        missed = ' class="missed"' if result.met is False else ""
        rows.append(
            f"<tr><td>{_unbroken(FIGURES[name].label)}</td>"
            + "".join(f'<td class="n">{escape(cell)}</td>' for cell in (value, span, real))
            + f"<td>{escape(control)}</td><td{missed}>{escape(target)}</td></tr>"
        )
    heads = "".join(f'<th class="n">{name}</th>' for name in ("generated", "95 %", "real"))
    return (
        '<h2>Figures</h2><div class="scroll"><table><thead><tr><th></th>'
        f"{heads}<th>control</th><th>target</th></tr></thead><tbody>{''.join(rows)}</tbody>"
        "</table></div>"
    )


def _ious(columns: Columns) -> str:
    """ "" without a segmenter."""
    shown = {
        "Images against their masks": ("iou", "done"),
        "Real photos against theirs, the ceiling": ("iou_real", "done"),
        "Images against shuffled masks, the control": ("iou_shuffled", "control"),
    }
    charts = []
    for title, (column, kind) in shown.items():
        values = columns.get(column, np.empty(0))
        counts = Histogram(0.0, 1.0)
        for value in values[~np.isnan(values)]:
            counts.add(float(value), kind)
        if counts.count:
            chart = drawn(title, counts.bars((kind,), BARS), (kind,), every=8)
            charts.append(f'<div class="chart"><h3>{title}</h3>{chart}</div>')
    return f'<h2>Pose IoU</h2><div class="charts">{"".join(charts)}</div>' if charts else ""


def _bins(title: str, rows: Sequence[Bin]) -> str:
    if not rows:
        return ""
    heads = "".join(f'<th class="n">{escape(name)}</th>' for name in ("images", *bin_headings()))
    body = "".join(
        f"<tr><td>{_unbroken(row.label)}</td>"
        + "".join(f'<td class="n">{cell}</td>' for cell in (str(row.images), *bin_cells(row)))
        + "</tr>"
        for row in rows
    )
    return (
        f'<h2>{title}</h2><div class="scroll"><table><thead><tr><th></th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _worst(pairs: Sequence[Pair]) -> str:
    if not pairs:
        return ""
    return (
        f"<h2>The worst: the {plural(len(pairs), 'image')} of the lowest IoU</h2><p>Left the "
        "generated image, right the real photo. Yellow: the mask asked for. Dashed: what the "
        f"segmenter finds.</p>{_gallery(pairs)}"
    )


def _nearest(pairs: Sequence[Pair], evaluator: Evaluator) -> str:
    if evaluator.training is None or not pairs:
        return ""
    return (
        f"<h2>Is it copying? The {plural(len(pairs), 'image')} nearest to a training photo</h2>"
        "<p>Left the generated image, right the most similar of "
        f"{plural(len(evaluator.training.samples), 'training photo')}: the objects alone, cut to "
        "their boxes and shrunk to 32 × 32 px; root of the mean squared difference in levels of "
        f"255.</p>{_gallery(pairs)}"
    )


def _gallery(pairs: Sequence[Pair]) -> str:
    return f'<div class="gallery pairs">{"".join(map(_figure, pairs))}</div>'


def _figure(pair: Pair) -> str:
    found = f'<path class="found" d="{pair.found}"/>' if pair.found else ""
    return (
        f'<figure><div class="pic"><img alt="{escape(pair.photo, 80)}" width="{2 * SIDE}" '
        f'height="{SIDE}" src="data:image/jpeg;base64,{pair.jpeg}">'
        f'<svg viewBox="0 0 {2 * SIDE} {SIDE}" aria-hidden="true"><path d="{pair.asked}"/>{found}'
        f"</svg></div><figcaption>{escape(pair.photo, 80)}<br>"
        f'<span class="dim">{escape(pair.caption, 200)}</span></figcaption></figure>'
    )


def _unbroken(label: str) -> str:
    """In one line, indented as in the terminal."""
    return f'<span class="whole">{escape(label).replace(" ", "&nbsp;")}</span>'
