"""How a run ends: with its counts right, early where masks are read wrongly, or interrupted."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.ledger import JobResult
from posegen_runtime.rows import Finished
from posegen_runtime.sinks.files import FileSink
from tiny_bundle import SIZE, example_mask

BLACK = np.zeros((SIZE, SIZE), np.uint8)
POSE = (
    '{{"mask": "{name}", "R_m2c": [1,0,0,0,1,0,0,0,1], "t_m2c": [0,0,5], "t_unit": "m", '
    '"cam_K": [100,0,64,0,100,64,0,0,1], "image_size": [500,500], "camera_frame": "opencv", '
    '"pixel_center": "integer"}}\n'
)


class Command:
    """Runs posegen-run on a folder of masks."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.masks, self.out, self.bundle = folder / "masks", folder / "out", bundle
        self.masks.mkdir()

    def __call__(self, *extra: object) -> int:
        arguments = ["--masks", self.masks, "--out", self.out, "--bundle", self.bundle, *extra]
        return run_app(app, [str(argument) for argument in arguments])

    def write(self, count: int, mask: np.ndarray) -> None:
        for index in range(count):
            cv2.imwrite(str(self.masks / f"{index:02}.png"), mask)

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "manifest.jsonl").open()]

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.out / "run.json").read_text())
        return record


@pytest.fixture
def command(tmp_path: Path, tiny_bundle: Path) -> Command:
    return Command(tmp_path, tiny_bundle)


@pytest.mark.parametrize("extra", [(), ("--mask-values", "half"), ("--mask-channel", "luma")])
def test_a_run_whose_first_masks_all_fail_stops_with_advice(
    command: Command, capsys: Any, extra: tuple[str, ...]
) -> None:
    command.write(40, BLACK)
    assert command(*extra) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: the first 32 masks all failed")
    assert "set --mask-values and --mask-channel" in line
    record = command.record()
    assert record["state"] == "stopped"
    assert f"error: {record['warnings'][0]}" == line
    assert record["sessions"][-1]["seconds"] > 0


def test_masks_read_as_the_user_said_fail_one_by_one(command: Command) -> None:
    command.write(40, BLACK)
    assert command("--mask-values", "half", "--mask-channel", "luma") == 1
    assert [row["state"] for row in command.rows()] == ["failed"] * 40


def test_a_run_goes_on_when_one_of_the_first_masks_is_good(command: Command) -> None:
    command.write(40, BLACK)
    cv2.imwrite(str(command.masks / "31.png"), example_mask(0))
    assert command() == 1
    assert len(command.rows()) == 40


def test_the_variations_of_one_bad_mask_count_once(command: Command, photos: Path) -> None:
    command.write(2, example_mask(0))
    cv2.imwrite(str(command.masks / "00.png"), BLACK)
    for index in range(4, 9):
        cv2.imwrite(str(photos / f"{index}.png"), np.full((9, 9, 3), index, np.uint8))
    assert command("--appearance", photos, "--background", photos, "--per-mask", 36) == 1
    assert [row["state"] for row in command.rows()] == ["failed"] * 36 + ["done"] * 36


def test_failures_that_are_not_the_masks_do_not_stop_a_run(
    command: Command, tmp_path: Path
) -> None:
    """Poses of another image size fail their rows, but the masks are read as they should be."""
    command.write(40, example_mask(0))
    lines = [POSE.format(name=f"{index:02}.png") for index in range(40)]
    lines[0] = lines[0].replace("[500, 500]", "[64, 64]").replace("[500,500]", "[64,64]")
    (tmp_path / "poses.jsonl").write_text("".join(lines))
    assert command("--poses", tmp_path / "poses.jsonl") == 1
    assert [row["state"] for row in command.rows()] == ["done"] + ["failed"] * 39


def test_objects_of_a_mask_file_are_counted_as_they_are_found(
    command: Command, capsys: Any
) -> None:
    ids = BLACK.copy()
    ids[5:30, 5:30], ids[35:60, 35:60], ids[0, 63] = 7, 12, 3
    command.write(1, ids)
    large = cv2.resize(ids, (900, 900), interpolation=cv2.INTER_NEAREST)
    large[large == 3] = 0
    large[0, 899] = 3
    cv2.imwrite(str(command.masks / "01.png"), large)
    assert command("--mask-values", "each", "--fit", "frame") == 1
    record = command.record()
    assert (record["planned"], record["done"], record["failed"]) == (6, 5, 1)
    assert "failed: 01.png:3: " in capsys.readouterr().err


def test_a_second_ctrl_c_is_recorded(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    command.write(9, example_mask(0))
    add = FileSink.add

    def pressed(sink: FileSink, finished: Finished) -> list[JobResult]:
        if finished.job.mask.name == "03.png":
            raise KeyboardInterrupt
        return add(sink, finished)

    monkeypatch.setattr(FileSink, "add", pressed)
    assert command() == 130
    record = command.record()
    assert (record["state"], record["done"], record["pending"]) == ("interrupted", 3, 6)
    assert record["sessions"][-1]["seconds"] > 0
    assert not (command.out / "manifest.jsonl").exists()
    monkeypatch.undo()
    assert command() == 0
    assert "going on: 3 of 9 images are done, 6 to do" in capsys.readouterr().err
    coco = json.loads((command.out / "labels/coco/instances.json").read_text())
    assert len(coco["images"]) == len(command.rows()) == 9
