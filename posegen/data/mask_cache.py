"""Silhouettes found before, so that no photo is segmented twice."""

import hashlib
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from posegen.data.mask_rcnn import Found
from posegen.user_cache import user_cache
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import encode_png
from posegen_runtime.paths import write_atomic

VERSION = 1
"""Of how a mask follows from a photo and a segmenter's identity: another gives other keys."""


def default_cache() -> Path:
    """Where masks are kept unless an option says otherwise."""
    return user_cache() / "silhouettes"


class MaskCache:
    """A folder of entries, each named by the photo's bytes and all that the mask follows from.

    An entry is whole or not there, so several runs may share the folder.
    """

    def __init__(self, root: Path, identity: dict[str, Any]) -> None:
        """Raises `PoseGenError` where the folder cannot be made."""
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PoseGenError(f"{root}: cannot be made ({error.strerror})") from None
        self._root = root
        self._identity = msgspec.json.encode({"version": VERSION, **identity}, order="sorted")

    def key(self, content: bytes) -> str:
        """`content`: the photo's file, with size and orientation in it."""
        return hashlib.sha256(self._identity + hashlib.sha256(content).digest()).hexdigest()

    def read(self, key: str) -> Found | None:
        """None where there is nothing, or nothing readable: then it is to be made again."""
        try:
            entry = msgspec.json.decode(self._file(key).read_bytes(), type=_Entry)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        if entry.png is None:
            return Found(None, reason=entry.reason)
        try:
            mask = cv2.imdecode(np.frombuffer(entry.png, np.uint8), cv2.IMREAD_GRAYSCALE)
        except cv2.error:
            return None
        return None if mask is None else Found(np.asarray(mask, np.uint8), entry.score)

    def write(self, key: str, found: Found) -> None:
        png = None if found.mask is None else encode_png(found.mask)
        file = self._file(key)
        file.parent.mkdir(exist_ok=True)
        write_atomic(file, msgspec.json.encode(_Entry(found.score, found.reason, png)))

    def _file(self, key: str) -> Path:
        return self._root / key[:2] / f"{key}.json"


class _Entry(msgspec.Struct, frozen=True):
    score: float
    reason: str
    png: bytes | None
