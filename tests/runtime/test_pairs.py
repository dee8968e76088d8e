"""`--pairs`: an image for each line of a CSV file, or the line that is wrong."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from posegen_runtime.images import read_resized_rgb, read_rgb
from tiny_bundle import SIZE, expected_image, write_tiny_bundle
from whole_runs import outputs, posegen_run, record, rows

Capture = pytest.CaptureFixture[str]
GOOD = (
    "background,mask,appearance\n"
    "2.png,nested/a.png,0.png\n"
    "1.png,a.png,3.png\n"
    "\n"
    "0.png,a.png,3.png\n"
    "0.png,nested/a.png,0.png\n"
    "0.png,a.png,1.png\n"
)


class Command:
    def __init__(self, folder: Path, bundle: Path, masks: Path, photos: Path) -> None:
        self.folder, self.bundle, self.masks, self.photos = folder, bundle, masks, photos
        self.file = folder / "pairs.csv"
        self.out = folder / "out"

    def __call__(self, text: str | bytes, *extra: object) -> int:
        self.file.write_bytes(text.encode() if isinstance(text, str) else text)
        return posegen_run(
            "--masks", self.masks, "--out", self.out, "--bundle", self.bundle, "--appearance",
            self.photos, "--background", self.photos, "--pairs", self.file, *extra,
        )  # fmt: skip


@pytest.fixture
def command(tmp_path: Path, tiny_bundle: Path, masks: Path, photos: Path) -> Command:
    return Command(tmp_path, tiny_bundle, masks, photos)


def test_an_image_for_each_line_in_their_order(command: Command) -> None:
    assert command(GOOD) == 0
    made = rows(command.out)
    assert [(row["background"], row["mask"], row["appearance"]) for row in made] == [
        tuple(line.split(",")) for line in GOOD.splitlines()[1:] if line
    ]
    assert [row["image"] for row in made] == [
        "images/nested/a-v0.png",
        "images/a-v0.png",
        "images/a-v1.png",
        "images/nested/a-v1.png",
        "images/a-v2.png",
    ]
    for row in made:
        mask = cv2.imread(str(command.out / row["mask_file"]), cv2.IMREAD_UNCHANGED)
        photos = [
            read_resized_rgb(command.photos / row[kind], (SIZE, SIZE))
            for kind in ("appearance", "background")
        ]
        expected = expected_image(np.asarray(mask), *photos)
        np.testing.assert_array_equal(read_rgb(command.out / row["image"]), expected)
    assert record(command.out)["planned"] == 5
    assert not (command.out / "images/b.png").exists()


def test_a_mask_of_one_line_keeps_its_name(command: Command) -> None:
    assert command("mask,appearance,background\nb.png,0.png,0.png\n") == 0
    assert [row["image"] for row in rows(command.out)] == ["images/b.png"]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("a.png,3.png", '"a.png","3.png"'),
        GOOD.rstrip("\n"),
        GOOD.replace("background,mask,", "background, mask ,"),
        GOOD.replace(",", " ,  "),
    ],
    ids=["byte order mark", "CR LF", "quotes", "no last newline", "spaces", "spaces in cells"],
)
def test_the_same_file_in_other_words_is_the_same_run(command: Command, text: str | bytes) -> None:
    assert command(GOOD) == 0
    before = outputs(command.out)
    assert command(text) == 0
    assert outputs(command.out) == before
    assert record(command.out)["sessions"][-1]["made"] == 0


def test_names_with_commas_and_newlines(command: Command) -> None:
    (command.masks / "a.png").rename(command.masks / 'x, "y"\nz.png')
    assert command('mask,appearance,background\n"x, ""y""%0Az.png",0.png,1.png\n') == 0
    (row,) = rows(command.out)
    assert row["mask"] == 'x, "y"%0Az.png'


def test_another_pair_is_another_run(command: Command, capsys: Capture) -> None:
    assert command(GOOD) == 0
    assert command(GOOD.replace("3.png", "2.png", 1)) == 2
    assert "otherwise: --pairs (with other content there); give" in capsys.readouterr().err


def test_the_seed_draws_nothing(command: Command) -> None:
    assert command(GOOD) == 0
    before = outputs(command.out)
    assert command(GOOD, "--seed", 5, "--fresh") == 0
    assert outputs(command.out) == before


def test_what_there_is_one_of_needs_no_column(command: Command, capsys: Capture) -> None:
    text = "mask\nb.png\n"
    assert command(text, "--appearance", command.photos / "1.png") == 2
    assert "lacks the column background, and --background names several" in capsys.readouterr().err
    one = command.photos / "1.png"
    assert command(text, "--appearance", one, "--background", one) == 0
    (row,) = rows(command.out)
    assert (row["appearance"], row["background"]) == ("1.png", "1.png")


def test_a_bundle_without_conditions(command: Command, capsys: Capture) -> None:
    pose_only = write_tiny_bundle(command.folder / "pose", "pose")
    common = ("--masks", command.masks, "--bundle", pose_only, "--pairs", command.file)
    command.file.write_text("mask\nb.png\nb.png\n")
    assert posegen_run(*common, "--out", command.out) == 0
    assert [row["image"] for row in rows(command.out)] == ["images/b-v0.png", "images/b-v1.png"]
    command.file.write_text("mask,background\nb.png,0.png\n")
    assert posegen_run(*common, "--out", command.folder / "other") == 2
    assert "the bundle takes no background; leave the column out" in capsys.readouterr().err


HEAD = "mask,appearance,background\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; its first line names the columns"),
        (GOOD.replace(",", ";"), "its columns are separated by ';'; save it with commas"),
        (GOOD.replace(",", "\t"), "its columns are separated by tabs; save it with commas"),
        (HEAD, "lists no job below its first line"),
        (HEAD + "\n\n", "lists no job below its first line"),
        ("a.png,0.png,1.png\n", "column 'a.png' in its first line; give mask, appearance, back"),
        ("mask,mask,background\n", "column 'mask' comes twice in its first line"),
        ("appearance,background\n0.png,0.png\n", "its first line lacks the column mask"),
        ("mask,background\na.png,0.png\n", "lacks the column appearance, and --appearance names"),
        (HEAD + "a.png,0.png\n", "line 2 has 2 values, the first line names 3"),
        (HEAD + "a.png,0.png,1.png\na.png,0.png,1.png,2.png\n", "line 3 has 4 values"),
        (HEAD + "z.png,0.png,1.png\n", "line 2: there is no mask 'z.png'; names are paths below"),
        (HEAD + "\na.png,9.png,1.png\n", "line 3: there is no appearance '9.png'"),
        (HEAD + "a.png,0.png,\n", "line 2: there is no background ''"),
        (HEAD + "A.png,0.png,1.png\n", "there is no mask 'A.png'"),
        (HEAD + 'a.png,"0.png,1.png\n', "is no CSV file ("),
        (HEAD + "a.png,0.png,1.png\0\n", "there is no background '1.png\\x00'"),
        (b"mask,appearance,background\n\xff.png,0.png,1.png\n", "cannot be read ("),
    ],
)
def test_the_line_that_is_wrong_is_named(
    command: Command, text: str | bytes, message: str, capsys: Capture
) -> None:
    assert command(text) == 2
    errors = capsys.readouterr().err
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert line.startswith(f"error: --pairs {command.file}: ")
    assert message in line
    assert not command.out.exists()


def test_a_file_that_is_not_there_or_no_file(command: Command, capsys: Capture) -> None:
    assert command(GOOD, "--pairs", command.folder / "none.csv") == 2
    assert "none.csv: cannot be read (No such file" in capsys.readouterr().err
    (command.folder / "folder.csv").mkdir()
    assert command(GOOD, "--pairs", command.folder / "folder.csv") == 2
    assert "error: " in capsys.readouterr().err


def test_pairs_and_per_mask_exclude_each_other(command: Command, capsys: Capture) -> None:
    assert command(GOOD, "--per-mask", 2) == 2
    assert "--pairs lists every job itself; leave one of them out" in capsys.readouterr().err


def test_shards_share_the_pairs(command: Command) -> None:
    assert command(GOOD) == 0
    whole = outputs(command.out)
    images: dict[str, bytes] = {}
    for index in (1, 2):
        command.out = command.folder / f"shard{index}"
        assert command(GOOD, "--shard", f"{index}/2") == 0
        images |= {name: data for name, data in outputs(command.out).items() if "images/" in name}
    assert images == {name: data for name, data in whole.items() if "images/" in name}
