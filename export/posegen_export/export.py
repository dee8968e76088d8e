"""`posegen-export onnx`: from a checkpoint to a proven bundle."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import onnx
import torch

from posegen.checkpoint import CheckpointInfo, generator_of, load_checkpoint
from posegen.config import ModelConfig
from posegen.models import Generator
from posegen_export.bundle_writer import check_target, staging, write_golden, write_manifest
from posegen_export.graphs import write_graphs
from posegen_export.inputs import Inputs, from_dataset, from_seed
from posegen_export.parity import load_backends, measure
from posegen_export.reference import reference_images
from posegen_export.tensorspecs import input_specs
from posegen_export.weights import WeightFigures, measure_weights
from posegen_runtime import __version__
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import SCHEMA, Manifest, Precision
from posegen_runtime.parity import GATES, ParityFigures

FP32 = "fp32"


class GateMissed(Exception):
    """The graphs do not give PyTorch's images. `figures` by way, `missed` one line for each."""

    def __init__(self, figures: dict[str, ParityFigures], missed: list[str]) -> None:
        super().__init__("; ".join(missed))
        self.figures = figures
        self.missed = missed


@dataclass(frozen=True)
class Source:
    """A generator whose mask variant can be exported, and where it comes from."""

    generator: Generator
    info: CheckpointInfo
    sha256: str

    @property
    def config(self) -> ModelConfig:
        return self.generator.config


def load_source(checkpoint: Path) -> Source:
    """Raises `PoseGenError` for no checkpoint, and for a variant that takes no mask."""
    loaded = load_checkpoint(checkpoint)
    generator = generator_of(loaded)
    variant = generator.config.variant
    if not variant.uses_mask:
        raise PoseGenError(
            f"{checkpoint}: the {variant.value} variant takes no mask and stays in PyTorch; "
            "export a pose variant"
        )
    return Source(generator, loaded.info, loaded.sha256)


def make_inputs(config: ModelConfig, data: Path | None, count: int, seed: int) -> Inputs:
    """Golden inputs from a data set's unseen split, or made up when there is none."""
    size = (config.image_size, config.image_size)
    return from_seed(size, count, seed) if data is None else from_dataset(data, size, count, seed)


def missed_by(figures: dict[str, ParityFigures]) -> list[str]:
    """What misses the FP32 gate, one line for each figure, with the way it was measured."""
    return [f"{way}: {line}" for way, f in figures.items() for line in GATES[FP32].missed(f)]


def export_bundle(
    source: Source,
    target: Path,
    inputs: Inputs,
    *,
    name: str,
    max_batch: int,
    allow_insensitive: bool = False,
) -> tuple[Manifest, dict[str, ParityFigures]]:
    """Write the bundle `target` and return its manifest and the figures of each way to an image.

    Raises `GateMissed` when a graph misses the FP32 gate and `PoseGenError` when the weights do
    not move (unless allowed) or the folder cannot be written; no bundle is left then.
    """
    check_target(target)
    generator = source.generator
    weights = measure_weights(generator, inputs)
    if weights.missed() and not allow_insensitive:
        raise PoseGenError(
            f"{'; '.join(weights.missed())}: parity on these weights would prove nothing, a broken "
            "graph would pass too; train longer, or pass --allow-insensitive"
        )
    with staging(target) as root:
        graphs = write_graphs(generator, root, FP32)
        figures = measure(generator, load_backends(root, graphs), inputs, max_batch)
        missed = missed_by(figures)
        if missed:
            raise GateMissed(figures, missed)
        names = source.config.inputs
        reference = reference_images(generator, inputs.feeds(names, range(len(inputs.masks))))
        goldens, defaults = write_golden(root, names, inputs, reference)
        parity = parity_record(figures, weights, inputs, max_batch)
        size = (source.config.image_size, source.config.image_size)
        fields = {
            "schema": SCHEMA,
            "name": name,
            "arch": source.config.arch.value,
            "preset": source.config.preset,
            "variant": source.config.variant.value,
            "image_size": size,
            "inputs": input_specs(source.config),
            "max_batch": max_batch,
            "precisions": [Precision(precision=FP32, graphs=graphs, parity=parity)],
            "golden": goldens,
            "defaults": defaults,
            "mask_range": source.info.lineage.mask_range,
            "lineage": lineage(source),
        }
        manifest = write_manifest(root, fields)
    return manifest, figures


def lineage(source: Source) -> dict[str, Any]:
    """Where the weights come from: checkpoint, training configuration, data and versions."""
    info = source.info
    trained = msgspec.to_builtins(info.lineage)
    trained.pop("mask_range")
    return {
        **trained,
        "train_config": msgspec.to_builtins(info.train_config),
        "step": info.step,
        "metrics": info.metrics,
        "checkpoint_sha256": source.sha256,
        "exported_by": {
            "posegen": __version__,
            "torch": str(torch.__version__),
            "onnx": onnx.__version__,
        },
    }


def parity_record(
    figures: dict[str, ParityFigures], weights: WeightFigures, inputs: Inputs, max_batch: int
) -> dict[str, Any]:
    """The parity entry of ``bundle.json``."""
    import onnxruntime

    return {
        "gate": {bound.figure: bound.limit for bound in GATES[FP32].bounds},
        "engine": f"onnxruntime {onnxruntime.__version__}, CPU",
        "inputs": inputs.source,
        "batches": sorted({1, 3, max_batch}),
        "weights": msgspec.to_builtins(weights),
        "weights_too_still": weights.missed(),
        "figures": {
            way: {
                "max_difference": f.max_difference,
                "mean_difference": f.mean_difference,
                "psnr": f.psnr,
                "psnr_worst": f.psnr_worst,
                **msgspec.to_builtins(f),
            }
            for way, f in figures.items()
        },
    }
