"""The paper's capacity and the edge preset at 256 px; `precision_table.py --made all` does all."""

import math

import pytest

from posegen.config import Arch, ModelConfig, Variant
from posegen_export.export import export_bundle, load_source, make_inputs
from posegen_export.moving import save_moving_checkpoint

MIB = 2**20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arch", "preset", "variant"),
    [
        (Arch.BOTTLENECK, "paper", Variant.POSE),
        (Arch.SPATIAL, "edge", Variant.POSE_APPEARANCE_BACKGROUND),
    ],
)
def test_full_size_models_pass_the_gate(tmp_path, arch, preset, variant):
    config = ModelConfig(arch=arch, preset=preset, variant=variant, image_size=256)
    save_moving_checkpoint(tmp_path / "c.safetensors", config)
    source = load_source(tmp_path / "c.safetensors")
    inputs = make_inputs(config, None, 8, seed=1)
    manifest, figures = export_bundle(
        source,
        tmp_path / "bundle",
        inputs,
        name="full",
        max_batch=4,
        precisions=("fp32", "fp16"),
    )
    full, half = figures["fp32"].values(), figures["fp16"].values()
    assert all(f.max_difference <= 1 and f.mean_difference <= 0.01 for f in full)
    assert all(f.psnr >= 40 and f.psnr_worst >= 35 for f in half)
    graphs = manifest.precisions[0].graphs
    if "conditions" in graphs:
        shapes = [spec.shape[1:] for spec in graphs["conditions"].outputs]
        encoded = sum(4 * math.prod(int(dim) for dim in shape) for shape in shapes)
        assert encoded <= 2 * MIB
