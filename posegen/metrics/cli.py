"""`posegen metrics`: the paper's metrics, of image folders and of tables of per-image values."""

from pathlib import Path
from typing import Annotated

import typer

from posegen.choices import Device

WeightsOption = Annotated[
    Path | None,
    typer.Option(
        help="torch-fidelity's file of Inception's weights.", show_default="in torch's cache"
    ),
]
SurrogateOption = Annotated[
    bool,
    typer.Option("--surrogate", help="Also take distances from an untrained network's features."),
]
SubsetOption = Annotated[
    int, typer.Option("--kid-subset-size", min=2, help="Images in each of KID's 100 subsets.")
]
JudgesOption = Annotated[
    Path | None,
    typer.Option(help="Folder with segmenter/, for IoU.", show_default="the one that ships"),
]
SegmentOption = Annotated[
    str | None,
    typer.Option(
        help="Take IoU from Mask R-CNN's masks of this COCO class, as the paper does.",
        metavar="CLASS",
    ),
]
SegmentWeightsOption = Annotated[
    Path | None, typer.Option(help="Mask R-CNN's weights.", show_default="in torch's cache")
]
SegmentHashOption = Annotated[
    str | None, typer.Option(help="sha256 of --segment-weights, where not torchvision's own.")
]
CsvOption = Annotated[
    Path | None, typer.Option(help="Write each image's values there, for `metrics analyse`.")
]
JsonOption = Annotated[Path | None, typer.Option(help="Write the rows there.")]

app = typer.Typer(no_args_is_help=True, help="The paper's metrics, and what is behind its means.")


@app.callback()
def metrics() -> None:
    """The paper's metrics, and what is behind its means."""


@app.command()
def analyse(
    table: Annotated[
        Path,
        typer.Argument(help="CSV, one row an image, with columns isim_MODEL and iou_MODEL."),
    ],
    json: Annotated[
        Path | None, typer.Option(help="Write the figures and both histograms there.")
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="Draw I_sim against IoU there, the paper's Figure 6; a .png file."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals.")] = 0,
) -> None:
    """Means, share of zeros and correlation of I_sim with IoU, a row a model, as Markdown.

    With 95 % bootstrap intervals; a column `object` makes them draw whole objects.
    """
    import msgspec

    from posegen.evaluation.report import claim_file
    from posegen.metrics.analysis import analyse as analyse_table
    from posegen.metrics.analysis_table import markdown
    from posegen.metrics.values import read_values
    from posegen_runtime.paths import write_atomic

    for file in (json, figure):
        if file is not None:
            claim_file(file)
    values = read_values(table)
    analyses = analyse_table(values, seed)
    if figure is not None:
        from posegen.metrics.scatter import write_scatter

        write_scatter(figure, table, values)
    if json is not None:
        write_atomic(json, msgspec.json.format(msgspec.json.encode(analyses)) + b"\n")
    print(markdown(analyses))


@app.command()
def baselines(
    data: Annotated[Path, typer.Argument(help="Data set folder, made by `posegen data`.")],
    model: Annotated[
        list[Path] | None, typer.Option(help="Checkpoint, run or bundle; may be given many times.")
    ] = None,
    autoencoder: Annotated[
        Path | None, typer.Option(help="Checkpoint of the variant autoencoder: oracle 1.")
    ] = None,
    split: Annotated[str, typer.Option(help="Whose poses are asked for.")] = "test",
    samples: Annotated[
        int | None, typer.Option(min=2, help="That many, evenly spaced.", show_default="all")
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(min=16, help="Pixels.", show_default="the models', or the data set's"),
    ] = None,
    judges: JudgesOption = None,
    segment: SegmentOption = None,
    segment_weights: SegmentWeightsOption = None,
    segment_weights_sha256: SegmentHashOption = None,
    weights: WeightsOption = None,
    surrogate: SurrogateOption = False,
    kid_subset_size: SubsetOption = 1000,
    csv: CsvOption = None,
    json: JsonOption = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at a time.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws and the intervals.")] = 0,
    device: Annotated[Device, typer.Option(help="auto takes CUDA where it is.")] = Device.AUTO,
    precision: Annotated[
        str, typer.Option(help="Of bundles: fp32, fp16 or int8, which they must hold.")
    ] = "fp32",
) -> None:
    """Tables 1 and 2 of the paper for DATA: the baseline, the oracles, and your models."""
    from posegen.metrics.baselines_run import BaselineOptions, run_baselines
    from posegen.metrics.segmenter import SegmenterChoice

    run_baselines(
        BaselineOptions(
            data=data,
            models=tuple(model or ()),
            autoencoder=autoencoder,
            split=split,
            samples=samples,
            image_size=image_size,
            segmenter=SegmenterChoice(judges, segment, segment_weights, segment_weights_sha256),
            weights=weights,
            surrogate=surrogate,
            subset_size=kid_subset_size,
            csv=csv,
            json=json,
            batch_size=batch_size,
            seed=seed,
            device=device.value,
            precision=precision,
        )
    )


@app.command()
def images(
    real: Annotated[Path, typer.Argument(help="Folder of real photos.")],
    generated: Annotated[Path, typer.Argument(help="Folder of generated images.")],
    train: Annotated[
        Path, typer.Option(help="Folder of training photos, which oracle 2 is drawn from.")
    ],
    masks: Annotated[
        Path | None,
        typer.Option(help="Folder of the silhouettes asked for, white on black; gives IoU."),
    ] = None,
    judges: JudgesOption = None,
    segment: SegmentOption = None,
    segment_weights: SegmentWeightsOption = None,
    segment_weights_sha256: SegmentHashOption = None,
    weights: WeightsOption = None,
    surrogate: SurrogateOption = False,
    kid_subset_size: SubsetOption = 1000,
    csv: CsvOption = None,
    json: JsonOption = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at a time.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Of oracle 2 and the intervals.")] = 0,
    device: Annotated[Device, typer.Option(help="auto takes CUDA where it is.")] = Device.AUTO,
) -> None:
    """IS, FID, KID, IoU and I_sim of GENERATED against REAL, and of as many training photos.

    Images of one name belong together: I_sim compares the photo and the image of a name, IoU
    the mask of that name with the one found in the image.
    """
    from posegen.metrics.folders import FolderOptions, run_folders
    from posegen.metrics.segmenter import SegmenterChoice

    run_folders(
        FolderOptions(
            real=real,
            generated=generated,
            train=train,
            masks=masks,
            segmenter=SegmenterChoice(judges, segment, segment_weights, segment_weights_sha256),
            weights=weights,
            surrogate=surrogate,
            subset_size=kid_subset_size,
            csv=csv,
            json=json,
            batch_size=batch_size,
            seed=seed,
            device=device.value,
        )
    )
