"""From names to arrays: one bad input is one failed row, and nothing is read or held twice."""

import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posegen_runtime import masks, prepare
from posegen_runtime.geometry import Fit
from posegen_runtime.jobs import Job, plan
from posegen_runtime.masks import MaskChannel, MaskReading, MaskValues
from posegen_runtime.prepare import Preparer
from posegen_runtime.rows import Failure, Prepared
from posegen_runtime.sources import Source
from tiny_bundle import example_mask, example_photo


def preparer(values: MaskValues = MaskValues.HALF) -> Preparer:
    reading = MaskReading(values=values, channel=MaskChannel.LUMA)
    return Preparer((64, 64), reading, Fit.AUTO, {}, {})


def job(mask: Path, background: Path | None = None) -> Job:
    backgrounds = [Source(background, background.name)] if background else []
    (made,) = plan([Source(mask, mask.name)], [], backgrounds, 1, seed=0)
    return made


def test_reasons_leave_out_the_name_that_the_row_gives(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no image")
    cv2.imwrite(str(tmp_path / "a.png"), example_mask(0))
    (item,) = preparer()(job(tmp_path / "x.png"))
    assert isinstance(item, Failure)
    assert item.reason.startswith("no image")
    assert item.of_mask
    (item,) = preparer()(job(tmp_path / "a.png", background=tmp_path / "x.png"))
    assert isinstance(item, Failure)
    assert item.reason.startswith(f"{tmp_path / 'x.png'}: no image")
    assert not item.of_mask


def test_a_name_too_long_for_the_output_costs_its_row(tmp_path: Path) -> None:
    mask = tmp_path / ("m" * 251 + ".png")
    ids = np.zeros((64, 64), np.uint8)
    ids[8:40, 8:40] = 7
    cv2.imwrite(str(mask), ids)
    (item,) = preparer(MaskValues.NONZERO)(job(mask))
    assert isinstance(item, Prepared)
    (item,) = preparer(MaskValues.EACH)(job(mask))  # "_7" is added
    assert isinstance(item, Failure)
    assert item.reason == "the name is too long for outputs; rename the mask"
    assert item.object == "7"
    assert not item.of_mask


def test_a_background_is_decoded_once_for_all_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), example_photo(0, 100))
    for index in range(8):
        cv2.imwrite(str(tmp_path / f"{index}.png"), example_mask(index))
    read: list[Path] = []

    def slow(path: Path) -> Any:
        read.append(path)
        time.sleep(0.05)
        return example_photo(0, 100)

    monkeypatch.setattr(prepare, "read_rgb", slow)
    make = preparer()
    jobs = [job(tmp_path / f"{index}.png", tmp_path / "photo.png") for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert all(isinstance(item, Prepared) for (item,) in pool.map(make, jobs))
    assert len(read) == 1


def test_full_size_silhouettes_of_a_file_are_made_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = np.zeros((320, 320), np.uint8)
    for index in range(16):
        ids[20 * index + 2 : 20 * index + 18, 20:60] = index + 1
    cv2.imwrite(str(tmp_path / "ids.png"), ids)
    made: list[weakref.ref[np.ndarray]] = []
    alive: list[int] = []
    equal = masks._equal

    def counted(grey: np.ndarray, value: int) -> np.ndarray:
        alive.append(sum(ref() is not None for ref in made))
        mask = equal(grey, value)
        made.append(weakref.ref(mask))
        return mask

    monkeypatch.setattr(masks, "_equal", counted)
    items = preparer(MaskValues.EACH)(job(tmp_path / "ids.png"))
    assert len([item for item in items if isinstance(item, Prepared)]) == 16
    assert max(alive) <= 1


@pytest.mark.parametrize("again", [True, False])
def test_masks_that_come_once_are_not_held(tmp_path: Path, again: bool) -> None:
    """A long run would hold 256 of them, among all that comes and goes."""
    reading = MaskReading(values=MaskValues.HALF, channel=MaskChannel.LUMA)
    prepare = Preparer((64, 64), reading, Fit.AUTO, {}, {}, again=again)
    masks = []
    for index in range(5):
        cv2.imwrite(str(tmp_path / f"{index}.png"), example_mask(index))
        (item,) = prepare(job(tmp_path / f"{index}.png"))
        assert isinstance(item, Prepared)
        masks.append(weakref.ref(item.mask))
        del item
    assert [mask() is not None for mask in masks] == [again] * 4 + [True]
