"""How much of the machine a run of `posegen-run` spends in the model.

    python benchmarks/throughput.py                      # the shipped model
    python benchmarks/throughput.py --made paper         # the paper's pose model, made-up weights
    python benchmarks/throughput.py BUNDLE --checkpoint model.safetensors

On made-up silhouettes, so that everybody can run it. In each round, and for JPEG and PNG, with one
background for all images and with another for each, these take turns:

- the limit: the graphs in bare ONNX Runtime sessions on the same cores, uint8 in and out, nothing
  read or written, conditions encoded once where they are the same. Of several numbers of lanes,
  threads and batch sizes the fastest is taken, found beforehand.
- `posegen-run` from mask file to image, mask, COCO and YOLO labels on disk, on the backend `cpu`
  in the shape that it chooses. Its rate is that between the first tenth of the images and the last
  one, by the times in its ledger: what starting and ending take is left out, and printed.
- PyTorch in eager mode with PIL, at the batch size that is fastest for it (`eager_loop.py`);
  it writes images only. Left out without a checkpoint.

Ratios are medians over the rounds. Then, with a model that costs nothing, what is left
(`overhead.py`).
"""

import csv
import json
import os
import statistics
import sys
import tempfile
from enum import Enum
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import overhead
import typer
from bare_sessions import Bare, BareShape
from run_command import done_images, finished, new_output, run_command, steady_rate

from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import ImageFormat
from posegen_runtime.console import run_app
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import SHIPPED_BUNDLE
from posegen_runtime.images import read_resized_rgb
from posegen_runtime.maskfile import read_mask_file
from posegen_runtime.progress import say
from posegen_runtime.shape import available_cores

SHIPPED_CHECKPOINT = Path(__file__).parents[1] / "checkpoints" / "edge-cars.safetensors"
AIMS = {
    ("bottleneck", ImageFormat.JPG): 0.97,
    ("bottleneck", ImageFormat.PNG): 0.90,
    ("spatial", ImageFormat.JPG): 0.90,
    ("spatial", ImageFormat.PNG): 0.80,
}
"""Share of the limit with one background for all."""
EAGER_SHARE = 4
"""The eager loop, which is slower, makes so many times fewer images."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Made(str, Enum):
    NO = "no"
    PAPER = "paper"
    TINY = "tiny"
    """Small and quick, to try this script."""


class Inputs:
    """Made-up files for one bundle: `count` masks, as many backgrounds, a few of the masks."""

    def __init__(self, folder: Path, bundle: Bundle, count: int) -> None:
        from posegen_export.synthetic import write_folders

        write_folders(folder, bundle.image_size[0], count)
        self.bundle = bundle
        self.few = folder / "few"
        self.few.mkdir()
        self.masks = sorted((folder / "masks").iterdir())
        for mask in self.masks[: max(8, count // 4)]:
            os.link(mask, self.few / mask.name)
        self._folder = folder

    def photos(self, different: bool) -> dict[str, list[Path]]:
        """By condition: one for all masks, or another background for each."""
        found = {}
        for name in self.bundle.conditions:
            files = sorted((self._folder / name).iterdir())
            default = self.bundle.manifest.defaults.get(name)
            one = self.bundle.path(default) if default else files[0]
            changes = different and name == "background"
            found[name] = files if changes else [one] * len(self.masks)
        return found

    def options(self, different: bool) -> list[str]:
        """Of `posegen-run`, for `photos`."""
        given = ["--bundle", str(self.bundle.root)]
        photos = self.photos(different)
        for name, files in photos.items():
            given += [f"--{name}", str(files[0] if files[0] == files[-1] else files[0].parent)]
        if different:
            given += ["--pairs", str(self._pairs(photos["background"]))]
        return given

    def _pairs(self, backgrounds: list[Path]) -> Path:
        path = self._folder / "pairs.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["mask", "background"])
            rows = zip(self.masks, backgrounds, strict=True)
            writer.writerows((mask.name, background.name) for mask, background in rows)
        return path

    def bare(self, different: bool, count: int = 64) -> Bare:
        """The limit's side, with some of the masks in memory."""
        size = self.bundle.image_size
        masks = np.stack([read_mask_file(mask).pixels for mask in self.masks[:count]])
        photos = {
            name: np.stack([read_resized_rgb(file, size) for file in files[:count]])
            for name, files in self.photos(different).items()
        }
        return Bare(self.bundle, masks, photos)


