"""Training images a second from `posegen_runtime.torch.GeneratedImages`, by DataLoader workers.

    python benchmarks/data_loader.py
    python benchmarks/data_loader.py BUNDLE --workers 0 --workers 4 --images 2000

On made-up silhouettes, with another background for each image. Loading the model in each worker is
left out: the clock starts with the second batch.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from posegen_runtime.bundle import Bundle
from posegen_runtime.console import run_app
from posegen_runtime.generator import SHIPPED_BUNDLE

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def main(
    bundle: Annotated[Path, typer.Argument(help="Exported model.")] = SHIPPED_BUNDLE,
    workers: Annotated[list[int] | None, typer.Option(min=0, help="Workers to try.")] = None,
    images: Annotated[int, typer.Option(min=64, help="Images in each measurement.")] = 400,
    batch: Annotated[int, typer.Option(min=1, help="Samples in a batch.")] = 16,
    rounds: Annotated[int, typer.Option(min=1, help="How often all take their turn.")] = 3,
) -> None:
    """Measure the loader that makes its images."""
    from posegen_export.synthetic import write_folders

    tried = workers or [0, 1, 2]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        opened = Bundle.load(bundle)
        write_folders(folder, opened.image_size[0], images)
        conditions = {kind: folder / kind for kind in opened.conditions}
        found: dict[int, list[float]] = {number: [] for number in tried}
        for _ in range(rounds):
            for number in tried:
                found[number].append(rate(bundle, folder / "masks", conditions, number, batch))
    for number in tried:
        best = sorted(found[number])
        middle = best[len(best) // 2]
        print(f"{number} workers: {middle:.1f} images/s ({best[0]:.1f} to {best[-1]:.1f})")


def rate(bundle: Path, masks: Path, conditions: dict[str, Path], workers: int, batch: int) -> float:
    """Images a second after the first batch."""
    from torch.utils.data import DataLoader

    from posegen_runtime.torch import GeneratedImages

    data = GeneratedImages(masks, bundle=bundle, **conditions)  # type: ignore[arg-type]
    batches = iter(DataLoader(data, batch_size=batch, num_workers=workers))
    next(batches)
    start = time.perf_counter()
    made = sum(len(each["name"]) for each in batches)
    return made / (time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(run_app(app))
