"""One sample of a webdataset shard: its key, its three files, and their bytes in a tar."""

import hashlib
import re
import tarfile
from typing import Any

import msgspec

from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.poses import Pose, Three
from posegen_runtime.verdicts import Verdict

SHARDS = "shards"
LONGEST = 246
"""Bytes of a part of a key between slashes: with ".mask.png" it is a file name of 255."""
KEPT = 200
"""Bytes of a longer one that stay readable."""
MODIFIED = 946_684_800
"""2000-01-01 as every member's time: the same image gives the same bytes, and tar warns of 1970."""

# "~" marks a part that was cut; readers of shards pass over members that begin with "__…__/".
ESCAPED = re.compile(r"[.%~\\\x00-\x1f\x7f]|^_(?=_)")
NAME = re.compile(rf"({SHARDS}/shard-\d{{6,}}\.tar)/(.+)", re.DOTALL)


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`KEY.json`: fields as in manifest.jsonl and poses.jsonl. Sizes are (height, width)."""

    mask: str
    object: str = ""
    variation: int
    appearance: str | None = None
    background: str | None = None
    category: str
    placement: dict[str, Any]
    viewpoint: Three | None = None
    pose: Pose | None = None
    """Its `mask` is the member that shows it."""
    coco: CocoMask
    unclear_share: float = 0.0
    notes: list[str] = []
    verdict: Verdict | None = None
    """With --verify: its figures."""


def key_of(stem: str) -> str:
    """The key of the image named `stem`: without a dot, and another one for every other stem.

    Dots, "%", "~", backslashes, control characters and the first of two underscores at the start
    of a part stand as in URLs ("car.v2" becomes "car%2Ev2"), so `urllib.parse.unquote` gives the
    stem back. A part too long for a file name ends in "~" and a hash instead. Folders stay.
    """
    return "/".join(_key_part(part) for part in stem.split("/"))


def shard_name(shard: int) -> str:
    """The tar of shard number `shard`, below the output directory."""
    return f"{SHARDS}/shard-{shard:06}.tar"


def members(files: dict[str, bytes]) -> bytes:
    """The files, by name, as consecutive members of a tar. The same files give the same bytes."""
    pieces = []
    for name, data in files.items():
        info = tarfile.TarInfo(name)  # mode 0644, owner 0
        info.size = len(data)
        info.mtime = MODIFIED
        pieces += [info.tobuf(tarfile.PAX_FORMAT), data, bytes(-len(data) % tarfile.BLOCKSIZE)]
    return b"".join(pieces)


def ending(size: int) -> bytes:
    """What closes a tar of `size` bytes."""
    blocks = 2 * tarfile.BLOCKSIZE
    return bytes(blocks + -(size + blocks) % tarfile.RECORDSIZE)


def _key_part(part: str) -> str:
    escaped = ESCAPED.sub(lambda found: f"%{ord(found.group()):02X}", part)
    encoded = escaped.encode()
    if len(encoded) <= LONGEST:
        return escaped
    kept = encoded[:KEPT].decode(errors="ignore")
    return f"{kept}~{hashlib.sha256(part.encode()).hexdigest()[:16]}"
