"""Every kind of mask file comes out as the same silhouette, and doubt is asked about."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from posegen_runtime import masksample
from posegen_runtime.errors import MaskRejected, PoseGenError
from posegen_runtime.masks import (
    MaskChannel,
    MaskReading,
    MaskValues,
    choose_reading,
    parse_mask_values,
)

VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]


def shape(height: int = 64, width: int = 80) -> np.ndarray:
    """A car-like outline: bool [H, W], not symmetrical in any way."""
    canvas = np.zeros((height, width), np.uint8)
    outline = np.array(
        [[8, 40], [18, 38], [28, 20], [52, 22], [60, 36], [70, 42], [68, 52], [9, 50]]
    )
    cv2.fillPoly(canvas, [outline], 1)
    return canvas.astype(bool)


def grey(value: int = 255) -> np.ndarray:
    return shape().astype(np.uint8) * np.uint8(value)


def save(path: Path, pixels: np.ndarray, mode: str | None = None, **options: object) -> Path:
    image = Image.fromarray(pixels)
    if mode == "P":
        image = Image.fromarray(pixels)
        image.putpalette(options.pop("palette", VOC))  # type: ignore[arg-type]
    elif mode:
        image = image.convert(mode)
    image.save(path, **options)
    return path


def read_one(path: Path, values: str = "auto", channel: str = "auto") -> np.ndarray:
    (silhouette,) = choose_reading([path], values, channel).read(path)
    assert silhouette.mask.dtype == np.uint8
    assert set(np.unique(silhouette.mask)) <= {0, 255}
    return silhouette.mask > 0


LOSSLESS = ("png", "bmp", "tiff", "webp")
RGBA_SUFFIXES = ("png", "tiff", "webp")


@pytest.mark.parametrize("value", [1, 7, 255])
@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_one_value_in_every_lossless_format(
    tmp_path: Path, suffix: str, mode: str, value: int
) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    path = save(tmp_path / f"m.{suffix}", grey(value), mode, **options)
    assert (read_one(path) == shape()).all()


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_jpeg_mask_is_thresholded_at_half(tmp_path: Path, mode: str) -> None:
    path = save(tmp_path / "m.jpg", grey(), mode, quality=40)
    reading = choose_reading([path])
    (silhouette,) = reading.read(path)
    assert reading.values is MaskValues.HALF
    assert ((silhouette.mask > 0) == shape()).all()
    assert 0 < silhouette.unclear_share < 0.1


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff"])
def test_one_bit(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"m.{suffix}"
    Image.fromarray(shape()).save(path)
    assert (read_one(path) == shape()).all()


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("value", [1, 255, 300, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits(tmp_path: Path, suffix: str, value: int, channels: int) -> None:
    pixels = shape().astype(np.uint16) * np.uint16(value)
    path = tmp_path / f"m.{suffix}"
    cv2.imwrite(str(path), pixels if channels == 1 else cv2.merge([pixels] * 3))
    assert (read_one(path) == shape()).all()


def test_half_of_16_bits_is_32767(tmp_path: Path) -> None:
    ramp = np.array([[0, 32767, 32768, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / "m.png"), ramp)
    assert read_one(tmp_path / "m.png", "half").tolist() == [[False, False, True, True]]


def test_half_of_8_bits_is_127(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", np.array([[0, 127, 128, 255]], np.uint8))
    assert read_one(path, "half").tolist() == [[False, False, True, True]]
    assert choose_reading([path], "half").read(path)[0].unclear_share == 0.5


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff"])
def test_palette_is_read_as_indices(tmp_path: Path, suffix: str) -> None:
    """Green and red would have the grey values 75 and 38: two ids, whatever their colours."""
    pixels = grey(1)
    pixels[:5, :5] = 2
    path = save(tmp_path / f"m.{suffix}", pixels, "P")
    assert (read_one(path, "1") == shape()).all()
    assert read_one(path, "2").sum() == 25
    with pytest.raises(PoseGenError, match=r"values \(1, 2\)"):
        choose_reading([path])


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_palette_of_one_object(tmp_path: Path, bits: int) -> None:
    assert (read_one(save(tmp_path / "m.png", grey(1), "P", bits=bits)) == shape()).all()


def test_palette_of_white_and_black_is_read_by_colour(tmp_path: Path) -> None:
    """An optimiser may store white first; the object is still white."""
    pixels = (~shape()).astype(np.uint8)
    path = save(tmp_path / "m.png", pixels, "P", palette=[255, 255, 255, 0, 0, 0])
    assert (read_one(path) == shape()).all()
    assert (read_one(path, "1", "index") == ~shape()).all()


@pytest.mark.parametrize("suffix", RGBA_SUFFIXES)
@pytest.mark.parametrize("colour", ["white", "photo"])
def test_mask_in_alpha(tmp_path: Path, suffix: str, colour: str) -> None:
    rgb = np.full((*shape().shape, 3), 255, np.uint8)
    if colour == "photo":
        rgb = np.random.default_rng(0).integers(0, 256, rgb.shape).astype(np.uint8)
    path = tmp_path / f"m.{suffix}"
    Image.fromarray(np.dstack([rgb, grey()])).save(path, lossless=True)
    assert choose_reading([path]).channel is MaskChannel.ALPHA
    assert (read_one(path) == shape()).all()


@pytest.mark.parametrize("suffix", RGBA_SUFFIXES)
def test_opaque_rgba_is_read_by_colour(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"m.{suffix}"
    Image.fromarray(np.dstack([grey(), grey(), grey(), np.full_like(grey(), 255)])).save(
        path, lossless=True
    )
    assert choose_reading([path]).channel is MaskChannel.LUMA
    assert (read_one(path) == shape()).all()


def test_alpha_that_varies_beside_a_mask_in_colour(tmp_path: Path) -> None:
    alpha = np.full_like(grey(), 255)
    alpha[:, :3] = 0
    path = save(tmp_path / "m.png", np.dstack([grey(), grey(), grey(), alpha]))
    assert (read_one(path) == shape()).all()


def test_grey_with_alpha(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([np.full_like(grey(), 255), grey()]), "LA").save(tmp_path / "m.png")
    assert (read_one(tmp_path / "m.png") == shape()).all()


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_exif_turns_masks_as_it_turns_photos(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / f"m.{suffix}", grey(), "L", exif=exif)
    assert (read_one(path) == np.rot90(shape(), -1)).all()


def test_dark_class_colour_is_not_black(tmp_path: Path) -> None:
    """A simulator's class 1 in the red channel: plain grey conversion rounds it to 0."""
    path = save(tmp_path / "m.png", np.dstack([grey(0), grey(0), grey(1)]))
    assert (read_one(path) == shape()).all()


