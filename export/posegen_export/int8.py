"""`posegen-export int8`: a bundle and folders of masks and photos → the same bundle with INT8.

Neither the checkpoint nor torch is needed: what INT8 may lose is measured against the bundle's own
golden images and FP32 graphs.
"""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import onnx

from posegen_calibration.cachefile import Calibration
from posegen_calibration.layers import Layer, find_layers
from posegen_calibration.report import write_report
from posegen_calibration.sensitivity import (
    GOLDEN,
    TRIAL,
    Check,
    Effect,
    Step,
    choose_kept,
    float_check,
    measure_effects,
)
from posegen_calibration.source import SampleSet, find_samples
from posegen_export.bundle_writer import staging
from posegen_export.int8_graphs import (
    FP16,
    FP32,
    INT8,
    add_precision,
    choose_rest,
    copy_bundle,
    decoder,
    load_models,
    named,
    write_graphs,
)
from posegen_export.int8_overflow import measure_peaks
from posegen_export.int8_parity import gathered, measure_ways, split
from posegen_export.int8_pose import PoseIou, measure_pose
from posegen_export.int8_ranges import calibrated
from posegen_export.int8_result import HELD_OUT, Int8Missed, Int8Options, Int8Result, work_in_int8
from posegen_export.int8_speed import engine_name, measure_speed
from posegen_export.overflow import overflowing, record_of
from posegen_export.ways import load_graphs
from posegen_runtime.bundle import Bundle
from posegen_runtime.golden import golden_set
from posegen_runtime.manifest import Graph, Precision
from posegen_runtime.parity import GATES, ParityFigures

LITTLE_WORK = 0.25
"""With less of the multiplications in INT8, converting costs about what they save."""

Tell = Callable[[str], None]


def add_int8(bundle: Bundle, options: Int8Options, tell: Tell) -> Int8Result:
    """Calibrate, choose the layers that stay in float, and rewrite `bundle` with ``int8/``.

    `tell` gets a line for each step. Raises `Int8Missed` when a gate is missed and `PoseGenError`
    for unusable input or a folder that cannot be written; the bundle is as it was then.
    """
    rest = choose_rest(bundle, options.rest)
    models = load_models(bundle)
    names = {layer.name for layer in find_layers(decoder(models))}
    layers = named(models["generator"], names)
    samples = find_samples(bundle, options.sampling, tell)
    calibration = calibrated(
        bundle,
        options.sampling,
        options.method,
        options.cache,
        samples,
        models["generator"],
        layers,
        tell,
    )
    effects, steps = _choose(bundle, samples, models["generator"], layers, calibration, tell)
    if options.report is not None:
        write_report(options.report, effects, steps)
        tell(f"sensitivity of {len(effects)} layers: {options.report}")
    quantized = {effect.layer for effect in effects if not effect.kept}
    target = bundle.root.resolve()
    with staging(target) as root:
        copy_bundle(bundle, root)
        graphs = write_graphs(bundle, root, rest, quantized, calibration.ranges)
        figures, pose = _measure(bundle, root, graphs, samples)
        speed = measure_speed(bundle, root, graphs)
        peaks = _peaks(root, graphs, rest, bundle, samples)
        missed = [f"{w}: {x}" for w, f in figures.items() for x in GATES[INT8].missed(f)]
        missed += [*pose.missed, *overflowing(peaks)]
        result = Int8Result(figures, effects, pose, speed, missed, peaks)
        if result.missed:
            raise Int8Missed(result)
        record = _record(bundle, options.source, calibration, samples, rest, result, steps)
        precision = Precision(precision=INT8, graphs=graphs, parity=record)
        manifest = add_precision(bundle, root, precision)
    size = sum(r.bytes for name, r in manifest.files.items() if name.startswith(f"{INT8}/"))
    return Int8Result(figures, effects, pose, speed, [], peaks, size)


