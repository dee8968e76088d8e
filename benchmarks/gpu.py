"""Throughput on an NVIDIA GPU, everything in one go.

    python benchmarks/gpu.py --out gpu.json
    python benchmarks/gpu.py --checkpoint CHECKPOINT --bundle BUNDLE

For each backend and precision that is installed and held: milliseconds a call (median, 95th and
99th percentile) and images a second by batch size, from uint8 arrays in host memory to uint8 arrays
in host memory; the same for PyTorch, eager and compiled, in FP32 and FP16; and `posegen-run` from
mask files to PNG with labels. Prints a table and writes JSON.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from posegen_runtime.backends.base import one_line
from posegen_runtime.backends.opening import open_backend
from posegen_runtime.backends.speed import render_call
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.console import run_app
from posegen_runtime.engines.gpu import find_gpu
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import SHIPPED_BUNDLE
from posegen_runtime.options import RunOptions
from posegen_runtime.run import run

CHECKPOINT = Path(__file__).parents[1] / "checkpoints" / "edge-cars.safetensors"
ON_GPU = (BackendName.TENSORRT, BackendName.CUDA)
WARM_UP = 10
MASKS = 2048
"""Of the end-to-end run."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)
Row = dict[str, Any]


@app.command()
def main(
    bundle: Annotated[Path, typer.Option(help="Exported model.")] = SHIPPED_BUNDLE,
    checkpoint: Annotated[Path, typer.Option(help="Where the bundle came from.")] = CHECKPOINT,
    out: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("gpu.json"),
    calls: Annotated[int, typer.Option(min=1, help="Timed calls of each kind.")] = 100,
) -> None:
    """Measure every backend on the GPU beside PyTorch."""
    gpu = find_gpu()
    if gpu is None:
        raise PoseGenError(
            "benchmarks/gpu.py: no NVIDIA GPU here; run it where `nvidia-smi` shows one"
        )
    opened = Bundle.load(bundle)
    sizes = batch_sizes(opened.manifest.max_batch)
    rows: list[Row] = []
    missing: list[str] = []
    for name in ON_GPU:
        for precision in (held.precision for held in opened.manifest.precisions):
            with noting(f"{name.value} {precision}", missing):
                rows += engine_rows(opened, name, precision, sizes, calls)
                rows.append(run_row(opened, name, precision, MASKS))
    rows += torch_rows(checkpoint, "cuda", sizes, calls, missing)
    result = {
        "gpu": gpu.name,
        "capability": list(gpu.capability),
        "bundle": opened.manifest.name,
        "not_measured": missing,
        "rows": rows,
    }
    print(table(result))
    out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written: {out}")


@contextmanager
def noting(what: str, missing: list[str]) -> Iterator[None]:
    """Note in `missing` why `what` failed, and go on: the other figures took minutes on a machine
    that may be rare."""
    try:
        yield
    except Exception as error:
        missing.append(f"{what}: {one_line(error) or type(error).__name__}")


def batch_sizes(largest: int) -> list[int]:
    """1, 4, 16, … and the largest."""
    return sorted({size for size in (1, 4, 16, 64) if size < largest} | {largest})


def engine_rows(
    bundle: Bundle, name: BackendName, precision: str, sizes: list[int], calls: int
) -> list[Row]:
    """One backend and precision, called by one thread, by batch size."""
    graph = "generator_cached" if bundle.conditions else "generator"
    backend = open_backend(name, bundle, precision, graph)
    spec = bundle.precision(precision).graphs[graph]
    return [
        {
            "what": f"{name.value} {precision}",
            "engine": backend.description,
            **percentiles(render_call(backend, spec, size), size, calls),
        }
        for size in sizes
    ]


def run_row(bundle: Bundle, name: BackendName, precision: str, masks: int) -> Row:
    """`posegen-run` from mask files to images and labels, without loading; its second run."""
    with tempfile.TemporaryDirectory() as folder:
        _copy_masks(bundle, Path(folder) / "masks", masks)
        for number in range(2):
            options = RunOptions(
                masks=Path(folder) / "masks",
                out=Path(folder) / f"out{number}",
                bundle=bundle.root,
                backend=name,
                precision=precision,
            )
            outcome = run(options)
    return {
        "what": f"posegen-run {name.value} {precision}",
        "images": outcome.made,
        "images_per_second": round(outcome.made / outcome.seconds, 1),
    }