class Case(msgspec.Struct, frozen=True):
    format: ImageFormat
    different: bool
    """Another background for each image."""

    def __str__(self) -> str:
        kind = "another background each" if self.different else "one background"
        return f"{self.format.value.upper()}, {kind}"


@app.command()
def main(
    bundles: Annotated[
        list[Path] | None, typer.Argument(help="Bundles. Default: the shipped one.")
    ] = None,
    made: Annotated[Made, typer.Option(help="Make a bundle with made-up weights.")] = Made.NO,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="That a bundle came from, in the same order.")
    ] = None,
    images: Annotated[int, typer.Option(min=16, help="Images in each run.")] = 600,
    rounds: Annotated[int, typer.Option(min=1, help="How often all take their turn.")] = 5,
    null_images: Annotated[
        int, typer.Option(min=16, help="Images in each run that computes nothing.")
    ] = 2000,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file as well.")
    ] = None,
) -> None:
    """Measure the share of the limit, the eager loop, and the overhead."""
    with tempfile.TemporaryDirectory() as made_folder:
        folder = Path(made_folder)
        found = []
        for number, (path, source) in enumerate(_subjects(folder, bundles, made, checkpoint)):
            bundle = Bundle.load(path)
            place = folder / f"subject{number}"
            place.mkdir()
            figures = {
                "bundle": f"{bundle.manifest.name}: {bundle.manifest.arch}, "
                f"{bundle.manifest.preset}, {bundle.manifest.variant}",
                "cores": available_cores(),
                "images": images,
                "rounds": rounds,
                "cases": _compare(bundle, source, place, images, rounds),
                "null": _overhead(bundle, place, null_images, rounds),
            }
            _print(figures)
            found.append(figures)
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=2) + "\n")


def _subjects(
    folder: Path, bundles: list[Path] | None, made: Made, checkpoints: list[Path] | None
) -> list[tuple[Path, Path | None]]:
    """Bundles with the checkpoints that they came from, where known."""
    given: list[Path | None] = list(checkpoints or [])
    if len(given) > len(bundles or []):
        raise PoseGenError("--checkpoint: more of them than bundles; name each with its bundle")
    given += [None] * (len(bundles or []) - len(given))
    subjects = list(zip(bundles or [], given, strict=True))
    if made is not Made.NO:
        subjects.append(_made(folder / "made", made))
    return subjects or [(SHIPPED_BUNDLE, SHIPPED_CHECKPOINT)]


def _made(folder: Path, made: Made) -> tuple[Path, Path]:
    """The paper's architecture for the pose alone, or a tiny one of ours with all conditions."""
    from posegen.config import Arch, ModelConfig, Variant
    from posegen_export.export import export_bundle, load_source, make_inputs
    from posegen_export.moving import save_moving_checkpoint

    if made is Made.PAPER:
        config = ModelConfig(
            arch=Arch.BOTTLENECK, preset="paper", variant=Variant.POSE, image_size=256
        )
    else:
        variant = Variant.POSE_APPEARANCE_BACKGROUND
        config = ModelConfig(arch=Arch.SPATIAL, preset="tiny", variant=variant, image_size=64)
    say(f"making the {made.value} model")
    checkpoint = folder / "model.safetensors"
    save_moving_checkpoint(checkpoint, config)
    inputs = make_inputs(config, None, 24, seed=1)
    export_bundle(
        load_source(checkpoint), folder / "bundle", inputs, name=f"made {made.value}", max_batch=16
    )
    return folder / "bundle", checkpoint


