"""`posegen-export check`: is this bundle still the images of that checkpoint?"""

import numpy as np

from posegen_export.export import Source
from posegen_export.inputs import Feeds, Inputs
from posegen_export.int8_graphs import INT8
from posegen_export.int8_parity import golden_set, load_graphs, measure_ways
from posegen_export.parity import load_backends, measure
from posegen_export.reference import reference_images
from posegen_export.variants import FP16, FP32, Figures, measure_half
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import read_rgb
from posegen_runtime.parity import ParityFigures, compare


def check_bundle(bundle: Bundle, source: Source, inputs: Inputs) -> dict[str, Figures]:
    """For each precision of the bundle, the figures of each way to an image over `inputs`.

    FP16 has ``module`` too, the checkpoint in half precision in PyTorch; FP32 ``golden files``:
    the images stored in the bundle against what the checkpoint makes today. INT8, which holds for
    inputs like those that it was calibrated on, is measured on the golden ones instead.
    Raises `PoseGenError` when bundle and checkpoint are of different models.
    """
    manifest, config = bundle.manifest, source.config
    kind = (manifest.arch, manifest.preset, manifest.variant)
    held = _label(*kind, manifest.image_size[0], bundle.takes_viewpoint)
    kind = (config.arch.value, config.preset, config.variant.value)
    given = _label(*kind, config.image_size, config.viewpoint)
    if held != given:
        raise PoseGenError(
            f"{bundle.root}: the bundle is {held}, the checkpoint {given}; "
            "name the checkpoint it was exported from"
        )
    figures: dict[str, Figures] = {}
    for variant in manifest.precisions:
        name = variant.precision
        if name == INT8:
            figures[name] = _int8(bundle, source)
        else:
            backends = load_backends(bundle.root, variant.graphs)
            figures[name] = measure(source.generator, backends, inputs, manifest.max_batch)
    figures[FP32]["golden files"] = _golden(bundle, source)
    if FP16 in figures:
        half = source.generator.half_precision()
        figures[FP16]["module"], _ = measure_half(source.generator, half, inputs)
    return figures


def _label(arch: str, preset: str, variant: str, size: int, viewpoint: bool) -> str:
    return f"{arch}/{preset}/{variant} at {size} px{' with viewpoint' if viewpoint else ''}"


def _int8(bundle: Bundle, source: Source) -> Figures:
    fp32, int8 = (load_graphs(bundle.root, bundle.precision(p).graphs) for p in (FP32, INT8))
    feeds, _ = golden_set(bundle)
    reference = reference_images(source.generator, feeds)
    return measure_ways(fp32, int8, feeds, reference, bundle.manifest.max_batch)


def _golden(bundle: Bundle, source: Source) -> ParityFigures:
    goldens = bundle.manifest.golden

    def stack(name: str) -> np.ndarray:
        images = [read_rgb(bundle.path(getattr(golden, name))) for golden in goldens]
        return np.stack(images)

    feeds: Feeds = {name: stack(name) for name in source.config.variant.inputs}
    feeds["mask"] = np.ascontiguousarray(feeds["mask"][..., 0])
    if source.config.viewpoint:
        feeds["viewpoint"] = np.array([golden.viewpoint for golden in goldens], np.float32)
    return compare(stack("image"), reference_images(source.generator, feeds), feeds["mask"])
