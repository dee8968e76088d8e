"""Which backend and precision is fastest on this machine's CPU, one image on one thread.

    python benchmarks/backends.py                 # the shipped model, and the paper's pose-only one
    python benchmarks/backends.py bundles/cars    # bundles of your own

All take their turn in each round, and ratios are taken within rounds. What counts is the time of
the processor, so that other work on the machine does not. The paper's model has made-up
weights, which cost the same. INT8 shows where a bundle holds it.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from posegen_runtime.backends.choosing import installed_on_cpu
from posegen_runtime.backends.speed import sample_backends
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.console import run_app
from posegen_runtime.generator import SHIPPED_BUNDLE

REFERENCE = (BackendName.CPU, "fp32")
PRECISIONS = ("fp32", "int8")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def main(
    bundles: Annotated[
        list[Path] | None, typer.Argument(help="Bundles. Default: the shipped, and the paper's.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each takes its turn.")] = 31,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print milliseconds an image, and images a second as a ratio to ONNX Runtime's FP32."""
    with tempfile.TemporaryDirectory() as folder:
        paths = bundles or [SHIPPED_BUNDLE, _paper(Path(folder))]
        results = [measure(Bundle.load(path), rounds) for path in paths]
    print(json.dumps(results, indent=2) if as_json else "\n\n".join(map(_table, results)))


def measure(bundle: Bundle, rounds: int) -> dict[str, Any]:
    """Figures of every installed CPU backend on every precision that `bundle` holds."""
    held = [p.precision for p in bundle.manifest.precisions if p.precision in PRECISIONS]
    candidates = [(backend, precision) for precision in held for backend in installed_on_cpu()]
    samples = sample_backends(candidates, bundle, rounds)
    rows = {}
    for (backend, precision), seconds in samples.items():
        ratios = [a / b for a, b in zip(samples[REFERENCE], seconds, strict=True)]
        rows[f"{backend.value} {precision}"] = {
            "milliseconds": round(1000 * statistics.median(seconds), 2),
            "fastest": round(1000 * min(seconds), 2),
            "ratio": round(statistics.median(ratios), 3),
        }
    manifest = bundle.manifest
    model = f"{manifest.arch}/{manifest.preset}, {manifest.variant}"
    return {"bundle": manifest.name, "model": model, "rounds": rounds, "backends": rows}


def _paper(folder: Path) -> Path:
    """A bundle of the paper's pose-only model, INT8 included."""
    from made_models import made_bundle

    from posegen.config import Arch, ModelConfig, Variant

    config = ModelConfig(arch=Arch.BOTTLENECK, preset="paper", variant=Variant.POSE)
    return made_bundle(folder, config, "paper").root


def _table(result: dict[str, Any]) -> str:
    lines = [f"{result['bundle']} ({result['model']}), {result['rounds']} rounds"]
    lines.append(f"{'':16}{'ms':>9}{'fastest':>9}{'ratio':>8}")
    for name, row in result["backends"].items():
        lines.append(f"{name:16}{row['milliseconds']:9.2f}{row['fastest']:9.2f}{row['ratio']:8.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run_app(app))
