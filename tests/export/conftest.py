"""Bundles with INT8, made once for all tests of exports."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from int8_folders import arguments, cache_of, report_of
from posegen_export.synthetic import write_folders
from shared import made_once, shared_folder


@pytest.fixture(scope="session")
def calibration_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = shared_folder(tmp_path_factory, "int8") / "data"
    return made_once(root, lambda: write_folders(root, 64, 64))


@pytest.fixture(scope="session")
def int8_bundle(
    tmp_path_factory: pytest.TempPathFactory,
    exported_bundle: Callable[..., Path],
    calibration_folders: Path,
) -> Callable[[str, str], Path]:
    """(arch, variant) → its bundle with INT8, a cache and a report beside it; not to be changed.

    `spatial` ones hold FP16 too, which their INT8 computes the rest in; `bottleneck` ones do not.
    """
    root = shared_folder(tmp_path_factory, "with-int8")

    def add(arch: str, variant: str) -> Path:
        from posegen_export.cli import app
        from posegen_runtime.console import run_app

        bundle = root / f"{arch}-{variant}"

        def make() -> None:
            precisions = "fp32,fp16" if arch == "spatial" else "fp32"
            shutil.copytree(exported_bundle(arch, variant, precisions), bundle)
            given = arguments(bundle, calibration_folders, variant.partition("+")[0] != "pose")
            beside = ["--cache", str(cache_of(bundle)), "--report", str(report_of(bundle))]
            assert run_app(app, [*given, *beside]) == 0

        return made_once(bundle, make)

    return add
