"""A generator → the ONNX files of a bundle's FP32 variant."""

from pathlib import Path

import onnx
import torch
from torch import nn

from posegen.models import Generator
from posegen_export.graph import CachedGraph, ConditionsGraph, GeneratorGraph
from posegen_export.onnx import BATCH, SHARED, to_onnx
from posegen_export.tensorspecs import condition_specs, metadata, pixel_specs
from posegen_export.weightfile import share_weights
from posegen_runtime.bundle import Graph, TensorSpec

EXAMPLE_ROWS = 2
"""torch.export takes a dimension of 1 for a constant."""


@torch.no_grad()
def write_graphs(generator: Generator, root: Path, folder: str) -> dict[str, Graph]:
    """Write ``root/folder/generator.onnx`` and return the graphs by name, paths relative to `root`.

    Where the variant takes conditions, also ``conditions.onnx``, ``generator_cached.onnx`` and the
    ``weights.bin`` that all three read.
    """
    folded = generator.folded().requires_grad_(False)
    config = generator.config
    names = config.variant.inputs
    size = (config.image_size, config.image_size)
    pixels = tuple(_zeros(spec) for spec in pixel_specs(names, size))
    (root / folder).mkdir(parents=True)
    models: dict[str, onnx.ModelProto] = {}

    def export(
        name: str,
        module: nn.Module,
        example: tuple[torch.Tensor, ...],
        inputs: list[TensorSpec],
        outputs: list[TensorSpec],
    ) -> Graph:
        models[name] = to_onnx(
            module,
            example,
            [spec.name for spec in inputs],
            [spec.name for spec in outputs],
            metadata(config, name, inputs),
        )
        return Graph(path=f"{folder}/{name}.onnx", inputs=inputs, outputs=outputs)

    specs, image = pixel_specs(names, size), pixel_specs(("image",), size)
    graphs = {"generator": export("generator", GeneratorGraph(folded), pixels, specs, image)}
    if len(names) > 1:
        encoder = ConditionsGraph(folded)
        one_row = encoder(*(tensor[:1] for tensor in pixels[1:]))
        conditions = dict(zip(encoder.outputs, one_row, strict=True))
        graphs["conditions"] = export(
            "conditions", encoder, pixels[1:], specs[1:], condition_specs(conditions, BATCH)
        )
        graphs["generator_cached"] = export(
            "generator_cached",
            CachedGraph(folded, tuple(conditions)),
            (pixels[0], *one_row),
            [specs[0], *condition_specs(conditions, SHARED)],
            image,
        )
        share_weights(list(models.values()), root / folder)
    for name, model in models.items():
        onnx.save(model, root / graphs[name].path)
    return graphs


def _zeros(spec: TensorSpec) -> torch.Tensor:
    return torch.zeros(EXAMPLE_ROWS, *(int(d) for d in spec.shape[1:]), dtype=torch.uint8)
