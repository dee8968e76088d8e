"""TeslaPose in its authors' layout: {model}/{location}/image, mask and background.

Photos of one walk round a car follow each other, and neighbours are nearly equal. So not photos but
runs of them are held out, and what lies beside such a run is left out.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posegen.data.pairing import Partners
from posegen.data.photo_checks import Progress, Usable
from posegen.data.photo_plan import Shot, half_scenes
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import read_resized_rgb, write_png
from posegen_runtime.paths import image_names, list_images

LICENCE = "TeslaPose: rights stay with the paper's authors"
PAPER = {"photos": 1_509, "backgrounds": 736, "test": 148}
IMAGE, MASK, BACKGROUND = "image", "mask", "background"


@dataclass(frozen=True)
class Location:
    """A place where a model was photographed: `photos` and `backgrounds` are paths below the data
    set's folder, in the order in which they were taken."""

    model: str
    name: str
    photos: list[Path]
    backgrounds: list[Path]
    masks: Partners | None
    unused: int
    """Masks that belong to no photo."""


class LocationMasks:
    """The masks of each photo's own location."""

    def __init__(self, locations: Sequence[Location]) -> None:
        self._partners = {photo: place.masks for place in locations for photo in place.photos}

    def of(self, photo: Path) -> list[Path]:
        partners = self._partners[photo]
        return [] if partners is None else partners.of(Path(photo.name))


def read_teslapose(root: Path) -> list[Location]:
    """Raises `PoseGenError` for another layout, and a location without photos."""
    folders = sorted(root.glob(f"*/*/{IMAGE}")) or sorted(root.glob(f"*/{IMAGE}"))
    folders = [folder for folder in folders if folder.is_dir()]
    if not folders:
        raise PoseGenError(
            f"{root}: no TeslaPose here, no MODEL/LOCATION/{IMAGE}; name the folder that holds "
            "the models"
        )
    return [_location(root, folder) for folder in folders]


def _location(root: Path, images: Path) -> Location:
    place = images.parent
    photos = _in_order(Path(name) for name in image_names(images))
    masks, unused = None, 0
    if (place / MASK).is_dir():
        files = list_images(place / MASK)
        masks = Partners(place / MASK, files)
        used = {mask for photo in photos for mask in masks.of(Path(photo.name))}
        unused = len(set(files) - used)
    empty = place / BACKGROUND
    backgrounds = _in_order(Path(name) for name in image_names(empty)) if empty.is_dir() else []
    below = place.relative_to(root)
    return Location(
        model=place.parent.name if place.parent != root else root.resolve().name,
        name=place.name,
        photos=[below / IMAGE / photo for photo in photos],
        backgrounds=[below / BACKGROUND / photo for photo in backgrounds],
        masks=masks,
        unused=unused,
    )


def _in_order(photos: Iterable[Path]) -> list[Path]:
    return sorted(photos, key=_number)


def _number(photo: Path) -> tuple[list[int], str]:
    """IMG_999 comes before IMG_1000."""
    return [int(digits) for digits in re.findall(r"\d+", photo.stem)], photo.as_posix()


def split_runs(
    count: int, val: float, test: float, run: int, gap: int, seed: Sequence[int]
) -> list[str]:
    """The split of each of `count` photos in a row: whole runs of at most `run` are held out.

    A run is at most a tenth of the row. Within `gap` of a photo of another split, those of the
    larger one are left out: "", from training beside val and test, from val beside test.
    """
    run = max(1, min(run, count // 10))
    runs = math.ceil(count / run)
    order = np.random.default_rng(list(seed)).permutation(runs)
    held = [min(round(share * runs) or (share > 0), runs // 3) for share in (test, val)]
    names = ["train"] * runs
    for index in order[: held[0]]:
        names[index] = "test"
    for index in order[held[0] : sum(held)]:
        names[index] = "val"
    splits = [names[index // run] for index in range(count)]
    rank = {"train": 0, "val": 1, "test": 2}
    return [
        ""
        if any(rank[other] > rank[own] for other in splits[max(0, i - gap) : i + gap + 1])
        else own
        for i, own in enumerate(splits)
    ]


def split_rows(
    rows: Sequence[Sequence[Path]], val: float, test: float, run: int, gap: int, seed: int
) -> dict[Path, str]:
    """`split_runs` of each row of photos that were taken one after the other."""
    return {
        photo: split
        for number, row in enumerate(rows)
        for photo, split in zip(
            row, split_runs(len(row), val, test, run, gap, (seed, number)), strict=True
        )
    }


def plan_teslapose(
    models: Mapping[str, Sequence[Usable]], split_of: Mapping[Path, str], seed: int
) -> list[Shot]:
    """All photos of a model show one car: within a split, each lends its appearance to others."""
    shots: list[Shot] = []
    scene = 0
    for number, model in enumerate(sorted(models)):
        order = np.random.default_rng([seed, number]).permutation(len(models[model]))
        photos = [models[model][int(i)] for i in order]
        parts: dict[str, list[Usable]] = {"train": [], "val": [], "test": []}
        for photo in photos:
            parts[split_of[photo.photo]].append(photo)
        for split, part in parts.items():
            others = [] if split == "train" else parts["train"]
            for half, shown in half_scenes(part, others):
                shots += [
                    Shot(split, scene, frame, model, photo, shown[frame % len(shown)])
                    for frame, photo in enumerate(half)
                ]
                scene += 1
    return shots


def write_backgrounds(
    root: Path, out: Path, splits: Mapping[Path, str], size: int, progress: Progress
) -> dict[str, int]:
    """The photos without the car, as scenes to generate into: the middle square of each, in
    `backgrounds/SPLIT`. Returns how many each split has; those that cannot be read are left out."""
    counts = {"train": 0, "val": 0, "test": 0}
    for number, (photo, split) in enumerate(splits.items()):
        progress("backgrounds", number, len(splits))
        if not split:
            continue
        try:
            scene = read_resized_rgb(root / photo, (size, size))
        except PoseGenError:
            continue
        name = "-".join(part for part in photo.with_suffix(".png").parts if part != BACKGROUND)
        file = out / "backgrounds" / split / name
        file.parent.mkdir(parents=True, exist_ok=True)
        write_png(file, scene)
        counts[split] += 1
    return counts


def compare(
    places: Sequence[Location], splits: Mapping[str, int], backgrounds: Mapping[str, int]
) -> list[str]:
    """What is there, beside what the paper counts."""
    photos = sum(len(place.photos) for place in places)
    scenes = sum(len(place.backgrounds) for place in places)
    written = ", ".join(f"{name} {count}" for name, count in backgrounds.items())
    lines = [
        f"photos: {photos:,}, the paper's {PAPER['photos']:,}; in {len(places)} locations, 2",
        f"test: {splits['test']:,}, the authors' {PAPER['test']:,}; held out one by one",
        f"backgrounds: {scenes:,}, the paper's {PAPER['backgrounds']:,}; written: {written}",
    ]
    unused = sum(place.unused for place in places)
    return lines + ([f"{unused} masks belong to no photo"] if unused else [])
