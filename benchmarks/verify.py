"""What `posegen-run --verify` finds, and what it costs.

    posegen data render datasets/cars --objects 500 --samples 5000 --seed 1
    python benchmarks/verify.py datasets/cars

On silhouettes of cars that training never saw, each with its pose, another view of the same car
and an empty street:

- the shipped model: how many of its images are rejected and why, by the silhouette's size, beside
  what the same judges say of the real renders of the same silhouettes;
- a generator whose masks were shuffled on purpose: it is given another mask than the label says;
- `posegen-run` without `--verify`, with it, and with it and poses (which adds the heading judge),
  in turns. Rates are those between the first tenth of the images and the last one. Ratios are
  medians over the rounds; no output is deleted before the last run is over.
"""

import csv
import functools
import json
import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any
from unittest import mock

import msgspec
import numpy as np
import typer
from run_command import finished, run_command, steady_rate

from posegen.data.dataset import Sample, open_dataset
from posegen.evaluation.samples import Samples
from posegen_runtime import making
from posegen_runtime import run as running
from posegen_runtime.choices import BackendName, ImageFormat
from posegen_runtime.console import run_app
from posegen_runtime.generator import PoseGenerator
from posegen_runtime.judges import Heading, Segmenter, shipped_judges
from posegen_runtime.ledger import ImageRow, Ledger, State
from posegen_runtime.options import RunOptions
from posegen_runtime.pipeline import Generate, generate_with
from posegen_runtime.poses import read_poses, write_poses
from posegen_runtime.progress import say
from posegen_runtime.rows import Images, Prepared
from posegen_runtime.verdicts import at_size, compared
from posegen_runtime.verify import REVERSED, heading_error

app = typer.Typer(add_completion=False, rich_markup_mode=None)
MODES: dict[str, tuple[str, ...]] = {
    "plain": (),
    "verify": ("--verify",),
    "verify with poses": ("--verify", "--poses", "poses.jsonl"),
}
QUARTERS = 4


