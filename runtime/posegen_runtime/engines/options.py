"""What can be asked of an engine."""

from pathlib import Path

import msgspec

from posegen_runtime.engines.flavors import Flavor, TensorRT
from posegen_runtime.engines.gpu import Capability
from posegen_runtime.errors import PoseGenError


class Profile(msgspec.Struct, frozen=True):
    """Batch sizes that an engine takes, and the one that it is tuned for."""

    min_batch: int
    opt_batch: int
    max_batch: int

    def check(self, largest: int) -> None:
        """Raise `PoseGenError` unless 1 <= min <= opt <= max <= `largest`."""
        if not 1 <= self.min_batch <= self.opt_batch <= self.max_batch:
            raise PoseGenError(
                f"batches {self}: must be 1 <= --min-batch <= --opt-batch <= --max-batch"
            )
        if self.max_batch > largest:
            raise PoseGenError(
                f"--max-batch {self.max_batch}: the bundle was proven up to {largest} images; "
                "take fewer, or export it with a larger --max-batch"
            )

    def __str__(self) -> str:
        return f"{self.min_batch}..{self.opt_batch}..{self.max_batch}"


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to build, and which engine of the cache will do.

    What is None or False was not asked for: a build takes the default, and an engine of the cache
    may have any.
    """

    flavor: Flavor | str = "auto"
    profile: Profile | None = None
    """Default: from 1 image to the bundle's largest batch, tuned for that."""
    workspace: int | None = None
    """Most scratch memory in bytes that a layer may use. Default: what the GPU has."""
    timing_cache: Path | None = None
    """File with measured layer times, read before a build and written after it."""
    compute_capability: Capability | None = None
    """GPU to build for; TensorRT-RTX only. Default: every GPU from Ampere on."""
    version_compatible: bool = False
    """Also runs on later versions of TensorRT."""
    hardware_compatible: bool = False
    """Also runs on other GPUs, from Ampere on."""

    def check(self, tensorrt: TensorRT, largest_batch: int) -> None:
        """Raise `PoseGenError` naming an option that `tensorrt` refuses, or a wrong profile."""
        asked = {
            "--timing-cache": self.timing_cache is not None,
            "--compute-capability": self.compute_capability is not None,
            "--version-compatible": self.version_compatible,
            "--hardware-compatible": self.hardware_compatible,
        }
        for option, given in asked.items():
            if given:
                tensorrt.refuse(option)
        if self.timing_cache is not None and not self.timing_cache.absolute().parent.is_dir():
            raise PoseGenError(
                f"--timing-cache {self.timing_cache}: no such folder; make it, or name another file"
            )
        if self.profile is not None:
            self.profile.check(largest_batch)
