"""What each graph takes and returns, for `bundle.json` and for the ONNX metadata."""

from collections.abc import Mapping

from torch import Tensor

from posegen.config import ModelConfig
from posegen_runtime.manifest import SCHEMA, TensorSpec

MEANINGS = {
    "mask": "silhouette of the object: values above 127 are the object",
    "appearance": "RGB photo of the object, at any pose",
    "background": "RGB photo of the scene without the object",
    "viewpoint": (
        "unit vector from the object's origin towards the camera in the object's frame "
        "(x forward, y left, z up); zeros: unknown"
    ),
    "image": "RGB image of the object as the mask poses it",
}


def input_specs(config: ModelConfig) -> list[TensorSpec]:
    """Specs of the generator's inputs, in order. `viewpoint` may be withheld: zeros."""
    return [
        TensorSpec(
            name=name,
            dtype="float32" if name == "viewpoint" else "uint8",
            shape=_shape(name, config.image_size),
            meaning=MEANINGS[name],
            required=name != "viewpoint",
        )
        for name in config.inputs
    ]


def image_spec(config: ModelConfig) -> TensorSpec:
    """Spec of what the generator makes."""
    shape = _shape("image", config.image_size)
    return TensorSpec(name="image", dtype="uint8", shape=shape, meaning=MEANINGS["image"])


def _shape(name: str, size: int) -> list[int | str]:
    shapes: dict[str, list[int | str]] = {"mask": ["N", size, size], "viewpoint": ["N", 3]}
    return shapes.get(name, ["N", size, size, 3])


def condition_specs(conditions: Mapping[str, Tensor], leading: str) -> list[TensorSpec]:
    """Specs of encoded conditions, with the leading dimension "N" or "C"."""
    return [
        TensorSpec(
            name=name,
            dtype=str(tensor.dtype).removeprefix("torch."),
            shape=[leading, *tensor.shape[1:]],
            meaning="encoded condition: an output of conditions.onnx, passed on as it is",
        )
        for name, tensor in conditions.items()
    ]


def metadata(config: ModelConfig, graph: str, specs: list[TensorSpec]) -> dict[str, str]:
    """Strings that a C program reads with ModelMetadataLookupCustomMetadataMap."""
    height = width = config.image_size
    return {
        "posegen.schema": str(SCHEMA),
        "posegen.graph": graph,
        "posegen.arch": config.arch.value,
        "posegen.preset": config.preset,
        "posegen.variant": config.variant.value,
        "posegen.image_height": str(height),
        "posegen.image_width": str(width),
        "posegen.channel_order": "RGB",
        "posegen.inputs": ",".join(spec.name for spec in specs),
        **{f"posegen.input.{spec.name}": spec.meaning for spec in specs},
    }
