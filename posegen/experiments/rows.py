"""The trained rows of the paper's Tables 1 and 2, and the same of our architecture."""

from dataclasses import dataclass

from posegen.config import Arch, Variant

ORACLES = "baseline and oracles"
PAPER = "the paper's architecture"
OURS = "our architecture"
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
        Variant.AUTOENCODER: ("Oracle 1: autoencoder", ORACLES),
        Variant.UNCONDITIONAL: ("Unconditional generation", PAPER),
        **{variant: (title, PAPER) for variant, title in _CONDITIONS.items()},
    }
    ours = {variant: (f"Ours: {title.lower()}", OURS) for variant, title in _CONDITIONS.items()}
    return tuple(
        TrainedRow(f"{arch.value}-{variant.value}", title, group, arch, variant)
        for arch, rows in ((Arch.BOTTLENECK, paper), (Arch.SPATIAL, ours))
        for variant, (title, group) in rows.items()
    )


ROWS = {row.key: row for row in _rows()}
