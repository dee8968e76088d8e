"""JSON records that PoseGen wrote itself, each with the number of the schema that it follows."""

from pathlib import Path
from typing import TypeVar

import msgspec

from posegen_runtime.errors import PoseGenError

Record = TypeVar("Record")


def read_record(
    content: bytes | str, record: type[Record], newest: int, file: Path, name: str, again: str
) -> Record:
    """`content` of `file` as a `record`, a msgspec Struct whose newest schema is `newest`.

    `name` says what it is, and `again` how to get another one, in the messages.

    Raises `PoseGenError` when its schema is newer, whatever else it holds, and when it is no such
    record.
    """
    try:
        raw = msgspec.json.decode(content)
        schema = raw.get("schema") if isinstance(raw, dict) else None
        if isinstance(schema, int) and schema > newest:
            raise PoseGenError(
                f"{file}: {name} schema {schema} is newer than {newest}, the newest this version "
                f"reads; upgrade posegen, or {again} with this version"
            )
        return msgspec.convert(raw, record)
    except (
        msgspec.DecodeError,
        msgspec.ValidationError,
        UnicodeDecodeError,
        RecursionError,  # as deep as no record of ours
    ) as error:
        raise PoseGenError(f"{file}: unreadable {name} ({error}); {again}") from error
