"""Keys of samples, and their bytes in a tar."""

import io
import itertools
import tarfile
from urllib.parse import unquote

import pytest

from posegen_runtime.sinks.samples import ending, key_of, members

AWKWARD = [
    "car",
    "car.v2",
    "car%2Ev2",
    "car_v2",
    "a/b.c/d",
    "a/b/c/d",
    "a.b",
    "a%b",
    "~car",
    "%7Ecar",
    "__meta__/car",
    "_meta__/car",
    "%5F_meta__/car",
    "line\nbreak",
    "back\\slash",
    "Straße 1",
    "\U0001f697",
    " x ",
]
LONG = ["x" * 251, "x" * 250 + ".", "." * 251, "ü" * 125, "a/" + "ö." * 80 + "/b"]


@pytest.mark.parametrize("stem", AWKWARD)
def test_a_key_has_no_dot_and_gives_the_stem_back(stem: str) -> None:
    key = key_of(stem)
    assert "." not in key
    assert unquote(key) == stem


def test_plain_names_stay_as_they_are() -> None:
    assert key_of("cars/Straße 12_7-v0") == "cars/Straße 12_7-v0"


def test_no_two_stems_share_a_key() -> None:
    alphabet = "a.%~_/2E"
    stems = ["".join(stem) for stem in itertools.product(alphabet, repeat=4)]
    keys = {key_of(stem).casefold() for stem in stems}
    assert len(keys) == len({stem.casefold() for stem in stems})
    assert len({key_of(stem) for stem in LONG + AWKWARD}) == len(LONG + AWKWARD)


@pytest.mark.parametrize("stem", LONG)
def test_every_part_of_a_member_is_a_file_name(stem: str) -> None:
    assert max(len(part.encode()) for part in f"{key_of(stem)}.mask.png".split("/")) <= 255


def test_members_are_a_tar_once_it_is_closed() -> None:
    files = {"a.png": b"x" * 513, f"{'ü' * 120}/{'long' * 40}.json": b"{}", "empty.png": b""}
    data = members(files) + members({"b.png": b"y" * 512})
    data += ending(len(data))
    assert len(data) % tarfile.RECORDSIZE == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]
        modes = {(info.mode, info.uid, info.gid, info.uname, info.mtime) for info in tar}
    assert found == {**files, "b.png": b"y" * 512}
    assert modes == {(0o644, 0, 0, "", 946_684_800)}


@pytest.mark.parametrize("size", [0, 512, 9216, 9728, 10240, 10240 * 3])
def test_a_tar_ends_with_two_empty_blocks(size: int) -> None:
    end = ending(size)
    assert len(end) >= 1024
    assert not any(end)
    assert (size + len(end)) % tarfile.RECORDSIZE == 0
