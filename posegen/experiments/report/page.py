"""An experiment as one page with everything inside: `report.html`."""

import base64
from collections.abc import Mapping, Sequence

from posegen.data.prepared import Pixels
from posegen.experiments.report.figures import NO_AUTOENCODER, NO_MASKS, NO_PAIRS, Figures
from posegen.experiments.report.pairs import Pair
from posegen.experiments.report.similarity import Similarity
from posegen.experiments.report.strips import Strip
from posegen.experiments.results import Experiment, Table
from posegen.metrics.rows import UNAVAILABLE, Row
from posegen.metrics.rows_table import cell, columns_of, missing
from posegen.metrics.scatter import scatter_svg, span_of
from posegen_runtime.images import encode_jpeg
from posegen_runtime.report.page import document
from posegen_runtime.report.text import escape, plural

LONG = 1000
"""Characters of a notice at most."""
QUALITY = 90


def page(experiment: Experiment, figures: Figures) -> str:
    """The whole document."""
    parts = [
        _head(experiment),
        _table(experiment),
        *map(_further, experiment.tables),
        _strips(
            "Figure 3: photos and what the autoencoder makes of them",
            figures.autoencoder,
            NO_AUTOENCODER,
        ),
        _strips("Figure 4: masks and what each model makes of them", figures.masks, NO_MASKS),
        _pairs(figures.pairs),
        _similarity(figures.similarity),
        _settings(experiment.settings),
    ]
    return document(escape(experiment.title), parts)


def _head(experiment: Experiment) -> str:
    rows, images = plural(len(experiment.results), "row"), plural(len(experiment.names), "image")
    return f"<header><h1>{escape(experiment.title)}</h1><p>{rows}, {images} each.</p></header>"


def _table(experiment: Experiment) -> str:
    """Columns that no row has a value for stand in a line below it."""
    rows = [each.row for each in experiment.results]
    headings = columns_of(rows)
    known = [key for key in headings if any(cell(row, key)[0] != UNAVAILABLE for row in rows)]
    heads = "".join(f'<th class="n">{escape(headings[key])}</th>' for key in known)
    lines: list[str] = []
    group = ""
    for result in experiment.results:
        if result.group != group:
            group = result.group
            lines.append(
                f'<tr><th class="group" colspan="{len(known) + 1}">'
                f"<span>{escape(group)}</span></th></tr>"
            )
        lines.append(_row(result.row, known))
    without = "; ".join(name for key, name in headings.items() if key not in known)
    below = [f"{without}: {UNAVAILABLE}"] if without else []
    below += [*missing(rows), *experiment.notices]
    below += [f"{each.row.method}: {each.note}" for each in experiment.results if each.note]
    items = "".join(f"<li>{escape(each, LONG)}</li>" for each in below)
    return (
        "<h2>Table</h2><p>Means over the test images; below them 95 % intervals.</p>"
        '<div class="scroll"><table class="methods"><thead><tr><th></th>'
        f"{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
        + (f'<ul class="dim">{items}</ul>' if items else "")
    )


def _row(row: Row, keys: Sequence[str]) -> str:
    cells = [f"<th>{escape(row.method)}</th>"]
    for key in keys:
        value, span = cell(row, key)
        cells.append(f'<td class="n">{value}{f"<small>{span}</small>" if span else ""}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _further(table: Table) -> str:
    heads = "".join(f'<th class="n">{escape(each)}</th>' for each in table.headings[1:])
    rows = "".join(
        f"<tr><th>{escape(name)}</th>"
        + "".join(f'<td class="n">{escape(each)}</td>' for each in cells)
        + "</tr>"
        for name, *cells in table.rows
    )
    text = f"<p>{escape(table.text, LONG)}</p>" if table.text else ""
    return (
        f'<h2>{escape(table.title)}</h2>{text}<div class="scroll"><table class="methods"><thead>'
        f"<tr><th>{escape(table.headings[0])}</th>{heads}</tr></thead><tbody>{rows}</tbody>"
        "</table></div>"
    )


def _strips(title: str, strips: Sequence[Strip], none: str) -> str:
    if not strips:
        return _none(title, none)
    drawn = "".join(map(_strip, strips))
    return f'<h2>{title}</h2><div class="scroll"><div class="strips">{drawn}</div></div>'


def _strip(strip: Strip) -> str:
    words = f'<b>{escape(strip.label)}</b> <span class="dim">{escape(strip.caption)}</span>'
    images = "".join(
        f'<img alt="{escape(f"{strip.label}: {name}", 120)}" width="{picture.shape[1]}" '
        f'height="{picture.shape[0]}" src="data:image/jpeg;base64,{_base64(picture)}">'
        for picture, name in zip(strip.pictures, strip.names, strict=True)
    )
    return f'<p>{words}</p><div class="strip">{images}</div>'


def _base64(picture: Pixels) -> str:
    return base64.b64encode(encode_jpeg(picture, QUALITY)).decode()


def _pairs(pairs: Sequence[Pair]) -> str:
    title = "Figure 5: sharp and blurred"
    if not pairs:
        return _none(title, NO_PAIRS)
    blocks = []
    for pair in pairs:
        both = "".join(f"<div>{_strip(each)}</div>" for each in (pair.sharp, pair.blurred) if each)
        none = "" if pair.sharp else "IoU is 0 in every image shown. "
        blocks.append(
            f"<h3>{escape(pair.method)}</h3><p>{none}{escape(pair.caption)}</p>"
            f'<div class="charts">{both}</div>'
        )
    return (
        f"<h2>{title}</h2><p>Of each model the sharpest image of the quarter with the highest IoU, "
        "and the least sharp of those with the lowest. Sharpness is the mean gradient of the luma "
        f"inside the mask, in levels a pixel.</p>{''.join(blocks)}"
    )


def _similarity(similarity: Similarity) -> str:
    title = f"Figure 6: {escape(similarity.name)} against IoU"
    if not similarity.panels:
        return _none(title, f"unavailable: {similarity.missing}")
    span = span_of(similarity.panels)
    charts = "".join(
        f'<div class="chart"><h3>{escape(panel.title)}</h3><p>{escape(panel.caption)}</p>'
        f"{scatter_svg(panel, span, f'fig6-{number}', similarity.name)}</div>"
        for number, panel in enumerate(similarity.panels)
    )
    instead = f"<p>{escape(similarity.instead, LONG)}</p>" if similarity.instead else ""
    return (
        f"<h2>{title}</h2>{instead}<p>A point an image, with both distributions. r is Pearson's, "
        f'with its 95 % interval.</p><div class="charts">{charts}</div>'
    )


def _none(title: str, reason: str) -> str:
    return f"<h2>{title}</h2><p>{escape(reason, LONG)}</p>"


def _settings(settings: Mapping[str, str]) -> str:
    if not settings:
        return ""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value, LONG)}</td></tr>"
        for name, value in settings.items()
    )
    return f'<h2>How it was made</h2><table class="facts"><tbody>{rows}</tbody></table>'
