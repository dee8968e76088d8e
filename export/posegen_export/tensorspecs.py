"""What each graph takes and returns, for `bundle.json` and for the ONNX metadata."""

from collections.abc import Mapping

from torch import Tensor

from posegen.config import ModelConfig
from posegen_runtime.bundle import SCHEMA, TensorSpec

MEANINGS = {
    "mask": "silhouette of the object: values above 127 are the object",
    "appearance": "RGB photo of the object, at any pose",
    "background": "RGB photo of the scene without the object",
    "image": "RGB image of the object as the mask poses it",
}


def pixel_specs(names: tuple[str, ...], size: tuple[int, int]) -> list[TensorSpec]:
    """Specs of uint8 inputs or outputs: `mask` [N, H, W], all others [N, H, W, 3]."""
    return [
        TensorSpec(
            name=name,
            dtype="uint8",
            shape=["N", *size] if name == "mask" else ["N", *size, 3],
            meaning=MEANINGS[name],
        )
        for name in names
    ]


def condition_specs(conditions: Mapping[str, Tensor], leading: str) -> list[TensorSpec]:
    """Specs of encoded conditions, float32, with the leading dimension "N" or "C"."""
    return [
        TensorSpec(
            name=name,
            dtype="float32",
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
