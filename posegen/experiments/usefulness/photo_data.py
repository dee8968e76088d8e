"""The target photos as a user has them: image files, a segmenter's rough masks, no poses; and the
data set that `posegen data photos` makes of them."""

import csv
import io
import json
import shutil
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posegen.data.dataset import DESCRIPTION, open_dataset
from posegen.data.photos import SOURCES
from posegen.data.photos_cli import photos as make_dataset
from posegen.data.prepared import read_image
from posegen.data.roughen import roughen
from posegen.experiments.usefulness.config import Config
from posegen.experiments.usefulness.renders import Drawn, Pixels
from posegen_runtime.choices import Fit
from posegen_runtime.images import write_png
from posegen_runtime.paths import write_atomic

_MIN_OBJECT = 8


def rough_masks(photos: Drawn, seed: int) -> Pixels:
    """The photos' silhouettes as a segmenter draws them, uint8 [N, S, S] in {0, 255}."""
    streams = (np.random.default_rng([seed, 100, number]) for number in range(len(photos)))
    return np.stack([roughen(m, rng) for m, rng in zip(photos.mask, streams, strict=True)])


def dataset(
    config: Config,
    photos: Drawn,
    masks: Pixels,
    viewpoint: NDArray[np.float32] | None,
    folder: Path,
) -> Path:
    """The data set folder, made where it is not there yet.

    Photos of one car are a group. `viewpoint` [N, 3] are the views that training is told, if any.
    """
    made = folder / "dataset"
    if not (made / DESCRIPTION).exists():
        shutil.rmtree(folder, ignore_errors=True)
        _write_files(photos, masks, folder)
        part = folder / "part"
        with redirect_stdout(io.StringIO()):  # its report names a folder that is renamed
            make_dataset(
                folder / "photos",
                part,
                masks=folder / "masks",
                groups=folder / "groups.csv",
                fit=Fit.FRAME,
                image_size=config.image_size,
                min_object=_MIN_OBJECT,
                val=0.0,
                seed=config.seed,
            )
        if viewpoint is not None:
            _write_views(part, {_name(n): view for n, view in enumerate(viewpoint)})
        part.rename(made)
    return made


def appearances(data: Path) -> Pixels:
    """The pictures cut around the objects of the data set in `data`, [M, S, S, 3]."""
    found = open_dataset(data)
    source = found.description.image_size
    samples = found.samples("train")
    return np.stack([read_image(one.appearance, source, source[0]) for one in samples])


def _name(number: int) -> str:
    return f"{number:06d}.png"


def _write_files(photos: Drawn, masks: Pixels, folder: Path) -> None:
    for name in ("photos", "masks"):
        (folder / name).mkdir(parents=True)
    for number, (image, mask) in enumerate(zip(photos.image, masks, strict=True)):
        write_png(folder / "photos" / _name(number), image)
        write_png(folder / "masks" / _name(number), mask)
    lines = [f"{_name(number)},car{car}\n" for number, car in enumerate(photos.car)]
    (folder / "groups.csv").write_text("".join(lines))


def _write_views(root: Path, views: Mapping[str, NDArray[np.float32]]) -> None:
    """scene_gt.json of every scene: poses of which the viewpoint alone means something."""
    scenes: dict[Path, dict[str, list[dict[str, list[float]]]]] = {}
    with open(root / SOURCES, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            view = views[Path(row["photo"]).name]
            pose = {"cam_R_m2c": np.eye(3).ravel().tolist(), "cam_t_m2c": (-view).tolist()}
            scene = root / row["split"] / row["scene"]
            scenes.setdefault(scene, {})[str(int(row["frame"]))] = [pose]
    for scene, entries in scenes.items():
        write_atomic(scene / "scene_gt.json", json.dumps(entries).encode())
