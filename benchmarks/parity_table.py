"""Parity figures of every exported variant in one table: three pose variants of both architectures,
and the largest with the viewpoint.

    python benchmarks/parity_table.py                 # presets paper and edge at 256 px
    python benchmarks/parity_table.py --tiny          # the same models, tiny, at 64 px
    python benchmarks/parity_table.py runs/a runs/b   # checkpoints of your own
    python benchmarks/parity_table.py --precision fp32,fp16

Without checkpoints, weights are made that move (`posegen_export.moving`): on freshly initialised
ones every figure would be good, and prove nothing. Exits 1 when a gate is missed.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from posegen_runtime.console import EXIT_SOME_FAILED, run_app

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def main(
    checkpoints: Annotated[
        list[Path] | None, typer.Argument(help="Checkpoints to export. Default: made ones.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data set that gives the inputs.")] = None,
    tiny: Annotated[bool, typer.Option("--tiny", help="Small models at 64 px.")] = False,
    max_batch: Annotated[int, typer.Option(min=1, max=1024, help="Largest batch proven.")] = 16,
    precision: Annotated[str, typer.Option(help="As of posegen-export onnx.")] = "fp32",
) -> None:
    """Export every variant to a temporary folder and print its parity figures."""
    from posegen_export.export import GateMissed, export_bundle, load_source, make_inputs
    from posegen_export.table import parity_table
    from posegen_export.variants import parse_precisions

    precisions = parse_precisions(precision)
    figures = {}
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        for path in checkpoints or _made(Path(folder), tiny):
            source = load_source(path)
            config = source.config
            label = f"{config.arch.value}/{config.preset} {config.variant.value}"
            label += " + viewpoint" if config.viewpoint else ""
            inputs = make_inputs(config, data, 24, seed=1)
            target = Path(folder) / f"bundle-{len(figures)}"
            try:
                _, figures[label] = export_bundle(
                    source,
                    target,
                    inputs,
                    name=label,
                    max_batch=max_batch,
                    precisions=precisions,
                )
            except GateMissed as error:
                figures[label] = error.figures
                missed = True
            typer.echo(f"exported {label}", err=True)
    parity_table(figures)
    if missed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _made(folder: Path, tiny: bool) -> list[Path]:
    """Checkpoints of the seven models, with weights that move."""
    import msgspec

    from posegen.config import Arch, ModelConfig, Variant
    from posegen_export.moving import save_moving_checkpoint

    presets = {
        Arch.BOTTLENECK: "tiny" if tiny else "paper",
        Arch.SPATIAL: "tiny" if tiny else "edge",
    }
    size = 64 if tiny else 256
    configs = [
        ModelConfig(arch=arch, preset=preset, variant=variant, image_size=size)
        for arch, preset in presets.items()
        for variant in Variant
        if variant.uses_mask
    ]
    configs.append(msgspec.structs.replace(configs[-1], viewpoint=True))
    paths = [folder / f"{number}.safetensors" for number in range(len(configs))]
    for path, config in zip(paths, configs, strict=True):
        save_moving_checkpoint(path, config)
    return paths


if __name__ == "__main__":
    raise SystemExit(run_app(app))