def two_objects(first: int, second: int, dtype: type = np.uint8) -> np.ndarray:
    pixels = shape().astype(dtype) * dtype(first)
    pixels[2:14, 60:76] = second
    return pixels


@pytest.mark.parametrize("ids", [(1, 2), (3, 255), (254, 3), (100, 200), (128, 255)])
def test_several_ids_are_listed_and_asked_for(tmp_path: Path, ids: tuple[int, int]) -> None:
    path = save(tmp_path / "m.png", two_objects(*ids))
    with pytest.raises(PoseGenError) as caught:
        choose_reading([path])
    low, high = sorted(ids)
    assert f"({low}, {high})" in str(caught.value)
    assert "--mask-values" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (read_one(path, str(ids[0])) == (two_objects(*ids) == ids[0])).all()


def test_ids_in_different_files_are_several_too(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{i}.png", grey(i)) for i in (1, 2)]
    with pytest.raises(PoseGenError, match=r"\(1, 2\)"):
        choose_reading(paths)


def test_id_above_255(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    cv2.imwrite(str(path), two_objects(1000, 258, np.uint16))
    with pytest.raises(PoseGenError, match="258, 1000"):
        choose_reading([path])
    assert (read_one(path, "1000") == (two_objects(1000, 258, np.uint16) == 1000)).all()


def test_each_id_is_a_silhouette(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", two_objects(5, 9))
    reading = choose_reading([path], "each")
    first, second = reading.read(path)
    assert (first.name_suffix, second.name_suffix) == ("_5", "_9")
    assert ((first.mask > 0) == (two_objects(5, 9) == 5)).all()
    assert ((second.mask > 0) == (two_objects(5, 9) == 9)).all()


def test_a_depth_map_is_no_instance_mask(tmp_path: Path) -> None:
    ids = np.arange(1001, dtype=np.uint16).reshape(7, 143)
    reading = MaskReading(values=MaskValues.EACH, channel=MaskChannel.LUMA)
    cv2.imwrite(str(tmp_path / "m.png"), ids)
    assert len(reading.read(tmp_path / "m.png")) == 1000
    cv2.imwrite(str(tmp_path / "m.png"), ids + np.uint16(1))
    with pytest.raises(MaskRejected, match=r"m\.png: holds 1001 ids; is this an instance mask\?"):
        reading.read(tmp_path / "m.png")


@pytest.mark.parametrize("values", ["each", "7", "half", "nonzero", "auto"])
def test_black_mask_gives_one_empty_silhouette(tmp_path: Path, values: str) -> None:
    path = save(tmp_path / "m.png", grey(0))
    assert not read_one(path, values).any()


def test_white_mask_is_reported_by_its_share(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", np.full((8, 8), 255, np.uint8))
    assert choose_reading([path]).read(path)[0].white_share == 1.0


def smooth() -> np.ndarray:
    large = cv2.resize(grey(), None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    return cv2.resize(large[5:, 3:], (70, 60), interpolation=cv2.INTER_AREA)


def blurred() -> np.ndarray:
    return cv2.GaussianBlur(cv2.resize(grey(), (320, 256)), (0, 0), 4)


def jpeg_in_png() -> np.ndarray:
    coded = cv2.imencode(".jpg", cv2.resize(grey(), (320, 256)), [cv2.IMWRITE_JPEG_QUALITY, 30])
    return cv2.imdecode(coded[1], cv2.IMREAD_GRAYSCALE)


def half_row() -> np.ndarray:
    """A box whose edges lie in the middle of pixels: long runs of one grey value."""
    pixels = np.zeros((60, 60), np.uint8)
    pixels[10:40, 10:50] = 128
    pixels[11:39, 11:49] = 255
    return pixels


@pytest.mark.parametrize("make", [smooth, blurred, jpeg_in_png, half_row])
def test_soft_and_noisy_edges_are_no_ids(tmp_path: Path, make: Callable[[], np.ndarray]) -> None:
    path = save(tmp_path / "m.png", make())
    reading = choose_reading([path])
    assert reading.values is MaskValues.HALF
    assert ((reading.read(path)[0].mask > 0) == (make() > 127)).all()


@pytest.mark.parametrize("quality", [10, 50, 95])
@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_lossy_masks_of_any_quality(tmp_path: Path, suffix: str, quality: int) -> None:
    path = save(tmp_path / f"m.{suffix}", cv2.resize(grey(), (320, 256)), quality=quality)
    assert choose_reading([path]).values is MaskValues.HALF


@pytest.mark.parametrize("values", ["each", "255"])
@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_lossy_formats_hold_no_ids(tmp_path: Path, suffix: str, values: str) -> None:
    path = save(tmp_path / f"m.{suffix}", grey())
    with pytest.raises(MaskRejected, match="a lossy format keeps no exact ids"):
        choose_reading([path], values).read(path)


def test_values_as_a_member_of_the_enum(tmp_path: Path) -> None:
    reading = choose_reading([save(tmp_path / "m.png", grey())], MaskValues.EACH, "luma")
    assert (reading.values, reading.channel) == (MaskValues.EACH, MaskChannel.LUMA)


def test_sample_is_spread_over_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second object only appears late; a look at the first files would miss it."""
    paths = [save(tmp_path / f"{i:03}.png", grey(1 if i < 60 else 2)) for i in range(100)]
    opened: list[Path] = []
    read = masksample.read_mask_file
    monkeypatch.setattr(masksample, "read_mask_file", lambda p: opened.append(p) or read(p))
    with pytest.raises(PoseGenError, match=r"\(1, 2\)"):
        choose_reading(paths)
    assert len(opened) <= 32


def test_explanation_says_what_was_chosen(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", grey())
    text = choose_reading([path]).explanation
    assert "--mask-values half --mask-channel luma" in text
    assert "1 of 1 files" in text
    assert "\n" not in text


def test_broken_files_in_the_sample_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    good = save(tmp_path / "good.png", grey(3))
    reading = choose_reading([tmp_path / "bad.png", good])
    assert reading.values is MaskValues.NONZERO
    with pytest.raises(MaskRejected, match=r"bad\.png: no image"):
        reading.read(tmp_path / "bad.png")
    with pytest.raises(PoseGenError, match=r"none of the masks .*bad\.png"):
        choose_reading([tmp_path / "bad.png"])


def test_missing_channels_are_named(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", np.dstack([grey(9), grey(1), grey(2)]))
    for channel in (MaskChannel.ALPHA, MaskChannel.INDEX):
        reading = MaskReading(values=MaskValues.HALF, channel=channel)
        with pytest.raises(MaskRejected, match=r"m\.png: has no .*--mask-channel luma"):
            reading.read(path)


def test_alpha_asked_for_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="--mask-channel alpha: the masks have no alpha"):
        choose_reading([save(tmp_path / "m.png", grey())], channel="alpha")
    colours = save(tmp_path / "c.png", np.dstack([grey(9), grey(1), grey(2)]))
    with pytest.raises(PoseGenError, match="--mask-channel index: the masks have no palette"):
        choose_reading([colours], channel="index")


def test_a_colour_mask_among_palette_masks_is_passed_over(tmp_path: Path) -> None:
    odd = save(tmp_path / "odd.png", np.dstack([grey(9), grey(1), grey(2)]))
    good = [save(tmp_path / f"{i}.png", grey(1), "P") for i in range(2)]
    reading = choose_reading([odd, *good])
    assert (reading.values, reading.channel) == (MaskValues.NONZERO, MaskChannel.INDEX)
    assert ((reading.read(good[0])[0].mask > 0) == shape()).all()
    with pytest.raises(MaskRejected, match=r"odd\.png: has no palette"):
        reading.read(odd)


def test_float_mask_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "m.tiff"), shape().astype(np.float32))
    reading = MaskReading(values=MaskValues.HALF, channel=MaskChannel.LUMA)
    with pytest.raises(MaskRejected, match="float32 pixels"):
        reading.read(tmp_path / "m.tiff")


@pytest.mark.parametrize("size", [(1, 1), (6000, 8000)])
def test_smallest_and_huge_masks(tmp_path: Path, size: tuple[int, int]) -> None:
    pixels = np.zeros(size, np.uint8)
    pixels[: size[0] // 2 + 1, : size[1] // 2 + 1] = 255
    cv2.imwrite(str(tmp_path / "m.png"), pixels)
    assert (read_one(tmp_path / "m.png") == (pixels > 0)).all()


def test_parse_mask_values() -> None:
    assert parse_mask_values("17") == (MaskValues.ID, 17)
    assert parse_mask_values("each") == (MaskValues.EACH, None)
    for text in ("0", "-1", "65536", "id", "white", ""):
        with pytest.raises(PoseGenError, match="--mask-values"):
            parse_mask_values(text)
