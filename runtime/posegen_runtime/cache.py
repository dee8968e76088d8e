"""A cache that is bounded in bytes: a run may have one background or 5,000."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Forgets what was used longest ago once `size` of all values is above `max_bytes`.

    Safe to use from several threads. The last value put is always kept.
    """

    def __init__(self, max_bytes: int, size: Callable[[Value], int]) -> None:
        self._max_bytes = max_bytes
        self._size = size
        self._bytes = 0
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._making: dict[Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of `key`; threads that need it at the same time wait while one makes it.

        What `make` raises is raised, and the next thread tries again.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                value = self.get(key)
                if value is None:
                    value = make()
                    self.put(key, value)
                return value
        finally:
            with self._lock:
                self._making.pop(key, None)

    def get(self, key: Key) -> Value | None:
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key]

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = value
            self._bytes += self._size(value)
            while self._bytes > self._max_bytes and len(self._entries) > 1:
                _, oldest = self._entries.popitem(last=False)
                self._bytes -= self._size(oldest)


def content_key(images: Sequence[npt.NDArray[np.uint8]]) -> bytes:
    """A key that changes with any byte of `images`."""
    digest = hashlib.sha1(usedforsecurity=False)
    for image in images:
        digest.update(np.ascontiguousarray(image).data)
    return digest.digest()
