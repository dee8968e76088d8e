"""`--overwrite` replaces what a run wrote, however that run ended, and nothing else."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.errors import PoseGenError
from posegen_runtime.sinks.tree import claim
from tiny_bundle import SIZE, example_mask


@pytest.fixture
def out(tiny_bundle: Path, masks: Path, tmp_path: Path) -> Path:
    """The output of a whole run."""
    folder = tmp_path / "out"
    assert _run(tiny_bundle, masks, folder, "--preview") == 0
    return folder


def _run(bundle: Path, masks: Path, out: Path, *extra: str) -> int:
    arguments = ["--masks", masks, "--out", out, "--bundle", bundle, *extra]
    return run_app(app, [str(argument) for argument in arguments])


def _content(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("extra", [["--precision", "fp16"], ["--backend", "cuda"]])
def test_a_run_that_cannot_start_leaves_the_old_output(
    out: Path, masks: Path, tiny_bundle: Path, extra: list[str], capsys: Any
) -> None:
    if extra == ["--backend", "cuda"]:
        import onnxruntime

        if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            pytest.skip("this ONNX Runtime can run on CUDA")
    before = _content(out)
    assert _run(tiny_bundle, masks, out, "--overwrite", *extra) == 2
    assert _content(out) == before


def test_after_a_run_whose_masks_all_failed(tiny_bundle: Path, tmp_path: Path) -> None:
    """No image was written, so that labels/yolo/images points at nothing."""
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/a.png"), np.zeros((SIZE, SIZE), np.uint8))
    assert _run(tiny_bundle, tmp_path / "masks", tmp_path / "out") == 1
    assert not (tmp_path / "out/labels/yolo/images").exists()
    cv2.imwrite(str(tmp_path / "masks/a.png"), example_mask(0))
    assert _run(tiny_bundle, tmp_path / "masks", tmp_path / "out", "--overwrite") == 0


def test_after_a_run_that_stopped_at_its_first_masks(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for index in range(40):
        cv2.imwrite(str(tmp_path / f"masks/{index:02}.png"), np.zeros((SIZE, SIZE), np.uint8))
    assert _run(tiny_bundle, tmp_path / "masks", tmp_path / "out") == 2
    cv2.imwrite(str(tmp_path / "masks/00.png"), example_mask(0))
    assert _run(tiny_bundle, tmp_path / "masks", tmp_path / "out", "--overwrite") == 1


def test_after_a_kill_or_a_second_ctrl_c(out: Path) -> None:
    """Jobs in flight have no line in the manifest, and labels are not completed."""
    (out / "manifest.jsonl").write_bytes(b"")
    (out / "labels/coco/instances.json").unlink()
    (out / "labels/yolo/images").unlink()
    for partial in (
        "labels/coco/.instances.images.part",
        "labels/yolo/.train.txt.part",
        "images/nested/.a.png.0badcafe.part",
        "masks/.a.png.0badcafe.part",
        ".run.json.0badcafe.part",
    ):
        (out / partial).write_text("")
    claim(out, overwrite=True)
    assert list(out.iterdir()) == []


def test_after_a_full_disk(out: Path) -> None:
    """The manifest ends within a line."""
    manifest = out / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    claim(out, overwrite=True)
    assert list(out.iterdir()) == []


def test_names_with_line_separators(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/a\u2028b.png"), example_mask(0))
    for extra in ([], ["--overwrite"]):
        assert _run(tiny_bundle, tmp_path / "masks", tmp_path / "out", *extra) == 0
    row = json.loads((tmp_path / "out/manifest.jsonl").read_bytes())
    assert row["image"] == "images/a%E2%80%A8b.png"


def test_jpg_images_and_names_with_dots(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/car.0001.png"), example_mask(0))
    for extra in ([], ["--overwrite"]):
        code = _run(tiny_bundle, tmp_path / "masks", tmp_path / "out", "--format", "jpg", *extra)
        assert code == 0


@pytest.mark.parametrize(
    "foreign",
    [
        "notes.txt",
        ".notes.part",
        "images/precious.png",
        "images/a.txt",
        "masks/a.npy",
        "labels/mine.json",
        "labels/yolo/labels/a.json",
        "other/a.png",
    ],
)
def test_what_no_run_writes_is_refused_by_name(out: Path, foreign: str, capsys: Any) -> None:
    (out / foreign).parent.mkdir(exist_ok=True)
    (out / foreign).write_text("mine")
    before = _content(out)
    with pytest.raises(PoseGenError, match=f"{foreign} was not written by a run"):
        claim(out, overwrite=True)
    assert _content(out) == before


def test_a_link_is_refused_and_never_followed(out: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.png").write_text("mine")
    shutil.rmtree(out / "images")
    (out / "images").symlink_to(tmp_path / "mine")
    with pytest.raises(PoseGenError, match="images was not written by a run"):
        claim(out, overwrite=True)
    assert (tmp_path / "mine/a.png").read_text() == "mine"


def test_an_output_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PoseGenError, match="it is a file; name a folder"):
        claim(tmp_path / "file", overwrite=True)


def test_a_second_demo_says_how_to_replace_the_first(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["--demo", "--bundle", str(tiny_bundle)]
    assert run_app(app, arguments) == 0
    assert run_app(app, arguments) == 2
    assert "add --overwrite to replace it" in capsys.readouterr().err
