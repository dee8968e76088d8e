"""The experiment from nothing to the table. What is done stands in the output folder and is not
done again."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from posegen.evaluation.heading import azimuth, heading_error
from posegen.evaluation.model import Model, open_model
from posegen.experiments.usefulness import generator, photo_data, renders, sets, table
from posegen.experiments.usefulness.config import Config, keep
from posegen.experiments.usefulness.learners import Score, score, seen_by
from posegen.experiments.usefulness.renders import Part
from posegen.experiments.usefulness.sets import Material, Set
from posegen.experiments.usefulness.sheet import write_sheet
from posegen.experiments.usefulness.views import estimated, level
from posegen.judges.augment import Views
from posegen.render.offscreen import require_egl

SHEET = "sets.png"


def run(config: Config, model: Model | None, out: Path) -> str:
    """Everything that is missing in `out`; returns the table as Markdown.

    `model` makes PoseGen's images, None trains one. Writes table.md, table.json, scores.csv and
    sets.png. Raises `PoseGenError` where `out` holds something else or was begun with other
    options, and `typer.Exit` when the training of PoseGen was interrupted.
    """
    require_egl()
    keep(config, out)
    _render(config, out / "renders")
    parts = {part: renders.load(config, out / "renders", part) for part in Part}
    photos = parts[Part.PHOTOS]
    masks = photo_data.rough_masks(photos, config.seed)
    material = Material(config, parts[Part.SIM], photos, masks, parts[Part.CEILING])
    headings = None
    if model is None:
        headings = estimated(config, material.sim, masks, out / "views")
    viewpoint = None if headings is None else level(headings)
    data = photo_data.dataset(config, photos, masks, viewpoint, out / "photos")
    made = _sets(material, model, data, out)
    write_sheet({f"{name.value}: {name.meaning}": made[name] for name in made}, out / SHEET)
    scores = _scores(config, made, sets.views(parts[Part.TEST]), out / "learners")
    labels = _labels(made, out / "learners")
    notes: dict[str, Any] = {"labels": {name.value: one for name, (one,) in labels.items()}}
    maker = ""
    if model is not None:
        maker = f", by a given model from {', '.join(model.inputs)}"
        notes["model"] = {"label": model.label, "inputs": model.inputs}
    text = (
        f"Tested on {config.test} target images of {config.cars} unseen cars, "
        f"{config.images} training images a set, in 4 twice as many, all for {config.steps} "
        f"steps; mean of {config.seeds} seeds (lowest – highest):"
        f"\n\n{table.markdown(scores, 'trained on', maker)}\n"
        "Do the labels fit the images? As judges see it that learnt the ceiling's (seed 0):"
        f"\n\n{table.markdown(labels, 'images', maker)}"
    )
    if headings is not None:
        errors = heading_error(headings, azimuth(photos.viewpoint))
        median, flipped = float(np.median(errors)), float((errors > 90).mean())
        notes["estimated_headings"] = {"median_deg": median, "share_over_90": flipped}
        text += (
            f"\nHeadings of the photos for PoseGen's training, read off their masks: {median:.1f}° "
            f"off (median), {flipped:.1%} wrong by more than 90°.\n"
        )
    table.write(scores, text, config, notes, out)
    return text


def _render(config: Config, folder: Path) -> None:
    bar = Progress(
        "rendering",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar as progress:
        task = progress.add_task("", total=sum(part.frames(config) for part in Part))
        renders.render(config, folder, lambda frames: progress.advance(task, frames))


def _sets(material: Material, model: Model | None, data: Path, out: Path) -> dict[Set, Views]:
    config, folder = material.config, out / "sets"

    def with_posegen() -> Views:
        maker = model or open_model(generator.train(config, data, out / "posegen"), "cpu")
        shown = photo_data.appearances(data)
        return sets.posegen(material, maker, shown, model is None)

    sim = sets.kept(folder / "1.npz", lambda: sets.pasted_sim(material))
    photos = sets.kept(folder / "2.npz", lambda: sets.pasted_photos(material))
    generated = sets.kept(folder / "3.npz", with_posegen)
    return {
        Set.PASTED_SIM: sim,
        Set.PASTED_PHOTOS: photos,
        Set.POSEGEN: generated,
        Set.UNION: sets.union(sim, generated),
        Set.CEILING: sets.ceiling(material),
    }


def _scores(
    config: Config, made: dict[Set, Views], test: Views, folder: Path
) -> dict[Set, list[Score]]:
    """By set, one for each seed; seed by seed, so that an early stop leaves whole comparisons."""
    scores: dict[Set, list[Score]] = {name: [] for name in made}
    for seed in range(config.seeds):
        for name, training in made.items():
            where = _folder(folder, name, seed)
            scores[name].append(score(config, training, name.has_poses, test, seed, where))
    return scores


def _labels(made: dict[Set, Views], folder: Path) -> dict[Set, list[Score]]:
    """How well each set's labels fit its images, as the judges see it that learnt real ones."""
    judges = _folder(folder, Set.CEILING, 0)
    return {
        name: [seen_by(judges, views, name.has_poses)]
        for name, views in made.items()
        if name not in (Set.CEILING, Set.UNION)
    }


def _folder(folder: Path, name: Set, seed: int) -> Path:
    return folder / f"{name.name.lower()}-{seed}"
