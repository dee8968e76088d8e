import msgspec
import numpy as np
import pytest

from figure_columns import BASE
from posegen.evaluation.figures import FIGURES, Result, results
from posegen.evaluation.verdict import WORDS, verdict

INPUTS = ("mask", "appearance", "background")


def test_every_target_counts() -> None:
    assert set(WORDS) == {name for name, figure in FIGURES.items() if figure.target}


def test_a_usable_model() -> None:
    good = BASE | {"heading": np.full(12, 1.0)}
    assert verdict(results(good), INPUTS).line == "usable"


@pytest.mark.parametrize(
    ("column", "value", "line"),
    [
        ("iou", 0.85, "pose: IoU 0.85 of that of real photos, wanted ≥ 0.9"),
        (
            "iou_shuffled",
            0.88,
            "pose: IoU 0.90, 0.88 with shuffled masks, wanted ≥ 50% way to real",
        ),
        (
            "heading",
            170.0,
            "heading: 100.0% face the wrong way, 0.0% of real photos, wanted ≤ real + 3 points",
        ),
        ("psnr", 20.0, "background: PSNR 20.0 dB, wanted ≥ 30"),
        ("colour", 13.0, "colour: ΔE 13.0, 12.0 of one flat colour, wanted < flat"),
        ("sharpness", 1.0, "sharpness: 0.25 of that of real photos, wanted ≥ 0.5"),
        (
            "nearest",
            1.0,
            "copying: 0.10 of held-out photos' distance to training photos, wanted ≥ 0.5",
        ),
    ],
)
def test_each_fault_is_named(column: str, value: float, line: str) -> None:
    columns = BASE | {"heading": np.full(12, 1.0)} | {column: np.full(12, value)}
    assert verdict(results(columns), INPUTS).line == f"not usable because of {line}"


def good(**columns: float) -> dict[str, Result]:
    changed = {name: np.full(12, value) for name, value in columns.items()}
    return results(BASE | {"heading": np.full(12, 1.0)} | changed)


def test_a_segmenter_that_does_not_know_the_object_is_at_fault_itself() -> None:
    found = verdict(good(iou=0.1, iou_real=0.2), INPUTS)
    (fault,) = found.because
    assert "the segmenter: IoU 0.20 on the real photos" in fault


def test_a_regressor_that_does_not_know_the_object_is_not_asked() -> None:
    found = verdict(good(heading=170.0, heading_real=170.0), INPUTS)
    assert found.usable
    assert "(not judged: heading, the regressor takes 100%" in found.line


def test_what_was_not_measured_is_named_and_only_the_pose_must_be() -> None:
    def without(*names: str) -> str:
        columns = {name: values for name, values in BASE.items() if name not in names}
        return verdict(results(columns), INPUTS).line

    assert without("heading", "nearest") == (
        "usable (not judged: heading, no judge: heading, copying, no training photos)"
    )
    assert without("iou", "heading").startswith(
        "not usable because of pose: not judged, no judge: segmenter"
    )


def test_an_input_that_the_model_does_not_take_is_not_asked_for() -> None:
    faulty = good(psnr=1.0)
    assert verdict(faulty, ("mask", "appearance")).usable
    assert not verdict(faulty, INPUTS).usable
    assert msgspec.json.encode(verdict(faulty, INPUTS))
