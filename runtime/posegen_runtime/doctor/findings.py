"""What the doctor found, as it is printed and written for a bug report."""

from enum import Enum
from typing import Any

import msgspec

SCHEMA = 1


class State(str, Enum):
    OK = "ok"
    ABSENT = "--"
    """Not here, which may be fine."""
    BROKEN = "!!"
    """Here, and does not work."""


class Fact(msgspec.Struct, frozen=True):
    name: str
    state: State
    text: str


class Section(msgspec.Struct, frozen=True):
    title: str
    facts: list[Fact]


class Advice(msgspec.Struct, frozen=True):
    """What to do, with commands that can be pasted into a shell. `repair`: something is broken or
    nothing can be generated; else it only makes more possible."""

    why: str
    commands: list[str]
    repair: bool = False


class Part(msgspec.Struct, frozen=True):
    """What one look at this machine gives."""

    facts: list[Fact]
    advice: list[Advice] = []


class Trial(msgspec.Struct, frozen=True):
    """An image made with one backend. `error` is empty where that worked."""

    backend: str
    error: str = ""


class Diagnosis(msgspec.Struct, kw_only=True):
    schema: int = SCHEMA
    posegen: str
    can_generate: bool
    verdict: str
    """One line on what generates here, or why nothing can."""
    auto: dict[str, Any]
    """`backend`, `precision` and `why` of what `--backend auto` takes; or `error`."""
    trials: list[Trial]
    sections: list[Section]
    advice: list[Advice]
    answers: dict[str, Any]
    """What each probe said, for a bug report."""
    seconds: float
