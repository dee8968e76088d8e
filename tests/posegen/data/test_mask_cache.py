"""Silhouettes found before are found again, and only those."""

from pathlib import Path

import numpy as np
import pytest

from posegen.data import mask_cache
from posegen.data.mask_cache import MaskCache, default_cache
from posegen.data.mask_rcnn import Found, Rule, Segmenter

MASK = np.where(np.arange(35).reshape(5, 7) % 3 == 0, 255, 0).astype(np.uint8)


def identity(weights: str = "abc", **rule: object) -> dict:
    return Segmenter(None, weights, Rule(**rule)).identity


def test_what_was_written_is_read(tmp_path: Path) -> None:
    cache = MaskCache(tmp_path / "cache", identity())
    one, two = cache.key(b"one"), cache.key(b"two")
    assert cache.read(one) is None
    cache.write(one, Found(MASK, 0.75))
    cache.write(two, Found(None, reason="no car: nothing was found"))
    again = MaskCache(tmp_path / "cache", identity())
    found = again.read(one)
    assert found is not None
    assert np.array_equal(found.mask, MASK)
    assert found.score == 0.75
    assert again.read(two) == Found(None, reason="no car: nothing was found")


def test_the_key_holds_all_that_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [
        identity("abd"),
        identity(name="truck"),
        identity(min_score=0.6),
        identity(threshold=0.6),
        identity(min_side=400),
        identity() | {"torchvision": "0.0"},
    ]
    keys = {MaskCache(tmp_path, each).key(b"photo") for each in [identity(), *others]}
    keys.add(MaskCache(tmp_path, identity()).key(b"photos"))
    monkeypatch.setattr(mask_cache, "VERSION", 0)
    keys.add(MaskCache(tmp_path, identity()).key(b"photo"))
    assert len(keys) == len(others) + 3


@pytest.mark.parametrize("content", [b"", b"{}", b'{"score":1,"reason":"","png":"AAAA"}', b"\xff"])
def test_a_broken_entry_is_none(tmp_path: Path, content: bytes) -> None:
    cache = MaskCache(tmp_path, identity())
    key = cache.key(b"photo")
    cache.write(key, Found(MASK, 0.75))
    (file,) = tmp_path.rglob("*.json")
    file.write_bytes(content)
    assert cache.read(key) is None


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache() == Path("/somewhere/posegen/silhouettes")
