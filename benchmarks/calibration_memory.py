"""Peak memory of an INT8 calibration by number of samples: batches stream, so it must not grow.

python benchmarks/calibration_memory.py BUNDLE --masks DIR [--appearance DIR] [--background DIR]
"""

import resource
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from posegen_calibration.ranges import Method, measure_ranges
from posegen_calibration.sampling import Sampling
from posegen_calibration.source import find_samples
from posegen_export.int8_graphs import decoder, load_models, named
from posegen_runtime.bundle import Bundle

COUNTS = (16, 64, 256)


def main(
    bundle: Path,
    masks: Annotated[Path, typer.Option()],
    appearance: Annotated[Path | None, typer.Option()] = None,
    background: Annotated[Path | None, typer.Option()] = None,
    method: Annotated[Method, typer.Option()] = Method.PERCENTILE,
    only: Annotated[int, typer.Option(help="Measure this number in this process.")] = 0,
) -> None:
    """Print the peak resident memory in MB for each of several numbers of samples."""
    if not only:
        for count in COUNTS:
            command = [sys.executable, *sys.argv, "--only", str(count)]
            subprocess.run(command, check=True)
        return
    opened = Bundle.load(bundle)
    sampling = Sampling(masks=masks, appearance=appearance, background=background, samples=only)
    samples = find_samples(opened, sampling, lambda line: None)
    models = load_models(opened)
    names = {layer.name for layer in named(decoder(models))}
    layers = named(models["generator"], names)
    measure_ranges(models["generator"], layers, lambda: samples.batches(samples.chosen), method)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{only} samples, {method.value}: peak {peak:.0f} MB", flush=True)


if __name__ == "__main__":
    typer.run(main)
