"""Where nothing can be written, one line says so."""

import errno
from pathlib import Path

import pytest

from posegen.render import dataset
from posegen.render.dataset import render_dataset
from posegen.render.outputs import claim_directory, make_directory
from posegen.render.poses import PoseRange
from posegen.render.worker import RenderPlan
from posegen_runtime.errors import PoseGenError


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for make in (make_directory, claim_directory):
        with pytest.raises(PoseGenError, match=r"file.below: cannot be"):
            make(tmp_path / "file" / "below")


def test_a_disk_that_fills_at_the_last_files_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dataset, "write_hashed", full)  # the processes keep theirs
    plan = RenderPlan(tmp_path / "new", "cars", 0, 32, 32, PoseRange())
    with pytest.raises(PoseGenError, match=r"new: cannot be written \(No space left"):
        render_dataset(plan, objects=1, samples=1, workers=1)
