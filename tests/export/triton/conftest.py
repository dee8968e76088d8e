"""Repositories, written once and not to be changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kserve_server import Served
from posegen_export.triton.repository import write_repository
from posegen_export.triton.serving import Options
from posegen_runtime.bundle import Bundle
from posegen_runtime.generator import SHIPPED_BUNDLE
from shared import made_once, shared_folder


@pytest.fixture(scope="session")
def repository(
    tmp_path_factory: pytest.TempPathFactory, exported_bundle: Callable[..., Path]
) -> Callable[..., tuple[Bundle, Path]]:
    """(what, precision = "fp32") → a bundle and its repository, in which it is named "cars".

    `what`: "shipped", or "pose": the paper's architecture with a mask alone.
    """
    root = shared_folder(tmp_path_factory, "triton")

    def make(what: str, precision: str = "fp32") -> tuple[Bundle, Path]:
        bundle = SHIPPED_BUNDLE if what == "shipped" else exported_bundle("bottleneck", "pose")
        opened = Bundle.load(bundle)
        options = Options(
            name="cars", precision=precision, max_batch=min(4, opened.manifest.max_batch)
        )
        target = root / f"{what}-{precision}"
        made_once(target, lambda: write_repository(opened, options, target, print))
        return opened, target

    return make


@pytest.fixture
def served(repository: Callable[..., tuple[Bundle, Path]]) -> Callable[..., tuple[Bundle, Served]]:
    """(what, precision = "fp32") → a bundle, and its repository behind a server."""

    def make(*of: str) -> tuple[Bundle, Served]:
        bundle, target = repository(*of)
        return bundle, Served(target)

    return make
