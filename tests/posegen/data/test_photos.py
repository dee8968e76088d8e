"""`posegen data photos` on folders as people have them."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from photo_folder import OBJECT, SIZE, photo, scene, silhouette, write_photos
from posegen.data.cli import app
from posegen.data.dataset import open_dataset
from posegen.data.filling import grown
from posegen.data.photos import DROPPED, SHEET, SOURCES
from posegen.data.prepared import prepare
from posegen_runtime.console import run_app
from tiny_training import tiny_config, train

ORIENTATION = 0x0112


def make(out: Path, folder: Path, *arguments: object) -> int:
    line = ["photos", folder, "--out", out, "--image-size", 64, *arguments]
    return run_app(app, [str(word) for word in line])


def rows(out: Path, name: str = SOURCES) -> list[dict[str, str]]:
    with (out / name).open(newline="") as file:
        return list(csv.DictReader(file))


def read(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def images(out: Path, row: dict[str, str]) -> dict[str, np.ndarray]:
    scene_folder = out / row["split"] / row["scene"]
    found = {
        name: read(scene_folder / name / f"{row['frame']}.png")
        for name in ("rgb", "background", "appearance")
    }
    mask = scene_folder / "mask" / f"{row['frame']}_000000.png"
    return found | {"mask": cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)}


def is_red(image: np.ndarray) -> np.ndarray:
    return image[..., 0].astype(int) - image[..., 1] > 60


def fits(image: np.ndarray, mask: np.ndarray, share: float = 0.995) -> bool:
    """Whether the object lies where the mask says, but for a few pixels on its edge."""
    return bool((is_red(image) == (mask > 0)).mean() >= share)


def test_photos_and_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, masks = write_photos(tmp_path, 12)
    out = tmp_path / "out"
    assert make(out, folder, "--masks", masks) == 0
    said = capsys.readouterr().out
    assert "12 photos, 12 used (train 11, val 1, test 0), 0 dropped" in said
    assert "all photos are taken for one object" in said
    assert "12 photos with the object filled in" in said
    dataset = open_dataset(out)
    assert dataset.description.kind == "photos"
    for split, count in (("train", 11), ("val", 1)):
        assert len(prepare(dataset, split, 64, tmp_path / "cache")) == count
    assert read(out / SHEET).shape[0] > 600
    assert {row["photo"] for row in rows(out)} == {f"{n:03d}.png" for n in range(12)}
    for row in rows(out):
        shown = images(out, row)
        assert fits(shown["rgb"], shown["mask"])
        assert is_red(shown["appearance"]).mean() > 0.1
        assert not is_red(shown["background"]).any()
        away = grown(shown["mask"]) == 0
        assert np.array_equal(shown["rgb"][away], shown["background"][away])


def test_the_same_window_for_all(tmp_path: Path) -> None:
    """The object spans the crop; --fit frame keeps the frame and fills above and below it."""
    folder, masks = write_photos(tmp_path, 4)
    for fit, low, high in (("object", 0.6, 0.8), ("frame", 0.3, 0.6)):
        out = tmp_path / fit
        assert make(out, folder, "--masks", masks, "--fit", fit, "--val", 0) == 0
        for row in rows(out):
            shown = images(out, row)
            width = cv2.boundingRect(shown["mask"])[2] / 64
            assert low < width < high
            assert fits(shown["rgb"], shown["mask"])
            assert np.array_equal(shown["rgb"][:4], shown["background"][:4])


def test_decoys_lie_in_photo_and_background(tmp_path: Path) -> None:
    """Away from the object something was filled, in both, and with the silhouettes of others."""
    folder, masks = write_photos(tmp_path, 6)
    out = tmp_path / "out"
    assert make(out, folder, "--masks", masks, "--fit", "stretch", "--val", 0) == 0
    filled = []
    for row in rows(out):
        shown = images(out, row)
        original = cv2.resize(photo(int(row["photo"][:3])), (160, 64), interpolation=cv2.INTER_AREA)
        original = cv2.resize(original, (64, 64), interpolation=cv2.INTER_AREA)
        away = grown(shown["mask"]) == 0
        differs = np.abs(shown["background"].astype(int) - original).max(axis=2) > 3
        filled.append((differs & away).sum() / away.sum())
        assert np.array_equal(shown["rgb"][away], shown["background"][away])
    assert min(filled) > 0.02
    assert max(filled) < 0.9


def test_appearance_is_another_photo_of_the_group(tmp_path: Path) -> None:
    folder, masks = write_photos(tmp_path, 11)
    group = {f"{number:03d}.png": "pair" if number < 2 else "many" for number in range(10)}
    group["010.png"] = "one"
    (tmp_path / "groups.csv").write_text("".join(f"{p},{g}\n" for p, g in group.items()))
    out = tmp_path / "out"
    assert make(out, folder, "--masks", masks, "--groups", tmp_path / "groups.csv") == 0
    scenes: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows(out):
        assert row["group"] == group[row["photo"]] == group[row["appearance"]]
        assert (row["photo"] != row["appearance"]) == (row["group"] != "one")
        scenes.setdefault((row["split"], row["scene"]), []).append(row)
    trained = {row["photo"] for row in rows(out) if row["split"] == "train"}
    assert all(row["appearance"] in trained for row in rows(out) if row["split"] == "train")
    for members in scenes.values():  # training draws any appearance of the same scene
        shown = {row["appearance"] for row in members}
        own = {row["photo"] for row in members}
        assert members[0]["group"] == "one" or not shown & own


def test_scenes_of_a_group_show_one_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A control that shows another object must not show the same one."""
    folder, masks = write_photos(tmp_path, 8)
    (tmp_path / "groups.csv").write_text("".join(f"{n:03d},{n % 2}\n" for n in range(9)))
    out = tmp_path / "out"
    line = ("--masks", masks, "--groups", tmp_path / "groups.csv", "--val", 0)
    assert make(out, folder, *line) == 0
    assert "1 lines name no photo; first line 9, 008" in capsys.readouterr().out.replace("\n", "")
    objects = {(row["split"], row["scene"]): row["group"] for row in rows(out)}
    assert len(objects) == 4
    samples = open_dataset(out).samples("train")
    found = {(sample.object_id, objects["train", f"{sample.scene:06d}"]) for sample in samples}
    assert len(found) == len({number for number, _ in found}) == 2
    split = prepare(open_dataset(out), "train", 64, tmp_path / "cache")
    assert len(set(split.scene.tolist())) == 4


