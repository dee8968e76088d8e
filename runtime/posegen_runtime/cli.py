"""`posegen-run`: silhouettes in, labelled images out."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from posegen_runtime import __version__
from posegen_runtime.choices import (
    Axis,
    BackendName,
    EngineName,
    Fit,
    ImageFormat,
    MaskChannel,
    MeshUnit,
    SinkName,
)
from posegen_runtime.console import EXIT_INTERRUPTED, EXIT_SOME_FAILED, EXIT_USAGE, run_app
from posegen_runtime.errors import PoseGenError, printable
from posegen_runtime.options import RunOptions, parse_labels, parse_split
from posegen_runtime.parts import Part

if TYPE_CHECKING:
    from posegen_runtime.ledger import Counts

DEMO_OUT = Path("posegen-demo")

VERIFY_WITH = "--verify {0}: --verify takes no value; name a judge by --verify --segmenter {0}"

RAY_ONLY = ("address", "actors", "actor_cpus", "actor_gpus")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class _Command(TyperCommand):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        for word in args:
            if word.startswith("--verify="):
                raise PoseGenError(VERIFY_WITH.format(word.partition("=")[2]))
        return super().parse_args(ctx, args)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"posegen {__version__}")
        raise typer.Exit


@app.command(cls=_Command)
def generate(
    context: typer.Context,
    shards: Annotated[
        list[Path] | None, typer.Argument(help="With --merge: the outputs of all shards.")
    ] = None,
    masks: Annotated[Path | None, typer.Option(help="Folder of silhouettes, or one file.")] = None,
    out: Annotated[Path | None, typer.Option(help="New folder for images and labels.")] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Exported model. Default: the one that comes along.")
    ] = None,
    appearance: Annotated[
        Path | None, typer.Option(help="Photo of the object, or a folder of them.")
    ] = None,
    background: Annotated[
        Path | None, typer.Option(help="Scene without the object, or a folder of them.")
    ] = None,
    per_mask: Annotated[int, typer.Option(min=1, help="Images for each mask.")] = 1,
    pairs: Annotated[
        Path | None,
        typer.Option(help="CSV with columns mask, appearance, background: an image for each line."),
    ] = None,
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Make only every N-th image, from the I-th on.")
    ] = "1/1",
    seed: Annotated[int, typer.Option(help="Decides what is paired with each mask.")] = 0,
    fit: Annotated[
        Fit,
        typer.Option(
            help="Crop around the object, take the whole frame, or stretch it; auto: frame when "
            "the mask has the model's shape and the object is not small, else object."
        ),
    ] = Fit.AUTO,
    mask_values: Annotated[
        str, typer.Option(help="What is object: auto, nonzero, half, each, or an id.")
    ] = "auto",
    mask_channel: Annotated[
        MaskChannel, typer.Option(help="Where in the file the mask is.")
    ] = MaskChannel.AUTO,
    image_format: Annotated[
        ImageFormat, typer.Option("--format", help="File format of the images.")
    ] = ImageFormat.PNG,
    sink: Annotated[
        SinkName, typer.Option(help="Single files, or tar files for the webdataset library.")
    ] = SinkName.FILES,
    labels: Annotated[
        str,
        typer.Option(
            help="coco,yolo (default), some of coco,yolo,bop,kitti, or none. BOP and KITTI need "
            "--poses.",
            show_default=False,
        ),
    ] = "coco,yolo",
    category: Annotated[
        str | None, typer.Option(metavar="NAME[:ID]", help="Class of the object in the labels.")
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            metavar="SHARES",
            help="0.9,0.1: of masks for train and val, a third for test; all images of a mask "
            "stay together. Default: one whole.",
            show_default=False,
        ),
    ] = "",
    poses: Annotated[
        Path | None, typer.Option(help="poses.jsonl or BOP scene folder of the masks.")
    ] = None,
    mesh: Annotated[
        Path | None,
        typer.Option(
            help="Model of the poses (PLY, OBJ, GLB, STL): checked against the masks; for BOP's "
            "models/ and KITTI's boxes."
        ),
    ] = None,
    mesh_unit: Annotated[
        MeshUnit | None, typer.Option(help="Unit of the mesh file; needed with --mesh.")
    ] = None,
    keep_ambiguous: Annotated[
        bool,
        typer.Option(
            "--keep-ambiguous",
            help="Take into BOP and KITTI what they leave out: poses whose silhouette leaves the "
            "heading open.",
        ),
    ] = False,
    leave_ambiguous: Annotated[
        bool,
        typer.Option(
            "--leave-ambiguous",
            help="Leave those out of BOP and KITTI also where the model is told the viewpoint.",
        ),
    ] = False,
    model_forward: Annotated[
        Axis, typer.Option(help="Axis of the poses' model that points forward.")
    ] = Axis.X,
    model_up: Annotated[
        Axis, typer.Option(help="Axis of the poses' model that points up; of a GLB mostly y.")
    ] = Axis.Z,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Look at every image: what does not show its mask, or faces the wrong way, is "
            "rejected and stands in no label file.",
        ),
    ] = False,
    segmenter: Annotated[
        Path | None,
        typer.Option(help="Judge that finds your object. Default: the one for cars."),
    ] = None,
    heading_judge: Annotated[
        Path | None,
        typer.Option(
            help="Judge of where it heads, with --poses. Default: the one for cars, none with "
            "--segmenter."
        ),
    ] = None,
    min_iou: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Overlap with the mask below which an image is rejected. Default: what the "
            "segmenter reaches on 95% of real images. 0: measure only and reject none.",
        ),
    ] = None,
    paste: Annotated[
        bool,
        typer.Option(
            "--paste",
            help="Put what is generated back into the full-size background; labels are those of "
            "that frame, which may show several objects.",
        ),
    ] = False,
    background_labels: Annotated[
        Path | None,
        typer.Option(
            help="With --paste: COCO file of what the backgrounds show, carried over but for what "
            "new objects hide."
        ),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Also write a contact sheet.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete what an earlier run left in --out first.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what failed, too.")
    ] = False,
    merge: Annotated[
        bool, typer.Option("--merge", help="Make of shards, named behind it, one output in --out.")
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN.JSON", help="Do that run again into --out and compare every image."
        ),
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Only print how far the run in --out is.")
    ] = False,
    backend: Annotated[
        BackendName,
        typer.Option(help="What runs the model; auto: by what this machine has, and it says why."),
    ] = BackendName.AUTO,
    lanes: Annotated[
        int | None,
        typer.Option(
            min=1, max=1024, help="Calls of the model at once. Default: chosen by first images."
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Images a call. Default: chosen by first images."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1024,
            help="Processes that read and write beside the model; 0: none. Default: by what runs "
            "the model and how many cores there are.",
        ),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            help="Precision variant of the bundle; auto: the one that is fastest here, measured."
        ),
    ] = "fp32",
    engine: Annotated[
        EngineName,
        typer.Option(help="Where images are made: on this machine, or on those of a Ray cluster."),
    ] = EngineName.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Head of the Ray cluster; auto: that which this machine belongs to. Default: "
            "$RAY_ADDRESS, else this machine alone.",
        ),
    ] = None,
    actors: Annotated[
        int | None,
        typer.Option(min=1, help="Ray actors that make images. Default: as many as there is room."),
    ] = None,
    actor_cpus: Annotated[
        int | None,
        typer.Option(
            min=1, help="Cores for each. Default: 4, or with GPUs their share of a machine's."
        ),
    ] = None,
    actor_gpus: Annotated[
        int | None,
        typer.Option(min=0, help="GPUs for each. Default: 1 where the cluster has any."),
    ] = None,
    selftest: Annotated[
        bool, typer.Option("--selftest", help="Compare with the images made at export.")
    ] = False,
    doctor: Annotated[
        bool,
        typer.Option(
            "--doctor",
            help="Only tell what this machine can run, what is missing and what adds it.",
        ),
    ] = False,
    json: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="With --doctor: write it for a bug report; -: print it."
        ),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help=f"Run on inputs that come along, into {DEMO_OUT}.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Turn silhouettes into images with labels. The same command goes on where it was stopped.

    Exit codes: 0 all done or rejected, 1 some images failed (see --status), 2 bad usage,
    3 disk full, 130 interrupted. With --doctor: 0 this machine can generate, 2 it cannot.
    """
    if status:
        _allow(context, "--status", {"status", "out"})
        _print_status(out)
        return
    if doctor:
        _allow(context, "--doctor", {"doctor", "json", "bundle"})
        _doctor(bundle, json)
        return
    if json is not None:
        raise PoseGenError("--json: only --doctor takes it; leave it out")
    if shards and not merge:
        if verify:
            raise PoseGenError(VERIFY_WITH.format(shards[0]))
        raise PoseGenError(f"{shards[0]}: an argument without an option; did you mean --masks?")
    if merge:
        _allow(context, "--merge", {"merge", "shards", "out"})
        _merge(shards or [], out)
        return
    if replay is not None:
        _replay(replay, out, context)
        return
    if selftest and not _selftest(bundle, precision, backend):
        raise typer.Exit(EXIT_SOME_FAILED)
    if selftest and masks is None and not demo:
        return
    _check_usage(masks, out, demo)
    if engine is not EngineName.RAY:
        for name in RAY_ONLY:
            if context.params[name] is not None:
                raise PoseGenError(
                    f"--{name.replace('_', '-')}: does nothing by itself; add --engine ray"
                )
    if sink is SinkName.WEBDATASET:
        label_source = context.get_parameter_source("labels")
        if label_source and label_source.name != "DEFAULT":
            raise PoseGenError(
                "--labels: --sink webdataset puts them into the samples; leave it out"
            )
        labels = "none"
    _run(
        RunOptions(
            masks=masks,
            out=out or DEMO_OUT,
            bundle=bundle,
            appearance=appearance,
            background=background,
            per_mask=per_mask,
            seed=seed,
            fit=fit,
            mask_values=mask_values,
            mask_channel=mask_channel,
            format=image_format,
            labels=parse_labels(labels),
            category=category,
            keep_ambiguous=keep_ambiguous,
            leave_ambiguous=leave_ambiguous,
            mesh=mesh,
            mesh_unit=mesh_unit,
            split=parse_split(split) if split else (),
            poses=poses,
            model_forward=model_forward,
            model_up=model_up,
            verify=verify,
            segmenter=segmenter,
            heading_judge=heading_judge,
            min_iou=min_iou,
            paste=paste,
            background_labels=background_labels,
            preview=preview or demo,
            fresh=fresh,
            retry_failed=retry_failed,
            pairs=pairs,
            shard=Part.parse(shard),
            sink=sink,
            precision=precision,
            backend=backend,
            lanes=lanes,
            batch=batch,
            workers=workers,
            engine=engine,
            address=address,
            actors=actors,
            actor_cpus=actor_cpus,
            actor_gpus=actor_gpus,
        )
    )


