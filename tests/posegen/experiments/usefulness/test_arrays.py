"""Files of arrays: whole, and named when they are damaged."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posegen.experiments.usefulness.arrays import read_npy, read_npz, write_npy, write_npz
from posegen_runtime.errors import PoseGenError

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda whole: whole[: len(whole) // 2],
    "empty": lambda whole: b"",
    "garbage": lambda whole: b"no arrays at all",
    "a byte changed": lambda whole: whole.replace(b"\x07" * 8, b"\x08" * 8, 1),
}
ARRAYS = {"image": np.full((4, 8, 8, 3), 7, np.uint8), "azimuth": np.arange(4.0)}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_npz(tmp_path / "sets" / "1.npz", ARRAYS)
    azimuth, image = read_npz(tmp_path / "sets" / "1.npz", ("azimuth", "image"))
    assert (azimuth == ARRAYS["azimuth"]).all()
    assert (image == ARRAYS["image"]).all()
    write_npy(tmp_path / "views" / "a.npy", ARRAYS["azimuth"])
    assert (read_npy(tmp_path / "views" / "a.npy") == ARRAYS["azimuth"]).all()
    assert sorted(file.name for file in tmp_path.rglob("*.*")) == ["1.npz", "a.npy"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_named(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "1.npz"
    write_npz(file, ARRAYS)
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    with pytest.raises(PoseGenError, match=r"1\.npz: unreadable \(.+\); remove it to make it"):
        read_npz(file, tuple(ARRAYS))


@pytest.mark.parametrize("damage", ["truncated", "empty", "garbage"])
def test_a_damaged_array_is_named(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    write_npy(file, ARRAYS["azimuth"])
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    with pytest.raises(PoseGenError, match=r"a\.npy: unreadable \(.+\); remove it to make it"):
        read_npy(file)


def test_other_arrays_are_no_such_file(tmp_path: Path) -> None:
    file = tmp_path / "1.npz"
    write_npz(file, ARRAYS)
    with pytest.raises(PoseGenError, match="unreadable"):
        read_npz(file, ("cover",))
    with file.open("wb") as one:
        np.save(one, ARRAYS["azimuth"])
    with pytest.raises(PoseGenError, match="unreadable"):
        read_npz(file, ("azimuth",))
