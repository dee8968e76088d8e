"""`posegen-export trt`: the engines of a bundle, built ahead of the first run.

Needs neither torch nor onnx: the runtime builds, and would build the same engines by itself.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posegen_runtime.console import EXIT_SOME_FAILED
from posegen_runtime.errors import PoseGenError

if TYPE_CHECKING:
    from posegen_runtime.bundle import Bundle
    from posegen_runtime.engines import BuildOptions, EngineFile, Profile

MIB = 2**20


def trt(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder.")],
    precision: Annotated[
        str, typer.Option(help="Variant of the bundle: fp32, fp16 or int8.")
    ] = "fp32",
    flavor: Annotated[
        str, typer.Option(help="auto (what is installed), tensorrt, or rtx.")
    ] = "auto",
    min_batch: Annotated[int | None, typer.Option(min=1, help="Fewest images. Default: 1.")] = None,
    opt_batch: Annotated[
        int | None, typer.Option(min=1, help="Images to tune for. Default: the most.")
    ] = None,
    max_batch: Annotated[
        int | None, typer.Option(min=1, help="Most images. Default: what the bundle was proven to.")
    ] = None,
    workspace: Annotated[
        int | None,
        typer.Option(min=1, metavar="MIB", help="Most scratch memory. Default: all there is."),
    ] = None,
    timing_cache: Annotated[
        Path | None, typer.Option(help="File of measured times: read, and written after a build.")
    ] = None,
    compute_capability: Annotated[
        str | None,
        typer.Option(metavar="X.Y", help="GPU to build for (rtx). Default: Ampere and later."),
    ] = None,
    version_compatible: Annotated[
        bool, typer.Option("--version-compatible", help="Runs on later TensorRT versions too.")
    ] = False,
    hardware_compatible: Annotated[
        bool, typer.Option("--hardware-compatible", help="Runs on other GPUs from Ampere on too.")
    ] = False,
) -> None:
    """Build the TensorRT engines of BUNDLE into the cache that posegen-run reads."""
    from posegen_runtime.bundle import Bundle
    from posegen_runtime.engines import BuildOptions, ensure_engine
    from posegen_runtime.progress import say

    opened = Bundle.load(bundle)
    options = BuildOptions(
        flavor=flavor,
        profile=_profile(min_batch, opt_batch, max_batch, opened.manifest.max_batch),
        workspace=None if workspace is None else workspace * MIB,
        timing_cache=timing_cache,
        compute_capability=_capability(compute_capability),
        version_compatible=version_compatible,
        hardware_compatible=hardware_compatible,
    )
    for graph in opened.precision(precision).graphs:
        print(_line(graph, precision, ensure_engine(opened, precision, graph, options, tell=say)))
    _prove(opened, precision, options)


def _prove(bundle: "Bundle", precision: str, options: "BuildOptions") -> None:
    """Run the golden set through the engines and print the figures, where this machine's own runs
    would take them; elsewhere that happens when they are first used. Exit code 1: a gate missed.
    """
    from posegen_runtime import engines
    from posegen_runtime.backends.choosing import Choice
    from posegen_runtime.choices import BackendName
    from posegen_runtime.engines.gpu import find_gpu
    from posegen_runtime.generator import PoseGenerator
    from posegen_runtime.selftest import selftest

    gpu = find_gpu()
    if gpu is None or options.compute_capability not in (None, gpu.capability):
        return
    if engines.find_flavor("auto").flavor is not engines.find_flavor(options.flavor).flavor:
        return
    generator = PoseGenerator(bundle, Choice(BackendName.TENSORRT, precision, "built now"))
    verdicts = selftest(generator) if bundle.manifest.golden else []
    for verdict in verdicts:
        print(verdict)
    if any(verdict.missed for verdict in verdicts):
        raise typer.Exit(EXIT_SOME_FAILED)


def _profile(low: int | None, opt: int | None, high: int | None, largest: int) -> "Profile | None":
    from posegen_runtime.engines import Profile

    if low is None and opt is None and high is None:
        return None
    high = largest if high is None else high
    return Profile(1 if low is None else low, high if opt is None else opt, high)


def _capability(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,2})\.(\d)", text)
    if found is None:
        raise PoseGenError(f"--compute-capability {text}: write it like 8.6")
    return int(found[1]), int(found[2])


def _line(graph: str, variant: str, file: "EngineFile") -> str:
    from posegen_runtime.engines.ensure import of_variant
    from posegen_runtime.engines.precision import describe

    sidecar = file.sidecar
    layers = sidecar.engine_layers or sidecar.network_layers
    source = "engine" if sidecar.engine_layers else "graph"
    return (
        f"{of_variant(graph, sidecar.identity.precision, variant)}: "
        f"batches {sidecar.identity.profile}, {sidecar.bytes / 1e6:.1f} MB, "
        f"built in {sidecar.seconds:.1f} s, {source} has {describe(layers)}\n  {file.path}"
    )
