"""The flavour that is installed is told from its absence, its age, and what it lacks."""

from collections.abc import Callable

import pytest

from posegen_runtime.engines.flavors import SOME_VERSIONS, Flavor, find_flavor
from posegen_runtime.errors import PoseGenError

Install = Callable[[str, str | None], None]


def test_nothing_installed_names_the_extras(installed: Install) -> None:
    installed("tensorrt", None)
    installed("tensorrt_rtx", None)
    with pytest.raises(PoseGenError, match=r"posegen\[tensorrt\].*posegen\[rtx\].*JetPack"):
        find_flavor()
    with pytest.raises(PoseGenError, match=r"tensorrt_rtx is not installed.*posegen\[rtx\]"):
        find_flavor("rtx")


def test_too_old_names_both_versions(installed: Install) -> None:
    installed("tensorrt", "__version__ = '10.2.0.post1'\n")
    for asked in ("auto", "tensorrt"):
        with pytest.raises(
            PoseGenError, match=r"tensorrt 10\.2\.0\.post1 is too old, 10\.3"
        ) as old:
            find_flavor(asked)
        assert "pip install -U 'tensorrt>=10.3', or on" in str(old.value)


def test_bindings_without_their_libraries_are_told_from_none(installed: Install) -> None:
    installed("tensorrt", "raise ImportError('libnvinfer.so.10: cannot open shared object file')")
    with pytest.raises(PoseGenError, match=r"installed but cannot be loaded \(libnvinfer") as bare:
        find_flavor()
    assert "--force-reinstall 'tensorrt>=10.3';" in str(bare.value)


def test_auto_takes_tensorrt_and_then_rtx(installed: Install) -> None:
    installed("tensorrt", "from tensorrt_rtx import *\n__version__ = '10.3.0'\n")
    assert find_flavor().flavor is Flavor.TENSORRT
    assert find_flavor().version == (10, 3, 0)
    assert find_flavor("rtx").flavor is Flavor.RTX
    installed("tensorrt", None)
    assert find_flavor().flavor is Flavor.RTX


def test_an_unknown_flavour_is_refused() -> None:
    with pytest.raises(PoseGenError, match="must be auto, tensorrt or rtx"):
        find_flavor("openvino")


def test_what_a_version_has_is_asked_by_a_listed_name() -> None:
    rtx = find_flavor("rtx")
    assert {name for name in SOME_VERSIONS if rtx.has(name)} == SOME_VERSIONS
    with pytest.raises(ValueError, match="not listed"):
        rtx.has("BuilderFlag.FP16")