def _compare(
    bundle: Bundle, checkpoint: Path | None, folder: Path, images: int, rounds: int
) -> list[dict[str, Any]]:
    """One entry for each case."""
    cores = available_cores()
    inputs = Inputs(folder / "inputs", bundle, images)
    kinds = [False, True] if "background" in bundle.conditions else [False]
    cases = [Case(*case) for case in product((ImageFormat.JPG, ImageFormat.PNG), kinds)]
    few = max(8, images // EAGER_SHARE)
    bare = {different: inputs.bare(different) for different in kinds}
    best: dict[bool, BareShape] = {}
    for different, sessions in bare.items():
        best[different] = sessions.best(list(sessions.shapes(different, cores)), few)
    eager = None
    if checkpoint is not None:
        from eager_loop import Eager

        eager = Eager(checkpoint, cores)
        jobs = {different: _jobs(inputs, different)[:few] for different in kinds}
        batch = eager.best_batch(jobs[False][:64], folder / "eager")
    measured: dict[Case, list[dict[str, float]]] = {case: [] for case in cases}
    for number, case in product(range(rounds), cases):
        say(f"round {number + 1}: {case}")
        figures = {"limit": bare[case.different].rate(best[case.different], images)}
        figures |= _run(inputs, case, new_output(folder))
        if eager is not None:
            seconds = eager.run(jobs[case.different], folder / "eager", batch, case.format)
            figures["eager"] = len(jobs[case.different]) / seconds
        measured[case].append(figures)
    about = {"eager_batch": batch} if eager is not None else {}
    return [
        {"case": str(case), "aim": _aim(bundle, case), "limit_shape": str(best[case.different])}
        | about
        | _summary(figures)
        for case, figures in measured.items()
    ]


def _jobs(inputs: Inputs, different: bool) -> list[dict[str, Path]]:
    photos = inputs.photos(different)
    return [
        {"mask": mask, **{name: files[number] for name, files in photos.items()}}
        for number, mask in enumerate(inputs.masks)
    ]


def _run(inputs: Inputs, case: Case, out: Path) -> dict[str, float]:
    """Images a second while it runs, and seconds before the first image and after the last."""
    given = ["--masks", str(inputs.masks[0].parent), *inputs.options(case.different)]
    given += ["--backend", "cpu", "--format", case.format.value]
    used = run_command(out, given)
    rows = done_images(out)
    first, last = finished(rows[0]) - used.begun, finished(rows[-1]) - used.begun
    return {"run": steady_rate(rows), "start_s": first, "end_s": used.seconds - last}


def _summary(rounds: list[dict[str, float]]) -> dict[str, Any]:
    """Medians; ratios are taken within a round."""
    figures: dict[str, Any] = {
        key: round(statistics.median(one[key] for one in rounds), 3) for key in rounds[0]
    }
    for name in ("limit", "eager"):
        if name in rounds[0]:
            ratios = [one["run"] / one[name] for one in rounds]
            figures[f"of_{name}"] = round(statistics.median(ratios), 3)
            figures[f"of_{name}_range"] = [round(min(ratios), 3), round(max(ratios), 3)]
    return figures


def _aim(bundle: Bundle, case: Case) -> float | None:
    return None if case.different else AIMS.get((bundle.manifest.arch, case.format))


def _overhead(bundle: Bundle, folder: Path, images: int, rounds: int) -> dict[str, Any]:
    """Figures of `overhead.py` by format and number of cores."""
    inputs = Inputs(folder / "null-inputs", bundle, images)
    numbers = [cores for cores in (1, 2) if cores <= available_cores()]
    cases = list(product((ImageFormat.JPG, ImageFormat.PNG), numbers))
    measured: dict[tuple[ImageFormat, int], list[Any]] = {case: [] for case in cases}
    for _, (image_format, cores) in product(range(rounds), cases):
        given = [*inputs.options(False), "--format", image_format.value]
        masks = inputs.masks[0].parent
        figures = overhead.measure_once(folder, inputs.few, masks, given, cores)
        measured[image_format, cores].append(figures)
    return {
        f"{image_format.value.upper()}, {cores} core{'s' * (cores > 1)}": overhead.summary(figures)
        for (image_format, cores), figures in measured.items()
    }


def _print(figures: dict[str, Any]) -> None:
    print(f"{figures['bundle']}; {figures['cores']} cores")
    for case in figures["cases"]:
        aim = f" (aim {case['aim']})" if case["aim"] else ""
        line = (
            f"  {case['case']:30}{case['run']:8.1f} images/s, {case['of_limit']:.3f} of the limit"
            f"{aim}"
        )
        if "of_eager" in case:
            line += f", {case['of_eager']:.2f} × eager at batch {case['eager_batch']}"
        print(f"{line}; first image after {case['start_s']:.1f} s, {case['end_s']:.1f} s to end")
        print(f"  {'':30}{case['limit']:8.1f} images/s, the limit: {case['limit_shape']}")
    print("without inference, ms an image:")
    for name, one in figures["null"].items():
        stages = ", ".join(f"{stage} {one[f'{stage}_ms']:.2f}" for stage in overhead.STAGES)
        print(
            f"  {name:14}{one['images_per_second']:8.0f} images/s; {stages}; processor "
            f"{one['cpu_ms']:.2f} (main {one['main_cpu_ms']:.2f}, workers "
            f"{one['workers_cpu_ms']:.2f}), beyond the stages {one['rest_ms']:.2f}"
        )
    for name, one in list(figures["null"].items())[-1:]:
        print(f"by {name}:")
        for line in overhead.estimate(one):
            print(f"  {line}")


if __name__ == "__main__":
    sys.exit(run_app(app))
