import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from conv_model import NAMES, batches, conv_model
from posegen_calibration.layers import find_layers
from posegen_calibration.quantize import quantize
from posegen_calibration.ranges import Method, measure_ranges
from posegen_calibration.report import as_markdown, plot, write_report
from posegen_calibration.sensitivity import (
    Check,
    Effect,
    choose_kept,
    float_check,
    measure_effects,
    with_margin,
)
from posegen_calibration.session import Session
from posegen_runtime.parity import GATES, Bound, Gate

GATE = Gate("int8", (Bound("psnr", 40.0, False), Bound("ssim", 0.9, False)))
"""Between what all layers of `conv_model(40)` keep in INT8 and what the two quiet ones do."""


@pytest.fixture(scope="module")
def loud():
    """(model, layers, ranges, check): one channel that ``middle`` reads is 40 times louder."""
    model = conv_model(loud=40.0)
    layers = find_layers(model)
    ranges = measure_ranges(model, layers, lambda: batches(16), Method.MINMAX)
    return model, layers, ranges, float_check("trial", model, batches(16, seed=1))


def effects_of(loud, golden: Check | None = None) -> list[Effect]:
    model, layers, ranges, check = loud
    return measure_effects(model, layers, ranges, check, golden, lambda line: None)


def test_the_layer_with_the_loud_channel_loses_most(loud):
    effects = effects_of(loud)
    assert effects[0].layer == "middle"
    assert effects[0].psnr_inside < effects[1].psnr_inside - 3
    assert sum(e.share_of_error for e in effects) == pytest.approx(1)
    assert sum(e.share_of_work for e in effects) == pytest.approx(1)
    assert {e.layer: e.usual for e in effects} == {"first": "first", "middle": "", "last": "last"}


def test_a_figure_is_that_of_the_layer_alone(loud):
    model, layers, ranges, check = loud
    alone = check.figures(Session(quantize(model, [layers[2]], ranges)))
    (last,) = (e for e in effects_of(loud) if e.layer == "last")
    assert (last.psnr_whole, last.psnr_inside) == (alone.whole.psnr, alone.silhouette.psnr)
    assert last.ssim == alone.ssim


def test_no_more_layers_stay_in_float_than_the_gate_needs(loud):
    model, layers, ranges, check = loud
    effects, steps = choose_kept(model, layers, ranges, effects_of(loud), [check], GATE)
    assert [e.layer for e in effects if e.kept] == ["middle"]
    assert "alone in INT8 it leaves" in effects[0].why
    psnr = {step.kept: step.psnr for step in steps}
    wanted = with_margin(GATE).bounds[0].limit
    assert psnr[0] < wanted <= psnr[1]


def test_the_golden_set_counts_too(loud):
    """Images that no layer can reach: all but one layer go to float, and none is left out."""
    model, layers, ranges, check = loud
    golden = Check("golden", check.batches, 255 - check.reference)
    effects, steps = choose_kept(
        model, layers, ranges, effects_of(loud, golden), [check, golden], GATES["int8"]
    )
    assert sum(e.kept for e in effects) == len(layers) - 1
    assert all(step.psnr < 20 for step in steps if step.check == "golden")


def test_the_report_tells_people_and_programs_the_same(loud, tmp_path: Path):
    model, layers, ranges, check = loud
    effects, steps = choose_kept(model, layers, ranges, effects_of(loud), [check], GATE)
    write_report(tmp_path / "report", effects, steps)
    with (tmp_path / "report/sensitivity.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["layer"] for row in rows] == [e.layer for e in effects]
    assert [row["kept"] for row in rows] == ["1", "0", "0"]
    assert float(rows[0]["psnr_inside"]) == pytest.approx(effects[0].psnr_inside, abs=1e-3)
    held = json.loads((tmp_path / "report/sensitivity.json").read_text())
    assert [e["layer"] for e in held["effects"]] == [e.layer for e in effects]
    page = (tmp_path / "report/sensitivity.md").read_text()
    assert page == as_markdown(effects)
    assert all(f"`{name}`" in page for name in NAMES)
    picture = cv2.imread(str(tmp_path / "report/sensitivity.png"))
    assert picture is not None


def test_longer_bars_for_what_loses_less_and_red_for_float():
    def effect(name: str, psnr: float, kept: bool) -> Effect:
        return Effect(
            layer=name,
            channels=(16, 16),
            share_of_work=0.5,
            psnr_whole=psnr + 3,
            psnr_inside=psnr,
            ssim=0.9,
            share_of_error=0.5,
            kept=kept,
        )

    picture = plot([effect("bad", 32.0, True), effect("good", 58.0, False)]).astype(int)
    red = (picture[..., 0] - picture[..., 2] > 100).sum(axis=1).max()
    blue = (picture[..., 2] - picture[..., 0] > 100).sum(axis=1).max()
    assert 0 < red < blue / 4
    assert np.array_equal(picture[0, 0], [255, 255, 255])
