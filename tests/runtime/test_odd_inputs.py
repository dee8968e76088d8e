"""A folder of everything that may lie in one, through the real command: each file is one row."""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posegen_runtime import masks as masks_module
from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.errors import printable
from tiny_bundle import SIZE, example_mask

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="others allow no such names")

GOOD = [
    "plain.png", "with space.png", "end\nof line.png", "\x1b[31mred.png", "caf\udce9.png",
    "写真.png", "a.png", "A.png", "a.PNG", "x.y.z.png", "folder.jpg", "folder.png/inside.png",
    "d/" * 40 + "deep.png", "m" * 251 + ".png",
]  # fmt: skip
CHANGING = {
    "vanishes.png": "No such file",
    "becomes a folder.png": "no regular file",
    "becomes a pipe.png": "no regular file",
    "is cut.png": "cut short",
}
BAD = {
    "huge.png": "100000×100000 pixels",
    "line.png": "too long and thin",
    "zero.png": "pixels is empty",
    "text.png": "no image that is read here",
    "round.png": "Too many levels of symbolic links",
    "nowhere.png": "No such file",
    "endless.png": "no regular file",
    "pipe.png": "no regular file",
    "bad\nname.png": "no image that is read here",
    **CHANGING,
}


def write(folder: Path, name: str, mask: np.ndarray) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", mask)[1].tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    for index, name in enumerate([*GOOD, *CHANGING]):
        write(folder, name, example_mask(index, 2 * SIZE))
    for name in ("huge.png", "zero.png"):
        write(folder, name, example_mask(0))
        data = bytearray((folder / name).read_bytes())
        data[16:24] = (100_000 if name == "huge.png" else 0).to_bytes(4, "big") * 2
        (folder / name).write_bytes(data)
    write(folder, "line.png", np.full((1, 900_000), 255, np.uint8))
    for name in ("text.png", "bad\nname.png"):
        (folder / name).write_text("no image")
    (folder / "round.png").symlink_to("round.png")
    (folder / "nowhere.png").symlink_to("gone.png")
    (folder / "endless.png").symlink_to("/dev/zero")
    (folder / "round").symlink_to(".", target_is_directory=True)
    os.mkfifo(folder / "pipe.png")
    return folder


def change_while_running(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some files are others when they are read than when they were listed."""
    read = masks_module.read_mask_file

    def changed(path: Path) -> Any:
        name = Path(path).name
        if name == "is cut.png":
            os.truncate(path, 60)
        elif os.path.isfile(path) and (name == "vanishes.png" or name.startswith("becomes")):
            os.unlink(path)
            if "folder" in name:
                os.mkdir(path)
            elif "pipe" in name:
                os.mkfifo(path)
        return read(path)

    monkeypatch.setattr(masks_module, "read_mask_file", changed)


def test_every_file_is_one_row(
    folder: Path,
    tiny_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change_while_running(folder, monkeypatch)
    out = tmp_path / "out"
    given = ["--masks", folder, "--bundle", tiny_bundle, "--out", out, "--mask-values", "half"]
    assert run_app(app, [str(word) for word in given]) == 1
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    manifest = (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = {row["mask"]: row for row in map(json.loads, manifest)}
    assert len(rows) == len(manifest)
    assert rows.keys() == {printable(name) for name in [*GOOD, *BAD]}
    for name in GOOD:
        assert rows[printable(name)]["state"] == "done", rows[printable(name)]
    for name, reason in BAD.items():
        row = rows[printable(name)]
        assert row["state"] == "failed"
        assert reason in row["reason"]
        assert len(row["reason"].splitlines()) == 1
    done = [row for row in rows.values() if row["state"] == "done"]
    images = Counter(row["image"].casefold() for row in done)
    assert set(images.values()) == {1}
    for row in done:
        assert cv2.imread(str(out / row["image"])).shape == (SIZE, SIZE, 3)
    listed = (out / "labels/yolo/train.txt").read_text(encoding="utf-8").splitlines()
    assert len(listed) == len(done)


def test_an_output_of_an_odd_name_is_one_line(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a\nb\x1b[31m"
    write(tmp_path / "masks", "0.png", example_mask(0))
    common = ("--masks", tmp_path / "masks", "--out", out, "--bundle", tiny_bundle)
    assert run_app(app, [*map(str, common), "--preview"]) == 0
    assert run_app(app, ["--status", "--out", str(out)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 4
    assert all("a%0Ab%1B[31m" in line for line in shown)


def test_an_output_that_cannot_be_made_is_named(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "masks", "0.png", example_mask(0))
    common = ("--masks", tmp_path / "masks", "--out", "/proc/x", "--bundle", tiny_bundle)
    assert run_app(app, [*map(str, common)]) == 2
    assert "error: --out /proc/x: cannot be made (" in capsys.readouterr().err
