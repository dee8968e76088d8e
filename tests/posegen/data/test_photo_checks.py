"""How masks are read, and what a user is told who gave none or the wrong ones."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photo_folder import photo, silhouette, write_photos
from posegen.data.cli import app
from posegen_runtime.console import run_app


def refusal(tmp_path: Path, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    line = ["photos", tmp_path / "photos", "--out", tmp_path / "out", *arguments]
    assert run_app(app, [str(word) for word in line]) == 2
    assert not (tmp_path / "out").exists()
    return capsys.readouterr().err


def test_photos_without_alpha_and_without_masks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = write_photos(tmp_path, 2, ".jpg")
    said = refusal(tmp_path, capsys)
    assert f"{folder}: its photos have no alpha; give --masks, or PNG cut-outs" in said


def test_a_channel_without_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = write_photos(tmp_path, 2)
    for number in range(2):
        cut_out = np.dstack([photo(number), silhouette(number)])
        Image.fromarray(cut_out, "RGBA").save(folder / f"{number:03d}.png")
    said = refusal(tmp_path, capsys, "--mask-channel", "luma")
    assert "--mask-channel luma: without --masks the photos' alpha is the mask" in said


def test_a_mask_that_is_written_otherwise_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, masks = write_photos(tmp_path, 4)
    Image.fromarray(silhouette(2) // 255).save(masks / "002.png")
    said = refusal(tmp_path, capsys, "--masks", masks)
    assert "(1, 255)" in said
    assert f"; 1 is in {masks / '002.png'}" in said
    assert "each" not in said
    assert "nonzero" in said
