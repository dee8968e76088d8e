"""`posegen-export onnx`: from a checkpoint to a proven bundle."""

from collections.abc import Sequence
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
from posegen_export.inputs import Inputs, from_dataset, from_seed
from posegen_export.reference import reference_images
from posegen_export.tensorspecs import input_specs
from posegen_export.variants import FP32, Figures, write_variant
from posegen_export.weights import WeightFigures, measure_weights
from posegen_runtime import __version__
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import SCHEMA, Manifest, Precision
from posegen_runtime.parity import GATES


class GateMissed(Exception):
    """The graphs do not give PyTorch's images. `figures` by precision and way, `missed` a line for
    each gate, `blame` one for each layer that is the cause, where that was measured."""

    def __init__(
        self, figures: dict[str, Figures], missed: list[str], blame: Sequence[str] = ()
    ) -> None:
        super().__init__("; ".join(missed))
        self.figures = figures
        self.missed = missed
        self.blame = list(blame)


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


def export_bundle(
    source: Source,
    target: Path,
    inputs: Inputs,
    *,
    name: str,
    max_batch: int,
    precisions: Sequence[str] = (FP32,),
    allow_insensitive: bool = False,
) -> tuple[Manifest, dict[str, Figures]]:
    """Write the bundle `target` and return its manifest and, for each of `precisions` (see
    `parse_precisions`), the figures of each way to an image.

    Raises `GateMissed` when a precision misses its gate and `PoseGenError` when the weights do
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
        variants = {p: write_variant(p, generator, root, inputs, max_batch) for p in precisions}
        figures = {p: variant.figures for p, variant in variants.items()}
        missed = [f"{p} {line}" for p, variant in variants.items() for line in variant.missed]
        if missed:
            raise GateMissed(figures, missed, [line for v in variants.values() for line in v.blame])
        names = source.config.inputs
        reference = reference_images(generator, inputs.feeds(names, range(len(inputs.masks))))
        goldens, defaults = write_golden(root, names, inputs, reference)
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
            "precisions": [
                Precision(
                    precision=precision,
                    graphs=variant.graphs,
                    parity={
                        **parity_record(precision, variant.figures, weights, inputs, max_batch),
                        **variant.record,
                    },
                )
                for precision, variant in variants.items()
            ],
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
    precision: str, figures: Figures, weights: WeightFigures, inputs: Inputs, max_batch: int
) -> dict[str, Any]:
    """The parity entry of a precision in ``bundle.json``."""
    import onnxruntime

    return {
        "gate": {bound.figure: bound.limit for bound in GATES[precision].bounds},
        "engine": f"onnxruntime {onnxruntime.__version__}, CPU",
        "inputs": inputs.source,
        "batches": sorted({1, 3, max_batch}),
        "weights": msgspec.to_builtins(weights),
        "weights_too_still": weights.missed(),
        "figures": {way: f.record() for way, f in figures.items()},
    }
