"""A worker process: reads inputs and writes outputs for a run in another process."""

import os
import pickle
import select
import socket
import threading
import time
from collections import deque

import cv2
import numpy as np

from posegen_runtime.rows import Images, Made, Prepared, Written
from posegen_runtime.workers.base import Prepare, Writer
from posegen_runtime.workers.channel import Channel
from posegen_runtime.workers.memory import SharedMemory
from posegen_runtime.workers.messages import (
    Answer,
    Close,
    Dropped,
    Facts,
    Failed,
    Raised,
    Read,
    ReadDone,
    Ready,
    Write,
    WriteDone,
    decode_command,
    encode,
    pack_error,
)

_MOST_ANSWERS = 8
_LONGEST_WAIT = 0.002
"""Answers go together, since each delivery costs the run; none waits longer, in seconds."""


class Worker:
    """Does what comes over `channel`, one thing at a time: writing first, as it frees memory."""

    def __init__(
        self, channel: Channel, memory: SharedMemory, prepare: Prepare, writer: Writer
    ) -> None:
        self._channel = channel
        self._memory = memory
        self._prepare = prepare
        self._writer = writer
        self._reads: deque[Read] = deque()
        self._writes: deque[Write] = deque()
        self._kept: dict[int, tuple[Prepared, int, Images]] = {}
        self._made = 0
        self._answers: list[bytes] = []
        self._oldest = 0.0
        self._closing = False

    def run(self, messages: list[bytes]) -> None:
        """Until the run says so; begin with `messages`. Raises `EOFError` when the run is gone."""
        while not self._closing:
            for message in messages or self._channel.receive():
                self._take(message)
            messages = []
            if self._closing:
                break
            if task := self._next():
                self._memory.task = task.task
                self._answer(self._do(task))
                self._memory.task = 0
            idle = not (self._reads or self._writes)
            late = time.monotonic() - self._oldest > _LONGEST_WAIT
            if self._answers and (idle or late or len(self._answers) >= _MOST_ANSWERS):
                self._channel.send(*self._answers)
                self._answers.clear()
            elif self._channel.waiting:
                self._channel.flush()
            if idle:
                _wait(self._channel)
        self._channel.send(*self._answers)
        while not self._channel.flush():
            _wait(self._channel)

    def _take(self, message: bytes) -> None:
        match decode_command(message):
            case Read() as read:
                self._reads.append(read)
            case Write() as write:
                self._writes.append(write)
            case Dropped(numbers):
                for number in numbers:
                    self._memory.release(self._kept.pop(number)[1])
            case Close():
                self._closing = True

    def _next(self) -> Read | Write | None:
        if self._writes:
            return self._writes.popleft()
        return self._reads.popleft() if self._reads else None

    def _do(self, task: Read | Write) -> Answer:
        try:
            if isinstance(task, Read):
                return self._read(task)
            return WriteDone(task.task, self._write(task))
        except Exception as error:
            return Raised(task.task, pack_error(error))

    def _answer(self, answer: Answer) -> None:
        if not self._answers:
            self._oldest = time.monotonic()
        try:
            self._answers.append(encode(answer))
        except Exception as error:
            self._answers.append(encode(Raised(answer.task, pack_error(error))))

    def _read(self, task: Read) -> ReadDone:
        images: list[Ready | Failed] = []
        for item in self._prepare(task.job):
            images.append(self._keep(item) if isinstance(item, Prepared) else Failed(item))
        return ReadDone(task.task, images)

    def _keep(self, prepared: Prepared) -> Ready:
        place = self._memory.reserve()
        slot = self._memory.slot(place)
        for name in ("mask", "appearance", "background"):
            array = getattr(prepared, name)
            if array is not None:
                _copy(getattr(slot, name), array, name)
        self._made += 1
        self._kept[self._made] = prepared, place, slot.image
        return Ready(
            number=self._made,
            slot=place,
            appearance=prepared.appearance is not None,
            background=prepared.background is not None,
            facts=Facts(**{name: getattr(prepared, name) for name in Facts.__struct_fields__}),
        )

    def _write(self, task: Write) -> list[Written]:
        made = []
        for number, verdict in zip(task.numbers, task.verdicts, strict=True):
            prepared, _, image = self._kept[number]
            made.append(Made(prepared, image, verdict))
        return self._writer(made)


def _copy(target: Images, array: Images, name: str) -> None:
    if array.shape != target.shape or array.dtype != target.dtype:
        raise ValueError(f"{name} is {array.dtype} {array.shape}, not uint8 {target.shape}")
    np.copyto(target, array)


def main(channel_end: int, lifeline: int, memory_file: int) -> None:
    """Serve the run that holds the other ends, until it says so or ends."""
    threading.Thread(target=_die_with, args=(lifeline,), daemon=True).start()
    cv2.setNumThreads(1)
    channel = Channel(socket.socket(fileno=channel_end))
    try:
        _serve(channel, memory_file)
    except EOFError:
        return


def _serve(channel: Channel, memory_file: int) -> None:
    messages: list[bytes] = []
    while not messages:
        _wait(channel)
        messages = channel.receive()
    try:
        size, make_preparer, writer = pickle.loads(messages.pop(0))
        worker = Worker(channel, SharedMemory(memory_file, size), make_preparer(), writer)
    except Exception as error:
        channel.send(encode(Raised(0, pack_error(error))))
        return
    worker.run(messages)


def _wait(channel: Channel) -> None:
    """Until something can be received, or sent if something is left to send."""
    poll = select.poll()
    poll.register(channel, select.POLLIN | (select.POLLOUT if channel.waiting else 0))
    poll.poll()


def _die_with(lifeline: int) -> None:
    """End at once when the run does, whatever way: its end of the pipe closes."""
    os.read(lifeline, 1)
    os._exit(1)
