"""Manifest and labels of a run, from its ledger in one pass."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from posegen_runtime.advice import Advice
from posegen_runtime.errors import PoseGenError
from posegen_runtime.labels.categories import category_of
from posegen_runtime.labels.coco import CocoWriter
from posegen_runtime.labels.poses import PoseWriter
from posegen_runtime.labels.yolo import YoloWriter
from posegen_runtime.ledger import ImageRow, Ledger, State
from posegen_runtime.poses import Three
from posegen_runtime.sinks.tree import MANIFEST
from posegen_runtime.verdicts import Verdict

OVER = (State.DONE, State.REJECTED, State.FAILED)


class ManifestRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `manifest.jsonl`: a job and what became of it.

    `mask`, `appearance` and `background` are names of inputs, `image` and `mask_file` paths in
    the output directory. `object` tells apart the objects of one mask file.
    """

    mask: str
    object: str = ""
    appearance: str | None = None
    background: str | None = None
    variation: int
    state: State
    reason: str = ""
    image: str = ""
    mask_file: str = ""
    placement: dict[str, Any] = {}
    unclear_share: float = 0.0
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
    labels: Sequence[str],
    categories: Mapping[str, int],
    with_poses: bool,
) -> list[str]:
    """Write `manifest.jsonl`, a line for each image that is over, in the order of the jobs, and
    `labels/` for those that are done. Each file appears whole; earlier ones are replaced. Returns
    what should be known about the masks; see `Advice`.

    Raises `PoseGenError` naming `out` when it cannot be written.
    """
    folder = out / "labels"
    partial = out / f".{MANIFEST}.part"
    advice = Advice(with_poses)
    try:
        with ExitStack() as files:
            manifest = files.enter_context(partial.open("wb"))
            coco = CocoWriter(folder / "coco", categories) if "coco" in labels else None
            yolo = YoloWriter(folder / "yolo", categories) if "yolo" in labels else None
            poses = PoseWriter(folder) if with_poses else None
            for row in ledger.rows(OVER):
                manifest.write(msgspec.json.encode(manifest_row(row)) + b"\n")
                advice.add(row)
                if row.state is not State.DONE:
                    continue
                name = row.image.removeprefix("images/")
                if coco and row.data.coco:
                    coco.add(name, row.data.coco, category_of(row.data.pose, categories))
                if yolo:
                    yolo.add(name)
                if poses and row.data.pose:
                    poses.add(row.mask_file, row.data.pose)
        for writer in (coco, yolo, poses):
            if writer:
                writer.close()
        partial.replace(out / MANIFEST)
    except OSError as error:
        raise PoseGenError(f"{out}: cannot be written ({error.strerror or error})") from error
    return advice.lines()


def manifest_row(row: ImageRow) -> ManifestRow:
    data = row.data
    return ManifestRow(
        mask=row.mask,
        object=row.object,
        appearance=row.appearance,
        background=row.background,
        variation=row.variation,
        state=row.state,
        reason=row.reason,
        image=row.image,
        mask_file=row.mask_file,
        placement=data.placement,
        unclear_share=data.unclear_share,
        viewpoint=data.viewpoint,
        verdict=data.verdict and data.verdict.figures,
        notes=data.notes,
    )