class Inputs:
    """A split of a rendered data set as folders for `posegen-run`: one mask, appearance and
    background for each sample."""

    def __init__(self, folder: Path, samples: Samples) -> None:
        self.folder = folder
        self.samples = samples
        self.masks = samples.mask(np.arange(len(samples)))
        for kind in ("mask", "appearance", "background"):
            (folder / kind).mkdir(parents=True)
        poses = []
        with (folder / "pairs.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["mask", "appearance", "background"])
            for sample in samples.samples:
                name = _name(sample)
                for kind in ("mask", "appearance", "background"):
                    os.symlink(getattr(sample, kind).absolute(), folder / kind / name)
                writer.writerow([name] * 3)
                scene = _scene(sample.mask.parent.parent)
                poses.append(msgspec.structs.replace(scene[sample.mask.name], mask=name))
        write_poses(folder / "poses.jsonl", poses)

    def options(self, out: Path, **more: Any) -> RunOptions:
        return RunOptions(
            masks=self.folder / "mask",
            appearance=self.folder / "appearance",
            background=self.folder / "background",
            pairs=self.folder / "pairs.csv",
            poses=self.folder / "poses.jsonl",
            out=out,
            format=ImageFormat.JPG,
            backend=BackendName.CPU,
            **more,
        )

    def arguments(self, mode: tuple[str, ...]) -> list[str]:
        given = ["--masks", "mask", "--appearance", "appearance", "--background", "background"]
        given += ["--pairs", "pairs.csv", "--format", "jpg", "--backend", "cpu", *mode]
        there = {path.name for path in self.folder.iterdir()}
        return [str(self.folder / one) if one in there else one for one in given]

    def shuffled(self) -> Callable[..., Generate]:
        """In place of `generate_with`: each mask gets the silhouette of another half the list
        away."""
        other = np.roll(self.masks, len(self.masks) // 2, axis=0)
        masks = dict(zip((_name(s) for s in self.samples.samples), other, strict=True))

        def shuffled_with(generator: PoseGenerator) -> Generate:
            right = generate_with(generator)

            def generate(prepared: list[Prepared]) -> Images:
                replace = msgspec.structs.replace
                return right([replace(one, mask=masks[one.job.mask.name]) for one in prepared])

            return generate

        return shuffled_with


@functools.cache
def _scene(folder: Path) -> dict[str, Any]:
    return read_poses(folder)


def _name(sample: Sample) -> str:
    return f"{sample.mask.parent.parent.name}_{sample.mask.stem}.png"


@app.command()
def main(
    dataset: Annotated[Path, typer.Argument(help="From `posegen data render`.")],
    split: Annotated[str, typer.Option(help="Of the data set.")] = "test",
    images: Annotated[int, typer.Option(min=8, help="Evenly spaced over the split.")] = 500,
    rounds: Annotated[int, typer.Option(min=1, help="Of timed runs.")] = 5,
    timed: Annotated[int, typer.Option(min=20, help="Images of a timed run.")] = 200,
    out: Annotated[Path | None, typer.Option(help="Figures as JSON.")] = None,
) -> None:
    """What verifying finds on the shipped model, and what it costs."""
    found = open_dataset(dataset)
    with tempfile.TemporaryDirectory(prefix="verify-") as name:
        folder = Path(name)
        inputs = Inputs(folder / "inputs", Samples(found, split, 256, images))
        figures: dict[str, Any] = {"dataset": found.description.name, "images": images}
        figures["shipped"] = shipped(inputs, folder / "shipped")
        figures["shuffled"] = shuffled(inputs, folder / "shuffled")
        few = Inputs(folder / "few", Samples(found, split, 256, timed))
        figures["speed"] = speed(few, folder, rounds)
    if out:
        out.write_text(json.dumps(figures, indent=2) + "\n")


def shipped(inputs: Inputs, out: Path) -> dict[str, Any]:
    """What is rejected of the shipped model's images, and of the renders in their place."""
    running.run(inputs.options(out, verify=True))
    generated = {row.mask: _Judged.of(row) for row in _rows(out)}
    real = _renders(inputs)
    limit = json.loads((out / "run.json").read_text())["options"]["min_iou"]
    figures = {"min_iou": limit} | _shares(list(generated.values()), "generated")
    figures |= _shares(list(real.values()), "real renders", limit)
    low = [mask for mask, judged in generated.items() if judged.iou < limit]
    both = sum(real[mask].iou < limit for mask in low)
    say(f"of {len(low)} with a low IoU the real render's is low, too, in {both}")
    areas = np.array([np.mean(mask > 0) for mask in inputs.masks])
    names = [_name(sample) for sample in inputs.samples.samples]
    for part in np.array_split(np.argsort(areas), QUARTERS):
        masks = [names[row] for row in part]
        spread = f"{areas[part].min():.1%} to {areas[part].max():.1%} of the image"
        shares = [
            np.mean([judged[mask].iou < limit for mask in masks]) for judged in (generated, real)
        ]
        say(f"silhouettes of {spread}: IoU low in {shares[0]:.1%}, real renders {shares[1]:.1%}")
        figures.setdefault("by_area", []).append([spread, *map(float, shares)])
    return figures | {"low": len(low), "low_in_both": both}


def shuffled(inputs: Inputs, out: Path) -> dict[str, Any]:
    """What is rejected where the generator draws another silhouette."""
    with mock.patch.object(making, "generate_with", inputs.shuffled()):
        running.run(inputs.options(out, verify=True))
    return _shares([_Judged.of(row) for row in _rows(out)], "shuffled masks")


def speed(inputs: Inputs, folder: Path, rounds: int) -> dict[str, Any]:
    """Ratios of rates to that of the run without `--verify`, and where the time went."""
    rates: dict[str, list[float]] = {mode: [] for mode in MODES}
    cpu: dict[str, list[float]] = {mode: [] for mode in MODES}
    stages: dict[str, list[float]] = {}
    for number in range(rounds):
        for mode, given in MODES.items():
            out = folder / f"{mode}-{number}"
            used = run_command(out, inputs.arguments(given))
            cpu[mode].append(1e3 * (used.cpu + used.workers_cpu) / len(inputs.masks))
            rows = sorted(_rows(out), key=finished)
            rates[mode].append(steady_rate(rows))
            for stage in ("infer", "verify"):
                if stage in rows[0].timings:
                    stages.setdefault(f"{mode}: {stage}", []).extend(
                        1e3 * row.timings[stage] for row in rows
                    )
    ratios = {
        mode: statistics.median(one / plain for one, plain in zip(of, rates["plain"], strict=True))
        for mode, of in rates.items()
    }
    work = {mode: statistics.median(of) for mode, of in cpu.items()}
    milliseconds = {stage: statistics.median(values) for stage, values in stages.items()}
    for mode, ratio in ratios.items():
        spread = ", ".join(f"{rate:.1f}" for rate in rates[mode])
        say(
            f"{mode}: {ratio:.3f} of the rate without (images/s: {spread}), {work[mode]:.1f} ms "
            "of the processor an image, starting included"
        )
    for stage, value in milliseconds.items():
        say(f"{stage}: {value:.2f} ms an image")
    return {"ratios": ratios, "rates": rates, "cpu_ms": work, "stages_ms": milliseconds}


class _Judged(msgspec.Struct, frozen=True):
    iou: float
    heading_error_deg: float | None
    reason: str

    @classmethod
    def of(cls, row: ImageRow) -> "_Judged":
        assert row.data.verdict is not None
        return cls(row.data.verdict.iou, row.data.verdict.heading_error_deg, row.reason)


def _renders(inputs: Inputs) -> dict[str, _Judged]:
    """What the same judges say of the real images, by mask."""
    segmenter = Segmenter(shipped_judges() / "segmenter")
    heading = Heading(shipped_judges() / "heading")
    size = segmenter.manifest.image_size
    judged = {}
    for batch in inputs.samples.batches(32):
        found, angles = segmenter.masks(batch.photo) > 127, heading.angles(batch.photo)
        true = np.arctan2(batch.viewpoint[:, 1], batch.viewpoint[:, 0])
        for row, number in enumerate(batch.rows):
            error = heading_error(float(angles[row]), float(true[row]))
            verdict = compared(at_size(batch.mask[row], size), found[row], error)
            name = _name(inputs.samples.samples[number])
            judged[name] = _Judged(verdict.iou, verdict.heading_error_deg, "")
    return judged


def _shares(judged: Sequence[_Judged], kind: str, limit: float | None = None) -> dict[str, Any]:
    """Printed, and as figures."""
    ious = [one.iou for one in judged]
    errors = [one.heading_error_deg for one in judged if one.heading_error_deg is not None]
    wrong = float(np.mean([error > REVERSED for error in errors])) if errors else 0.0
    say(
        f"{kind}: IoU {np.mean(ious):.3f} on average, {np.percentile(ious, 5):.3f} at the 5th "
        f"percentile; heading wrong in {wrong:.1%}"
    )
    found: dict[str, Any] = {"iou": float(np.mean(ious)), "wrong_heading": wrong}
    if limit is not None:
        low = np.array(ious) < limit
        rejected = low | (np.array(errors) > REVERSED)
        say(f"{kind}: would be rejected: {rejected.mean():.1%}; IoU low in {low.mean():.1%}")
        return {kind: found | {"rejected": float(rejected.mean()), "low": float(low.mean())}}
    reasons = Counter(one.reason for one in judged if one.reason)
    say(f"{kind}: rejected {reasons.total() / len(judged):.1%} of {len(judged)}")
    for reason, count in reasons.most_common():
        say(f"  {count / len(judged):.1%} {reason}")
    return {kind: found | {"rejected": reasons.total() / len(judged), "reasons": dict(reasons)}}


def _rows(out: Path) -> list[ImageRow]:
    with Ledger.open(out, write=False) as ledger:
        return list(ledger.rows([State.DONE, State.REJECTED]))


if __name__ == "__main__":
    raise SystemExit(run_app(app))
