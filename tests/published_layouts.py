"""Small replicas of published data sets, in the layouts in which they are published."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from photo_folder import photo, scene, silhouette

BOX = [("bbox_x1", "O"), ("bbox_y1", "O"), ("bbox_x2", "O"), ("bbox_y2", "O")]


def categories(count: int) -> list[str]:
    return [f"Maker Model-{number} Sedan {2000 + number % 13}" for number in range(count)]


def annotations(rows: list[tuple[str, int | None]], field: str = "fname") -> np.ndarray:
    """MATLAB's struct array [1, N], as the devkit has it; without a category where it is None."""
    kinds = [*BOX, *([("class", "O")] if rows[0][1] is not None else []), (field, "O")]
    table = np.zeros((1, len(rows)), kinds)
    for number, (name, category) in enumerate(rows):
        for key, value in zip(table.dtype.names, (20, 10, 130, 110), strict=False):
            table[0, number][key] = np.uint8(value)
        if category is not None:
            table[0, number]["class"] = np.uint8(category)
        table[0, number][field] = name
    return table


def names_cell(names: list[str]) -> np.ndarray:
    """MATLAB's cell array [1, N]."""
    cell = np.empty((1, len(names)), object)
    cell[0] = names
    return cell


def write_stanford_cars(root: Path, count: int = 20, each: int = 2) -> list[str]:
    """`each` photos of `count` categories in either half; the categories' names."""
    names = categories(count)
    (root / "devkit").mkdir(parents=True)
    savemat(root / "devkit" / "cars_meta.mat", {"class_names": names_cell(names)})
    for half, first in (("cars_train", 0), ("cars_test", count * each)):
        (root / half).mkdir()
        rows: list[tuple[str, int | None]] = []
        for number in range(count * each):
            Image.fromarray(photo(first + number)).save(root / half / f"{number + 1:05d}.jpg")
            rows.append((f"{number + 1:05d}.jpg", number % count + 1))
        train = half == "cars_train"
        labels = "devkit/cars_train_annos.mat" if train else "cars_test_annos_withlabels.mat"
        savemat(root / labels, {"annotations": annotations(rows)})
        if not train:
            bare = [(name, None) for name, _ in rows]
            savemat(root / "devkit" / "cars_test_annos.mat", {"annotations": annotations(bare)})
    return names


def write_teslapose(root: Path, photos: int = 30, backgrounds: int = 12) -> None:
    """Two locations of one model; masks are JPEG, as the authors saved them."""
    for place, first in (("avana-sunnyvale", 990), ("santa-clara-square-rooftop", 2400)):
        folder = root / "tesla-model-3" / place
        for kind in ("image", "mask", "background"):
            (folder / kind).mkdir(parents=True)
        for number in range(first, first + photos):
            name = f"IMG_{number:04d}.JPEG" if number > 999 else f"IMG_{number}.JPEG"
            Image.fromarray(photo(number)).save(folder / "image" / name, quality=95)
            Image.fromarray(silhouette(number)).save(folder / "mask" / name)
        for number in range(first + 500, first + 500 + backgrounds):
            Image.fromarray(scene(number)).save(folder / "background" / f"IMG_{number}.JPEG")
