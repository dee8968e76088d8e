from dataclasses import replace

from posegen.experiments.report.similarity import INSTEAD, similarities
from posegen.metrics.values import IOU, ISIM
from small_experiment import small_experiment

MODELS = ["Oracle 1: autoencoder", "Pose", "Ours <b> | $x$"]


def test_i_sim_of_every_trained_model() -> None:
    found = similarities(small_experiment())
    assert (found.name, found.missing, found.instead) == ("I_sim", "", "")
    assert [each.title for each in found.panels] == MODELS


def test_a_surrogate_has_its_own_name() -> None:
    found = similarities(small_experiment("cosine_untrained"))
    assert found.name == "cosine, untrained features"
    assert found.instead == INSTEAD
    assert [each.title for each in found.panels] == MODELS


def test_i_sim_goes_before_a_surrogate() -> None:
    experiment = small_experiment()
    results = [
        replace(each, values={"cosine_untrained": each.values[ISIM] / 2, **each.values})
        for each in experiment.results
    ]
    found = similarities(replace(experiment, results=results))
    assert found.name == "I_sim"
    assert found.panels[0].similarity.min() >= 0.5


def test_nothing_stands_in_for_what_is_missing() -> None:
    experiment = small_experiment()
    for left, words in ((IOU, "I_sim is unavailable"), (ISIM, "no model has IoU")):
        results = [
            replace(each, values={name: v for name, v in each.values.items() if name == left})
            for each in experiment.results
        ]
        found = similarities(replace(experiment, results=results))
        assert found.panels == []
        assert words in found.missing
