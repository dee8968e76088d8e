from dataclasses import replace

import numpy as np

from posegen.experiments.report.samples import autoencoder_samples, mask_samples
from small_experiment import small_experiment, small_shown


def test_figure_3_shows_photos_and_rows_without_a_mask() -> None:
    experiment = small_experiment()
    photos, autoencoder, unconditional = autoencoder_samples(experiment)
    assert photos.label == "Real photos"
    assert autoencoder.label == "Oracle 1: autoencoder"
    assert autoencoder.caption.startswith("from appearance, IoU 0.")
    assert unconditional.caption == "from noise alone"
    # Eight of ten, from the first to the last.
    assert [name[5:8] for name in photos.names] == [
        "000",
        "002",
        "006",
        "008",
        "010",
        "012",
        "016",
        "018",
    ]
    np.testing.assert_array_equal(
        autoencoder.pictures[-1, ::4, ::4], experiment.shown.images["autoencoder"][-1]
    )
    others = {key: each for key, each in experiment.shown.images.items() if key != "autoencoder"}
    assert (
        autoencoder_samples(replace(experiment, shown=replace(small_shown(), images=others))) == []
    )


def test_figure_4_shows_inputs_every_row_with_a_mask_and_photos() -> None:
    experiment = small_experiment()
    strips = mask_samples(experiment)
    labels = ["Mask", "Appearance", "Background", "Pose", "Ours <b> | $x$", "Real photo"]
    assert [each.label for each in strips] == labels
    shown = experiment.shown
    expected = [shown.appearances, shown.backgrounds, *map(shown.images.get, ("pose", "ours"))]
    for each, pictures in zip(strips[1:], [*expected, shown.photos], strict=True):
        assert pictures is not None
        np.testing.assert_array_equal(each.pictures[0, ::4, ::4], pictures[0])

    alone = replace(experiment, results=[each for each in experiment.results if each.key == "pose"])
    assert [each.label for each in mask_samples(alone)] == ["Mask", "Pose", "Real photo"]
    assert mask_samples(replace(experiment, results=experiment.results[:3])) == []
