from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from posegen.plots import POINTS, plain_style, png, svg
from report_page import Page


def figure() -> Figure:
    made = Figure(figsize=(2, 1))
    made.add_subplot().plot([0, 1], [0, 1], color=POINTS)
    return made


def test_the_users_settings_change_nothing() -> None:
    with plain_style():
        plain = png(figure())
    with mpl.rc_context({"lines.linewidth": 9, "figure.facecolor": "red", "savefig.dpi": 30}):
        with plain_style():
            assert png(figure()) == plain
        assert png(figure()) != plain
    assert b"Software" not in plain


def test_an_svg_follows_the_page(tmp_path: Path) -> None:
    with plain_style():
        one, two = (svg(figure(), "a &amp; b", prefix) for prefix in ("one", "two"))
    file = tmp_path / "page.html"
    file.write_text(one + two)
    page = Page(file)
    assert page.tags.count("svg") == 2
    assert "<?xml" not in page.source
    assert POINTS not in page.source
    assert "stroke: var(--line)" in page.source
    ids = [part.partition('"')[0] for part in page.source.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) > 4
    used = [link[1:] for link in page.links] + [
        part.partition(")")[0] for part in page.source.split("url(#")[1:]
    ]
    assert used
    assert set(used) <= set(ids)
