"""Reading photos of every kind, refusing broken ones, writing whole files only."""

import os
import subprocess
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from posegen_runtime import imagefile
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import (
    cover_crop,
    encode_jpeg,
    read_resized_rgb,
    read_rgb,
    resize,
    write_png,
)
from posegen_runtime.paths import list_images, read_bytes, write_atomic

FORMATS = ("png", "jpg", "bmp", "tiff", "webp")


def photo(height: int = 40, width: int = 60) -> np.ndarray:
    """Smooth and different in every channel, so that JPEG keeps it within a few levels."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    channels = (x / width * 200 + 20, y / height * 200 + 20, (x + y) / (height + width) * 150 + 50)
    return np.dstack(channels).round().astype(np.uint8)


def save(path: Path, image: np.ndarray, mode: str = "") -> Path:
    picture = Image.fromarray(image)
    if mode:
        picture = picture.convert(mode)
    picture.save(path, **({"quality": 97} if path.suffix in (".jpg", ".webp") else {}))
    return path


def difference(actual: np.ndarray, expected: np.ndarray) -> float:
    assert actual.dtype == np.uint8
    assert actual.shape == expected.shape
    return float(np.abs(actual.astype(float) - expected).mean())


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_reads_every_format_as_rgb(tmp_path: Path, suffix: str, mode: str) -> None:
    expected = np.asarray(Image.fromarray(photo()).convert(mode).convert("RGB"))
    actual = read_rgb(save(tmp_path / f"photo.{suffix}", photo(), mode))
    assert difference(actual, expected) <= (3 if suffix in ("jpg", "webp") else 0)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_alpha_is_dropped_and_the_colour_under_it_kept(tmp_path: Path, suffix: str) -> None:
    rgba = np.dstack([photo(), np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))])
    assert difference(read_rgb(save(tmp_path / f"photo.{suffix}", rgba)), photo()) == 0


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_scaled_not_cut(tmp_path: Path, suffix: str, channels: int) -> None:
    image = photo() if channels == 3 else photo()[..., 0]
    path = tmp_path / f"photo.{suffix}"
    cv2.imwrite(
        str(path),
        image[..., ::-1].astype(np.uint16) * 257
        if channels == 3
        else image.astype(np.uint16) * 257,
    )
    expected = image if channels == 3 else np.dstack([image] * 3)
    assert difference(read_rgb(path), expected) == 0


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff"])
def test_palette_photo_is_read_in_its_colours(tmp_path: Path, suffix: str) -> None:
    picture = Image.fromarray(photo()).quantize(32)
    picture.save(tmp_path / f"photo.{suffix}")
    assert (
        difference(read_rgb(tmp_path / f"photo.{suffix}"), np.asarray(picture.convert("RGB"))) == 0
    )


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(tmp_path: Path, suffix: str, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(photo()).save(path, exif=exif)
    with Image.open(path) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    assert difference(read_rgb(path), expected) <= 3


def test_turned_tiff_is_refused(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(photo()).save(tmp_path / "photo.tiff", exif=exif)
    with pytest.raises(PoseGenError, match=r"photo\.tiff: a TIFF that is stored turned"):
        read_rgb(tmp_path / "photo.tiff")


def test_name_that_is_not_ascii(tmp_path: Path) -> None:
    path = tmp_path / "Straße 写真 ü.png"
    write_png(path, photo())
    assert difference(read_rgb(path), photo()) == 0


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("share", [0.99, 0.6, 0.02])
def test_truncated_file_is_one_line_naming_it(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 90, 3)).astype(np.uint8)
    whole = save(tmp_path / f"whole.{suffix}", noise).read_bytes()
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(PoseGenError, match=r"cut short|damaged") as caught:
        read_rgb(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_truncated_jpeg_with_a_whole_thumbnail_inside(tmp_path: Path) -> None:
    """The thumbnail's end marker must not pass for the photo's."""
    thumbnail = cv2.imencode(".jpg", photo(8, 8))[1].tobytes()
    whole = cv2.imencode(".jpg", photo(80, 90))[1].tobytes()
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    path = tmp_path / "cut.jpg"
    path.write_bytes(whole[:2] + segment + whole[2:])
    assert read_rgb(path).shape == (80, 90, 3)
    path.write_bytes((whole[:2] + segment + whole[2:])[:-40])
    with pytest.raises(PoseGenError, match="cut short"):
        read_rgb(path)


def test_a_jpeg_whose_size_hides_behind_a_marker_without_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder reads on behind such a marker, so the size behind it counts."""
    data = bytearray(save(tmp_path / "photo.jpg", photo()).read_bytes())
    size = data.index(b"\xff\xc0")
    data[size + 5 : size + 9] = (30_000).to_bytes(2, "big") * 2
    data[size:size] = b"\xff\xd0\xff\x01"
    (tmp_path / "bomb.jpg").write_bytes(data)
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(PoseGenError, match=r"bomb\.jpg: 30000×30000 pixels are more than"):
        read_rgb(tmp_path / "bomb.jpg")


