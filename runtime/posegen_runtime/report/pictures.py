"""Pictures of a gallery as HTML: the image, with outlines and axes drawn over it."""

import itertools
from collections.abc import Sequence

from posegen_runtime.report import text
from posegen_runtime.report.gallery import Picture

AXES = "xyz"


def gallery(pictures: Sequence[Picture], small: bool = False) -> str:
    """All of them, under a switch for what is drawn over them."""
    figures = "".join(map(_small if small else _figure, pictures))
    return f'<div class="gallery{" small" * small}">{figures}</div>'


def switch() -> str:
    """What is drawn over the pictures behind it can be switched off."""
    return (
        '<input class="switch" id="lines" type="checkbox" checked> '
        '<label class="switch" for="lines">outlines and axes</label>'
    )


def _figure(picture: Picture) -> str:
    row = picture.row
    names = (row.background,) if row.others else (row.appearance, row.background)
    inputs = [text.escape(name, 60) for name in names if name]
    caption = f'<br><span class="dim">{" + ".join(inputs)}</span>' if inputs else ""
    return _drawn(picture, False, caption)


def _small(picture: Picture) -> str:
    """With what the judges found."""
    verdict = picture.row.verdict
    assert verdict is not None
    words = [f"IoU {verdict.iou:.3f}"]
    if verdict.shift is not None:
        words += [f"shift {verdict.shift:.0%}", f"size {verdict.size_ratio:.2f}"]
    if verdict.heading_error_deg is not None:
        words.append(f"heading {verdict.heading_error_deg:.0f}° off")
    caption = f'<br><span class="dim">{", ".join(words)}: {picture.row.state}</span>'
    return _drawn(picture, True, caption)


def _drawn(picture: Picture, with_found: bool, caption: str) -> str:
    """The picture, the object's name, and `caption`, which is HTML."""
    row, size = picture.row, f"{picture.width} {picture.height}"
    over = note = ""
    if picture.outline is None:
        note = '<br><span class="dim">its mask cannot be read</span>'
    else:
        lines = "".join(
            f'<line class="{name}" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>'
            for name, (x0, y0, x1, y1) in zip(itertools.cycle(AXES), picture.axes, strict=False)
        )
        found = f'<path class="found" d="{picture.found}"/>' if with_found else ""
        over = (
            f'<svg viewBox="0 0 {size}" aria-hidden="true"><path d="{picture.outline}"/>'
            f"{found}{lines}</svg>"
        )
    return (
        f'<figure><div class="pic"><img alt="{text.escape(row.title, 80)}" width="{picture.width}" '
        f'height="{picture.height}" src="data:image/jpeg;base64,{picture.jpeg}">{over}</div>'
        f"<figcaption>{text.escape(row.title, 80)}{caption}{note}</figcaption></figure>"
    )
