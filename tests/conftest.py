"""What several rooms' tests share: checkpoints and bundles whose output really depends on the mask.

On freshly initialised weights a broken graph passes every parity gate, so no test uses those.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from shared import made_once, shared_folder

SIZE = 64

# Tests run side by side; threads that wait for each other's cores make each many times slower.
# Set before torch is imported, and inherited by the commands that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a shell starts in the background ignores Ctrl-C, and so would commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def moving_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """(arch, variant) → a `tiny` checkpoint at 64 px; made once in a session, not to be changed.

    A variant that ends in "+viewpoint" is that variant of a model that takes the viewpoint too.
    """
    folder = shared_folder(tmp_path_factory, "checkpoints")

    def make(arch: str, variant: str) -> Path:
        from posegen.config import Arch, ModelConfig, Variant
        from posegen_export.moving import save_moving_checkpoint

        path = folder / f"{arch}-{variant}.safetensors"
        plain, plus, _ = variant.partition("+")
        config = ModelConfig(
            arch=Arch(arch),
            preset="tiny",
            variant=Variant(plain),
            image_size=SIZE,
            viewpoint=bool(plus),
        )
        return made_once(path, lambda: save_moving_checkpoint(path, config))

    return make


@pytest.fixture(scope="session")
def exported_bundle(
    tmp_path_factory: pytest.TempPathFactory, moving_checkpoint: Callable[[str, str], Path]
) -> Callable[..., Path]:
    """(arch, variant, precisions = "fp32") → the bundle of `moving_checkpoint`; made once, not to
    be changed. With "fp32,fp16" it has both."""
    folder = shared_folder(tmp_path_factory, "bundles")

    def export(arch: str, variant: str, precisions: str = "fp32") -> Path:
        from posegen_export.export import export_bundle, load_source, make_inputs

        path = folder / f"{arch}-{variant}-{precisions}"

        def make() -> None:
            source = load_source(moving_checkpoint(arch, variant))
            inputs = make_inputs(source.config, None, 12, seed=0)
            export_bundle(
                source,
                path,
                inputs,
                name=path.name,
                max_batch=5,
                precisions=precisions.split(","),
            )

        return made_once(path, make)

    return export
