"""Graph → engine: parse, set what was asked for, build."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from posegen_runtime.engines.bindings import (
    Builder,
    IBuilderConfig,
    IHostMemory,
    INetworkDefinition,
    IOptimizationProfile,
    ITensor,
    ITimingCache,
)
from posegen_runtime.engines.flavors import Flavor, TensorRT
from posegen_runtime.engines.gpu import Capability
from posegen_runtime.engines.monitor import progress_monitor
from posegen_runtime.engines.network import parse
from posegen_runtime.engines.options import BuildOptions, Profile
from posegen_runtime.engines.precision import Layers, check_layers, network_layers
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import TensorSpec
from posegen_runtime.paths import read_bytes, write_atomic


@dataclass(frozen=True)
class Job:
    """One engine to build. `profile` and `target` are decided, whatever `options` leaves open."""

    model: Path
    inputs: list[TensorSpec]
    precision: str
    shared: bool
    """Whether inputs with the leading dimension "C" have one row for all masks."""
    profile: Profile
    target: Capability | None
    options: BuildOptions


@dataclass(frozen=True)
class Built:
    plan: IHostMemory
    """The engine's bytes."""
    layers: Layers
    """What the parsed network computes in."""
    seconds: float


def build(tensorrt: TensorRT, job: Job, stop: threading.Event) -> Built:
    """Build one engine, until `stop` is set; not for the main thread (`monitor.run_stoppable`).

    Raises `PoseGenError` with TensorRT's reasons when it refuses the graph or cannot build it, and
    when the graph does not compute in the precision that was asked for.
    """
    trt = tensorrt.module
    with tensorrt.logger.collect() as heard:
        try:
            builder: Builder = trt.Builder(tensorrt.logger)
        except TypeError as error:  # how the bindings tell that the library gave no builder
            raise PoseGenError(
                f"{tensorrt}: cannot build here ({heard}); repair the NVIDIA driver"
            ) from error
    network = parse(tensorrt, builder, job.model, job.inputs)
    layers = network_layers(tensorrt, network)
    check_layers(job.precision, layers, job.model)
    config: IBuilderConfig = builder.create_builder_config()
    _configure(tensorrt, config, job)
    # It must outlive the build.
    times: ITimingCache | None = _timing_cache(tensorrt, config, job.options.timing_cache)
    config.add_optimization_profile(_profile(builder, network, job))
    start = time.monotonic()
    with (
        tensorrt.logger.collect() as heard,
        progress_monitor(trt, job.model.stem, stop) as monitor,
    ):
        config.progress_monitor = monitor
        plan = None if stop.is_set() else builder.build_serialized_network(network, config)
    if plan is None:
        raise PoseGenError(
            f"{job.model}: {tensorrt} cannot build an engine for batches {job.profile} ({heard}); "
            "mend that, lower --max-batch, or use another backend"
        )
    if job.options.timing_cache is not None and times is not None:
        write_atomic(job.options.timing_cache, memoryview(times.serialize()))
    return Built(plan, layers, time.monotonic() - start)


def _configure(tensorrt: TensorRT, config: IBuilderConfig, job: Job) -> None:
    """No flag lowers precision: the graph has it. FP32 is not TF32, and a batch's size changes no
    image where the version can promise that."""
    trt = tensorrt.module
    options = job.options
    config.clear_flag(trt.BuilderFlag.TF32)
    if tensorrt.has("BuilderFlag.DISTRIBUTIVE_INDEPENDENCE"):
        config.set_flag(trt.BuilderFlag.DISTRIBUTIVE_INDEPENDENCE)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # so that the inspector has types
    if options.workspace is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace)
    if options.version_compatible:
        config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)
    if options.hardware_compatible:
        config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.AMPERE_PLUS
    if job.target is not None and tensorrt.flavor is Flavor.RTX:
        _set_target(tensorrt, config, job.target)


def _set_target(tensorrt: TensorRT, config: IBuilderConfig, target: Capability) -> None:
    trt = tensorrt.module
    known = trt.ComputeCapability.__members__
    member = known.get(f"SM{target[0]}{target[1]}")
    if member is None:
        names = ", ".join(f"{name[2:-1]}.{name[-1]}" for name in known if name.startswith("SM"))
        raise PoseGenError(
            f"--compute-capability {target[0]}.{target[1]}: {tensorrt} builds for {names}"
        )
    config.num_compute_capabilities = 1
    config.set_compute_capability(member, 0)


def _timing_cache(
    tensorrt: TensorRT, config: IBuilderConfig, file: Path | None
) -> ITimingCache | None:
    """What the build reads measured times from and adds its own to; None without a `file`."""
    if file is None:
        return None
    data = read_bytes(file) if file.is_file() else b""
    with tensorrt.logger.collect() as heard:
        cache: ITimingCache = config.create_timing_cache(data)
        fits = cache is not None and config.set_timing_cache(cache, False)
    if not fits:
        raise PoseGenError(
            f"--timing-cache {file}: {tensorrt} does not take it ({heard}); it may be of another "
            "version or GPU: name another file"
        )
    return cache


def _profile(builder: Builder, network: INetworkDefinition, job: Job) -> IOptimizationProfile:
    rows = (job.profile.min_batch, job.profile.opt_batch, job.profile.max_batch)
    of_one = {spec.name for spec in job.inputs if job.shared and spec.shape[0] == "C"}
    profile: IOptimizationProfile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor: ITensor = network.get_input(index)
        rest = tuple(tensor.shape)[1:]
        counts = (1, 1, 1) if tensor.name in of_one else rows
        profile.set_shape(tensor.name, *((count, *rest) for count in counts))
    return profile