def torch_rows(
    checkpoint: Path, device: str, sizes: list[int], calls: int, missing: list[str]
) -> list[Row]:
    """The checkpoint in PyTorch: eager and compiled, FP32 (no TF32) and FP16 by autocast. What
    fails is noted in `missing`."""
    try:
        import torch
    except ImportError as error:
        missing.append(f"torch: {error}")
        return []
    if device == "cuda" and not torch.cuda.is_available():
        missing.append("torch: this build of PyTorch finds no GPU")
        return []
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    rows = []
    for compiled in (False, True):
        for precision in ("fp32", "fp16"):
            what = f"torch {'compile' if compiled else 'eager'} {precision}"
            with noting(what, missing):
                for size in sizes:
                    call = torch_call(checkpoint, device, size, precision == "fp16", compiled)
                    rows.append({"what": what, **percentiles(call, size, calls)})
    return rows


def torch_call(
    checkpoint: Path, device: str, size: int, half: bool, compiled: bool
) -> Callable[[], object]:
    """A call from uint8 arrays to uint8 arrays, as the engines are called, conditions encoded."""
    import torch

    from posegen.checkpoint import load_generator

    generator, _ = load_generator(checkpoint)
    generator = generator.to(device).eval()
    config = generator.config
    side = config.image_size
    image = torch.zeros(1, 3, side, side, device=device)
    inputs = {name: image for name in config.variant.inputs if name != "mask"}
    viewpoint = torch.zeros(size, 3, device=device) if config.viewpoint else None
    decode = torch.compile(generator.decode, dynamic=False) if compiled else generator.decode
    mask = torch.zeros(size, 1, side, side, dtype=torch.uint8)
    mask[:, :, side // 4 : -side // 4, side // 4 : -side // 4] = 255
    mask = mask.pin_memory() if device == "cuda" else mask
    with torch.inference_mode():
        encoded = generator.encode(**inputs)

    @torch.inference_mode()
    def call() -> object:
        with torch.autocast(device, torch.float16, enabled=half):
            seen = (mask.to(device, non_blocking=True) > 127).float()
            images = decode(seen, encoded, viewpoint=viewpoint)
        pixels = ((images.float() + 1) * 127.5).round().clamp(0, 255).byte()
        return pixels.permute(0, 2, 3, 1).contiguous().cpu()

    return call


def percentiles(call: Callable[[], object], size: int, calls: int) -> Row:
    """Every call gives its result to the host, so that it is over when it returns."""
    for _ in range(WARM_UP):
        call()
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    p50, p95, p99 = (1000 * float(np.percentile(seconds, q)) for q in (50, 95, 99))
    return {
        "batch": size,
        "p50_ms": round(p50, 3),
        "p95_ms": round(p95, 3),
        "p99_ms": round(p99, 3),
        "images_per_second": round(1000 * size / p50, 1),
    }


def table(result: Row) -> str:
    """The figures as text."""
    lines = [f"{result['gpu']}, {result['bundle']}"]
    lines.append(f"{'':28}{'batch':>6}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'images/s':>10}")
    for row in result["rows"]:
        times = "".join(f"{row.get(name, ''):>9}" for name in ("p50_ms", "p95_ms", "p99_ms"))
        rate = row["images_per_second"]
        lines.append(f"{row['what']:28}{row.get('batch', ''):>6}{times}{rate:>10}")
    lines += [f"not measured: {line}" for line in result["not_measured"]]
    return "\n".join(lines)


def _copy_masks(bundle: Bundle, folder: Path, count: int) -> None:
    """The golden masks under as many names as it takes."""
    golden = [bundle.path(row.mask) for row in bundle.manifest.golden]
    folder.mkdir()
    for index in range(count):
        shutil.copy(golden[index % len(golden)], folder / f"{index:05}.png")


if __name__ == "__main__":
    sys.exit(run_app(app))
