"""What the run and its worker processes tell each other, without the arrays.

MessagePack, because pickling a job or an image's result takes ten times longer, and one process
does it for all.
"""

import os
import pickle
import traceback
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from posegen_runtime.errors import PoseGenError
from posegen_runtime.jobs import Job
from posegen_runtime.rows import Failure, Prepared, Written
from posegen_runtime.verdicts import Verdict

_STAYS = ("job", "mask", "appearance", "background")
Facts: Any = msgspec.defstruct(
    "Facts",
    [(f.name, f.type) for f in msgspec.structs.fields(Prepared) if f.name not in _STAYS],
    array_like=True,
)
"""What a `Prepared` holds beside its job and its arrays."""


class Read(msgspec.Struct, array_like=True, tag=1):
    """Do `job`; answer with `ReadDone` or `Raised`."""

    task: int
    job: Job


class Write(msgspec.Struct, array_like=True, tag=2):
    """Write the images of one job, those in the slots of the prepared `numbers`, each with its
    verdict; answer with `WriteDone` or `Raised`."""

    task: int
    numbers: list[int]
    verdicts: list[Verdict | None]


class Dropped(msgspec.Struct, array_like=True, tag=3):
    """Nobody will ask again for these prepared ones."""

    numbers: list[int]


class Close(msgspec.Struct, array_like=True, tag=4):
    """Finish what you are at, and end."""


Command = Read | Write | Dropped | Close


class Ready(msgspec.Struct, array_like=True, tag=1):
    """One image that can be generated: a `Prepared`, whose arrays are in `slot`."""

    number: int
    slot: int
    appearance: bool
    background: bool
    """Whether it has them."""
    facts: Facts


class Failed(msgspec.Struct, array_like=True, tag=2):
    failure: Failure


class ReadDone(msgspec.Struct, array_like=True, tag=1):
    task: int
    images: list[Ready | Failed]


class WriteDone(msgspec.Struct, array_like=True, tag=2):
    task: int
    written: list[Written]


class Raised(msgspec.Struct, array_like=True, tag=3):
    """What a task raised, pickled; the task 0 is the worker's start."""

    task: int
    error: bytes


Answer = ReadDone | WriteDone | Raised


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return os.fsencode(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot go from a worker to the run")


def _whole(kind: type, value: Any) -> object:
    return Path(os.fsdecode(value)) if kind is Path else value


encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode
decode_command = msgspec.msgpack.Decoder(Command, dec_hook=_whole).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode


class WorkerTraceback(Exception):
    """Where in the worker an error that nobody foresaw was raised; the cause of that error."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def pack_error(error: BaseException) -> bytes:
    """`error` with its causes, which pickling it would lose."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__
    if not isinstance(error, PoseGenError):
        chain.append(WorkerTraceback("".join(traceback.format_exception(error))))
    try:
        packed = pickle.dumps(chain)
        pickle.loads(packed)
    except Exception:
        # An error that cannot travel: its text does.
        text = "".join(traceback.format_exception(error))
        packed = pickle.dumps([RuntimeError(repr(error)), WorkerTraceback(text)])
    return packed


def unpack_error(packed: bytes) -> BaseException:
    chain: list[BaseException] = pickle.loads(packed)
    for error, cause in pairwise(chain):
        error.__cause__ = cause
    return chain[0]
