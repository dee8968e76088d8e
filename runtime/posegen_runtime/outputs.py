"""Manifest and labels of a run, from its ledger in one pass."""

from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from posegen_runtime.advice import Advice
from posegen_runtime.errors import PoseGenError
from posegen_runtime.labels.background import BackgroundLabels
from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.labels.writing import AddModels, LabelFiles, Standing
from posegen_runtime.ledger import ImageRow, Ledger, State
from posegen_runtime.poses import Three
from posegen_runtime.sinks.tree import MANIFEST
from posegen_runtime.verdicts import Verdict

OVER = (State.DONE, State.REJECTED, State.FAILED)


class ManifestRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `manifest.jsonl`: a job and what became of it.

    `mask`, `appearance` and `background` are names of inputs, `image` and `mask_file` paths in
    the output directory. `object` tells apart the objects of one mask file or frame.
    """

    mask: str
    frame: str = ""
    """Of the image that shows several masks, where the mask is another name."""
    object: str = ""
    appearance: str | None = None
    background: str | None = None
    variation: int
    state: State
    reason: str = ""
    image: str = ""
    mask_file: str = ""
    split: str = ""
    """With --split: "train", "val" or "test", of an image that is done."""
    labels: dict[str, str] = {}
    """Where it stands in formats that number their files, by their names."""
    left_out: dict[str, str] = {}
    """By the names of formats, why it does not stand in them."""
    placement: dict[str, Any] = {}
    """Of the mask's frame in the image."""
    crop: dict[str, Any] = {}
    """With --paste: the same of the frame in the crop that was generated and pasted."""
    visible_fraction: float | None = None
    visible: CocoMask | None = None
    """What nearer objects leave of the silhouette in `mask_file`; absent where that is all."""
    unclear_share: float | None = None
    """Share of the mask file's pixels that are neither clearly black nor clearly white."""
    viewpoint: Three | None = None
    """What the model was told, in its training frame; absent where it was told nothing."""
    verdict: Verdict | None = None
    """With --verify: what the judges found."""
    notes: list[str] = []
    """What may be wrong with the mask: "unclear", "mostly white", "outside: area"."""


def write_outputs(
    out: Path,
    ledger: Ledger,
    plan: LabelPlan,
    background: BackgroundLabels | None = None,
    add_models: AddModels | None = None,
) -> list[str]:
    """Write `manifest.jsonl`, a line for each image that is over, in the order of the jobs, and
    `labels/` for those that are done. Each file appears whole; earlier ones are replaced. Returns
    what should be known about the masks; see `Advice`. `add_models` writes the models of a BOP data
    set into its folder.

    `background`: what the frames showed before, for COCO.

    Raises `PoseGenError` naming `out` when it cannot be written.
    """
    partial = out / f".{MANIFEST}.part"
    advice = Advice(plan.with_poses, "object" if plan.with_paste else "image")
    try:
        labels = LabelFiles(out, plan, background, add_models)
        with partial.open("wb") as manifest:
            for _, group in groupby(ledger.rows(OVER), key=lambda row: row.job):
                rows = list(group)
                for row, standing in zip(rows, labels.add(rows), strict=True):
                    advice.add(row)
                    manifest.write(msgspec.json.encode(manifest_row(row, plan, standing)) + b"\n")
        warnings = advice.lines() + labels.close()
        partial.replace(out / MANIFEST)
    except OSError as error:
        raise PoseGenError(f"{out}: cannot be written ({error.strerror or error})") from error
    return warnings


def manifest_row(row: ImageRow, plan: LabelPlan, standing: Standing) -> ManifestRow:
    data = row.data
    # What is pasted has the size of its frame; a rejected image is the crop itself.
    pasted = plan.with_paste and row.state is State.DONE
    return ManifestRow(
        mask=data.mask or row.mask,
        frame=row.mask if data.mask else "",
        object=row.object,
        appearance=data.appearance or row.appearance,
        background=row.background,
        variation=row.variation,
        state=row.state,
        reason=row.reason,
        image=row.image,
        mask_file=row.mask_file,
        split=plan.split.of(row) if plan.split and row.state is State.DONE else "",
        labels=standing.labels,
        left_out=standing.left_out,
        placement={} if pasted else data.placement,
        crop=data.placement if pasted else {},
        visible_fraction=data.visible_fraction if data.visible_fraction < 1 else None,
        visible=data.visible,
        unclear_share=data.unclear_share or None,
        viewpoint=data.viewpoint,
        verdict=data.verdict and data.verdict.figures,
        notes=data.notes,
    )
