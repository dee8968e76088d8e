from dataclasses import replace

import numpy as np
import pytest

from posegen.experiments.results import Experiment
from posegen.metrics.values import IOU
from small_experiment import NAMES, small_experiment, small_shown


def test_shown_rows_are_found_by_name() -> None:
    experiment = small_experiment()
    assert experiment.shown_rows().tolist() == list(range(0, 20, 2))
    backwards = replace(experiment, names=NAMES[::-1])
    assert backwards.shown_rows().tolist() == list(range(19, 0, -2))


def test_what_does_not_fit_together_is_refused() -> None:
    experiment = small_experiment()
    first, second, *_ = experiment.results

    def with_results(*results: object) -> Experiment:
        return replace(experiment, results=list(results))

    with pytest.raises(ValueError, match="two keys are random"):
        with_results(first, replace(second, key="random"))
    with pytest.raises(ValueError, match="two methods are Baseline:-random-RGB"):
        with_results(first, replace(first, key="other"))
    with pytest.raises(ValueError, match="random: 3 values of iou for 20 images"):
        with_results(replace(first, values={IOU: np.zeros(3)}))
    with pytest.raises(ValueError, match=r"test/000\.png is shown and is none"):
        replace(experiment, names=[f"other/{name}" for name in NAMES])
    with pytest.raises(ValueError, match="10 shown images have 4 pictures"):
        replace(small_shown(), images={"pose": small_shown().photos[:4]})
