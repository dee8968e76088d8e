"""Stanford Cars as published: photos in folders, categories in the devkit's .mat files.

Either `cars_train/`, `cars_test/` and `devkit/`, or `car_ims/` with `cars_annos.mat`. The published
halves share all categories, so they are merged and split anew, by category.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posegen.data.photo_checks import Usable
from posegen.data.photo_plan import Shot, half_scenes
from posegen_runtime.errors import PoseGenError

LICENCE = "Stanford Cars: for research; rights stay with the photos' owners"
PUBLISHED = 16_185
PAPER = {"train": 12_678, "val": 2_075, "test": 1_435}
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
_META = "devkit/cars_meta.mat"
_HALVES = {
    "cars_train": ("devkit/cars_train_annos.mat",),
    "cars_test": ("cars_test_annos_withlabels.mat", "devkit/cars_test_annos_withlabels.mat"),
}
_MERGED = "cars_annos.mat"


@dataclass(frozen=True)
class StanfordCars:
    """`category` of each photo, a path below `root`. `missing` photos are listed in the .mat files
    and not there; `empty` categories have no photo that is."""

    root: Path
    category: dict[Path, str]
    missing: list[Path]
    empty: list[str]

    def check_whole(self) -> None:
        """Raises `PoseGenError` for photos that are missing, and categories without any."""
        if self.missing:
            total = len(self.category) + len(self.missing)
            raise PoseGenError(
                f"{self.root}: {len(self.missing)} of {total} photos are missing, the first "
                f"{self.missing[0]}; unpack the archives again, or take what is there with "
                "--partial"
            )
        if self.empty:
            raise PoseGenError(
                f"{self.root}: no photo of {len(self.empty)} categories, the first "
                f"{self.empty[0]}; unpack the archives again, or take what is there with --partial"
            )


def read_stanford_cars(directory: Path) -> StanfordCars:
    """Which photos there are. Raises `PoseGenError` for another layout, and .mat files that cannot
    be read or do not agree."""
    root = directory / "stanford_cars" if (directory / "stanford_cars").is_dir() else directory
    if (root / _MERGED).is_file():
        names, listed = _read_merged(root)
    elif (root / _META).is_file():
        names, listed = _read_halves(root)
    else:
        raise PoseGenError(
            f"{directory}: no Stanford Cars here, neither {_META} nor {_MERGED}; name the folder "
            "into which its archives were unpacked"
        )
    category, missing = {}, []
    for photo, name in listed:
        if (root / photo).is_file():
            category[photo] = name
        else:
            missing.append(photo)
    if not category:
        raise PoseGenError(f"{root}: none of its {len(listed)} photos is there, such as {photo}")
    there = set(category.values())
    return StanfordCars(root, category, missing, [name for name in names if name not in there])


def split_of(category: str) -> str:
    """By the category's name alone, whatever others there are: 80 % of names, 10 and 10."""
    digest = hashlib.sha256(f"stanford cars/{category}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    held_out = SHARES["val"] + SHARES["test"]
    if place < 1 - held_out:
        return "train"
    return "val" if place < 1 - SHARES["test"] else "test"


def plan_cars(
    categories: Mapping[str, Sequence[Usable]], own_appearance: bool, seed: int
) -> list[Shot]:
    """Each photo as a sample whose appearance is its own crop, in a scene of its own, or another
    photo of its category."""
    shots: list[Shot] = []
    scene = 0
    for number, name in enumerate(sorted(categories)):
        order = np.random.default_rng([seed, number]).permutation(len(categories[name]))
        photos = [categories[name][int(i)] for i in order]
        parts = [([one], [one]) for one in photos] if own_appearance else half_scenes(photos, [])
        for part, shown in parts:
            shots += [
                Shot(split_of(name), scene, frame, name, photo, shown[frame % len(shown)])
                for frame, photo in enumerate(part)
            ]
            scene += 1
    return shots


def compare(shots: Sequence[Shot]) -> list[str]:
    """The splits, beside those of the paper."""
    total = sum(PAPER.values())
    lines = ["split   categories  photos  share   paper  share"]
    for split, published in PAPER.items():
        part = [shot for shot in shots if shot.split == split]
        categories = len({shot.group for shot in part})
        lines.append(
            f"{split:<5}  {categories:11,} {len(part):7,}  {len(part) / len(shots):4.0%}  "
            f"{published:7,}  {published / total:4.0%}"
        )
    lines.append(
        f"which categories the paper held out is not published; its counts add up to {total:,}, "
        f"three more than the {PUBLISHED:,} photos that are"
    )
    return lines


def _read_halves(root: Path) -> tuple[list[str], list[tuple[Path, str]]]:
    names = _names(root / _META)
    listed = []
    for folder, candidates in _HALVES.items():
        files = [root / name for name in candidates if (root / name).is_file()]
        if not files:
            raise PoseGenError(
                f"{root / candidates[0]}: missing; the categories of {folder} are in it"
                + (", not in devkit/cars_test_annos.mat" if len(candidates) > 1 else "")
            )
        inner = Path(folder, folder) if (root / folder / folder).is_dir() else Path(folder)
        listed += [(inner / file, name) for file, name in _annotations(files[0], "fname", names)]
    return names, listed


def _read_merged(root: Path) -> tuple[list[str], list[tuple[Path, str]]]:
    file = root / _MERGED
    names = _names(file)
    return names, [
        (Path(path), name) for path, name in _annotations(file, "relative_im_path", names)
    ]


def _names(file: Path) -> list[str]:
    names = np.atleast_1d(_field(file, _load(file), "class_names"))
    return [str(name) for name in names]


def _annotations(file: Path, field: str, names: Sequence[str]) -> list[tuple[str, str]]:
    """(photo, category) for each line; categories count from 1."""
    table = np.atleast_1d(_field(file, _load(file), "annotations"))
    if table.dtype.names is None or not {field, "class"} <= set(table.dtype.names):
        raise PoseGenError(
            f"{file}: its annotations lack {field} or class; unpack the devkit again"
        )
    found = []
    for path, number in zip(table[field], table["class"], strict=True):
        if not 1 <= int(number) <= len(names):
            raise PoseGenError(f"{file}: {path} has category {number} of {len(names)}")
        found.append((str(path), names[int(number) - 1]))
    return found


def _load(file: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        return dict(loadmat(file, squeeze_me=True))
    except Exception as error:  # of every kind, whatever the damage hits
        raise PoseGenError(
            f"{file}: no readable .mat file ({type(error).__name__}); unpack the archive again"
        ) from error


def _field(file: Path, content: dict[str, Any], name: str) -> Any:
    if name not in content:
        raise PoseGenError(f"{file}: holds no {name}; unpack the archive again")
    return content[name]
