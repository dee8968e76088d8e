"""`--shard i/n`: together exactly the images of one run, with the same names and bytes."""

import os
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posegen_runtime.errors import PoseGenError
from posegen_runtime.parts import Part
from tiny_bundle import SIZE
from whole_runs import counts, outputs, posegen_run, record, rows, write_masks


def test_three_shards_are_one_run(tiny_bundle: Path, photos: Path, tmp_path: Path) -> None:
    masks = write_masks(tmp_path / "masks", 7)
    cv2.imwrite(str(masks / "0002.png"), np.zeros((SIZE, SIZE), np.uint8))
    common = ("--masks", masks, "--bundle", tiny_bundle, "--background", photos, "--per-mask", 2)
    assert posegen_run(*common, "--out", tmp_path / "whole") == 1
    whole, whole_rows = outputs(tmp_path / "whole"), rows(tmp_path / "whole")

    files: dict[str, bytes] = {}
    found = []
    for index in (3, 1, 2):  # in any order
        out = tmp_path / f"shard{index}"
        code = posegen_run(*common, "--out", out, "--shard", f"{index}/3")
        mine = rows(out)
        assert code == (1 if any(row["state"] == "failed" for row in mine) else 0)
        assert counts(out).planned == len(mine) == len(range(index - 1, 14, 3))
        assert mine == whole_rows[index - 1 :: 3]
        found += mine
        per_image = {
            name: data
            for name, data in outputs(out).items()
            if name.startswith(("images/", "masks/", "labels/yolo/labels/"))
        }
        assert not files.keys() & per_image.keys()
        files |= per_image
    assert len(found) == len(whole_rows)
    assert files == {
        name: data
        for name, data in whole.items()
        if name.startswith(("images/", "masks/", "labels/yolo/labels/"))
    }


def test_more_shards_than_jobs(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine that gets nothing has nothing to do, and is no error."""
    masks = write_masks(tmp_path / "masks", 2)
    common = (
        "--masks",
        masks,
        "--bundle",
        tiny_bundle,
        "--shard",
        "3/3",
        "--out",
        tmp_path / "out",
    )
    assert posegen_run(*common) == 0
    assert "--shard 3/3: there are fewer images (2) than shards" in capsys.readouterr().err
    assert posegen_run(*common) == 0
    assert counts(tmp_path / "out").planned == 0
    assert rows(tmp_path / "out") == []


def test_no_merge_into_a_run_of_its_own(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Though its images are the same: its record tells of another machine and time."""
    masks = write_masks(tmp_path / "masks", 4)
    common = ("--masks", masks, "--bundle", tiny_bundle)
    assert posegen_run(*common, "--out", tmp_path / "whole") == 0
    for index in (1, 2):
        out = tmp_path / f"s{index}"
        assert posegen_run(*common, "--out", out, "--shard", f"{index}/2") == 0
    before = (tmp_path / "whole/run.json").read_bytes()
    merge = ("--merge", tmp_path / "s1", tmp_path / "s2")
    assert posegen_run(*merge, "--out", tmp_path / "whole") == 2
    assert "holds the output of a run; name a new directory" in capsys.readouterr().err
    assert (tmp_path / "whole/run.json").read_bytes() == before
    for _ in range(2):
        assert posegen_run(*merge, "--out", tmp_path / "merged") == 0


def test_a_long_merge_tells_how_far_it_is(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    masks = write_masks(tmp_path / "masks", 6)
    common = ("--masks", masks, "--bundle", tiny_bundle)
    for index in (1, 2):
        assert posegen_run(*common, "--out", tmp_path / f"s{index}", "--shard", f"{index}/2") == 0
    monkeypatch.setattr("posegen_runtime.merge.merging.AT_ONCE", 2)
    monkeypatch.setattr("posegen_runtime.progress.EVERY", 0)
    capsys.readouterr()
    merge = ("--merge", tmp_path / "s1", tmp_path / "s2", "--out", tmp_path / "merged")
    assert posegen_run(*merge) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if " of 6 images" in line]
    assert [line[0] for line in told] == ["2", "4", "6"]


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/3/5", "1.5/2"])
def test_what_is_no_shard(
    text: str, tiny_bundle: Path, masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PoseGenError, match="give I/N, such as 2/4"):
        Part.parse(text)
    command = ("--masks", masks, "--bundle", tiny_bundle, "--out", tmp_path / "out")
    assert posegen_run(*command, f"--shard={text}") == 2
    assert f"error: --shard {text}: give I/N" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_shards_of_copied_inputs_are_merged(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other machines have the files at other times; files of another size are other ones."""
    masks = write_masks(tmp_path / "masks", 4)
    copy = tmp_path / "copy"
    shutil.copytree(masks, copy, copy_function=shutil.copyfile)
    for file in copy.iterdir():
        os.utime(file, (1, 1))
    for index, folder in ((1, masks), (2, copy)):
        command = ("--masks", folder, "--bundle", tiny_bundle, "--shard", f"{index}/2")
        assert posegen_run(*command, "--out", tmp_path / f"s{index}") == 0
    assert posegen_run("--merge", tmp_path / "s1", tmp_path / "s2", "--out", tmp_path / "m") == 0
    assert counts(tmp_path / "m").done == 4
    merged, parts = record(tmp_path / "m"), [record(tmp_path / f"s{index}") for index in (1, 2)]
    assert [merged["shards"][f"{index}/2"]["made"] for index in (1, 2)] == [2, 2]
    for index, part in enumerate(parts, 1):
        kept = merged["shards"][f"{index}/2"]
        assert all(kept[name] == part[name] for name in ("hardware", "versions", "warnings"))
        assert kept["seconds"] == part["sessions"][0]["seconds"] > 0
    whole = ("--masks", masks, "--bundle", tiny_bundle, "--out", tmp_path / "m")
    assert posegen_run(*whole) == 0, "goes on with it"
    assert record(tmp_path / "m")["shards"] == merged["shards"]
    other = next(iter(sorted(copy.iterdir())))
    other.write_bytes(other.read_bytes() + b"\0")
    command = ("--masks", copy, "--bundle", tiny_bundle, "--shard", "2/2", "--fresh")
    assert posegen_run(*command, "--out", tmp_path / "s2") == 0
    assert posegen_run("--merge", tmp_path / "s1", tmp_path / "s2", "--out", tmp_path / "n") == 2
    assert "--masks: 1 file changed" in capsys.readouterr().err
