"""The ranges of a bundle's layers: measured, or read from a cache file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import onnx

from posegen_calibration import apart
from posegen_calibration import ranges as cuts
from posegen_calibration import samples as strata
from posegen_calibration.cachefile import Calibration, read_calibration, write_calibration
from posegen_calibration.layers import Layer
from posegen_calibration.ranges import Method, measure_ranges
from posegen_calibration.sampling import PATHS, Sampling, data_hashes
from posegen_calibration.session import Feeds
from posegen_calibration.source import SampleSet
from posegen_export.int8_graphs import FP32
from posegen_export.int8_speed import engine_name
from posegen_export.weightfile import WEIGHTS
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError

Tell = Callable[[str], None]


def calibrated(
    bundle: Bundle,
    sampling: Sampling,
    method: Method,
    cache: Path | None,
    samples: SampleSet,
    model: onnx.ModelProto,
    layers: list[Layer],
    tell: Tell,
) -> Calibration:
    """From the cache file where there is one, else measured (and written there)."""
    key = cache_key(bundle, sampling, method)
    if cache is not None and cache.exists():
        held = read_calibration(cache, key)
        if set(held.ranges) != {layer.name for layer in layers}:
            raise PoseGenError(f"--cache {cache}: holds other layers; delete it")
        tell(f"ranges: from {cache}")
        return held
    tell(f"ranges: {method.value} over {len(samples.chosen)} samples")

    def batches() -> Iterator[Feeds]:
        return samples.batches(samples.chosen)

    calibration = Calibration(
        key=key,
        counts=samples.counts(),
        ranges=measure_ranges(model, layers, batches, method),
        engine=engine_name(),
    )
    if cache is not None:
        write_calibration(cache, calibration)
    return calibration


def cache_key(bundle: Bundle, sampling: Sampling, method: Method) -> dict[str, Any]:
    """What the ranges follow from: model, data and options, no paths."""
    files = bundle.manifest.files
    graph = bundle.precision(FP32).graphs["generator"].path
    held = {name: files[name].sha256 for name in (graph, f"{FP32}/{WEIGHTS}") if name in files}
    given = msgspec.structs.asdict(sampling)
    plain = {name: value for name, value in given.items() if name not in PATHS}
    return msgspec.to_builtins(
        {
            **{f"model {name}": sha256 for name, sha256 in held.items()},
            **data_hashes(sampling),
            **plain,
            "method": method,
            **_choice(),
        }
    )


def _choice() -> dict[str, Any]:
    """What decides, besides options, which samples there are and where their values are cut off."""
    return {
        "TRIAL": apart.TRIAL,
        "HELD_OUT": apart.HELD_OUT,
        "SHARE": apart.SHARE,
        "ENOUGH": apart.ENOUGH,
        "BINS": list(strata.BINS),
        "SECTORS": strata.SECTORS,
        "PERCENTILE": cuts.PERCENTILE,
    }
