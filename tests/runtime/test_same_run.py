"""What may differ when a run goes on, and what is refused, by the name that the user knows."""

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from posegen_runtime.backends import choosing
from posegen_runtime.backends.choosing import Choice
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from tiny_bundle import SIZE, example_mask, example_photo, write_tiny_bundle
from whole_runs import counts, outputs, posegen_run, record, rows

Capture = pytest.CaptureFixture[str]
BLACK = np.zeros((SIZE, SIZE), np.uint8)
POSE = (
    '{"mask": "a.png", "R_m2c": [1,0,0,0,1,0,0,0,1], "t_m2c": [0,0,5], "t_unit": "m", '
    '"cam_K": [100,0,64,0,100,64,0,0,1], "image_size": [128,128], "camera_frame": "opencv", '
    '"pixel_center": "integer"}\n'
)


class Command:
    """posegen-run on three masks and four photos."""

    def __init__(
        self, folder: Path, bundle: Path, masks: Path, photos: Path, said: Capture
    ) -> None:
        self.folder, self.masks, self.photos, self._said = folder, masks, photos, said
        self.out = folder / "out"
        self.options: dict[str, object] = {
            "--masks": masks,
            "--out": self.out,
            "--bundle": bundle,
            "--background": photos,
            "--per-mask": 2,
        }
        self.errors = ""

    def __call__(self, *flags: str, **changed: object) -> int:
        named = {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
        options = {**self.options, **named}
        code = posegen_run(*(part for pair in options.items() for part in pair), *flags)
        self.errors = self._said.readouterr().err
        assert "Traceback" not in self.errors
        return code

    def refused(self, expected: str) -> None:
        """Nothing was touched, and the message says what differs."""
        (line,) = [line for line in self.errors.splitlines() if line.startswith("error: ")]
        assert f"{expected}; give the command as it was" in line


@pytest.fixture
def command(
    tmp_path: Path, tiny_bundle: Path, masks: Path, photos: Path, capsys: Capture
) -> Command:
    return Command(tmp_path, tiny_bundle, masks, photos, capsys)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"seed": 1}, "otherwise: --seed (0 there, 1 here)"),
        ({"fit": "object"}, "otherwise: --fit (auto there, object here)"),
        ({"per_mask": 3}, "otherwise: --per-mask (2 there, 3 here)"),
        ({"format": "jpg"}, "otherwise: --format (png there, jpg here)"),
        ({"labels": "coco"}, "otherwise: --labels (coco,yolo there, coco here)"),
        ({"category": "car"}, 'otherwise: --category ({"object":1} there, {"car":1} here)'),
        ({"mask_values": "nonzero"}, "otherwise: --mask-values (half there, nonzero here)"),
        ({"shard": "1/2"}, "otherwise: --shard (none there, 1/2 here)"),
        ({"seed": 7, "fit": "frame"}, "--seed (0 there, 7 here); --fit (auto there, frame here)"),
    ],
    ids=str,
)
def test_options_that_change_pixels_or_labels(
    command: Command, changed: dict[str, object], expected: str
) -> None:
    assert command() == 0
    before = outputs(command.out)
    told = record(command.out)
    assert command(**changed) == 2
    command.refused(expected)
    assert "6 images are there" in command.errors
    assert outputs(command.out) == before
    assert record(command.out) == told
    assert command() == 0


