"""The transform is exact: masks, backgrounds, points and cameras go to the same place."""

import time

import cv2
import numpy as np
import pytest

from posegen_runtime.errors import MaskRejected
from posegen_runtime.geometry import Fit, Placement, place

FITS = [Fit.OBJECT, Fit.FRAME, Fit.STRETCH]


def blob(height: int, width: int, seed: int) -> np.ndarray:
    """A random convex silhouette inside the frame, uint8 {0, 255}, rasterised at pixel centres."""
    rng = np.random.default_rng(seed)
    radius = rng.uniform(0.12, 0.3) * min(height, width)
    low = 1.05 * radius
    centre = rng.uniform((low, low), (width - low, height - low))
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    hull = cv2.convexHull(
        (centre + radius * np.stack([np.cos(angles), np.sin(angles)], 1)).astype(np.float32)
    )[:, 0].astype(float)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    inside = np.ones((height, width), bool)
    for a, b in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        inside &= (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0
    return inside.astype(np.uint8) * 255


def centroid(mask: np.ndarray) -> np.ndarray:
    """(x, y) in the half convention."""
    y, x = np.nonzero(mask)
    return np.array([x.mean() + 0.5, y.mean() + 0.5])


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("frame", [(256, 256), (240, 320), (360, 203), (257, 199), (90, 70)])
def test_masks_do_not_drift(fit: Fit, frame: tuple[int, int]) -> None:
    """Mean over random shapes: 0.02 px of the target. A quarter pixel is 12 times that.

    Halving exactly leaves ties, and half is object: at 256 → 128 shapes grow by 1.3%.
    """
    offsets, growth = [], []
    for seed in range(150):
        mask = blob(*frame, seed)
        placement = place(mask, (128, 128), fit)
        small = placement.mask(mask)
        offsets.append(centroid(small) - placement.points(centroid(mask)))
        area = (mask > 0).sum() * placement.sx * placement.sy
        growth.append((small > 0).sum() / area - 1)
    assert np.abs(np.mean(offsets, axis=0)).max() < 0.02
    assert abs(np.mean(growth)) < 0.02


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("frame", [(300, 500), (64, 40), (128, 128), (700, 130)])
def test_background_of_the_masks_size_stays_under_the_mask(
    fit: Fit, frame: tuple[int, int]
) -> None:
    mask = blob(*frame, 3)
    placement = place(mask, (128, 128), fit)
    background = placement.background(np.dstack([mask] * 3))
    assert background.shape == (128, 128, 3)
    assert ((background[..., 0] > 127) == (placement.mask(mask) > 0))[_inside(placement)].all()


def _inside(placement: Placement) -> np.ndarray:
    """Target pixels that show the frame, not what was added around it."""
    height, width = placement.source_size
    (x0, y0), (x1, y1) = placement.points([[0, 0], [width, height]])
    y, x = np.mgrid[0:128, 0:128]
    return (x >= x0 + 1) & (x + 1 <= x1 - 1) & (y >= y0 + 1) & (y + 1 <= y1 - 1)


def test_other_backgrounds_are_cover_cropped_never_padded() -> None:
    placement = place(blob(256, 256, 0), (128, 128), Fit.OBJECT)
    photo = np.full((300, 900, 3), 255, np.uint8)
    assert (placement.background(photo) == 255).all()


def test_padding_reflects_the_background_and_blackens_the_mask() -> None:
    mask = np.full((100, 200), 255, np.uint8)
    placement = place(mask, (100, 100), Fit.FRAME)
    assert placement.window == (0, -50, 200, 150)
    placed = placement.mask(mask)
    assert not placed[:25].any()
    assert placed[25:75].all()
    assert not placed[75:].any()
    ramp = np.dstack([np.tile(np.arange(100, dtype=np.uint8)[:, None], (1, 200))] * 3)
    background = placement.background(ramp)[:, 0, 0].astype(int)
    assert abs(background[24] - background[25]) <= 2
    assert background[10] > background[24]


def boxed(frame: tuple[int, int], box: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(frame, np.uint8)
    x, y, width, height = box
    mask[y : y + height, x : x + width] = 255
    return mask


@pytest.mark.parametrize(
    ("frame", "box", "window"),
    [
        # A margin of a fifth of the box on each side, around its middle.
        ((400, 400), (150, 180, 100, 60), (130, 140, 270, 280)),
        # Moved into the frame, not padded.
        ((400, 400), (0, 180, 100, 60), (0, 140, 140, 280)),
        ((400, 400), (300, 340, 100, 60), (260, 260, 400, 400)),
        # The margin shrinks before the window leaves the frame.
        ((200, 400), (110, 10, 180, 180), (100, 0, 300, 200)),
        # Only an object larger than the largest square pads, and not beyond the whole frame.
        ((200, 400), (50, 10, 220, 180), (6, -54, 314, 254)),
        ((200, 400), (0, 0, 400, 200), (0, -100, 400, 300)),
    ],
)
def test_object_window(
    frame: tuple[int, int], box: tuple[int, int, int, int], window: tuple[int, int, int, int]
) -> None:
    assert place(boxed(frame, box), (64, 64), Fit.OBJECT).window == window


@pytest.mark.parametrize(
    ("frame", "box", "fit"),
    [
        ((300, 300), (100, 100, 100, 40), Fit.FRAME),
        ((300, 300), (100, 100, 99, 40), Fit.OBJECT),
        ((300, 301), (0, 0, 300, 300), Fit.OBJECT),
    ],
)
def test_auto(frame: tuple[int, int], box: tuple[int, int, int, int], fit: Fit) -> None:
    """Frame when the mask has the model's aspect and the box is a third of it or more."""
    assert place(boxed(frame, box), (64, 64), Fit.AUTO).fit is fit


def test_a_target_that_is_not_square() -> None:
    mask = blob(300, 300, 5)
    for fit in FITS:
        placement = place(mask, (96, 160), fit)
        assert placement.mask(mask).shape == (96, 160)
        if fit is not Fit.STRETCH:
            assert placement.sx == pytest.approx(placement.sy, rel=0.01)
    assert place(boxed((120, 200), (0, 0, 100, 100)), (60, 100)).fit is Fit.FRAME


def test_stretch_scales_the_axes_apart() -> None:
    placement = place(boxed((100, 400), (0, 0, 9, 9)), (128, 128), Fit.STRETCH)
    assert (placement.sx, placement.sy) == (0.32, 1.28)
    assert (placement.tx, placement.ty) == (0, 0)


@pytest.mark.parametrize("pixel_center", ["half", "integer"])
@pytest.mark.parametrize("fit", FITS)
def test_camera_projects_to_the_placed_points(fit: Fit, pixel_center: str) -> None:
    placement = place(blob(480, 640, 1), (128, 128), fit)
    camera = np.array([[700.0, 3.0, 310.0], [0, 690, 250], [0, 0, 1]])
    rays = np.random.default_rng(0).uniform(-0.3, 0.3, (10, 3)) * (1, 1, 0) + (0, 0, 1)
    shift = 0.5 if pixel_center == "integer" else 0.0
    source = (rays @ camera.T)[:, :2] + shift
    target = (rays @ placement.camera(camera, pixel_center).T)[:, :2] + shift
    np.testing.assert_allclose(target, placement.points(source), atol=1e-9)


def test_camera_by_hand() -> None:
    """1920 → 256 without a crop: half a pixel is 3.75 source pixels' worth apart."""
    placement = Placement(
        fit=Fit.STRETCH, source_size=(1080, 1920), target_size=(256, 256), window=(0, 0, 1920, 1080)
    )
    camera = np.array([[1000.0, 0, 959.5], [0, 1000, 539.5], [0, 0, 1]])
    integer = placement.camera(camera, "integer")
    np.testing.assert_allclose(integer[:2, 2], [127.5, 127.5])
    half = placement.camera(camera + np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]]), "half")
    np.testing.assert_allclose(half[:2, 2], [128, 128])
    np.testing.assert_allclose(np.diag(half), [1000 * 256 / 1920, 1000 * 256 / 1080, 1])


