"""Protobuf's text format, written.

As much of it as a model configuration takes. Triton's own definitions, which no small package
brings, read it back in the tests.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

STEP = "  "


class Name(str):
    """The value of an enumeration, which takes no quotes: ``TYPE_UINT8``."""


Value: TypeAlias = "bool | int | str | Message | Sequence[Value]"
Message: TypeAlias = Mapping[str, "Value"]
"""Field → value, in the order of the text. A sequence is a repeated field."""


def entries(pairs: Mapping[str, Value]) -> list[Message]:
    """A field that is a map, as the repeated field that it is in the text."""
    return [{"key": key, "value": value} for key, value in pairs.items()]


def to_text(message: Message) -> str:
    """`message` with a field on each line. An empty sequence leaves its field out."""
    return "".join(f"{line}\n" for line in _lines(message))


def _lines(message: Message) -> Iterator[str]:
    for field, value in message.items():
        if isinstance(value, str) or not isinstance(value, Sequence):
            yield from _field(field, value)
        elif value and all(isinstance(each, int) for each in value):
            yield f"{field}: [{', '.join(map(_scalar, value))}]"
        else:
            for each in value:
                yield from _field(field, each)


def _field(name: str, value: Value) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield f"{name} {{"
        yield from (f"{STEP}{line}" for line in _lines(value))
        yield "}"
    else:
        yield f"{name}: {_scalar(value)}"


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Name | int):
        return str(value)
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no value of a configuration")
    return '"' + "".join(map(_character, value)) + '"'


def _character(character: str) -> str:
    """Protobuf takes bytes in octal wherever a character might end the text."""
    if character in '"\\' or not character.isprintable():
        return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
    return character
