"""The trained rows of the paper's Tables 1 and 2, and the same of our architecture."""

from dataclasses import dataclass

from posegen.config import Arch, Variant

PAPER = "the paper's architecture"
OURS = "spatial"
ORACLES = "baseline and oracles"
GIVEN = "given models"

_CONDITIONS = {
    Variant.POSE: "Pose",
    Variant.POSE_APPEARANCE: "Pose + car",
    Variant.POSE_APPEARANCE_BACKGROUND: "Pose + car + background",
}
"""What Table 2 calls them."""


@dataclass(frozen=True)
class TrainedRow:
    """`key` names its folder, `title` its row in the table."""

    key: str
    title: str
    group: str
    arch: Arch
    variant: Variant


def _rows() -> tuple[TrainedRow, ...]:
    paper = {
        Variant.UNCONDITIONAL: "Unconditional generation",
        Variant.AUTOENCODER: "Oracle 1: autoencoder",
        **_CONDITIONS,
    }
    ours = {variant: f"Spatial: {title.lower()}" for variant, title in _CONDITIONS.items()}
    return tuple(
        TrainedRow(f"{arch.value}-{variant.value}", title, group, arch, variant)
        for arch, group, titles in ((Arch.BOTTLENECK, PAPER, paper), (Arch.SPATIAL, OURS, ours))
        for variant, title in titles.items()
    )


ROWS = {row.key: row for row in _rows()}
