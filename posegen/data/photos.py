"""`posegen data photos`: a data set from plain photos and their masks.

Layout, below the output directory: SPLIT/SCENE/rgb, mask, background, appearance and dataset.json,
as `posegen data render` writes them, without poses. Beside them: `sources.csv`, where each sample
came from; `dropped.csv`, what was left out and why; `contact-sheet.png`.
"""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.data.dataset import DESCRIPTION, SCHEMA
from posegen.data.empty_scenes import EmptyScenes
from posegen.data.filling import draw_decoys, emptied, fill
from posegen.data.photo_checks import Progress, Usable, cut
from posegen.data.photo_plan import Shot
from posegen.data.photo_sheet import SHOWN, sheet
from posegen.render.outputs import write_hashed
from posegen_runtime.images import read_rgb, write_png

Pixels = NDArray[np.uint8]
LICENCE = "Photos of the user; rights stay with their owners"
SOURCES, DROPPED, SHEET = "sources.csv", "dropped.csv", "contact-sheet.png"


@dataclass(frozen=True)
class Outcome:
    """`dropped` are (photo, reason); `filled` samples have a made-up background and `alone` ones
    are their own appearance."""

    found: int
    splits: dict[str, int]
    groups: int
    dropped: list[tuple[Path, str]]
    filled: int
    alone: int
    refused: list[str]
    """Empty scenes of the right name that could not be used, and why."""

    @property
    def reasons(self) -> Counter[str]:
        """How many photos were dropped for each kind of reason, whatever the numbers in it."""
        return Counter(
            re.sub(r"\d+", "…", re.split("[:;]", reason)[0]) for _, reason in self.dropped
        )


@dataclass(frozen=True)
class Writer:
    """Makes and writes the samples of a plan. What a sample shows follows from (seed, plan)."""

    root: Path
    out: Path
    size: int
    seed: int
    scenes: EmptyScenes | None = None
    kind: str = "photos"
    licence: str = LICENCE

    def write(
        self, shots: Sequence[Shot], dropped: list[tuple[Path, str]], progress: Progress
    ) -> Outcome:
        """Raises `PoseGenError` or `OSError` for what cannot be read or written."""
        masks = [shot.photo.mask for shot in shots if shot.split == "train"]
        shown_on_sheet = set(np.linspace(0, len(shots) - 1, SHOWN).round().astype(int).tolist())
        samples, rows = [], []
        hashes: dict[str, str] = {}
        for number, shot in enumerate(shots):
            progress("writing", number, len(shots))
            generator = np.random.default_rng([self.seed, 1, number])
            photo, background, scene = self._pair(shot.photo, masks, generator)
            appearance = self._appearance(shot.shown, generator)
            self._write_shot(shot, photo, background, appearance, hashes)
            rows.append(_row(shot, scene))
            if number in shown_on_sheet:
                samples.append((photo, shot.photo.mask, background, appearance))
        write_png(self.out / SHEET, sheet(samples))
        _write_csv(self.out / SOURCES, list(_row(shots[0], None)), [list(r.values()) for r in rows])
        _write_csv(self.out / DROPPED, ["photo", "reason"], dropped)
        splits = {name: sum(s.split == name for s in shots) for name in ("train", "val", "test")}
        objects = {f"{shot.split}/{shot.scene:06d}": shot.group for shot in shots}
        self._describe(splits, objects, hashes)
        return Outcome(
            found=len(shots) + len(dropped),
            splits=splits,
            groups=len({shot.group for shot in shots}),
            dropped=dropped,
            filled=sum(not row["background"] for row in rows),
            alone=sum(shot.photo is shot.shown for shot in shots),
            refused=self.scenes.refused if self.scenes else [],
        )

    def _pair(
        self, usable: Usable, masks: Sequence[Pixels], generator: np.random.Generator
    ) -> tuple[Pixels, Pixels, Path | None]:
        """The photo, its background, and the file of the empty scene, None where it was filled."""
        rgb = read_rgb(self.root / usable.photo)
        photo, outside = cut(rgb, usable.placement)
        scene = self.scenes.of(usable, rgb) if self.scenes else None
        if scene is not None:
            background, _ = cut(scene.pixels, usable.placement)
            return np.where(outside[..., None] > 0, background, photo), background, scene.file
        decoys = np.maximum(draw_decoys(usable.mask, masks, generator), outside)
        return *emptied(photo, usable.mask, decoys, generator), None

    def _appearance(self, shown: Usable, generator: np.random.Generator) -> Pixels:
        appearance, outside = cut(read_rgb(self.root / shown.photo), shown.appearance)
        return fill(appearance, outside, generator) if outside.any() else appearance

    def _write_shot(
        self,
        shot: Shot,
        photo: Pixels,
        background: Pixels,
        appearance: Pixels,
        hashes: dict[str, str],
    ) -> None:
        folder = f"{shot.split}/{shot.scene:06d}"
        images = {
            f"rgb/{shot.frame:06d}.png": photo,
            f"mask/{shot.frame:06d}_000000.png": shot.photo.mask,
            f"background/{shot.frame:06d}.png": background,
            f"appearance/{shot.frame:06d}.png": appearance,
        }
        for name, image in images.items():
            pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
            encoded = cv2.imencode(".png", pixels)[1].tobytes()
            write_hashed(self.out, f"{folder}/{name}", encoded, hashes)

    def _describe(
        self, splits: dict[str, int], objects: dict[str, str], hashes: dict[str, str]
    ) -> None:
        """dataset.json is written last: a folder without it is no data set."""
        listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))
        index: dict[str, Any] = {
            "schema": SCHEMA,
            "name": f"{self.root.resolve().name}-{sum(splits.values())}-seed{self.seed}",
            "kind": self.kind,
            "seed": self.seed,
            "image_size": [self.size, self.size],
            "splits": splits,
            "objects": len(set(objects.values())),
            "scene_objects": objects,
            "licence": self.licence,
            "sha256": hashlib.sha256(listing.encode()).hexdigest(),
            "version": version("posegen"),
        }
        (self.out / DESCRIPTION).write_text(json.dumps(index, indent=2) + "\n")


def _row(shot: Shot, scene: Path | None) -> dict[str, Any]:
    """A line of sources.csv."""
    return {
        "split": shot.split,
        "scene": f"{shot.scene:06d}",
        "frame": f"{shot.frame:06d}",
        "group": shot.group,
        "photo": shot.photo.photo.as_posix(),
        "mask": shot.photo.mask_file.as_posix(),
        "background": "" if scene is None else scene.as_posix(),
        "appearance": shot.shown.photo.as_posix(),
    }


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