def _check_usage(masks: Path | None, out: Path | None, demo: bool) -> None:
    if demo and masks is not None:
        raise PoseGenError("--demo brings its own masks; leave out --demo or --masks")
    if masks is None and not demo:
        raise PoseGenError("--masks is missing: name a folder of silhouettes, or try --demo")
    if out is None and not demo:
        raise PoseGenError("--out is missing: name a new folder for images and labels")


def _merge(shards: list[Path], out: Path | None) -> None:
    from posegen_runtime.merge.command import merge_shards
    from posegen_runtime.status import images_done

    if out is None:
        raise PoseGenError("--out is missing: name a new folder to merge into")
    counts = merge_shards(shards, out)
    images = images_done(out)
    done = (
        f"{counts.done} images" if images is None else f"{counts.done} objects in {images} images"
    )
    print(f"{done} of {len(shards)} shards{_not_done(counts)}: {printable(str(out))}")
    if counts.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


REPLAY_TAKES = {
    *("masks", "appearance", "background", "background_labels"),
    *("poses", "mesh", "pairs", "bundle"),
    *("segmenter", "heading_judge"),
    *("backend", "precision", "lanes", "batch", "workers"),
    *("engine", *RAY_ONLY),
}
"""Options that may be given with `--replay`: places that inputs were moved to, and what runs it."""


