"""Bundles of every model, with made-up weights that move, in every precision."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from posegen.config import Arch, ModelConfig, Variant
from posegen_calibration.sampling import Sampling
from posegen_export import synthetic
from posegen_export.export import export_bundle, load_source, make_inputs
from posegen_export.int8 import add_int8
from posegen_export.int8_result import Int8Missed, Int8Options
from posegen_export.moving import save_moving_checkpoint
from posegen_runtime.bundle import Bundle
from posegen_runtime.progress import say

IMAGES = 640
"""Of each kind, to calibrate on: enough for the samples that are the default."""
MAX_BATCH = 16


def made_bundles(folder: Path, arch: str, tiny: bool) -> Iterator[Bundle]:
    """Three pose variants of both architectures, or of `arch`, and the largest of ours with the
    viewpoint."""
    presets = {
        Arch.BOTTLENECK: "tiny" if tiny else "paper",
        Arch.SPATIAL: "tiny" if tiny else "edge",
    }
    configs = [
        ModelConfig(arch=arch, preset=preset, variant=variant, image_size=64 if tiny else 256)
        for arch, preset in presets.items()
        for variant in Variant
        if variant.uses_mask
    ]
    configs.append(msgspec.structs.replace(configs[-1], viewpoint=True))
    for config in configs:
        if arch not in ("all", config.arch.value):
            continue
        name = f"{config.arch.value}/{config.preset} {config.variant.value}"
        name += " + viewpoint" if config.viewpoint else ""
        yield made_bundle(folder, config, name)


def made_bundle(folder: Path, config: ModelConfig, name: str) -> Bundle:
    """A bundle below `folder` in FP32, FP16 and INT8; without INT8 where that misses its gate.

    Raises `GateMissed` where another does.
    """
    say(f"making {name}")
    place = folder / name.replace("/", " ")
    place.mkdir()
    save_moving_checkpoint(place / "model.safetensors", config)
    source = load_source(place / "model.safetensors")
    inputs = make_inputs(config, None, 24, seed=1)
    export_bundle(
        source,
        place / "bundle",
        inputs,
        name=name,
        max_batch=MAX_BATCH,
        precisions=["fp32", "fp16"],
    )
    bundle = Bundle.load(place / "bundle")
    try:
        add_int8(bundle, Int8Options(_sampling(folder, config)), say)
    except Int8Missed as missed:
        say(f"{name}: INT8 misses its gate: {missed}")
        return bundle
    return Bundle.load(bundle.root)


def _sampling(folder: Path, config: ModelConfig) -> Sampling:
    root = folder / "calibration"
    if not root.exists():
        synthetic.write_folders(root, config.image_size, IMAGES)
    uses = {
        "appearance": config.variant.uses_appearance,
        "background": config.variant.uses_background,
    }
    given = {kind: root / kind for kind, used in uses.items() if used}
    return Sampling(masks=root / "masks", **given)
