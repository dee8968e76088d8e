"""The paper's Figures 3 to 6 of an experiment: what each shows, or why there is none."""

from dataclasses import dataclass, replace

from posegen.experiments.report.pairs import Pair, pairs
from posegen.experiments.report.samples import autoencoder_samples, mask_samples
from posegen.experiments.report.sheet import sheet
from posegen.experiments.report.similarity import Similarity, similarities
from posegen.experiments.report.strips import Strip
from posegen.experiments.results import Experiment
from posegen.metrics.scatter import scatter_png

NO_AUTOENCODER = "unavailable: no images of an autoencoder"
NO_MASKS = "unavailable: no row takes a mask"
NO_PAIRS = "unavailable: no row that takes a mask has IoU"


@dataclass(frozen=True)
class Figures:
    """By the paper's numbers; an empty one is unavailable."""

    autoencoder: list[Strip]
    masks: list[Strip]
    pairs: list[Pair]
    similarity: Similarity


def figures_of(experiment: Experiment) -> Figures:
    return Figures(
        autoencoder_samples(experiment),
        mask_samples(experiment),
        pairs(experiment),
        similarities(experiment),
    )


def pngs(figures: Figures) -> dict[str, bytes | None]:
    """PNG files by name; None for a figure that is unavailable."""
    panels = figures.similarity.panels
    return {
        "fig3.png": _sheet([[each] for each in figures.autoencoder]),
        "fig4.png": _sheet([[each] for each in figures.masks]),
        "fig5.png": _sheet([_titled(each) for each in figures.pairs]),
        "fig6.png": scatter_png(panels, figures.similarity.name) if panels else None,
    }


def _sheet(rows: list[list[Strip | None]]) -> bytes | None:
    return sheet(rows) if rows else None


def _titled(pair: Pair) -> list[Strip | None]:
    """With the model's name, which the page has above the pair."""
    return [
        each and replace(each, label=f"{pair.method}. {each.label}")
        for each in (pair.sharp, pair.blurred)
    ]
