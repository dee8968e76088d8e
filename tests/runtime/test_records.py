"""What is read is a record of this version or an older one; all else is one line that helps."""

from pathlib import Path

import msgspec
import pytest

from posegen_runtime.errors import PoseGenError
from posegen_runtime.records import read_record


class Cup(msgspec.Struct, frozen=True):
    schema: int
    litres: float
    lid: bool = False


def read(content: bytes | str) -> Cup:
    return read_record(content, Cup, 3, Path("kitchen/cup.json"), "cup", "wash it")


@pytest.mark.parametrize("schema", [1, 3])
def test_records_of_this_schema_and_older_ones(schema: int) -> None:
    text = f'{{"schema": {schema}, "litres": 0.3, "colour": "blue"}}'
    assert read(text) == read(text.encode()) == Cup(schema, 0.3)


def test_a_newer_one_says_so_whatever_else_it_holds() -> None:
    with pytest.raises(PoseGenError) as error:
        read('{"schema": 4, "litres": "many"}')
    assert str(error.value) == (
        "kitchen/cup.json: cup schema 4 is newer than 3, the newest this version reads; "
        "upgrade posegen, or wash it with this version"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[4]",
        b"\xff\xfe",
        b'"\xff"',
        b'{"schema": 3}',
        b'{"schema": "4", "litres": 1}',
        b"[" * 99_999,
    ],
)
def test_what_is_no_record(content: bytes) -> None:
    with pytest.raises(PoseGenError, match=r"^kitchen/cup\.json: unreadable cup \(.*\); wash it$"):
        read(content)
