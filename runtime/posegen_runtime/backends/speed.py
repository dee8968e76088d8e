"""How long an image takes on this machine, by backend and precision."""

import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

from posegen_runtime.backends.base import Backend
from posegen_runtime.backends.opening import open_backend
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.manifest import Graph, TensorSpec

ROUNDS = 11
Candidate = tuple[BackendName, str]


def time_backends(
    candidates: Sequence[Candidate], bundle: Bundle, rounds: int = ROUNDS
) -> dict[Candidate, float]:
    """Seconds an image takes for each (backend, precision), by the median of `rounds`."""
    taken = sample_backends(candidates, bundle, rounds)
    return {candidate: statistics.median(seconds) for candidate, seconds in taken.items()}


def sample_backends(
    candidates: Sequence[Candidate], bundle: Bundle, rounds: int
) -> dict[Candidate, list[float]]:
    """Seconds an image took in each of `rounds`.

    On a CPU it is one image on one thread, on a GPU a full batch: what each lane of a run computes.
    All take their turn in each round, so that what else the machine does hits all alike. On a CPU
    the time of the processor counts, since a run keeps every core busy with lanes: what another
    process takes of the clock says nothing about the backend. It is that of the whole process,
    because OpenVINO computes in threads of its own.
    """
    calls = {candidate: _call(candidate, bundle) for candidate in candidates}
    taken: dict[Candidate, list[float]] = {candidate: [] for candidate in candidates}
    for number in range(rounds + 1):
        for candidate, (call, images) in calls.items():
            clock = time.perf_counter if candidate[0].on_gpu else time.process_time
            start = clock()
            call()
            if number:  # the first call prepares what later ones find ready
                taken[candidate].append((clock() - start) / images)
    return taken


def speed_graph(bundle: Bundle) -> str:
    """The graph that is timed: what makes the images of a run."""
    return "generator_cached" if bundle.conditions else "generator"


def _call(candidate: Candidate, bundle: Bundle) -> tuple[Callable[[], object], int]:
    name, precision = candidate
    graph = speed_graph(bundle)
    backend = open_backend(name, bundle, precision, graph, threads=1)
    images = bundle.manifest.max_batch if name.on_gpu else 1
    return render_call(backend, bundle.precision(precision).graphs[graph], images), images


def render_call(backend: Backend, graph: Graph, images: int) -> Callable[[], object]:
    """A call that makes `images` images from arrays of the right shapes; what they show does not
    change how long it takes."""
    encoded = {spec.name: _ones(spec, 1) for spec in graph.inputs if spec.shape[0] == "C"}
    feeds = {spec.name: _ones(spec, images) for spec in graph.inputs if spec.shape[0] != "C"}
    kept = [backend.keep(encoded)] if encoded else []
    return lambda: backend.run(feeds, kept)


def _ones(spec: TensorSpec, rows: int) -> np.ndarray:
    shape = [rows, *(size for size in spec.shape[1:] if isinstance(size, int))]
    return np.ones(shape, np.dtype(spec.dtype))
