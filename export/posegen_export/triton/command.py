"""The command `posegen-export triton`."""

from pathlib import Path
from typing import Annotated

import typer

from posegen_export.triton.serving import Device, Options, Role, ServingBackend
from posegen_runtime.errors import PoseGenError

CACHE_BYTES = 2**28
"""What the printed command gives the server for encoded conditions: 128 pairs or more."""

LONGEST_DELAY = 60_000_000
"""Microseconds: a minute."""


def triton(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Model repository: made, or added to.")],
    name: Annotated[str, typer.Option(help="Name of the model. Default: the bundle's.")] = "",
    precision: Annotated[
        str, typer.Option(help="Variant of the bundle: fp32, fp16 or int8.")
    ] = "fp32",
    backend: Annotated[
        ServingBackend,
        typer.Option(
            help="onnx: ONNX Runtime. onnx-tensorrt: it builds a TensorRT engine in the server "
            "(fp32). tensorrt: engines built here, for this GPU and version of TensorRT."
        ),
    ] = ServingBackend.ONNX,
    device: Annotated[
        Device, typer.Option(help="auto: the server's GPUs if it has any, else its CPU.")
    ] = Device.AUTO,
    instances: Annotated[
        int, typer.Option(min=1, max=256, help="Copies that run at once, on each GPU or the CPU.")
    ] = 1,
    threads: Annotated[
        int, typer.Option(min=0, help="CPU threads of a copy. Default: one for each core.")
    ] = 0,
    max_batch: Annotated[
        int | None,
        typer.Option(min=1, help="Most images at once. Default: what the bundle was proven to."),
    ] = None,
    preferred_batch: Annotated[
        str,
        typer.Option(metavar="N,N…", help="Batches worth waiting for. Default: the largest."),
    ] = "",
    queue_delay: Annotated[
        int,
        typer.Option(
            min=0,
            max=LONGEST_DELAY,
            metavar="MICROSECONDS",
            help="How long a request waits for others to join it.",
        ),
    ] = 0,
    engine_cache: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            help="Folder in the server where onnx-tensorrt keeps its engines. Default: none is "
            "kept.",
        ),
    ] = "",
) -> None:
    """Add BUNDLE to a model repository of Triton Inference Server."""
    from posegen_export.triton.repository import write_repository
    from posegen_runtime.bundle import Bundle
    from posegen_runtime.progress import say

    opened = Bundle.load(bundle)
    options = Options(
        name=name or opened.manifest.name,
        precision=precision,
        backend=backend,
        device=device,
        instances=instances,
        threads=threads,
        max_batch=max_batch or opened.manifest.max_batch,
        preferred=_sizes(preferred_batch),
        queue_delay=queue_delay,
        engine_cache=engine_cache,
    )
    written = write_repository(opened, options, out, say)
    for model in written.models:
        takes = ", ".join(spec.name for spec in model.inputs)
        print(f"{out / model.name}: version {written.version}, {takes}")
    if not written.is_new:
        print("that version was there already; its configuration is up to date")
    print(f"serve it: {_command(out, options, written.models[-1].role)}")


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in text.split(",")})) if text else ()
    except ValueError as error:
        raise PoseGenError(f"--preferred-batch {text}: write it like 8,16") from error


def _command(out: Path, options: Options, last: Role) -> str:
    """How to start the server, in a container or beside it."""
    parts = [f"tritonserver --model-repository={out.resolve()}"]
    if options.backend is ServingBackend.ONNX_TENSORRT:
        # ONNX Runtime has no option for this, and TensorRT's own choice is TF32.
        parts.insert(0, "NVIDIA_TF32_OVERRIDE=0")
    if last is Role.SHARED:
        parts.append(f"--cache-config=local,size={CACHE_BYTES}")
    return " ".join(parts)