def test_ten_groups_are_held_out_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, masks = write_photos(tmp_path, 20)
    lines = "".join(f"{number:03d},{number // 2}\n" for number in range(20))
    (tmp_path / "groups.csv").write_text(lines)
    out = tmp_path / "out"
    assert make(out, folder, "--masks", masks, "--groups", tmp_path / "groups.csv") == 0
    assert "groups: 10; held out for validation: whole groups" in capsys.readouterr().out
    held, trained = (
        {row["group"] for row in rows(out) if row["split"] == split} for split in ("val", "train")
    )
    assert len(held) == 1
    assert not held & trained


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    folder, masks = write_photos(tmp_path, 5)
    hashes = {}
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert make(tmp_path / name, folder, "--masks", masks, "--seed", seed) == 0
        hashes[name] = open_dataset(tmp_path / name).description.sha256
    assert hashes["a"] == hashes["b"] != hashes["c"]
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) == 5 * 4 + 4
    for path in files:
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_turned_jpeg(tmp_path: Path) -> None:
    """EXIF turns the photo; the mask was drawn over what a viewer shows."""
    folder, masks = tmp_path / "photos", tmp_path / "masks"
    folder.mkdir()
    masks.mkdir()
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # stored lying on its left side
    for number in range(2):
        stored = Image.fromarray(np.rot90(photo(number)))
        stored.save(folder / f"{number}.jpg", quality=98, exif=exif)
        Image.fromarray(silhouette(number)).save(masks / f"{number}.png")
    assert make(tmp_path / "out", folder, "--masks", masks) == 0
    for row in rows(tmp_path / "out"):
        shown = images(tmp_path / "out", row)
        assert fits(shown["rgb"], shown["mask"], 0.97)


def test_alpha_is_the_mask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        pixels = np.dstack([photo(number), silhouette(number)])
        Image.fromarray(pixels, "RGBA").save(folder / f"{number}.png")
    Image.fromarray(photo(9)).save(folder / "opaque.jpg")
    assert make(tmp_path / "out", folder) == 0
    assert "4 photos, 3 used" in capsys.readouterr().out
    assert rows(tmp_path / "out", DROPPED) == [
        {"photo": "opaque.jpg", "reason": "no alpha, and no --masks"}
    ]
    for row in rows(tmp_path / "out"):
        shown = images(tmp_path / "out", row)
        assert fits(shown["rgb"], shown["mask"])


