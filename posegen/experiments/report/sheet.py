"""Strips of pictures as one PNG file, with their text above them."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from posegen.data.prepared import Pixels
from posegen.experiments.report.strips import Strip
from posegen.plots import DOTS, PAPER, plain_style, png

GAP, APART, EDGE = 2, 24, 12
"""Pixels between pictures, between strips side by side, and around all."""
LINE, LETTER = 17, 7.6
"""Pixels of a line of text, and of a letter's width."""

Text = tuple[int, int, str]


def sheet(rows: Sequence[Sequence[Strip | None]]) -> bytes:
    """Rows of strips side by side, None for an empty place; each as wide as the widest."""
    strips = [each for row in rows for each in row if each is not None]
    wide = max(_picture(each).shape[1] for each in strips)
    across = max(len(row) for row in rows)
    width = 2 * EDGE + across * wide + (across - 1) * APART
    parts: list[Pixels] = []
    texts: list[Text] = []
    top = EDGE
    for row in rows:
        lines = [[] if each is None else _lines(each, wide) for each in row]
        head = LINE * max(map(len, lines)) + 4
        high = max(_picture(each).shape[0] for each in row if each is not None)
        part = np.full((head + high + EDGE, width, 3), 255, np.uint8)
        for place, (each, words) in enumerate(zip(row, lines, strict=True)):
            left = EDGE + place * (wide + APART)
            if each is not None:
                picture = _picture(each)
                part[head : head + picture.shape[0], left : left + picture.shape[1]] = picture
            texts += [(left, top + number * LINE, line) for number, line in enumerate(words)]
        parts.append(part)
        top += part.shape[0]
    edge = np.full((EDGE, width, 3), 255, np.uint8)
    return _written(np.concatenate([edge, *parts]), texts)


def _picture(strip: Strip) -> Pixels:
    gaps = ((0, 0), (0, 0), (0, GAP), (0, 0))
    joined = np.concatenate(list(np.pad(strip.pictures, gaps, constant_values=255)), axis=1)
    return joined[:, :-GAP]


def _lines(strip: Strip, width: int) -> list[str]:
    words = f"{strip.label}: {strip.caption}" if strip.caption else strip.label
    return textwrap.wrap(words, max(8, int(width / LETTER)))


def _written(picture: Pixels, texts: Sequence[Text]) -> bytes:
    """(x, y, words): `y` from above, of the words' upper edge."""
    height, width = picture.shape[:2]
    with plain_style():
        # Of 112.99 pixels matplotlib would take 112.
        figure = Figure(figsize=((width + 0.01) / DOTS, (height + 0.01) / DOTS), facecolor=PAPER)
        figure.figimage(picture, origin="upper")
        for x, y, words in texts:
            figure.text(x, height - y, words, va="top", transform=None)
        return png(figure)
