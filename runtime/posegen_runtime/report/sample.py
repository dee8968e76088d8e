"""A fair sample of a stream of unknown length."""

import random
from typing import Generic, TypeVar

T = TypeVar("T")


class Sample(Generic[T]):
    """Keeps `size` of all items added, each with the same chance, in fixed memory."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._random = random.Random(seed)
        self._seen = 0
        self._kept: list[tuple[int, T]] = []

    def add(self, item: T) -> None:
        place = self._seen
        if place >= self._size:
            place = self._random.randrange(self._seen + 1)
        if place < self._size:
            self._kept[place : place + 1] = [(self._seen, item)]
        self._seen += 1

    def shuffled(self) -> list[tuple[int, T]]:
        """The items with their places in the stream, so that any first few are a fair sample."""
        kept = list(self._kept)
        self._random.shuffle(kept)
        return kept