def _allow(context: typer.Context, mode: str, allowed: set[str]) -> set[str]:
    """The options that were given. Raises `PoseGenError` for one that `mode` does not take."""
    given = {
        name
        for name in context.params
        if (source := context.get_parameter_source(name)) and source.name != "DEFAULT"
    }
    for name in sorted(given - allowed):
        option = "--" + name.replace("_", "-").replace("image-format", "format")
        raise PoseGenError(f"{option}: {mode} does not take it; leave it out")
    return given


def _replay(record: Path, out: Path | None, context: typer.Context) -> None:
    from posegen_runtime.replay import print_replay, replay

    given = _allow(context, "--replay", REPLAY_TAKES | {"replay", "out"})
    if out is None:
        raise PoseGenError("--out is missing: name a new folder for the images of the replay")
    changes = {name: context.params[name] for name in given & REPLAY_TAKES}
    result = replay(record, out, changes)
    print_replay(result, out)
    if not result.same:
        raise typer.Exit(EXIT_SOME_FAILED)


def _print_status(out: Path | None) -> None:
    from posegen_runtime.status import print_status

    if out is None:
        raise PoseGenError("--out is missing: name the folder of the run")
    print_status(out)


def _doctor(bundle: Path | None, json: Path | None) -> None:
    from posegen_runtime.doctor import print_diagnosis

    if not print_diagnosis(bundle, json):
        raise typer.Exit(EXIT_USAGE)


