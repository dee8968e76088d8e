"""What a run reads is found, or refused in one line, before work starts."""

import os
from pathlib import Path
from typing import Any

import pytest

from posegen_runtime import PoseGenError
from posegen_runtime.bundle import Bundle
from posegen_runtime.inputs import OPENED_AT_START, Inputs, find_inputs
from posegen_runtime.options import RunOptions
from posegen_runtime.poses import Pose, write_poses


def find(bundle: Path, folder: Path, **options: Any) -> Inputs:
    options = {"masks": folder, "out": folder.parent / "out", **options}
    return find_inputs(RunOptions(**options), Bundle.load(bundle))


def pose(mask: str) -> Pose:
    return Pose(
        mask=mask,
        R_m2c=(1, 0, 0, 0, 1, 0, 0, 0, 1),
        t_m2c=(0, 0, 5),
        t_unit="m",
        cam_K=(100, 0, 64, 0, 100, 64, 0, 0, 1),
        image_size=(128, 128),
        camera_frame="opencv",
        pixel_center="half",
    )


def test_one_broken_photo_among_good_ones_is_left_to_its_rows(
    tiny_bundle: Path, masks: Path, photos: Path
) -> None:
    (photos / "00_broken.png").write_text("no image")
    inputs = find(tiny_bundle, masks, background=photos)
    assert [source.name for source in inputs.backgrounds][:2] == ["0.png", "00_broken.png"]
    (photos / "0.png").unlink()
    assert find(tiny_bundle, masks, background=photos).backgrounds[0].name == "00_broken.png"


def test_photos_of_which_none_of_the_first_opens(
    tiny_bundle: Path, masks: Path, photos: Path
) -> None:
    for index in range(OPENED_AT_START):
        (photos / f"-{index}.png").write_text("no image")
    with pytest.raises(PoseGenError, match=r"-0\.png: no image"):
        find(tiny_bundle, masks, appearance=photos)


@pytest.mark.parametrize("option", ["masks", "appearance", "background", "poses"])
def test_a_path_in_a_folder_closed_to_us(
    tiny_bundle: Path, masks: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    closed = masks.parent / "closed"
    for name in ("stat", "lstat", "scandir", "open"):
        monkeypatch.setattr(os, name, guard(getattr(os, name), closed))
    monkeypatch.setattr("builtins.open", guard(open, closed))
    with pytest.raises(PoseGenError, match="closed/x") as caught:
        find(tiny_bundle, masks, **{option: closed / "x"})
    assert "\n" not in str(caught.value)


def guard(function: Any, closed: Path) -> Any:
    """`function`, but it refuses everything below the folder `closed`."""

    def guarded(path: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(path, int) and closed in Path(os.fsdecode(path)).parents:
            raise PermissionError(13, "Permission denied", str(path))
        return function(path, *args, **kwargs)

    return guarded


def test_a_loop_of_links(tiny_bundle: Path, masks: Path) -> None:
    loop = masks.parent / "loop"
    loop.symlink_to(loop)
    with pytest.raises(PoseGenError, match=r"--masks .*loop: no such folder"):
        find(tiny_bundle, loop)
    assert len(find(tiny_bundle, masks, out=loop).masks) == 3  # claiming it fails later


def test_poses_that_name_no_mask_are_counted(
    tiny_bundle: Path, masks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = masks.parent / "poses.jsonl"
    write_poses(file, [pose("a.png"), pose("c.png"), pose("d.png")])
    inputs = find(tiny_bundle, masks, poses=file)
    assert list(inputs.poses) == ["a.png"]
    (line,) = capsys.readouterr().err.splitlines()
    assert "2 of 3 poses name no mask in the masks folder, such as c.png" in line
