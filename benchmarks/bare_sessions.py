"""The limit that `throughput.py` compares with: a bundle's graphs in bare ONNX Runtime sessions.

Inputs stand in memory as uint8, images are thrown away as uint8: no file is read or written. Lanes
are threads that call one session at the same time, each with a batch of its own.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.bundle import Bundle

Arrays = dict[str, npt.NDArray[Any]]
BATCHES = (1, 4, 8)


class BareShape(msgspec.Struct, frozen=True):
    """`lanes` calls at a time of `batch` images, each on `threads`, through `graphs` in turn."""

    lanes: int
    threads: int
    batch: int
    graphs: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.lanes} × batch {self.batch} on {self.threads} threads, {'+'.join(self.graphs)}"
        )


class Bare:
    """A bundle's FP32 graphs on ONNX Runtime's CPU provider, and what they are fed with.

    `masks`: uint8 [N, H, W], 8 or more; `photos`: uint8 [N, H, W, 3] of each condition that the
    bundle takes.
    """

    def __init__(
        self, bundle: Bundle, masks: npt.NDArray[np.uint8], photos: Mapping[str, Any]
    ) -> None:
        self._bundle = bundle
        self._rows: Arrays = {"mask": masks, **photos}
        if bundle.takes_viewpoint:
            self._rows["viewpoint"] = np.zeros((len(masks), 3), np.float32)
        self.session = cache(self._session)

    def shapes(self, different: bool, cores: int) -> Iterator[BareShape]:
        """What may be fastest on so many cores. `different`: conditions differ in each image, so
        that they are encoded each time."""
        ways: list[tuple[str, ...]] = [("generator",)]
        if self._bundle.conditions:
            ways = [*ways, ("conditions", "generator_cached")] if different else [()]
        for graphs, batch in product(ways, BATCHES):
            for lanes, threads in dict.fromkeys([(cores, 1), (1, cores), (cores + 1, 1)]):
                yield BareShape(lanes, threads, batch, graphs or ("generator_cached",))

    def best(self, shapes: Sequence[BareShape], images: int, rounds: int = 2) -> BareShape:
        """The one that is fastest in any of some rounds."""
        rates: dict[BareShape, float] = {}
        for _, shape in product(range(rounds), shapes):
            rates[shape] = max(rates.get(shape, 0.0), self.rate(shape, images))
        return max(rates, key=lambda shape: rates[shape])

    def rate(self, shape: BareShape, images: int) -> float:
        """Images a second over at least `images`."""
        kept = self._kept(shape) if shape.graphs == ("generator_cached",) else {}
        calls = max(-(-images // shape.batch), shape.lanes)
        self._call(shape, kept, 0)
        with ThreadPoolExecutor(shape.lanes) as pool:
            start = time.perf_counter()
            for _ in pool.map(lambda number: self._call(shape, kept, number), range(calls)):
                pass
            return calls * shape.batch / (time.perf_counter() - start)

    def _kept(self, shape: BareShape) -> Arrays:
        return self._run("conditions", shape.threads, {k: v[:1] for k, v in self._rows.items()})

    def _call(self, shape: BareShape, kept: Arrays, number: int) -> None:
        first = number * shape.batch % (len(self._rows["mask"]) - shape.batch + 1)
        feeds = {k: v[first : first + shape.batch] for k, v in self._rows.items()} | kept
        for graph in shape.graphs:
            feeds |= self._run(graph, shape.threads, feeds)

    def _run(self, graph: str, threads: int, feeds: Arrays) -> Arrays:
        session = self.session(graph, threads)
        taken = {entry.name: feeds[entry.name] for entry in session.get_inputs()}
        names = [entry.name for entry in session.get_outputs()]
        return dict(zip(names, session.run(names, taken), strict=True))

    def _session(self, graph: str, threads: int) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        path = self._bundle.path(self._bundle.precision("fp32").graphs[graph].path)
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
