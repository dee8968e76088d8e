"""A bounded cache that makes each value once, however many threads ask for it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from posegen_runtime.cache import BoundedCache


def test_what_was_used_longest_ago_is_forgotten() -> None:
    cache: BoundedCache[int, bytes] = BoundedCache(3, len)
    for key in range(3):
        cache.put(key, b".")
    assert cache.get(0) == b"."
    cache.put(3, b".")
    assert [cache.get(key) is None for key in range(4)] == [False, True, False, False]
    cache.put(4, b"larger than all the room")
    assert len(cache) == 1


def test_threads_that_ask_at_the_same_time_share_one_making() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(100, len)
    made: list[str] = []

    def make(key: str) -> bytes:
        time.sleep(0.02)
        made.append(key)
        return key.encode()

    with ThreadPoolExecutor(8) as pool:
        keys = ["a", "b"] * 8
        values = list(pool.map(lambda key: cache.get_or_make(key, lambda: make(key)), keys))
    assert values == [key.encode() for key in keys]
    assert sorted(made) == ["a", "b"]


def test_different_keys_are_made_at_the_same_time() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(100, len)
    together = threading.Barrier(2, timeout=5)

    def make() -> bytes:
        together.wait()
        return b"."

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda key: cache.get_or_make(key, make), "ab")) == [b".", b"."]


def test_a_making_that_fails_is_tried_again() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(100, len)

    def fail() -> bytes:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            cache.get_or_make("a", fail)
    assert cache.get_or_make("a", lambda: b".") == b"."
