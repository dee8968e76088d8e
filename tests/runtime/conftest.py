"""A bundle and a few silhouettes for the tests of the runtime."""

from pathlib import Path

import cv2
import pytest

from tiny_bundle import example_mask, example_photo, write_tiny_bundle


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that takes all three inputs; read it, do not change it."""
    return write_tiny_bundle(tmp_path_factory.mktemp("tiny") / "bundle")


@pytest.fixture(scope="session")
def viewpoint_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that takes the viewpoint too; read it, do not change it."""
    return write_tiny_bundle(tmp_path_factory.mktemp("tiny") / "viewpoint", viewpoint=True)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """Three square masks of twice the bundle's size, one in a nested folder."""
    folder = tmp_path / "masks"
    (folder / "nested").mkdir(parents=True)
    for index, name in enumerate(["a.png", "b.png", "nested/a.png"]):
        cv2.imwrite(str(folder / name), example_mask(index, 128))
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four photos of another size than the masks."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(4):
        cv2.imwrite(str(folder / f"{index}.png"), example_photo(index, 100))
    return folder
