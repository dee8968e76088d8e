from pathlib import Path

import cv2
import numpy as np
import pytest

from authors_sample import RESULTS, needs_authors
from posegen.cli import app
from posegen.metrics.scatter import panels_of, scatter_png, scatter_svg, span_of
from posegen.metrics.values import IOU, ISIM, ImageTable, read_values
from posegen_runtime.console import run_app

HERE = Path(__file__).parent


def values(iou: float, isim: float) -> dict[str, np.ndarray]:
    noise = np.linspace(-0.01, 0.01, 20)
    return {IOU: iou + noise, ISIM: isim + noise[::-1]}


def points(png: bytes, side: slice) -> np.ndarray:
    """Middle of the points, which are half transparent and so lighter than the bars, in pixels
    (x, y) of those columns of the picture."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[:, side].astype(int)
    pale = (picture[..., 0] - picture[..., 2] > 60) & (picture[..., 2] > 60)
    rows, columns = np.nonzero(pale)
    return np.array([columns.mean(), rows.mean()])


def test_iou_goes_across_and_similarity_up() -> None:
    table = {"low": values(0.1, 0.2), "right": values(0.8, 0.2), "high": values(0.1, 0.7)}
    low, right, high = panels_of(ImageTable(table, np.arange(20)))
    left = slice(0, 440)
    for other, way in ((right, (100, 0)), (high, (0, -100))):
        png = scatter_png([low, other])
        moved = points(png, slice(440, 880)) - points(png, left)
        for pixels, least in zip(moved, way, strict=True):
            assert pixels * np.sign(least) >= abs(least)
            assert least != 0 or abs(pixels) < 15


def test_only_images_with_both_values_count() -> None:
    table = ImageTable(
        {
            "both": {IOU: np.array([0, 0.5, 1, np.nan]), ISIM: np.array([0.2, 0.4, 0.7, 0.1])},
            "apart": {IOU: np.array([0.5, np.nan]), ISIM: np.array([np.nan, 0.5])},
            "flat": {IOU: np.zeros(4), ISIM: np.linspace(0, 1, 4)},
            "alone": {ISIM: np.zeros(4)},
        },
        np.arange(4),
    )
    table.models["apart"] = {name: np.tile(v, 2) for name, v in table.models["apart"].items()}
    both, flat = panels_of(table)
    assert both.title == "both"
    assert "3 images, IoU 0 in 33.3%" in both.caption
    assert both.caption.startswith("r = 0.99 (")
    assert flat.caption.startswith("r unavailable")
    assert span_of([both]) == pytest.approx((0.2, 0.7))


def test_the_same_bytes_each_time() -> None:
    (model,) = panels_of(ImageTable({"$x_1$ <b>": values(0.5, 0.5)}, np.arange(20)))
    assert scatter_png([model]) == scatter_png([model])
    drawn = [scatter_svg(model, (0.4, 0.6), "p") for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert "cosine" in scatter_svg(model, (0.4, 0.6), "p", "cosine")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, out = str(HERE / "values.csv"), tmp_path / "new" / "figure.png"
    assert run_app(app, ["metrics", "analyse", table, "--figure", str(out)]) == 0
    assert cv2.imread(str(out)).shape[0] > 300
    assert run_app(app, ["metrics", "analyse", table, "--figure", str(tmp_path / "a.jpg")]) == 2
    assert "ends in .png" in capsys.readouterr().err
    alone = tmp_path / "alone.csv"
    alone.write_text("path,iou_a\n1,0.5\n2,0.7\n")
    assert run_app(app, ["metrics", "analyse", str(alone), "--figure", str(out)]) == 2
    assert "alone.csv: no model" in capsys.readouterr().err


@needs_authors
def test_the_authors_results_give_figure_6() -> None:
    panels = {each.title: each for each in panels_of(read_values(RESULTS))}
    assert panels["pose"].caption.startswith("r = 0.44 (0.30 … 0.56), 148 images, IoU 0 in 64.9%")
    assert panels["ae"].caption.startswith("r = 0.19 (0.02 … 0.35), 148 images, IoU 0 in 2.0%")
