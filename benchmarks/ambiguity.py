"""Where a silhouette leaves the heading open, does the model face the wrong way?

    python benchmarks/ambiguity.py --part datasets/cars/test --part datasets/cars/val

Finds the ambiguity of every pose by rendering the data set's own meshes, generates each image with
and without the viewpoint, and reads headings with the shipped judges: from the outline alone, from
generated images and from the real renders. Prints the share of wrong headings (off by more than
90°) by ambiguity, then among the images that stay labelled when those above a threshold are left
out. Give unseen objects: the test split, or data of another seed. --json holds each sample, too.
"""

import itertools
import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from posegen.data.dataset import Sample, open_dataset
from posegen.evaluation.heading import azimuth, elevation, heading_error
from posegen.evaluation.judges import Judges, open_judges
from posegen.evaluation.measure import Evaluator
from posegen.evaluation.model import open_model
from posegen.evaluation.samples import Samples
from posegen.render.ambiguity import Turned
from posegen.render.meshes import MeshSource, MeshUnit
from posegen_runtime.console import run_app
from posegen_runtime.generator import SHIPPED_BUNDLE
from posegen_runtime.poses import AMBIGUOUS, read_poses

EDGES = (0.0, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
THRESHOLDS = (1.0, 0.95, AMBIGUOUS, 0.85, 0.8)
JUDGED = {
    "real": "real renders",
    "outline": "outline alone",
    "without": "made without viewpoint",
    "with": "made with viewpoint",
}
BATCH = 16
Columns = dict[str, NDArray[np.float64]]

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def main(
    part: Annotated[list[Path], typer.Option(help="DATASET/SPLIT; may be given many times.")],
    model: Annotated[Path | None, typer.Option(help="Bundle. Default: the shipped one.")] = None,
    samples: Annotated[
        int | None, typer.Option(min=2, help="Of each part, evenly spaced. Default: all.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--json", help="File for figures.")] = None,
) -> None:
    """Measure, print and write."""
    bundle = open_model(model or SHIPPED_BUNDLE, "cpu", 1)
    judges = open_judges(None)
    pieces = []
    for split in part:
        chosen = Samples(open_dataset(split.parent), split.name, bundle.image_size, samples)
        headings = _headings(Evaluator(bundle, judges), chosen)
        pieces.append(headings | {"ambiguity": _ambiguities(chosen.samples)})
    columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    by_bin = [
        _shares(f"{low:.2f} … {high:.2f}", columns, _between(columns["ambiguity"], low, high))
        for low, high in itertools.pairwise(EDGES)
    ]
    labelled = [
        _shares(f"up to {limit:.2f}", columns, columns["ambiguity"] <= limit)
        for limit in THRESHOLDS
    ]
    above = columns["ambiguity"] > AMBIGUOUS
    labelled.append(_shares(f"above {AMBIGUOUS:.2f}: left out", columns, above))
    print(_markdown("ambiguity", by_bin), _markdown("labelled", labelled), sep="\n\n")
    if out is not None:
        found = {name: values.round(4).tolist() for name, values in columns.items()}
        record = {"by_ambiguity": by_bin, "labelled": labelled, "samples": found}
        out.write_text(json.dumps(record) + "\n")


def _headings(evaluator: Evaluator, samples: Samples) -> Columns:
    """Errors in degrees by what was judged, `azimuth` and `elevation` in degrees."""
    judges: Judges = evaluator.judges
    assert judges.heading is not None
    assert judges.outline is not None
    blind = Evaluator(evaluator.model, judges, viewpoint=False)
    pieces: list[Columns] = []
    for batch in samples.batches(BATCH):
        true = azimuth(batch.viewpoint)
        found = {
            "real": judges.heading.angles(batch.photo),
            "outline": judges.outline.angles(batch.mask),
            "without": judges.heading.angles(blind.generate(batch)),
            "with": judges.heading.angles(evaluator.generate(batch)),
        }
        errors = {name: heading_error(angles, true) for name, angles in found.items()}
        seen = {"azimuth": np.degrees(true), "elevation": elevation(batch.viewpoint)}
        pieces.append(errors | seen)
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _ambiguities(samples: list[Sample]) -> NDArray[np.float64]:
    """In the samples' order; NaN where the image shows nothing of the object."""
    found: dict[Path, float | None] = {}
    for scene in dict.fromkeys(sample.mask.parent.parent for sample in samples):
        poses = read_poses(scene)
        mesh = scene.parent.parent / "models" / f"{next(iter(poses.values())).category}.ply"
        source = MeshSource(mesh, MeshUnit.MILLIMETRE)
        turned = Turned(source, source.read())
        for sample in samples:
            if sample.mask.parent.parent == scene:
                found[sample.mask] = turned.ambiguity(poses[sample.mask.name])
        turned.close()
    return np.array([found[sample.mask] for sample in samples], np.float64)


def _between(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    return np.asarray((values > low) & (values <= high))


def _shares(name: str, columns: Columns, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    """How many samples, and by what was judged how many headings are wrong."""
    wrong = {key: int((columns[key][chosen] > 90).sum()) for key in JUDGED}
    return {"name": name, "images": int(chosen.sum()), "wrong": wrong}


def _markdown(head: str, rows: list[dict[str, Any]]) -> str:
    lines = [" | ".join([f"| {head} | images", *JUDGED.values()]) + " |"]
    lines.append("|---" * (2 + len(JUDGED)) + "|")
    for row in rows:
        images = row["images"]
        cells = [f"{n} ({n / images:.1%})" if images else "-" for n in row["wrong"].values()]
        lines.append(" | ".join([f"| {row['name']}", str(images), *cells]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(run_app(app))
