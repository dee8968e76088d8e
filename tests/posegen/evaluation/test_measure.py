"""Generators whose figures are known: one returns the photo, the others have a planted fault."""

from collections.abc import Callable

import numpy as np
import pytest

from marked_cars import SIZE, GreenHeading, RedSegmenter
from posegen.evaluation.background import LIMIT
from posegen.evaluation.figures import Result, results
from posegen.evaluation.judges import Judges
from posegen.evaluation.measure import Columns, Evaluator
from posegen.evaluation.model import Conditions
from posegen.evaluation.samples import Samples

JUDGES = Judges(segmenter=RedSegmenter(), heading=GreenHeading(), outline=GreenHeading())
Change = Callable[[np.ndarray, Conditions], np.ndarray]


class Knowing:
    """Knows the photo that belongs to each mask, and returns it as `change` leaves it."""

    label, sha256, image_size = "knowing", "", SIZE

    def __init__(
        self,
        samples: Samples,
        change: Change = lambda photos, _: photos,
        inputs: tuple[str, ...] = ("mask", "appearance", "background"),
    ) -> None:
        batch = samples.read(np.arange(len(samples)))
        self.photos = {
            mask.tobytes(): photo for mask, photo in zip(batch.mask, batch.photo, strict=True)
        }
        self.change = change
        self.inputs = inputs
        self.given: list[Conditions] = []

    def images(self, conditions: Conditions) -> np.ndarray:
        self.given.append(conditions)
        photos = np.stack([self.photos[mask.tobytes()] for mask in conditions["mask"]])
        return self.change(photos, conditions)


def measured(samples: Samples, model: Knowing, judges: Judges = JUDGES) -> Columns:
    return Evaluator(model, judges).measure(samples, batch_size=10)


def found(samples: Samples, change: Change) -> dict[str, Result]:
    return results(measured(samples, Knowing(samples, change)))


@pytest.fixture(scope="module")
def perfect(samples: Samples) -> dict[str, Result]:
    return found(samples, lambda photos, _: photos)


def test_the_photo_itself_has_the_best_figures(perfect: dict[str, Result]) -> None:
    iou, heading = perfect["pose_iou"], perfect["heading_median"]
    assert iou.value == iou.real == 1
    assert iou.control is not None
    assert iou.control < 0.4
    assert perfect["pose_iou_of_ceiling"].value == 1
    assert heading.value is not None
    assert heading.value == heading.real < 1  # 256 levels of green
    assert perfect["heading_reversed"].value == 0
    assert perfect["background_psnr"].value == perfect["background_psnr"].real == LIMIT
    assert perfect["background_below_30"].value == 0
    assert perfect["colour_error"].value == perfect["mean_colour_error"].value == 0
    assert perfect["sharpness_of_real"].value == 1
    assert all(figure.met is not False for figure in perfect.values())


def test_the_sharpness_is_that_of_the_ramp(perfect: dict[str, Result]) -> None:
    """Blue rises by 2 levels a pixel."""
    assert perfect["sharpness"].value == pytest.approx(2 * 0.114, rel=1e-4)


def test_the_outline_alone_knows_nothing_here(perfect: dict[str, Result]) -> None:
    """It says 0 of azimuths drawn evenly over the circle: half of them are off by more than 90°."""
    control = perfect["heading_median"].control
    assert control is not None
    assert 45 < control < 135
    reversed_share = perfect["heading_reversed"].control
    assert reversed_share is not None
    assert 0.3 < reversed_share < 0.7


def test_a_generator_that_ignores_its_mask_scores_the_floor(
    samples: Samples, perfect: dict[str, Result]
) -> None:
    first = samples.read(np.arange(1)).photo
    figures = found(samples, lambda photos, _: first.repeat(len(photos), axis=0))
    value, control = figures["pose_iou"].value, figures["pose_iou"].control
    assert value is not None
    assert control is not None
    assert value == pytest.approx(control, abs=0.05)
    assert figures["pose_iou"].real == 1
    assert figures["pose_iou_of_ceiling"].met is False


