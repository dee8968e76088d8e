import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conv_model import batches, conv_model
from posegen_calibration.layers import find_layers
from posegen_calibration.ranges import Method, measure_ranges
from posegen_calibration.session import Session
from posegen_runtime.errors import PoseGenError


def activations(name: str) -> np.ndarray:
    """What the tensor `name` holds over twelve masks, from the graph itself."""
    model = conv_model()
    model.graph.output.extend(
        [type(model.graph.output[0])(name=name, type={"tensor_type": {"elem_type": 1}})]
    )
    session = Session(model, [name])
    return np.concatenate([session.run(feeds)[name] for feeds in batches(12)])


def measured(method: Method, size: int = 4) -> dict[str, float]:
    model = conv_model()
    return measure_ranges(model, find_layers(model), lambda: batches(12, size), method)


def test_minmax_is_the_largest_value_of_each_layer_s_input():
    ranges = measured(Method.MINMAX)
    assert ranges == {
        "first": 1.0,
        "middle": pytest.approx(np.abs(activations("a")).max()),
        "last": pytest.approx(np.abs(activations("b")).max()),
    }


def test_percentile_cuts_off_the_share_that_it_names(monkeypatch):
    """At 99.99: for one value in 100,000 the made-up activations are too few."""
    monkeypatch.setattr("posegen_calibration.ranges.PERCENTILE", 99.99)
    ranges = measured(Method.PERCENTILE)
    values = np.abs(activations("b"))
    left_out = float((values > ranges["last"]).mean())
    assert ranges["last"] < values.max()
    assert left_out == pytest.approx(1e-4, abs=5e-5)


def test_entropy_cuts_a_long_tail():
    """Where one channel in sixteen is 40 times louder, most information is in the others."""
    model = conv_model(loud=40.0)
    layers = find_layers(model)
    largest = measure_ranges(model, layers, lambda: batches(8), Method.MINMAX)
    cut = measure_ranges(model, layers, lambda: batches(8), Method.ENTROPY)
    assert all(0 < cut[name] <= 1.01 * largest[name] for name in largest)
    assert cut["middle"] < 0.8 * largest["middle"]


@pytest.mark.parametrize("method", [Method.MINMAX, Method.PERCENTILE])
def test_the_size_of_a_batch_changes_nothing(method):
    assert measured(method, 1) == pytest.approx(measured(method, 12), rel=1e-3)


@pytest.mark.filterwarnings("ignore:overflow")
def test_an_activation_that_overflows_is_refused_by_name():
    model = conv_model(loud=1e39)
    with pytest.raises(PoseGenError, match="the activation a is NaN or infinite"):
        measure_ranges(model, find_layers(model), lambda: batches(4), Method.MINMAX)


MEASURE = """
import json, resource, sys
sys.path[:0] = {paths}
from conv_model import batches, conv_model
from posegen_calibration.layers import find_layers
from posegen_calibration.ranges import Method, measure_ranges
model = conv_model()
def stream():
    for seed in range({count}):
        yield from batches(4, 4, seed)
measure_ranges(model, find_layers(model), stream, Method({method!r}))
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
"""


@pytest.mark.parametrize("method", ["minmax", "percentile"])
def test_memory_does_not_grow_with_the_samples(method):
    """Kept, the activations of 400 more samples would take 54 MB."""
    paths = [str(Path(__file__).parents[1]), *sys.path]

    def peak(count: int) -> int:
        script = MEASURE.format(paths=paths, count=count, method=method)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
        return int(json.loads(done.stdout))

    assert peak(110) - peak(10) < 15_000  # kilobytes