def test_every_photo_is_used_or_dropped_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, masks = write_photos(tmp_path, 14)
    (masks / "000.png").unlink()
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(masks / "001.png")
    Image.fromarray(silhouette(2, (60, 160))).save(masks / "002.png")
    Image.fromarray(np.full(SIZE, 255, np.uint8)).save(masks / "003.png")
    speck = np.zeros(SIZE, np.uint8)
    speck[50:60, 50:60] = 255
    Image.fromarray(speck).save(masks / "004.png")
    (folder / "005.png").write_bytes(b"no image")
    (folder / "006.png").write_bytes((folder / "006.png").read_bytes()[:200])
    (folder / "007.png").write_bytes((folder / "008.png").read_bytes())
    (masks / "009.png").write_bytes(b"")
    Image.fromarray(silhouette(10)).save(masks / "010.bmp")
    assert make(tmp_path / "out", folder, "--masks", masks) == 0
    wanted = {
        "000": "no mask",
        "001": "empty",
        "002": "mask is 160×60, the photo 160×120",
        "003": "inverted",
        "004": "10 px long; --min-object is 32",
        "005": "no image that is read here",
        "006": "cut short",
        "008": "same picture as another: 007.png",
        "009": "the file is empty",
        "010": "several masks",
    }
    dropped = {row["photo"][:3]: row["reason"] for row in rows(tmp_path / "out", DROPPED)}
    assert list(dropped) == sorted(wanted)
    assert all(wanted[name] in reason for name, reason in dropped.items()), dropped
    said = capsys.readouterr().out
    assert "14 photos, 4 used (train 3, val 1, test 0), 10 dropped" in said
    counts = [int(line.split()[1][:-1]) for line in said.splitlines() if line.startswith("dropped")]
    assert sum(counts) == 10


def test_empty_scenes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By name, and one for a camera that stood still; never one of another place or size."""
    folder, masks = write_photos(tmp_path, 4)
    empty = tmp_path / "empty"
    empty.mkdir()
    Image.fromarray(scene(0)).save(empty / "000.png")
    Image.fromarray(scene(1)).save(empty / "tripod.png")
    Image.fromarray(scene(2, (60, 80))).save(empty / "002.png")
    out = tmp_path / "out"
    assert make(out, folder, "--masks", masks, "--backgrounds", empty) == 0
    said = capsys.readouterr().out
    assert "2 empty scenes, 2 photos with the object filled in" in said
    assert f"1 empty scenes not used: {empty / '002.png'}: 80×60 px, the photo has 160×120" in said
    assert "1 photos have no empty scene of their name, or size and view" in said
    used = {row["photo"][:3]: Path(row["background"]).name for row in rows(out)}
    assert used == {"000": "000.png", "001": "tripod.png", "002": "", "003": ""}
    for row in rows(out):
        shown = images(out, row)
        if row["background"]:
            outside = shown["mask"] == 0
            eroded = cv2.erode(outside.astype(np.uint8), np.ones((5, 5))) > 0
            assert np.array_equal(shown["rgb"][eroded], shown["background"][eroded])
            assert not is_red(shown["background"]).any()


def test_masks_and_scenes_below_the_photos(tmp_path: Path) -> None:
    root = tmp_path / "all"
    write_photos(root, 3, mask_name="{}_000000.png")
    assert make(tmp_path / "out", root, "--masks", root / "masks") == 0
    assert {row["photo"] for row in rows(tmp_path / "out")} == {
        f"photos/{number:03d}.png" for number in range(3)
    }


def test_a_mask_that_fits_two_photos_decides_neither(tmp_path: Path) -> None:
    folder, masks = write_photos(tmp_path, 3)
    (folder / "in").mkdir()
    Image.fromarray(photo(7)).save(folder / "in" / "001.png")
    assert make(tmp_path / "out", folder, "--masks", masks) == 0
    dropped = rows(tmp_path / "out", DROPPED)
    assert [row["photo"] for row in dropped] == ["001.png", "in/001.png"]
    assert all("fits 2 photos" in row["reason"] for row in dropped)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--masks", "none"], "none: no such folder"),
        (["--groups", "none.csv"], "none.csv: cannot be read"),
        (["--mask-values", "each"], "one object here"),
        (["--min-object", "500"], "none of the 3 photos can be used; the first, 000.png: object"),
        (["--out", "photos/out"], "lies inside photos"),
    ],
)
def test_bad_usage(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
) -> None:
    write_photos(tmp_path, 3)
    monkeypatch.chdir(tmp_path)
    defaults = ["photos", "photos", "--masks", "masks", "--out", "out"]
    assert run_app(app, defaults + arguments) == 2
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1
    assert not list(tmp_path.glob("out/*"))


def test_training_reads_it(tmp_path: Path) -> None:
    folder, masks = write_photos(tmp_path, 5)
    out = tmp_path / "out"
    assert make(out, folder, "--masks", masks) == 0
    config = tiny_config(steps=2, rough_masks=1.0, crops=0.5)
    assert train(out, tmp_path / "run", config) == 0
    assert (tmp_path / "run" / "last.safetensors").is_file()


def test_colours_of_the_object_are_kept(tmp_path: Path) -> None:
    folder, masks = write_photos(tmp_path, 3)
    assert make(tmp_path / "out", folder, "--masks", masks) == 0
    for row in rows(tmp_path / "out"):
        shown = images(tmp_path / "out", row)
        inside = cv2.erode(shown["mask"], np.ones((5, 5))) > 0
        assert np.abs(shown["rgb"][inside].astype(int) - OBJECT).max() <= 2
