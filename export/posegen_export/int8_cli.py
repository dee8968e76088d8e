"""The command `posegen-export int8`."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posegen_runtime.choices import Axis, Fit, MaskChannel
from posegen_runtime.console import EXIT_SOME_FAILED

if TYPE_CHECKING:
    from posegen_export.int8_result import Int8Result


class Rest(str, Enum):
    """What everything that is not INT8 computes in."""

    AUTO = "auto"
    """FP16 where the bundle holds it."""
    FP32 = "fp32"
    FP16 = "fp16"


AGAINST = "PyTorch (golden) and the bundle's FP32 graphs (held out)"


def int8(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder; it is rewritten with INT8 added.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Data set whose val split (where that is small, train too) gives all inputs."
        ),
    ] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Or: folder of masks like those of later runs.")
    ] = None,
    appearance: Annotated[
        Path | None, typer.Option(help="Folder of photos of the object, if the model takes them.")
    ] = None,
    background: Annotated[
        Path | None, typer.Option(help="Folder of empty scenes, if the model takes them.")
    ] = None,
    poses: Annotated[
        Path | None,
        typer.Option(help="poses.jsonl or a BOP scene: masks are then chosen by heading too."),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=16, max=20000, help="Inputs over which ranges are measured.")
    ] = 512,
    method: Annotated[
        str,
        typer.Option(help="minmax, percentile (cuts 0.001 % of the values off) or entropy."),
    ] = "percentile",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of inputs.")] = 0,
    rest: Annotated[
        Rest,
        typer.Option(
            help="What everything that is not INT8 computes in; auto: fp16 where the bundle "
            "holds it."
        ),
    ] = Rest.AUTO,
    report: Annotated[
        Path | None, typer.Option(help="Folder for the sensitivity table and plot.")
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="File of measured ranges: read if it is there, else written."),
    ] = None,
    fit: Annotated[Fit, typer.Option(help="How masks come to the model's size.")] = Fit.AUTO,
    mask_values: Annotated[str, typer.Option(help="As in posegen-run.")] = "auto",
    mask_channel: Annotated[
        MaskChannel, typer.Option(help="As in posegen-run.")
    ] = MaskChannel.AUTO,
    model_forward: Annotated[Axis, typer.Option(help="As in posegen-run.")] = Axis.X,
    model_up: Annotated[Axis, typer.Option(help="As in posegen-run.")] = Axis.Z,
) -> None:
    """Add an INT8 variant to BUNDLE; exit 1 when it misses a gate, and nothing is changed then."""
    from posegen_calibration.ranges import Method
    from posegen_calibration.source import Sampling
    from posegen_export.int8 import add_int8
    from posegen_export.int8_data import inputs_of
    from posegen_export.int8_outputs import check_outputs
    from posegen_export.int8_result import Int8Missed, Int8Options
    from posegen_runtime.bundle import Bundle
    from posegen_runtime.errors import PoseGenError
    from posegen_runtime.progress import say

    if method not in [known.value for known in Method]:
        raise PoseGenError(f"--method {method}: give {', '.join(known.value for known in Method)}")
    opened = Bundle.load(bundle)
    check_outputs(bundle, cache, report)
    folders = {
        "masks": masks,
        "appearance": appearance,
        "background": background,
        "poses": poses,
    }
    with inputs_of(data, folders, opened) as given:
        if given.source:
            say(f"calibrating on {given.source}")
        sampling = Sampling(
            **given.folders,
            samples=samples,
            seed=seed,
            fit=fit,
            mask_values=mask_values,
            mask_channel=mask_channel,
            model_forward=model_forward,
            model_up=model_up,
        )
        options = Int8Options(
            sampling, Method(method), cache, report, rest.value, source=given.source
        )
        try:
            result = add_int8(opened, options, say)
        except Int8Missed as missed:
            _print_missed(missed.result)
            raise typer.Exit(EXIT_SOME_FAILED) from missed
    _print(bundle, result)


def _print_missed(result: "Int8Result") -> None:
    from posegen_export.table import parity_table

    parity_table({"": {"int8": result.figures}}, AGAINST)
    for line in result.missed:
        print(f"gate missed: int8 {line}")
    if result.advice:
        print(f"advice: {result.advice}")
    for line in result.blame:
        print(f"to blame: {line}")


def _print(bundle: Path, result: "Int8Result") -> None:
    from posegen_export.table import parity_table

    parity_table({"": {"int8": result.figures}}, AGAINST)
    if result.pose.judged:
        print(
            f"pose IoU on {result.pose.images} held-out masks: INT8 {result.pose.int8:.4f}, "
            f"FP32 {result.pose.fp32:.4f} (shuffled masks {result.pose.shuffled:.4f})"
        )
    else:
        print(f"pose IoU: no gate: {result.pose.why_not}")
    for backend, times in result.speed["backends"].items():
        print(
            f"speed here, {backend}: INT8 {times['int8_ms']:.1f} ms, FP32 {times['fp32_ms']:.1f} "
            f"ms an image on one thread: {times['verdict']} ({times['times_as_fast']:.2f} times)"
        )
    kept = sum(effect.kept for effect in result.effects)
    print(
        f"{bundle}: int8 added, {len(result.effects) - kept} of {len(result.effects)} layers in "
        f"INT8, {result.bytes / 1e6:.1f} MB"
    )
