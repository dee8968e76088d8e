"""Which empty scene is taken for a photo, on disk as people have them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from photo_folder import OBJECT, SIZE, photo, scene, write_photos
from posegen.data.cli import app
from posegen.data.empty_scenes import EmptyScenes
from posegen.data.pairing import Partners
from posegen.data.photo_checks import Checks, Usable
from posegen_runtime.choices import Fit
from posegen_runtime.console import run_app
from posegen_runtime.images import read_rgb
from posegen_runtime.masks import MaskChannel, MaskReading, MaskValues

HALF = MaskReading(values=MaskValues.HALF, channel=MaskChannel.LUMA)


def usable(folder: Path, masks: Path, name: str, mask: str) -> Usable:
    checks = Checks(folder, Partners(masks, []), HALF, 64, Fit.FRAME, 8)
    return checks.examine(Path(name), masks / mask)


def scenes(tmp_path: Path, pictures: dict[str, np.ndarray], photos: list[str]) -> EmptyScenes:
    root = tmp_path / "empty"
    for name, pixels in pictures.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / name)
    return EmptyScenes(root, [root / name for name in pictures], [Path(p) for p in photos])


def test_a_named_scene_of_another_place_is_refused(tmp_path: Path) -> None:
    folder, masks = write_photos(tmp_path, 1)
    found = scenes(tmp_path, {"000.png": scene(1)}, ["000.png"])
    assert found.of(usable(folder, masks, "000.png", "000.png"), photo(0)) is None
    (why,) = found.refused
    assert why == f"{tmp_path / 'empty' / '000.png'}: shows another view than the photo 000.png"


@pytest.mark.parametrize(("number", "fits"), [(0, True), (1, False)])
def test_only_what_is_beside_the_object_is_compared(
    number: int, fits: bool, tmp_path: Path
) -> None:
    """This one covers more than half of the photo."""
    folder, masks = write_photos(tmp_path, 1)
    mask = np.zeros(SIZE, np.uint8)
    mask[10:110, 10:150] = 255
    rgb = np.where(mask[..., None] > 0, OBJECT, scene(0)).astype(np.uint8)
    Image.fromarray(rgb).save(folder / "large.png")
    cv2.imwrite(str(masks / "large.png"), mask)
    found = scenes(tmp_path, {"large.png": scene(number)}, ["large.png"])
    taken = found.of(usable(folder, masks, "large.png", "large.png"), rgb)
    assert (taken is not None) == fits


def test_photo_and_empty_scene_are_equal_outside_the_frame(tmp_path: Path) -> None:
    """Above and below a wide photo there is nothing that could tell a real image. The scene is
    darker than the photo, as they are: within the frame they stay what was shot."""
    folder, masks = write_photos(tmp_path, 2)
    (tmp_path / "empty").mkdir()
    for number in range(2):
        darker = np.maximum(scene(number), 4) - 4
        Image.fromarray(darker.astype(np.uint8)).save(tmp_path / "empty" / f"{number:03d}.png")
    line = ["photos", folder, "--masks", masks, "--out", tmp_path / "out", "--image-size", 64]
    line += ["--backgrounds", tmp_path / "empty", "--fit", "frame", "--val", 0, "--min-object", 8]
    assert run_app(app, [str(word) for word in line]) == 0
    photos = sorted((tmp_path / "out").glob("train/*/rgb/*.png"))
    assert len(photos) == 2
    for path in photos:
        rgb, background = read_rgb(path), read_rgb(path.parents[1] / "background" / path.name)
        for row in (*range(6), *range(58, 64)):  # 48 of 64 rows are the photo's
            assert np.array_equal(rgb[row], background[row])
        assert (rgb[12:52] != background[12:52]).any(axis=2).mean() > 0.9


def test_a_name_that_photos_share_is_no_match(tmp_path: Path) -> None:
    """Both photos agree with the scene as far as thumbnails tell, but it was shot for one."""
    folder, masks = write_photos(tmp_path, 1)
    (folder / "in").mkdir()
    pixels = np.rint(scene(0) * 0.96).astype(np.uint8)
    for name in ("000.png", "in/000.png"):
        Image.fromarray(photo(0)).save(folder / name)
    shared = scenes(tmp_path, {"sub/000.png": pixels}, ["000.png", "in/000.png"])
    own = scenes(tmp_path, {"sub/000.png": pixels}, ["in/000.png"])
    inner = usable(folder, masks, "in/000.png", "000.png")
    shared._same_view = own._same_view = lambda rgb: None  # type: ignore[method-assign]
    assert shared.of(inner, read_rgb(folder / "in/000.png")) is None
    assert own.of(inner, read_rgb(folder / "in/000.png")) is not None
    by_path = scenes(tmp_path, {"in/000.png": pixels}, ["000.png", "in/000.png"])
    assert by_path.of(inner, read_rgb(folder / "in/000.png")) is not None
