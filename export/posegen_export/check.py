"""`posegen-export check`: is this bundle still the images of that checkpoint?"""

from dataclasses import dataclass

from posegen_export.export import Source
from posegen_export.inputs import Inputs
from posegen_export.int8_graphs import INT8
from posegen_export.overflow import overflowing
from posegen_export.parity import measure
from posegen_export.reference import reference_images
from posegen_export.variants import FP16, FP32, Figures, measure_half, missed_by
from posegen_export.ways import load_graphs
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from posegen_runtime.golden import golden_set
from posegen_runtime.parity import compare


@dataclass(frozen=True)
class Checked:
    """For each precision of a bundle, the figures of each way to an image; `missed`: a line for
    each gate missed."""

    figures: dict[str, Figures]
    missed: list[str]


def check_bundle(bundle: Bundle, source: Source, inputs: Inputs) -> Checked:
    """Measure every precision of the bundle over `inputs`, as the export does.

    FP16 has ``module`` too, the checkpoint in half precision in PyTorch, whose activations must
    keep their limit; FP32 ``golden files``: the images stored in the bundle against what the
    checkpoint makes today. INT8, which holds for inputs like those that it was calibrated on, is
    measured on the golden ones instead.
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
    generator, figures = source.generator, {}
    golden, stored = golden_set(bundle, FP32)
    for variant in manifest.precisions:
        name = variant.precision
        feeds = golden_set(bundle, INT8)[0] if name == INT8 else inputs.feeds(config.inputs)
        graphs = load_graphs(bundle.root, variant.graphs)
        figures[name] = measure(generator, graphs, feeds, manifest.max_batch, name)
    remade = reference_images(generator, golden)
    figures[FP32]["golden files"] = compare(stored, remade, golden["mask"])
    overflow: list[str] = []
    if FP16 in figures:
        half = generator.half_precision()
        figures[FP16]["module"], peaks = measure_half(generator, half, inputs)
        overflow = [f"{FP16} {line}" for line in overflowing(peaks)]
    missed = [f"{p} {line}" for p, ways in figures.items() for line in missed_by(ways, p)]
    return Checked(figures, [*overflow, *missed])


def _label(arch: str, preset: str, variant: str, size: int, viewpoint: bool) -> str:
    return f"{arch}/{preset}/{variant} at {size} px{' with viewpoint' if viewpoint else ''}"
