"""Closest training silhouette by IoU, all pairs: oracle 3 at the size of Stanford Cars.

    python benchmarks/nearest_mask.py --threads 2

Draws ellipses with a bite taken out, packs them, and prints seconds, processor time and memory of
the search alone.
"""

import resource
import time
from collections.abc import Iterator
from typing import Annotated

import cv2
import numpy as np
import typer

from posegen.data.prepared import Pixels
from posegen.metrics.nearest import closest, pack
from posegen_runtime.console import run_app

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def main(
    wanted: Annotated[int, typer.Option(min=1, help="Silhouettes to find one for.")] = 1500,
    training: Annotated[int, typer.Option(min=1, help="Silhouettes to choose from.")] = 12000,
    size: Annotated[int, typer.Option(min=8, help="Their side in pixels.")] = 256,
    threads: Annotated[int | None, typer.Option(min=1, help="PyTorch's.")] = None,
) -> None:
    """Measure and print."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    generator = np.random.default_rng(0)
    left, right = (pack(drawn(count, size, generator)) for count in (wanted, training))
    before = peak()
    start, busy = time.perf_counter(), time.process_time()
    _, iou = closest(left, right)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    print(
        f"{wanted} x {training} masks of {size} px on {torch.get_num_threads()} threads: "
        f"{seconds:.1f} s, {busy:.1f} s of processor time, mean IoU {iou.mean():.3f}, memory "
        f"{before:.0f} MB before, {peak():.0f} MB at most"
    )


def drawn(count: int, size: int, generator: np.random.Generator) -> Iterator[Pixels]:
    """Silhouettes uint8 [1, size, size] in {0, 255}."""
    for _ in range(count):
        mask = np.zeros((1, size, size), np.uint8)
        centre, axes = generator.uniform(0.4, 0.6, 2), generator.uniform(0.15, 0.4, 2)
        turn = generator.uniform(0, 180)
        cv2.ellipse(mask[0], *_pixels(centre, axes, size), turn, 0, 360, 255, -1)
        bite = generator.uniform(0.05, 0.12, 2)
        cv2.ellipse(mask[0], *_pixels(centre + axes / 2, bite, size), 0, 0, 360, 0, -1)
        yield mask


def _pixels(centre: np.ndarray, axes: np.ndarray, size: int) -> tuple[list[int], list[int]]:
    return (centre * size).astype(int).tolist(), (axes * size).astype(int).tolist()


def peak() -> float:
    """MB of memory that this process has held at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    raise SystemExit(run_app(app))
