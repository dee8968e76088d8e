"""Plots as files: the same figure gives the same bytes, however the user's matplotlib is set."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DOTS = 100
"""Pixels an inch."""
POINTS, SOFT, HAIR, PAPER = "#1f5fa8", "#3b3e43", "#e4e6e9", "#ffffff"
THEMED = {POINTS: "var(--line)", SOFT: "var(--soft)", HAIR: "var(--hair)", PAPER: "var(--paper)"}
"""Colours of a plot, and what `posegen_runtime.report.style` calls them, in light and in dark."""
_SETTINGS = {
    "figure.dpi": DOTS,
    "savefig.dpi": DOTS,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": SOFT,
    "text.color": SOFT,
    "text.parse_math": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "grid.color": HAIR,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "posegen",
}


@contextmanager
def plain_style() -> Iterator[None]:
    """Figures are made and written inside."""
    with style.context(["default", _SETTINGS]), warnings.catch_warnings():
        # A letter that the font lacks shows as a box, and says so by itself.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def png(figure: Figure) -> bytes:
    """The bytes of a PNG file."""
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()


def svg(figure: Figure, label: str, prefix: str) -> str:
    """For HTML: an element `<svg>` whose colours follow the page. `label` is HTML, for those who
    hear it; `prefix` makes its ids its own within the page."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", out.getvalue())
    for colour, name in THEMED.items():
        text = text.replace(colour, name)
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None
    inside = text[text.index(">", box.end()) + 1 :]
    return f'<svg role="img" aria-label="{label}" {box[0]}>{inside.rstrip()}'
