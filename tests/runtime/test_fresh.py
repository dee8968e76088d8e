"""`--fresh` deletes what a run wrote, however that run ended, and nothing else."""

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
from posegen_runtime.images import read_rgb
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


def _claim(out: Path) -> list[str]:
    """What was said."""
    told: list[str] = []
    assert not claim(out, True, told.append)
    return told


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
    assert _run(tiny_bundle, masks, out, "--fresh", *extra) == 2
    assert _content(out) == before


def test_after_a_run_whose_masks_all_failed(tiny_bundle: Path, tmp_path: Path) -> None:
    """No image was written, so that labels/yolo/images points at nothing."""
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/a.png"), np.zeros((SIZE, SIZE), np.uint8))
    assert _run(tiny_bundle, tmp_path / "masks", tmp_path / "out") == 1
    assert not (tmp_path / "out/labels/yolo/images").exists()
    cv2.imwrite(str(tmp_path / "masks/a.png"), example_mask(0))
    assert _run(tiny_bundle, tmp_path / "masks", tmp_path / "out", "--fresh") == 0


def test_after_a_run_that_stopped_at_its_first_masks(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for index in range(40):
        cv2.imwrite(str(tmp_path / f"masks/{index:02}.png"), np.zeros((SIZE, SIZE), np.uint8))
    assert _run(tiny_bundle, tmp_path / "masks", tmp_path / "out") == 2
    cv2.imwrite(str(tmp_path / "masks/00.png"), example_mask(0))
    assert _run(tiny_bundle, tmp_path / "masks", tmp_path / "out", "--fresh") == 1


def test_after_a_kill_or_a_second_ctrl_c(out: Path) -> None:
    """Jobs in flight have no line in the manifest, and labels are not completed."""
    (out / "manifest.jsonl").write_bytes(b"")
    (out / "labels/coco/instances.json").unlink()
    (out / "labels/yolo/images").unlink()
    for partial in (
        "labels/coco/.instances.images.part",
        "labels/yolo/.train.txt.part",
        "images/nested/.0badcafe01234567.part",
        "masks/.0badcafe01234567.part",
        ".0badcafe01234567.part",
        ".manifest.jsonl.part",
        ".ledger.sqlite.new.part",
    ):
        (out / partial).write_text("")
    _claim(out)
    assert [path.name for path in out.iterdir()] == [".lock"]


def test_after_a_full_disk(out: Path) -> None:
    """The manifest ends within a line."""
    manifest = out / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    _claim(out)
    assert [path.name for path in out.iterdir()] == [".lock"]


def test_names_with_line_separators(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/a\u2028b.png"), example_mask(0))
    for extra in ([], ["--fresh"]):
        assert _run(tiny_bundle, tmp_path / "masks", tmp_path / "out", *extra) == 0
    row = json.loads((tmp_path / "out/manifest.jsonl").read_bytes())
    assert row["image"] == "images/a%E2%80%A8b.png"


def test_jpg_images_and_names_with_dots(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/car.0001.png"), example_mask(0))
    for extra in ([], ["--fresh"]):
        code = _run(tiny_bundle, tmp_path / "masks", tmp_path / "out", "--format", "jpg", *extra)
        assert code == 0


@pytest.mark.parametrize(
    "foreign",
    [
        "notes.txt",
        ".notes.part",
        ".0badcafe.part",
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
        _claim(out)
    assert _content(out) == before


def test_a_link_is_refused_and_never_followed(out: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.png").write_text("mine")
    shutil.rmtree(out / "images")
    (out / "images").symlink_to(tmp_path / "mine")
    with pytest.raises(PoseGenError, match="images was not written by a run"):
        _claim(out)
    assert (tmp_path / "mine/a.png").read_text() == "mine"


def test_an_output_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PoseGenError, match="it is a file; name a folder"):
        _claim(tmp_path / "file")


@pytest.mark.parametrize("left", [[".lock"], [".lock", ".ledger.sqlite.new.part"]])
def test_after_a_kill_before_anything_began(
    tiny_bundle: Path, masks: Path, tmp_path: Path, left: list[str]
) -> None:
    (tmp_path / "out").mkdir()
    for name in left:
        (tmp_path / "out" / name).write_text("")
    assert _run(tiny_bundle, masks, tmp_path / "out") == 0
    assert not (tmp_path / "out/.ledger.sqlite.new.part").exists()


def test_what_is_deleted_is_said(
    tiny_bundle: Path, masks: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = len([path for path in out.rglob("*") if path.is_file()])
    (out / "images/b.png").write_bytes(b"changed")
    assert _run(tiny_bundle, masks, out, "--fresh") == 0
    link = 1  # labels/yolo/images
    line = f"--fresh: deleting the {files + link} files of the earlier run in {out}\n"
    assert line in capsys.readouterr().err
    assert read_rgb(out / "images/b.png").shape == (SIZE, SIZE, 3)


def test_fresh_in_a_new_place_says_nothing(
    tiny_bundle: Path, masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tiny_bundle, masks, tmp_path / "out", "--fresh") == 0
    assert "deleting" not in capsys.readouterr().err


def test_a_deletion_that_was_cut_off_is_no_run_to_go_on_with(
    tiny_bundle: Path, masks: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the ledger would call images done that are gone."""

    def interrupted(folder: Path) -> None:
        (folder / "a.png").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", interrupted)
        assert _run(tiny_bundle, masks, out, "--fresh") == 130
    assert _run(tiny_bundle, masks, out) == 2
    assert _run(tiny_bundle, masks, out, "--fresh") == 0
    assert len(list((out / "images").rglob("*.png"))) == 3


def test_a_second_demo_goes_on_with_the_first(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["--demo", "--bundle", str(tiny_bundle)]
    assert run_app(app, arguments) == 0
    capsys.readouterr()
    assert run_app(app, arguments) == 0
    assert capsys.readouterr().out.startswith("4 images done (0 now), 0 failed in ")


def test_no_run_lies_inside_another_one(
    out: Path, masks: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _content(out)
    assert _run(tiny_bundle, masks, out / "inner") == 2
    assert "lies inside the output of another run" in capsys.readouterr().err
    assert _content(out) == before