def _selftest(bundle: Path | None, precision: str, backend: BackendName) -> bool:
    """Print the figures of every graph; True when all gates were kept."""
    from posegen_runtime.generator import PoseGenerator
    from posegen_runtime.selftest import selftest

    # One thread, as in each lane of a run: engines compile a graph otherwise for several.
    verdicts = selftest(PoseGenerator.load(bundle, precision, threads=1, backend=backend))
    for verdict in verdicts:
        print(verdict)
    return not any(verdict.missed for verdict in verdicts)


def _run(options: RunOptions) -> None:
    from posegen_runtime.progress import say
    from posegen_runtime.run import run

    outcome = run(options)
    counts = outcome.counts
    speed = outcome.made / outcome.seconds if outcome.seconds else 0.0
    state = "interrupted: " if outcome.interrupted else ""
    before = f" ({outcome.made} now)" if outcome.made != counts.done else ""
    left = f", {counts.pending} to do" if counts.pending else ""
    things = "images" if outcome.images is None else "objects"
    files = "" if outcome.images is None else f" in {outcome.images} images"
    print(
        f"{state}{counts.done} {things} done{before}{files}{_not_done(counts)}{left} in "
        f"{outcome.seconds:.1f} s, {speed:.1f} {things}/s: {printable(str(options.out))}"
    )
    if outcome.preview is not None:
        print(f"contact sheet: {printable(str(outcome.preview))}")
    if outcome.report is not None:
        print(f"report: {printable(str(outcome.report))}")
    if outcome.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    for name in outcome.empty:
        say(f"error: labels/{name} is empty: every object is left out; the manifest says why")
    if counts.failed or counts.pending or outcome.empty:
        raise typer.Exit(EXIT_SOME_FAILED)


def _not_done(counts: "Counts") -> str:
    rejected = f", {counts.rejected} rejected" if counts.rejected else ""
    return f"{rejected}, {counts.failed} failed"


def main() -> None:
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # what is wrong with a file, its row says
    sys.exit(run_app(app))


if __name__ == "__main__":
    main()
