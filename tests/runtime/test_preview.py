"""The contact sheet: every row shows the inputs and the result of one job."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posegen_runtime.errors import PoseGenError
from posegen_runtime.geometry import Fit, place
from posegen_runtime.images import read_rgb
from posegen_runtime.jobs import Job
from posegen_runtime.preview import (
    GAP,
    HEADER,
    OUTLINE,
    ROWS,
    SHOWN,
    LivePreview,
    contact_sheet,
)
from posegen_runtime.rows import Made, Prepared
from posegen_runtime.sources import Source
from tiny_bundle import SIZE, example_mask, example_photo


def shown(index: int, with_photos: bool = True) -> Made:
    mask = example_mask(index)
    job = Job(Source(Path("m"), f"{index}"), f"{index}", 0, "", None, None)
    prepared = Prepared(
        job=job,
        object="",
        stem=f"{index}",
        mask=mask,
        placement=place(mask, (SIZE, SIZE), Fit.STRETCH),
        appearance=example_photo(index, SIZE) if with_photos else None,
        background=example_photo(index + 50, SIZE) if with_photos else None,
        pose=None,
        notes=[],
    )
    return Made(prepared, np.full((SIZE, SIZE, 3), index, np.uint8))


def cell(sheet: np.ndarray, row: int, column: int, block: int = 0) -> np.ndarray:
    columns = 5
    block_width = columns * (SIZE + GAP) - GAP + 2 * GAP
    top, left = HEADER + row * (SIZE + GAP), block * block_width + column * (SIZE + GAP)
    return sheet[top : top + SIZE, left : left + SIZE]


def test_cells_hold_mask_appearance_background_image_and_outline() -> None:
    sheet = contact_sheet([shown(3), shown(4)])
    assert sheet.dtype == np.uint8
    for row, index in enumerate((3, 4)):
        np.testing.assert_array_equal(cell(sheet, row, 0)[..., 0], example_mask(index))
        np.testing.assert_array_equal(cell(sheet, row, 1), example_photo(index, SIZE))
        np.testing.assert_array_equal(cell(sheet, row, 2), example_photo(index + 50, SIZE))
        assert (cell(sheet, row, 3) == index).all()
        result = cell(sheet, row, 4)
        outline = (result == OUTLINE).all(axis=2)
        assert outline.any()
        assert (result[~outline] == index).all()
        # The outline runs along the silhouette's own border, inside and around the hole.
        assert not outline[~_grown(example_mask(index) > 127)].any()


def test_a_bundle_without_conditions_has_three_columns() -> None:
    sheet = contact_sheet([shown(1, with_photos=False)])
    assert sheet.shape == (HEADER + SIZE + GAP, 3 * SIZE + 2 * GAP, 3)


def test_a_last_block_that_is_not_full_is_filled_up() -> None:
    sheet = contact_sheet([shown(index) for index in range(ROWS + 1)])
    assert (cell(sheet, 0, 3, block=1) == ROWS).all()
    assert sheet.shape[0] == HEADER + ROWS * (SIZE + GAP)


def shown_in(path: Path, count: int = SHOWN) -> list[int]:
    sheet = read_rgb(path)
    return [int(cell(sheet, i % ROWS, 3, i // ROWS)[0, 0, 0]) for i in range(count)]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_live_sheet_holds_the_newest_images_newest_first(tmp_path: Path) -> None:
    live = LivePreview(tmp_path / "preview.png", every=60)
    for index in range(100):
        live.add(shown(index))
    assert live.close() == tmp_path / "preview.png"
    assert shown_in(tmp_path / "preview.png") == list(range(99, 99 - SHOWN, -1))


def test_a_live_sheet_is_rewritten_while_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "preview.png"
    live = LivePreview(path, every=0.01)
    live.add(shown(1))
    wait_for(path.exists)
    assert shown_in(path, 1) == [1]
    live.add(shown(2))
    wait_for(lambda: shown_in(path, 1) == [2])
    live.close()
    assert [file.name for file in tmp_path.iterdir()] == ["preview.png"]
    assert all(thread.name != "preview" for thread in threading.enumerate())


def test_a_live_sheet_waits_between_writings(tmp_path: Path) -> None:
    path = tmp_path / "preview.png"
    live = LivePreview(path, every=60)
    live.add(shown(1))
    wait_for(path.exists)
    live.add(shown(2))
    time.sleep(0.2)
    assert shown_in(path, 1) == [1]
    live.close()
    assert shown_in(path, 2) == [2, 1]


def test_a_live_sheet_of_no_image_is_not_written(tmp_path: Path) -> None:
    live = LivePreview(tmp_path / "preview.png")
    assert live.close() is None
    assert not list(tmp_path.iterdir())


def test_a_live_sheet_that_cannot_be_written_is_told_at_the_end_only(tmp_path: Path) -> None:
    live = LivePreview(tmp_path / "gone" / "preview.png", every=0.01)
    for index in range(5):
        live.add(shown(index))
        time.sleep(0.02)
    with pytest.raises(PoseGenError, match=r"gone.preview\.png: cannot be written"):
        live.close()


def _grown(mask: np.ndarray) -> np.ndarray:
    padded = np.pad(mask, 1)
    shifts = [padded[dy : dy + SIZE, dx : dx + SIZE] for dy in range(3) for dx in range(3)]
    return np.any(shifts, axis=0)
