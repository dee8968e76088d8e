"""Bundles with INT8, made once for all tests of exports."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from int8_folders import arguments, cache_of, report_of, write_folders


@pytest.fixture(scope="session")
def calibration_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folders(tmp_path_factory.mktemp("int8") / "data", 64)


@pytest.fixture(scope="session")
def int8_bundle(
    tmp_path_factory: pytest.TempPathFactory,
    exported_bundle: Callable[[str, str], Path],
    calibration_folders: Path,
) -> Callable[[str, str], Path]:
    """(arch, variant) → its bundle with INT8, a cache and a report beside it; not to be changed."""
    root = tmp_path_factory.mktemp("with-int8")

    def add(arch: str, variant: str) -> Path:
        from posegen_export.cli import app
        from posegen_runtime.console import run_app

        bundle = root / f"{arch}-{variant}"
        if not bundle.exists():
            shutil.copytree(exported_bundle(arch, variant), bundle)
            given = arguments(bundle, calibration_folders, variant.partition("+")[0] != "pose")
            beside = ["--cache", str(cache_of(bundle)), "--report", str(report_of(bundle))]
            assert run_app(app, [*given, *beside]) == 0
        return bundle

    return add