def _choose(
    bundle: Bundle,
    samples: SampleSet,
    model: onnx.ModelProto,
    layers: list[Layer],
    calibration: Calibration,
    tell: Tell,
) -> tuple[list[Effect], list[Step]]:
    """Sensitivity on masks that the ranges do not know; the gate must also hold on the golden set,
    whose masks are partly random and whose images are PyTorch's."""
    ranges = calibration.ranges
    trial, golden = float_check(TRIAL, model, list(samples.batches(samples.trial))), None
    if bundle.manifest.golden:
        feeds, reference = golden_set(bundle, INT8)
        golden = Check(GOLDEN, split(feeds), reference)
    effects = measure_effects(model, layers, ranges, trial, golden, tell)
    checks = [one for one in (trial, golden) if one is not None]
    effects, steps = choose_kept(model, layers, ranges, effects, checks, GATES[INT8])
    kept = [effect for effect in effects if effect.kept]
    work = work_in_int8(effects)
    tell(
        f"layers: {len(effects) - len(kept)} in INT8, with {work:.0%} of the multiplications; "
        f"{len(kept)} stay in float"
    )
    for effect in kept:
        tell(f"  {effect.layer}: {effect.why}")
    if work < LITTLE_WORK:
        tell(
            f"warning: only {work:.0%} of the multiplications are in INT8: expect no gain; "
            "try another --method, or masks and photos closer to those of later runs"
        )
    return effects, steps


def _measure(
    bundle: Bundle, root: Path, graphs: dict[str, Graph], samples: SampleSet
) -> tuple[dict[str, ParityFigures], PoseIou]:
    """Every way to an image, on the golden set against PyTorch's images and on held-out masks
    against FP32's."""
    fp32 = load_graphs(root, bundle.precision(FP32).graphs)
    int8 = load_graphs(root, graphs)
    max_batch = bundle.manifest.max_batch
    figures: dict[str, ParityFigures] = {}
    if bundle.manifest.golden:
        ways = measure_ways(fp32, int8, *golden_set(bundle, INT8), max_batch)
        figures |= {f"golden, {way}": f for way, f in ways.items()}
    ways = measure_ways(fp32, int8, gathered(samples.batches(samples.held_out)), None, max_batch)
    figures |= {f"{HELD_OUT}, {way}": f for way, f in ways.items()}
    pose = measure_pose(fp32["generator"], int8["generator"], samples.batches(samples.held_out))
    return figures, pose


def _peaks(
    root: Path, graphs: dict[str, Graph], rest: str, bundle: Bundle, samples: SampleSet
) -> dict[str, float]:
    """Of the INT8 generator over the trial and the golden inputs, where its rest is float16."""
    if rest != FP16:
        return {}
    golden = [golden_set(bundle, INT8)[0]] if bundle.manifest.golden else []
    model = onnx.load(root / graphs["generator"].path)
    return measure_peaks(model, chain(samples.batches(samples.trial), golden))


def _record(
    bundle: Bundle,
    source: str,
    calibration: Calibration,
    samples: SampleSet,
    rest: str,
    result: Int8Result,
    steps: list[Step],
) -> dict[str, Any]:
    """The parity entry of ``bundle.json``."""
    kept = [effect for effect in result.effects if effect.kept]
    return {
        "gate": {bound.figure: bound.limit for bound in GATES[INT8].bounds},
        "engine": engine_name(),
        "inputs": f"golden images by PyTorch; {len(samples.held_out)} held-out masks against FP32",
        "batches": sorted({1, 3, bundle.manifest.max_batch}),
        "figures": {way: f.record() for way, f in result.figures.items()},
        "calibration": {
            **({"data": source} if source else {}),
            **calibration.counts,
            "key": calibration.key,
        },
        "rest": rest,
        **(record_of(result.peaks) if result.peaks else {}),
        "layers": len(result.effects),
        "work_in_int8": result.work_in_int8,
        "kept": {effect.layer: effect.why for effect in kept},
        "choice": [msgspec.to_builtins(step) for step in steps],
        "pose_iou": msgspec.to_builtins(result.pose),
        "speed": result.speed,
    }
