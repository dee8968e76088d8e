import numpy as np
import pytest

from figure_columns import BASE
from posegen.evaluation.figures import FIGURES, results


def test_each_figure_with_what_stands_beside_it() -> None:
    found = {n: (f.value, f.real, f.control) for n, f in results(BASE).items()}
    assert found == {
        "pose_iou": pytest.approx((0.9, 1, 0.3)),
        "pose_iou_of_ceiling": (pytest.approx(0.9), None, pytest.approx(0.3)),
        "heading_median": (10, 5, 90),
        "heading_reversed": (pytest.approx(1 / 12), 0, 0.5),
        "background_psnr": (35, 25, None),
        "background_below_30": (0.25, 1, None),
        "colour_error": (11, None, 12),
        "mean_colour_error": (3, None, 30),
        "sharpness": (2, 4, None),
        "sharpness_of_real": (0.5, None, None),
        "nearest": (8, 10, None),
        "nearest_of_real": (pytest.approx(0.8), None, None),
    }


@pytest.mark.parametrize(
    ("name", "column", "passing", "failing"),
    [
        ("pose_iou_of_ceiling", "iou", 0.91, 0.89),
        ("heading_reversed", "heading", 89, 91),
        ("background_psnr", "psnr", 30, 29.9),
        ("colour_error", "colour", 11.9, 12.1),
        ("sharpness_of_real", "sharpness", 2.01, 1.99),
        ("nearest_of_real", "nearest", 5.01, 4.99),
        ("pose_iou", "iou", 0.66, 0.64),
    ],
)
def test_targets(name: str, column: str, passing: float, failing: float) -> None:
    for value, met in ((passing, True), (failing, False)):
        assert results(BASE | {column: np.full(12, value)})[name].met is met


def test_three_points_more_than_on_real_photos_are_allowed() -> None:
    def headings(reversed_count: int) -> np.ndarray:
        return np.array([170.0] * reversed_count + [0.0] * (100 - reversed_count))

    base = {"object": np.arange(100.0), "azimuth": np.zeros(100), "heading_real": headings(5)}
    base["sharpness"] = np.zeros(100)
    for count, met in ((8, True), (9, False)):
        assert results(base | {"heading": headings(count)})["heading_reversed"].met is met


def test_every_target_has_a_name_and_every_value_an_interval() -> None:
    found = results(BASE, seed=0)
    targets = {name for name, figure in FIGURES.items() if figure.target}
    assert targets == {name for name, result in found.items() if result.target}
    for result in found.values():
        assert result.low is not None
        assert result.high is not None
        assert result.low <= result.value <= result.high


def test_why_a_figure_has_no_value() -> None:
    poseless = BASE | {name: np.full(12, np.nan) for name in ("azimuth", "heading")}
    assert results(poseless)["heading_median"].missing == "no poses"
    empty = BASE | {"iou": np.full(12, np.nan)}
    assert results(empty, seed=0)["pose_iou"].missing == "no silhouette to measure"
    assert results(empty, seed=0)["pose_iou"].low is None
    without = {name: v for name, v in BASE.items() if name not in ("iou", "psnr")}
    assert results(without)["pose_iou"].missing == "no judge: segmenter"
    assert results(without)["background_psnr"].missing == "the model takes no background"
    assert results(without)["background_psnr"].met is None


def test_why_a_value_has_no_control() -> None:
    assert all(result.control_missing == "" for result in results(BASE).values())
    alone = {name: v for name, v in BASE.items() if name != "mean_colour_shuffled"}
    for objects, reason in (
        (np.zeros(12), "one object"),
        (np.eye(12)[0], "one object in most images"),
    ):
        figure = results(alone | {"object": objects})["mean_colour_error"]
        assert (figure.value, figure.control, figure.control_missing) == (3, None, reason)
    single = {n: v[:1] for n, v in alone.items() if n != "iou_shuffled"}
    for name in ("pose_iou", "pose_iou_of_ceiling", "mean_colour_error"):
        assert results(single)[name].control_missing == "one image"
    lost = results(BASE | {"iou_shuffled": np.full(12, np.nan)})["pose_iou"]
    assert lost.control_missing == "no silhouette to measure"
    blind = {name: v for name, v in BASE.items() if name != "heading_outline"}
    assert results(blind)["heading_median"].control_missing == "no judge: outline"
    unasked = {name: v for name, v in alone.items() if name != "mean_colour"}
    assert results(unasked)["mean_colour_error"].control_missing == ""  # `missing` says it