def test_bytes_after_the_end_are_no_error(tmp_path: Path) -> None:
    for suffix in ("jpg", "png"):
        path = save(tmp_path / f"photo.{suffix}", photo())
        path.write_bytes(path.read_bytes() + b"phone maker's trailer")
        assert read_rgb(path).shape == (40, 60, 3)


def test_flipped_byte_in_a_png(tmp_path: Path) -> None:
    path = save(tmp_path / "photo.png", photo())
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(PoseGenError, match="damaged"):
        read_rgb(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"hello, world", "no image"), (b"GIF89a" + b"\0" * 60, "no image")],
)
def test_file_that_is_no_image(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(PoseGenError, match=reason):
        read_rgb(path)


def test_missing_file_folder_and_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "none.png", tmp_path, tmp_path / "pipe.png"):
        with pytest.raises(PoseGenError, match=str(path)):
            read_rgb(path)


@pytest.mark.parametrize("becomes", ["pipe", "folder", "nothing", "link to itself", "/dev/zero"])
def test_a_file_that_changes_after_it_was_looked_at(
    tmp_path: Path, becomes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "photo.png", photo())
    look = os.stat

    def stat_then_change(name: object, **kwargs: object) -> os.stat_result:
        status = look(name, **kwargs)  # type: ignore[call-overload]
        if name == path:
            path.unlink()
            if becomes == "pipe":
                os.mkfifo(path)
            elif becomes == "folder":
                path.mkdir()
            elif becomes != "nothing":
                path.symlink_to(path if "link" in becomes else becomes)
        return status

    monkeypatch.setattr(os, "stat", stat_then_change)
    with pytest.raises(PoseGenError, match=r"photo\.png: (is no regular file|cannot be read \()"):
        read_rgb(path)


def test_a_file_larger_than_any_image_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(PoseGenError, match=r"huge\.png: 1,099,512 MB are more than the 2,147 MB"):
        read_rgb(tmp_path / "huge.png")


@pytest.mark.parametrize("name", ["a\0b.png", "n" * 256 + ".png", "d/" * 3000 + "a.png"])
def test_names_that_no_file_has(tmp_path: Path, name: str) -> None:
    with pytest.raises(PoseGenError, match="cannot be read") as caught:
        read_rgb(tmp_path / name)
    assert len(str(caught.value).splitlines()) == 1


def test_permission_error_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = save(tmp_path / "photo.png", photo())
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(PoseGenError, match=r"photo\.png: cannot be read \(Permission denied\)"):
        read_bytes(path)


def test_float_tiff_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "depth.tiff"), np.ones((4, 4), np.float32))
    with pytest.raises(PoseGenError, match="float32 pixels; save it with 8 or 16 bits"):
        read_rgb(tmp_path / "depth.tiff")


@pytest.mark.parametrize("suffix", FORMATS)
def test_too_many_pixels_are_refused_before_decoding(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / f"photo.{suffix}", photo())
    monkeypatch.setattr(imagefile, "MAX_PIXELS", 40 * 60 - 1)
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(PoseGenError, match="60×40 pixels are more than"):
        read_rgb(path)


