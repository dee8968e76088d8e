"""What the extras of the package bring to a machine."""

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info < (3, 11):
    pytest.skip("tomllib came with Python 3.11", allow_module_level=True)

import tomllib

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]


def brought(extra: str, kernel: str) -> list[Requirement]:
    listed = PROJECT["dependencies"] + PROJECT["optional-dependencies"][extra]
    requirements = [Requirement(line) for line in listed]
    return [
        needed
        for needed in requirements
        if needed.marker is None or needed.marker.evaluate({"platform_release": kernel})
    ]


def test_a_jetson_keeps_what_jetpack_brings() -> None:
    needed = brought("jetson", "5.15.148-tegra")
    names = {requirement.name for requirement in needed}
    assert not any("opencv" in name or "tensorrt" in name for name in names)
    numpy = [requirement.specifier for requirement in needed if requirement.name == "numpy"]
    assert all("1.26.4" in allowed for allowed in numpy)
    assert not all("2.0.0" in allowed for allowed in numpy)


@pytest.mark.parametrize("kernel", ["6.8.0-45-generic", "24.1.0", "11"])
def test_other_machines_get_opencv_and_any_numpy(kernel: str) -> None:
    needed = brought("cpu", kernel)
    assert "opencv-python-headless" in {requirement.name for requirement in needed}
    assert all("2.4.6" in each.specifier for each in needed if each.name == "numpy")