def test_other_ways_to_say_the_same_are_the_same(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command() == 0
    assert command(labels="yolo,coco", mask_values="half", precision="fp32", shard="1/1") == 0
    assert command("--preview", "--retry-failed", lanes=1, batch=2) == 0
    monkeypatch.chdir(command.folder)
    assert command(masks="masks", background=f"{command.photos}/.", out="out") == 0
    assert [session["made"] for session in record(command.out)["sessions"]] == [6, 0, 0, 0]


def test_another_backend(command: Command) -> None:
    assert command() == 0
    assert command(backend="null") == 2
    assert "otherwise: --backend (cpu there, null here); engine (" in command.errors


def test_what_auto_chose_stays_chosen(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It measures, and another backend may be the fastest one tomorrow."""
    chosen = iter([BackendName.CPU, BackendName.OPENVINO])

    def fastest(candidates: list, bundle: Bundle) -> Choice:
        return Choice(next(chosen), "fp32", "measured")

    monkeypatch.setattr(choosing, "_fastest", fastest)
    monkeypatch.setattr(
        choosing, "installed_on_cpu", lambda: [BackendName.CPU, BackendName.OPENVINO]
    )
    assert command(precision="auto", backend="auto") == 0
    assert command(precision="auto", backend="auto") == 0
    assert next(chosen) is BackendName.OPENVINO  # nothing was measured the second time


def test_another_model(command: Command) -> None:
    assert command() == 0
    other = write_tiny_bundle(command.folder / "bundle", golden=3)
    assert command(bundle=other) == 2
    assert "images are there that were made otherwise: --bundle (tiny " in command.errors


def test_another_precision(command: Command) -> None:
    bundle = Path(shutil.copytree(str(command.options["--bundle"]), command.folder / "two"))
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["precisions"].append(manifest["precisions"][0] | {"precision": "int8"})
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    command.options["--bundle"] = bundle
    assert command() == 0
    assert command(precision="int8") == 2
    command.refused("otherwise: --precision (fp32 there, int8 here)")


def test_the_same_model_in_another_place(command: Command) -> None:
    assert command() == 0
    shutil.copytree(str(command.options["--bundle"]), command.folder / "copy")
    assert command(bundle=command.folder / "copy") == 0


def test_poses_that_were_not_there(command: Command) -> None:
    assert command() == 0
    (command.folder / "poses.jsonl").write_text(POSE)
    assert command(poses=command.folder / "poses.jsonl") == 2
    assert "made otherwise: --poses (none there, some here)" in command.errors


def test_a_mask_that_changed(command: Command) -> None:
    assert command() == 0
    cv2.imwrite(str(command.masks / "a.png"), example_mask(9, 128))
    assert command() == 2
    command.refused("otherwise: --masks: 1 file changed, such as a.png")


def test_a_photo_that_changed_only_where_an_image_was_made_of_it(command: Command) -> None:
    command.options["--per-mask"] = 1
    assert command() == 0
    used = {row["background"] for row in rows(command.out)}
    unused = {path.name for path in command.photos.iterdir()} - used
    assert used
    assert unused
    for name in unused:
        cv2.imwrite(str(command.photos / name), example_photo(77, 90))
    assert command() == 0
    for name in used:
        cv2.imwrite(str(command.photos / name), example_photo(77, 90))
    assert command() == 2
    command.refused(f"{len(used)} file{'s' * (len(used) > 1)} changed, such as {min(used)}")


def test_one_file_more_and_one_fewer(command: Command) -> None:
    assert command() == 0
    cv2.imwrite(str(command.masks / "c.png"), example_mask(5, 128))
    assert command() == 2
    command.refused("otherwise: --masks: 1 file more, such as c.png")
    (command.masks / "c.png").unlink()
    cv2.imwrite(str(command.photos / "9.png"), example_photo(9))
    assert command() == 2
    command.refused("otherwise: --background: 1 file more, such as 9.png")
    (command.photos / "9.png").unlink()
    (command.masks / "b.png").unlink()
    assert command() == 2
    command.refused("otherwise: --masks: 1 file fewer, such as b.png")


def test_fresh_takes_what_differs(command: Command) -> None:
    assert command() == 0
    assert command("--fresh", seed=1) == 0
    assert record(command.out)["options"]["seed"] == 1
    assert len(record(command.out)["sessions"]) == 1
    assert command() == 2
    command.refused("--seed (1 there, 0 here)")


def test_what_only_failed_may_be_mended_and_is_made_when_asked_for(command: Command) -> None:
    good = (command.masks / "b.png").read_bytes()
    cv2.imwrite(str(command.masks / "b.png"), BLACK)
    assert command() == 1
    (command.masks / "b.png").write_bytes(good)
    assert command() == 1
    assert "going on: 4 of 6 images are done, 2 failed, 0 to do" in command.errors
    assert command("--retry-failed") == 0
    assert "4 of 6 images are done, 2 failed (tried again), 0 to do" in command.errors
    assert [session["made"] for session in record(command.out)["sessions"]] == [4, 0, 2]
    assert command("--retry-failed") == 0

    undisturbed = command.folder / "undisturbed"
    assert command(out=undisturbed) == 0
    assert outputs(command.out) == outputs(undisturbed)


def test_what_fails_again_stays_failed(command: Command) -> None:
    cv2.imwrite(str(command.masks / "b.png"), BLACK)
    assert command() == 1
    before = outputs(command.out)
    assert command("--retry-failed") == 1
    assert outputs(command.out) == before
    assert counts(command.out).failed == 2


def test_after_mending_what_was_made_of_it_counts(command: Command) -> None:
    """What was mended and made is an image like any other."""
    good = (command.masks / "b.png").read_bytes()
    cv2.imwrite(str(command.masks / "b.png"), BLACK)
    assert command() == 1
    (command.masks / "b.png").write_bytes(good)
    assert command("--retry-failed") == 0
    cv2.imwrite(str(command.masks / "b.png"), example_mask(8, 128))
    assert command() == 2
    command.refused("--masks: 1 file changed, such as b.png")


def test_options_may_change_where_nothing_was_made(command: Command) -> None:
    for path in command.masks.rglob("*.png"):
        mask = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
        cv2.imwrite(str(path), np.minimum(mask, 1))
    assert command(mask_values="half") == 1
    assert counts(command.out).failed == 6
    assert command(mask_values="nonzero", seed=3) == 0
    assert counts(command.out).done == 6
    assert len(rows(command.out)) == 6
    assert command(mask_values="half") == 2
    assert "--mask-values (nonzero there, half here)" in command.errors


def test_changed_options_where_nothing_was_made_still_delete_nothing_of_others(
    command: Command,
) -> None:
    for path in command.masks.rglob("*.png"):
        cv2.imwrite(str(path), BLACK)
    command.options["--mask-channel"] = "luma"
    assert command(mask_values="half") == 1
    (command.out / "notes.txt").write_text("mine")
    assert command(mask_values="nonzero") == 2
    assert "notes.txt was not written by a run; nothing was removed" in command.errors
    assert (command.out / "notes.txt").read_text() == "mine"


def test_a_bundle_that_was_installed_again_is_the_same(command: Command) -> None:
    bundle = write_tiny_bundle(command.folder / "bundle")
    assert command(bundle=bundle) == 0
    for file in bundle.rglob("*"):
        os.utime(file, (1, 1))
    assert command(bundle=bundle) == 0