def test_images_of_other_masks(samples: Samples, perfect: dict[str, Result]) -> None:
    figures = found(samples, lambda photos, _: np.roll(photos, 1, axis=0))
    value, control = figures["pose_iou"].value, perfect["pose_iou"].control
    assert value is not None
    assert control is not None
    assert value < control + 0.2
    assert figures["background_psnr"].met is False
    assert figures["colour_error"].met is False
    for name, figure in figures.items():  # what is said of the photos stays
        assert figure.real == perfect[name].real


def test_a_mirrored_heading(samples: Samples, perfect: dict[str, Result]) -> None:
    def mirror(photos: np.ndarray, _: Conditions) -> np.ndarray:
        """Left for right: the azimuth changes its sign."""
        inside = photos[..., 0] > 127
        mirrored = photos.copy()
        mirrored[inside, 1] = 255 - mirrored[inside, 1]
        return mirrored

    figures = found(samples, mirror)
    shares = figures["heading_reversed"]
    # |2α| is beyond 90° for half of all azimuths.
    assert shares.value == pytest.approx(0.5, abs=0.2)
    assert shares.met is False
    assert figures["heading_median"].real == perfect["heading_median"].real
    assert figures["pose_iou"].value == 1


def test_a_flat_car_is_no_better_than_flat(samples: Samples) -> None:
    def flat(photos: np.ndarray, conditions: Conditions) -> np.ndarray:
        painted = photos.copy()
        for image, mask in zip(painted, conditions["mask"], strict=True):
            image[mask > 0] = image[mask > 0].mean(axis=0).round()
        return painted

    figures = found(samples, flat)
    error = figures["colour_error"]
    assert error.value == pytest.approx(error.control, rel=0.05)
    assert figures["sharpness_of_real"].value == 0
    assert figures["sharpness_of_real"].met is False


def test_the_appearance_control_takes_another_object(samples: Samples) -> None:
    def dressed(photos: np.ndarray, conditions: Conditions) -> np.ndarray:
        """The silhouette filled with the mean of what is red in the appearance."""
        made = photos.copy()
        for image, mask, other in zip(
            made, conditions["mask"], conditions["appearance"], strict=True
        ):
            image[mask > 0] = other[other[..., 0] > 127].mean(axis=0)
        return made

    model = Knowing(samples, dressed)
    columns = measured(samples, model)
    own = samples.read(np.arange(len(samples))).appearance
    taken = np.concatenate([conditions["appearance"] for conditions in model.given[1::2]])
    numbers = {picture.tobytes(): row for row, picture in enumerate(own)}
    others = [numbers[picture.tobytes()] for picture in taken]
    assert (samples.object_id[others] != samples.object_id).all()
    assert (columns["mean_colour"] != columns["mean_colour_shuffled"]).all()


def test_a_model_is_given_its_conditions_and_the_viewpoint_unless_withheld(
    samples: Samples,
) -> None:
    batch = samples.read(np.arange(3))
    for viewpoint in (True, False):
        model = Knowing(samples)
        Evaluator(model, Judges(), viewpoint=viewpoint).generate(batch)
        (given,) = model.given
        np.testing.assert_array_equal(given["background"], batch.background)
        np.testing.assert_array_equal(given["appearance"], batch.appearance)
        np.testing.assert_array_equal(given["viewpoint"], batch.viewpoint * viewpoint)


def test_what_a_model_does_not_take_has_no_figure(samples: Samples) -> None:
    figures = results(measured(samples, Knowing(samples, inputs=("mask",))))
    for name, given in (("background_psnr", "background"), ("colour_error", "appearance")):
        assert figures[name].value is None
        assert figures[name].missing == f"the model takes no {given}"
    assert figures["pose_iou"].value == 1


def test_without_judges_the_other_figures_stay(samples: Samples) -> None:
    figures = results(measured(samples, Knowing(samples), Judges()))
    assert figures["pose_iou"].missing == "no judge: segmenter"
    assert figures["heading_median"].missing == "no judge: heading"
    assert figures["sharpness_of_real"].value == 1


def test_the_batch_size_changes_nothing(samples: Samples) -> None:
    model = Knowing(samples)
    for name, values in Evaluator(model, JUDGES).measure(samples, batch_size=1).items():
        np.testing.assert_array_equal(values, measured(samples, model)[name], err_msg=name)
