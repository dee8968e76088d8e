"""posegen-run against a plain PyTorch eager loop with PIL, interleaved, as a ratio.

    python benchmarks/run_vs_eager.py CHECKPOINT BUNDLE MASKS [--background DIR] [--appearance DIR]

Both read the same mask files, appearances and backgrounds in the same pairs, generate with the
same weights, and write one PNG each; posegen-run also writes masks, COCO and YOLO labels. The
eager loop reads, generates and writes in turn, as the paper's published code does, at the batch
size that is fastest for it. Loading of models is left out on both sides.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import torch
import typer
from PIL import Image

from posegen.checkpoint import load_generator
from posegen_runtime.choices import BackendName
from posegen_runtime.console import run_app
from posegen_runtime.errors import PoseGenError
from posegen_runtime.options import RunOptions
from posegen_runtime.run import run

BATCHES = (1, 2, 4, 8, 16, 32)
CALIBRATION = 64
"""Images on which the batch sizes of the eager loop are compared."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Eager:
    """The checkpoint in PyTorch eager mode, fed and drained by PIL."""

    def __init__(self, checkpoint: Path) -> None:
        self._generator, _ = load_generator(checkpoint)
        self._size = self._generator.config.image_size
        self._inputs = self._generator.config.variant.inputs

    @torch.inference_mode()
    def run(self, jobs: list[dict[str, Path]], out: Path, batch: int) -> float:
        """Make every job's image; returns seconds."""
        start = time.perf_counter()
        for first in range(0, len(jobs), batch):
            rows = jobs[first : first + batch]
            feeds = {name: self._read(name, [row[name] for row in rows]) for name in self._inputs}
            images = self._generator(**feeds)
            pixels = ((images + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
            for index, image in enumerate(pixels.numpy(), first):
                Image.fromarray(image).save(out / f"{index:06}.png")
        return time.perf_counter() - start

    def _read(self, name: str, paths: list[Path]) -> torch.Tensor:
        """Mask [N, 1, H, W] in {0, 1}; images [N, 3, H, W] in [-1, 1]."""
        size = self._size, self._size
        mode = "L" if name == "mask" else "RGB"
        opened = [np.asarray(Image.open(path).convert(mode).resize(size)) for path in paths]
        pixels = torch.from_numpy(np.stack(opened))
        if name == "mask":
            return (pixels > 127).float()[:, None]
        return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


@app.command()
def main(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint that the bundle came from.")],
    bundle: Annotated[Path, typer.Argument(help="Exported bundle.")],
    masks: Annotated[Path, typer.Argument(help="Folder of silhouettes, some hundred.")],
    appearance: Annotated[Path | None, typer.Option(help="Photo or folder.")] = None,
    background: Annotated[Path | None, typer.Option(help="Scene or folder.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often both run in turn.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print images a second of both and their ratio."""
    eager = Eager(checkpoint)
    options = RunOptions(
        masks=masks,
        out=Path(),
        bundle=bundle,
        appearance=appearance,
        background=background,
        backend=BackendName.CPU,
    )
    with tempfile.TemporaryDirectory() as folder:
        result = measure(eager, options, Path(folder), rounds)
    print(json.dumps(result) if as_json else "\n".join(f"{k}: {v}" for k, v in result.items()))


def measure(eager: Eager, options: RunOptions, folder: Path, rounds: int) -> dict[str, Any]:
    """Figures of `rounds` rounds; both sides take their turn in each."""
    ours, theirs, cpu = [], [], []
    warm = msgspec.structs.replace(options, out=folder / "warm")
    run(warm)
    jobs = _jobs(options, folder / "warm")
    (folder / "eager").mkdir()
    few = jobs[:CALIBRATION]
    eager.run(few, folder / "eager", BATCHES[0])
    batch = min(BATCHES, key=lambda size: eager.run(few, folder / "eager", size))
    for number in range(rounds):
        begin = time.process_time()
        outcome = run(msgspec.structs.replace(options, out=folder / f"run{number}"))
        middle = time.process_time()
        ours.append(outcome.made / outcome.seconds)
        theirs.append(len(jobs) / eager.run(jobs, folder / "eager", batch))
        cpu.append((time.process_time() - middle) / (middle - begin))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {
        "images": len(jobs),
        "rounds": rounds,
        "eager_batch": batch,
        "eager_images_per_second": round(statistics.median(theirs), 2),
        "run_images_per_second": round(statistics.median(ours), 2),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "cpu_time_ratio": round(statistics.median(cpu), 3),
        "threads": torch.get_num_threads(),
    }


def _jobs(options: RunOptions, out: Path) -> list[dict[str, Path]]:
    """The files of every job that posegen-run did, from its manifest."""
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    if any(row["state"] != "done" for row in rows):
        raise PoseGenError(f"{options.masks}: some masks cannot be generated; use others")
    assert options.masks is not None
    return [
        {
            "mask": options.masks / row["mask"],
            **{
                name: _source(name, row[name], options)
                for name in ("appearance", "background")
                if row.get(name)
            },
        }
        for row in rows
    ]


def _source(name: str, source: str, options: RunOptions) -> Path:
    given: Path | None = getattr(options, name)
    if given is None:
        assert options.bundle is not None
        return options.bundle / source.removeprefix("bundle:")
    return given / source if given.is_dir() else given


if __name__ == "__main__":
    sys.exit(run_app(app))
