from dataclasses import replace

import cv2
import numpy as np

from posegen.experiments.report.pairs import pairs
from posegen.experiments.results import Experiment
from posegen.metrics.values import IOU
from small_experiment import IMAGES, SHOWN, small_experiment, small_shown


def experiment_of(iou: np.ndarray, blur: np.ndarray, key: str = "pose") -> Experiment:
    """One row; both by shown image."""
    experiment = small_experiment()
    shown = small_shown()
    image = shown.images[key][0]
    images = np.stack(
        [cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image for sigma in blur]
    )
    (row,) = (each for each in experiment.results if each.key == key)
    values = np.full(IMAGES, 0.99)
    values[::2] = iou
    return replace(
        experiment,
        results=[replace(row, values={IOU: values})],
        shown=replace(shown, images={key: images}),
    )


def test_the_sharpest_of_high_and_the_least_sharp_of_low_iou() -> None:
    iou = np.array([0, 0.8, 0, 0.9, 0.85, 0, 0.3, 0.2, 0.1, np.nan])
    blur = np.array([2, 1.5, 4, 1, 0.5, 3, 0, 0, 0, 9.0])
    (pair,) = pairs(experiment_of(iou, blur))
    assert pair.method == "Pose"
    assert pair.sharp is not None
    assert pair.blurred is not None
    assert (pair.sharp.label, pair.sharp.caption[:16]) == ("High IoU", "0.85, sharpness ")
    assert pair.sharp.caption.endswith("test/008.png")
    assert (pair.blurred.label, pair.blurred.caption[:6]) == ("Lowest IoU", "0.00, ")
    assert pair.blurred.caption.endswith("test/004.png"), (
        "the most blurred of those without an object"
    )
    assert pair.sharp.names == ("mask", "generated image")
    shown = experiment_of(iou, blur).shown
    np.testing.assert_array_equal(pair.sharp.pictures[1, ::4, ::4], shown.images["pose"][4])
    np.testing.assert_array_equal(pair.sharp.pictures[0, ::4, ::4, 0], shown.masks[4])
    assert pair.caption.startswith("r(sharpness, IoU) ")
    assert pair.caption.endswith("over 9 shown images")


def test_a_model_that_always_or_never_shows_the_object() -> None:
    blur = np.linspace(0, 3, SHOWN)
    (always,) = pairs(experiment_of(np.linspace(0.9, 0.5, SHOWN), blur))
    assert always.blurred is not None
    assert always.blurred.caption.startswith("0.50, ")
    (never,) = pairs(experiment_of(np.zeros(SHOWN), blur))
    assert never.sharp is None
    assert never.blurred is not None
    assert never.blurred.caption.endswith("test/018.png")
    assert "unavailable" in never.caption


def test_the_outline_of_what_is_found() -> None:
    (pair,) = pairs(experiment_of(np.linspace(0, 0.9, SHOWN), np.zeros(SHOWN), "ours"))
    assert pair.sharp is not None
    _, image, outlined = pair.sharp.pictures
    different = (image != outlined).any(axis=2)
    assert different[32, 60]
    assert not different[:31].any(), "the mask begins at row 8 of 32, enlarged 4 times"
    assert not different[36:92, 28:100].any()


def test_rows_without_iou_or_images_have_none() -> None:
    experiment = small_experiment()
    assert [each.method for each in pairs(experiment)] == ["Pose", "Ours <b> | $x$"]
    assert pairs(experiment_of(np.full(SHOWN, np.nan), np.zeros(SHOWN))) == []
    assert pairs(replace(experiment, shown=replace(small_shown(), images={}))) == []
    bare = [replace(each, values={}) for each in experiment.results]
    assert pairs(replace(experiment, results=bare)) == []
