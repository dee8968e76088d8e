"""The examples on real masks: PNG in, PNG out, the pixels of `posegen-run`."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from c_programs import (
    REPOSITORY,
    STRICT,
    Built,
    build_against,
    onnxruntime_library,
    run_or_raise,
)
from posegen_runtime.generator import SHIPPED_BUNDLE
from shared import made_once, shared_folder
from tiny_bundle import example_mask

MASKS = REPOSITORY / "examples" / "masks"


@pytest.fixture(scope="session")
def examples(native: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with both, built as projects of their own."""
    folder = shared_folder(tmp_path_factory, "capi-examples")

    def build() -> None:
        for language in ("c", "cpp"):
            source = REPOSITORY / "examples" / language
            build_against(native.installed, source, folder / language, STRICT)

    return made_once(folder, build)


def posegen_run(bundle: Path, masks: Path, out: Path) -> Path:
    """The images that the command makes."""
    command = "import sys; from posegen_runtime.cli import main; sys.exit(main())"
    options = ["--bundle", bundle, "--masks", masks, "--out", out, "--fit", "stretch"]
    subprocess.run(
        [sys.executable, "-c", command, *map(str, options), "--backend", "cpu"],
        check=True,
        capture_output=True,
    )
    return out / "images"


def pixels(folder: Path) -> dict[str, np.ndarray]:
    return {file.name: cv2.imread(str(file)) for file in sorted(folder.iterdir())}


def check_same(made: Path, expected: Path) -> None:
    ours, theirs = pixels(made), pixels(expected)
    assert ours.keys() == theirs.keys() != set()
    for name, image in ours.items():
        assert np.array_equal(image, theirs[name]), name


def test_files_go_in_and_files_come_out(native: Built, examples: Path, tmp_path: Path) -> None:
    expected = posegen_run(SHIPPED_BUNDLE, MASKS, tmp_path / "run")
    said = native.ok(examples / "cpp/generate", SHIPPED_BUNDLE, MASKS, tmp_path / "cpp")
    assert said.startswith(f"{len(list(MASKS.iterdir()))} images in ")
    check_same(tmp_path / "cpp", expected)
    for name in ("000000.png", "000007.png"):
        native.ok(examples / "c/generate", SHIPPED_BUNDLE, MASKS / name, tmp_path / "one.png")
        one = cv2.imread(str(tmp_path / "one.png"))
        assert np.array_equal(one, cv2.imread(str(expected / name)))


def test_a_bundle_with_pose_alone_of_the_papers_architecture(
    native: Built, examples: Path, tmp_path: Path, exported_bundle: Callable[..., Path]
) -> None:
    bundle = exported_bundle("bottleneck", "pose", "fp32,fp16")
    (tmp_path / "masks").mkdir()
    (tmp_path / "c").mkdir()
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"masks/{index}.png"), example_mask(index))
    expected = posegen_run(bundle, tmp_path / "masks", tmp_path / "run")
    native.ok(examples / "cpp/generate", bundle, tmp_path / "masks", tmp_path / "cpp")
    for index in range(3):
        name = f"{index}.png"
        native.ok(examples / "c/generate", bundle, tmp_path / "masks" / name, tmp_path / "c" / name)
    check_same(tmp_path / "cpp", expected)
    check_same(tmp_path / "c", expected)


def test_conditions_can_be_named(
    native: Built, examples: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    mask = tmp_path / "masks/a.png"
    mask.parent.mkdir()
    cv2.imwrite(str(mask), example_mask(0))
    photos = [tiny_bundle / f"defaults/{name}.png" for name in ("background", "appearance")]
    native.ok(examples / "c/generate", tiny_bundle, mask, tmp_path / "default.png")
    native.ok(examples / "c/generate", tiny_bundle, mask, tmp_path / "a.png", *photos)
    native.ok(examples / "cpp/generate", tiny_bundle, mask.parent, tmp_path / "cpp", *photos)
    named = cv2.imread(str(tmp_path / "a.png"))
    assert np.array_equal(named, cv2.imread(str(tmp_path / "cpp/a.png")))
    assert not np.array_equal(named, cv2.imread(str(tmp_path / "default.png")))


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_what_is_wrong_is_said_in_one_line(
    native: Built, examples: Path, tmp_path: Path, tiny_bundle: Path, language: str
) -> None:
    program = examples / language / "generate"
    mask = MASKS / "000000.png"  # not of this bundle's size
    given = mask if language == "c" else MASKS
    for arguments, words in (
        ((tiny_bundle, given, tmp_path / "out"), "256x256 pixels; must be 64x64"),
        ((tmp_path, given, tmp_path / "out"), "bundle.json: cannot be read"),
        ((tiny_bundle, tmp_path / "no", tmp_path / "out"), str(tmp_path / "no")),
    ):
        done = native.run(program, *arguments)
        assert done.returncode == 1
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
    assert native.run(program).returncode == 2


def test_pkg_config_is_enough(native: Built, tmp_path: Path) -> None:
    """The C example by one call of the compiler."""
    search = str(next(native.installed.rglob("pkgconfig")))
    flags = run_or_raise(
        ["pkg-config", "--cflags", "--libs", "posegen", "libpng"], PKG_CONFIG_PATH=search
    )
    library = next(native.installed.rglob("libposegen.so")).parent
    program = tmp_path / "generate"
    source = REPOSITORY / "examples/c/generate.c"
    command = ["cc", "-std=c11", *STRICT.split(), str(source), "-o", str(program)]
    run_or_raise([*command, *flags.split(), f"-Wl,-rpath,{library}"])
    native.ok(program, SHIPPED_BUNDLE, MASKS / "000003.png", tmp_path / "image.png")
    assert cv2.imread(str(tmp_path / "image.png")).shape == (256, 256, 3)


@pytest.mark.parametrize(
    ("page", "program"), [("capi", "build/cpp/generate"), ("embedding", "build/capture/capture")]
)
def test_pages_name_onnx_runtime_before_the_first_run(page: str, program: str) -> None:
    """A machine without ONNX Runtime of its own has the wheel's."""
    lines = re.findall(r"^    (\S.*)", (REPOSITORY / f"docs/{page}.md").read_text(), re.MULTILINE)
    first = next(index for index, line in enumerate(lines) if line.startswith(program))
    (named,) = (line for line in lines[:first] if line.startswith("export POSEGEN_ONNXRUNTIME="))
    folder = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    said = run_or_raise(["sh", "-c", f'{named}; echo "$POSEGEN_ONNXRUNTIME"'], PATH=folder)
    assert said.strip() == str(onnxruntime_library())