def test_a_png_that_claims_to_be_huge(tmp_path: Path) -> None:
    data = bytearray(save(tmp_path / "photo.png", photo()).read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(PoseGenError, match="60000×60000"):
        read_rgb(tmp_path / "bomb.png")


@pytest.mark.parametrize("size", [(1_000_001, 1), (1, 2**31 - 1), (0, 5), (5, 0)])
def test_a_png_that_claims_an_absurd_side(tmp_path: Path, size: tuple[int, int]) -> None:
    data = bytearray(save(tmp_path / "photo.png", photo()).read_bytes())
    data[16:24] = b"".join(side.to_bytes(4, "big") for side in size)
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(PoseGenError, match=f"{size[0]}×{size[1]} pixels is (longer than|empty)"):
        read_rgb(tmp_path / "bomb.png")


def test_a_png_with_a_chunk_that_claims_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To make room for it takes seconds, for a file of a thousand bytes."""
    data = save(tmp_path / "photo.png", photo()).read_bytes()
    end = len(data) - 12
    chunk = (0x7FFFFFFF).to_bytes(4, "big") + b"tEXt" + b"\0" * 50
    (tmp_path / "bomb.png").write_bytes(data[:end] + chunk + data[end:])
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(PoseGenError, match=r"bomb\.png: the image file is cut short"):
        read_rgb(tmp_path / "bomb.png")


@pytest.mark.parametrize("shape", [(1, 1), (1, 60_000), (60_000, 1)])
def test_photos_that_are_a_dot_or_a_line(tmp_path: Path, shape: tuple[int, int]) -> None:
    path = save(tmp_path / "line.png", np.full(shape, 200, np.uint8))
    assert read_rgb(path).shape == (*shape, 3)
    assert (read_resized_rgb(path, (16, 24)) == 200).all()


def test_a_tiff_of_many_pages_is_its_first(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((9, 9), shade, np.uint8)) for shade in range(200)]
    pages[0].save(tmp_path / "pages.tiff", save_all=True, append_images=pages[1:])
    assert (read_rgb(tmp_path / "pages.tiff") == 0).all()


@pytest.mark.filterwarnings("ignore::UserWarning")  # pytest takes back what a run silences
@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
def test_damaged_exif_is_one_line(tmp_path: Path, suffix: str) -> None:
    """What Pillow raises there depends on what is damaged: struct.error, SyntaxError, ..."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(photo()).save(path, exif=exif)
    whole = path.read_bytes()
    start = 0 if suffix == "tiff" else max(whole.find(b"eXIf"), whole.find(b"EXIF"))
    for at in range(start + 4, start + 34):
        data = bytearray(whole)
        data[at] ^= 0xFF
        path.write_bytes(data)
        try:
            read_rgb(path)
        except PoseGenError as error:
            assert str(path) in str(error)  # noqa: PT017


def test_cover_crop_takes_the_middle_and_keeps_the_aspect() -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    assert (cover_crop(wide, (5, 5)) == 200).all()
    tall = np.ascontiguousarray(wide.transpose(1, 0, 2))
    assert (cover_crop(tall, (20, 20)) == 200).all()
    assert cover_crop(np.zeros((1, 1, 3), np.uint8), (7, 9)).shape == (7, 9, 3)
    assert cover_crop(np.zeros((1, 500, 3), np.uint8), (64, 64)).shape == (64, 64, 3)


@pytest.mark.parametrize("size", [(13, 17), (40, 17), (90, 90), (13, 120)])
def test_resize_keeps_the_middle_in_the_middle(size: tuple[int, int]) -> None:
    ramp = np.tile(np.linspace(0, 250, 60).astype(np.uint8), (40, 1))
    small = resize(ramp, size)
    assert small.shape == size
    np.testing.assert_allclose(small, 250 - small[:, ::-1].astype(int), atol=2)


def test_read_resized(tmp_path: Path) -> None:
    assert read_resized_rgb(save(tmp_path / "a.png", photo()), (16, 24)).shape == (16, 24, 3)


@pytest.mark.parametrize("grey", [False, True])
def test_writers_round_trip_and_leave_nothing_beside(tmp_path: Path, grey: bool) -> None:
    image = photo()[..., 0] if grey else photo()
    expected = np.dstack([image] * 3) if grey else image
    write_png(tmp_path / "a.png", image)
    write_atomic(tmp_path / "a.jpg", encode_jpeg(image))
    assert difference(read_rgb(tmp_path / "a.png"), expected) == 0
    assert difference(read_rgb(tmp_path / "a.jpg"), expected) < 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jpg", "a.png"]


def test_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomic(tmp_path / "a.png", b"old")

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(PoseGenError, match=r"a\.png: cannot be written \(No space left"):
        write_atomic(tmp_path / "a.png", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_what_the_disk_does_not_hold_is_not_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomic(tmp_path / "a", b"old", fsync=True)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        PoseGenError, match=r"a: cannot be written \(No space left on device\); free"
    ):
        write_atomic(tmp_path / "a", b"new", fsync=True)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
    write_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_write_into_a_missing_folder_names_it(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match=r"none/a\.png: cannot be written"):
        write_png(tmp_path / "none" / "a.png", photo())


def test_listing_is_nested_sorted_and_skips_hidden_files(tmp_path: Path) -> None:
    names = ["b.PNG", "a/z.jpg", "a/b/c.webp", ".hidden.png", ".cache/x.png", "note.txt", "a.tif"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [p.relative_to(tmp_path).as_posix() for p in list_images(tmp_path)]
    assert found == ["a.tif", "a/b/c.webp", "a/z.jpg", "b.PNG"]


def test_listing_ends_where_links_go_round(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert list_images(tmp_path) == [tmp_path / "a" / "x.png"]


def test_links_that_lead_round_or_nowhere_are_listed_and_then_cannot_be_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "round.png").symlink_to("round.png")
    (tmp_path / "nowhere.png").symlink_to("gone.png")
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "twice").symlink_to(tmp_path, target_is_directory=True)
    found = list_images(tmp_path)
    assert [path.name for path in found] == ["nowhere.png", "round.png"]
    for path, reason in zip(found, ("No such file", "Too many levels of symbolic"), strict=True):
        with pytest.raises(PoseGenError, match=rf"{path.name}: cannot be read \({reason}"):
            read_rgb(path)


def test_folders_nested_deeper_than_python_calls_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    deep = Path("d/" * 1200)
    os.makedirs("d/" * 600)
    os.makedirs("d/" * 600 + "d/" * 600)
    try:
        (deep / "a.png").touch()
        assert list_images("d") == [deep / "a.png"]
    finally:
        subprocess.run(["rm", "-r", "d"], check=True)  # shutil calls itself too often, too


def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    listed = os.scandir

    def closed(folder: str) -> object:
        if folder.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(PoseGenError, match=r"closed: cannot be listed \(Permission denied\)"):
        list_images(tmp_path)


def test_missing_empty_and_file_in_place_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match=r"--masks .*none: no such folder"):
        list_images(tmp_path / "none", "--masks")
    with pytest.raises(PoseGenError, match=r"--masks .*: no images found \(looked for \.png, "):
        list_images(tmp_path, "--masks")
    file = save(tmp_path / "a.png", photo())
    with pytest.raises(PoseGenError, match="is a file; name the folder"):
        list_images(file, "--masks")


def test_reading_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for suffix in FORMATS:
            read_rgb(save(tmp_path / f"photo.{suffix}", photo()))
    assert capfd.readouterr() == ("", "")


def test_the_longest_name_that_a_file_may_have_can_be_written(tmp_path: Path) -> None:
    name = "m" * 251 + ".png"
    write_atomic(tmp_path / name, b"data")
    assert [path.name for path in tmp_path.iterdir()] == [name]