def test_empty_mask_is_rejected() -> None:
    with pytest.raises(MaskRejected, match="the mask is empty"):
        place(np.zeros((10, 10), np.uint8), (64, 64))


def test_object_that_vanishes_is_rejected() -> None:
    mask = boxed((2000, 2000), (0, 1000, 2000, 2))
    with pytest.raises(MaskRejected, match="be seen at 128×128; use --fit object"):
        place(mask, (128, 128), Fit.FRAME).mask(mask)
    with pytest.raises(MaskRejected, match=r"be seen at 128×128$"):
        place(mask, (128, 128), Fit.OBJECT).mask(mask)


def test_mask_of_another_size_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="placed as one of"):
        place(boxed((9, 9), (1, 1, 3, 3)), (64, 64)).mask(np.zeros((8, 9), np.uint8))


@pytest.mark.parametrize("fit", [Fit.AUTO, *FITS])
def test_one_pixel(fit: Fit) -> None:
    mask = np.full((1, 1), 255, np.uint8)
    placement = place(mask, (256, 256), fit)
    assert (placement.mask(mask) == 255).all()
    assert placement.background(np.full((1, 1, 3), 9, np.uint8)).shape == (256, 256, 3)


@pytest.mark.parametrize("shape", [(1, 1_000_000), (60_000, 2)])
def test_a_line_is_not_filled_up_to_a_square_of_gigabytes(shape: tuple[int, int]) -> None:
    mask = np.full(shape, 255, np.uint8)
    for fit, what in ((Fit.AUTO, "object"), (Fit.OBJECT, "object"), (Fit.FRAME, "frame")):
        with pytest.raises(MaskRejected, match=f"the {what} is too long and thin: .*stretch$"):
            place(mask, (256, 256), fit)
    assert (place(mask, (256, 256), Fit.STRETCH).mask(mask) == 255).all()


@pytest.mark.parametrize("fit", FITS)
def test_huge_mask(fit: Fit) -> None:
    mask = np.zeros((6000, 8000), np.uint8)
    mask[2000:4000, 3000:6000] = 255
    start = time.process_time()
    placement = place(mask, (256, 256), fit)
    placed = placement.mask(mask)
    assert time.process_time() - start < 1.0
    np.testing.assert_allclose(centroid(placed), placement.points([4500, 3000]), atol=0.5)
