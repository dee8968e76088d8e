"""`posegen-run --selftest`: does this machine make the images that PyTorch made at export?"""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.backends.base import Feeds
from posegen_runtime.backends.tensorrt import TensorrtBackend
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import PoseGenerator
from posegen_runtime.golden import golden_set
from posegen_runtime.parity import GATES, ParityFigures, compare
from posegen_runtime.progress import say

Images = npt.NDArray[np.uint8]


class Verdict(msgspec.Struct, frozen=True):
    """One graph against the golden images."""

    graph: str
    engine: str
    figures: ParityFigures
    missed: list[str]
    """One line for each gate missed; empty when all were kept."""

    def __str__(self) -> str:
        f = self.figures
        verdict = "passed" if not self.missed else "MISSED: " + "; ".join(self.missed)
        ssim = "" if f.ssim is None else f", SSIM {f.ssim:.4f}"
        return (
            f"{self.graph} ({self.engine}): {f.images} images, max difference "
            f"{f.max_difference:g} levels, mean {f.mean_difference:.4f}, PSNR {f.psnr:.1f} dB, "
            f"worst {f.psnr_worst:.1f} dB{ssim}: {verdict}"
        )


def selftest(generator: PoseGenerator) -> list[Verdict]:
    """Run the golden set through every graph of the bundle that makes images. Figures of a TensorRT
    engine also go into its sidecar.

    Raises `PoseGenError` when the bundle has no golden set.
    """
    bundle = generator.bundle
    feeds, reference = golden_set(bundle, generator.precision)
    verdicts = [_judge(generator, "generator", _direct(generator, feeds), feeds, reference)]
    if bundle.conditions:
        images = _generated(generator, feeds)
        verdicts.append(_judge(generator, "generator_cached", images, feeds, reference))
    for verdict in verdicts:
        _record(generator, verdict)
    return verdicts


def prove_engines(generator: PoseGenerator) -> None:
    """Run the golden set through engines that are new here, and keep the figures in their sidecars.

    Figures of another GPU or version of TensorRT say nothing: an engine may be copied with them.

    Raises `PoseGenError` when they miss a gate, and so does every later use of them. A bundle
    without a golden set proves nothing.
    """
    bundle, precision = generator.bundle, generator.precision
    engines = _engines(generator, generator.graphs)
    if not all(_proven(engine, precision) for engine in engines) and bundle.manifest.golden:
        feeds, reference = golden_set(bundle, precision)
        graph = generator.graphs[-1]
        verdict = _judge(generator, graph, _generated(generator, feeds), feeds, reference)
        say(f"golden set through the new engine: {verdict}")
        _record(generator, verdict)
    for engine in engines:
        missed = _proven(engine, precision).get("missed")
        if missed:
            raise PoseGenError(
                f"{engine.file.path}: makes other images than PyTorch ({'; '.join(missed)}); "
                "use another precision or backend, or delete it to build it again"
            )


def _proven(engine: TensorrtBackend, precision: str) -> dict[str, Any]:
    """The figures of `engine` in its sidecar; empty unless this GPU and TensorRT made them."""
    figures: dict[str, Any] = engine.file.sidecar.parity.get(precision, {})
    return figures if figures.get("engine") == engine.description else {}


def _record(generator: PoseGenerator, verdict: Verdict) -> None:
    """Keep figures in the sidecars of the engines that made the images. By precision: INT8 encodes
    its conditions with FP32's engine, and its figures say nothing about FP32."""
    graphs = ["generator"] if verdict.graph == "generator" else generator.graphs
    for engine in _engines(generator, graphs):
        engine.record(generator.precision, msgspec.to_builtins(verdict))


def _engines(generator: PoseGenerator, graphs: list[str]) -> list[TensorrtBackend]:
    backends = [generator.backend(graph) for graph in graphs]
    return [backend for backend in backends if isinstance(backend, TensorrtBackend)]


def _generated(generator: PoseGenerator, feeds: Feeds) -> Images:
    """The golden set as a run would make it."""
    return generator.generate(
        feeds["mask"], feeds.get("appearance"), feeds.get("background"), feeds.get("viewpoint")
    )


def _direct(generator: PoseGenerator, feeds: Feeds) -> Images:
    """The golden set through the uncached generator, in batches."""
    backend = generator.backend("generator")
    step = generator.bundle.manifest.max_batch
    count = len(feeds["mask"])
    parts = [
        backend.run({name: array[start : start + step] for name, array in feeds.items()})["image"]
        for start in range(0, count, step)
    ]
    return np.concatenate(parts)


def _judge(
    generator: PoseGenerator,
    graph: str,
    images: Images,
    feeds: Feeds,
    reference: Images,
) -> Verdict:
    gate = GATES[generator.precision]
    figures = compare(images, reference, feeds["mask"], ssim=gate.needs_ssim)
    engine = generator.backend(graph).description
    return Verdict(graph, engine, figures, gate.missed(figures))
