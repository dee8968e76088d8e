"""A generator → the ONNX files of one precision of a bundle."""

from pathlib import Path

import onnx
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from posegen.models import Generator
from posegen_export.graph import CachedGraph, ConditionsGraph, GeneratorGraph
from posegen_export.onnx import BATCH, SHARED, to_onnx
from posegen_export.tensorspecs import condition_specs, image_spec, input_specs, metadata
from posegen_export.weightfile import share_weights
from posegen_runtime.manifest import Graph, TensorSpec

EXAMPLE_ROWS = 2
"""torch.export takes a dimension of 1 for a constant."""


@torch.no_grad()
def write_graphs(generator: Generator, root: Path, folder: str) -> dict[str, Graph]:
    """Write ``root/folder/generator.onnx`` and return the graphs by name, paths relative to `root`.

    Where the variant takes conditions, also ``conditions.onnx``, ``generator_cached.onnx`` and the
    ``weights.bin`` that all three read. They compute in the type of the generator's parameters.
    """
    folded = generator.folded().requires_grad_(False)
    config = generator.config
    specs = {spec.name: spec for spec in input_specs(config)}
    examples = {name: _zeros(spec) for name, spec in specs.items()}
    images = config.variant.inputs[1:]
    viewpoint = [name for name in specs if name == "viewpoint"]
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

    image = [image_spec(config)]
    graphs = {
        "generator": export(
            "generator",
            GeneratorGraph(folded),
            tuple(examples.values()),
            list(specs.values()),
            image,
        )
    }
    if images:
        encoder = ConditionsGraph(folded)
        with FakeTensorMode(allow_non_fake_inputs=True):  # shapes and types alone
            encoded = encoder(*(examples[name][:1] for name in images))
        one_row = [torch.zeros(tuple(t.shape), dtype=t.dtype) for t in encoded]
        conditions = dict(zip(encoder.outputs, one_row, strict=True))
        graphs["conditions"] = export(
            "conditions",
            encoder,
            tuple(examples[name] for name in images),
            [specs[name] for name in images],
            condition_specs(conditions, BATCH),
        )
        graphs["generator_cached"] = export(
            "generator_cached",
            CachedGraph(folded, tuple(conditions)),
            (examples["mask"], *one_row, *(examples[name] for name in viewpoint)),
            [
                specs["mask"],
                *condition_specs(conditions, SHARED),
                *(specs[name] for name in viewpoint),
            ],
            image,
        )
        share_weights(list(models.values()), root / folder)
    for name, model in models.items():
        onnx.save(model, root / graphs[name].path)
    return graphs


def _zeros(spec: TensorSpec) -> torch.Tensor:
    kind = {"uint8": torch.uint8, "float32": torch.float32}[spec.dtype]
    return torch.zeros(EXAMPLE_ROWS, *(int(d) for d in spec.shape[1:]), dtype=kind)
