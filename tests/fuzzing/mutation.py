"""Files damaged at random, the same ones for the same seed."""

import json
import random
import zlib
from collections.abc import Callable, Sequence
from typing import Any

Random = random.Random
EDGES = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 100_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Where widths, counts and offsets go wrong."""
PNG = b"\x89PNG\r\n\x1a\n"


def mutate(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """One to four damages to `data`; a splice takes its other part from one of `others`."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if not data:
            break
        kind = rng.choice([*KINDS, *_kinds_of(data)])
        data = kind(data, others, rng)
    return data


VALUES: tuple[Any, ...] = (
    0, -1, 0.5, 3, 10**9, 2**63, 1e300, -1e308, None, True, "", "\0", "a\nb", "../../x",
    "/dev/zero", "golden", "*", "9" * 400, [], {}, [[]], [0] * 9, [[0]] * 1000, {"a": {}}, "N",
    "uint8", "\u2028",
)  # fmt: skip
"""What may stand where a number, a word or a list was expected."""
TEXTS = (
    b"1e999", b"NaN", b"9" * 400, b'"', b'"\\ud800"', b"\xff", b"[" * 200_000, b'{"a":' * 5000,
    b",", b"\0", b"0x1", b"",
)  # fmt: skip
"""And what no JSON is."""


def mutate_text(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Damage to JSON, or to lines of it: most is to one value, so that the rest is still read."""
    kind = rng.random()
    if kind < 0.2:
        return mutate(data, others, rng)
    if kind < 0.4:
        starts = [at for at, byte in enumerate(data) if byte in b'0123456789[{"tfn-']
        start = rng.choice(starts)
        return data[:start] + rng.choice(TEXTS) + data[start + rng.choice((0, 1, 4)) :]
    lines = data.splitlines() if data.count(b"\n{") else [data]
    where = rng.randrange(len(lines))
    tree = json.loads(lines[where])
    for _ in range(rng.choice((1, 1, 2))):
        _change_value(tree, rng)
    lines[where] = json.dumps(tree).encode()
    return b"\n".join(lines)


def _change_value(tree: Any, rng: Random) -> None:
    """One value of the tree becomes another, comes twice, or is gone; deep ones as likely."""
    while isinstance(tree, dict | list) and tree:
        keys = list(tree) if isinstance(tree, dict) else range(len(tree))
        key = rng.choice(keys)
        below = tree[key]
        if isinstance(below, dict | list) and below and rng.random() < 0.8:
            tree = below
            continue
        kind = rng.random()
        if kind < 0.15:
            del tree[key]
        elif kind < 0.25 and isinstance(tree, list):
            tree.append(below)
        elif kind < 0.3 and isinstance(tree, dict):
            tree[str(rng.choice(VALUES))[:300]] = below
        else:
            tree[key] = rng.choice(VALUES)
        return


def _flip_bits(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _flip_early(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    changed = bytearray(data)
    changed[rng.randrange(min(64, len(changed)))] = rng.randrange(256)
    return bytes(changed)


def _truncate(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _splice(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    other = rng.choice(others)
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def _drop(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 2, 4, 100)) :]


def _repeat(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    start, length = rng.randrange(len(data)), rng.choice((1, 4, 100, 1000))
    return data[: start + length] + data[start:]


def _insert(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.randbytes(rng.choice((1, 2, 16))) + data[start:]


def _set_number(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    """A number of a header, or anywhere, becomes one at the edge of what it may be."""
    size = rng.choice((1, 2, 4))
    number = (rng.choice(EDGES) & (256**size - 1)).to_bytes(size, rng.choice(("big", "little")))
    start = rng.randrange(min(len(data), rng.choice((40, 64, 400, len(data)))))
    return data[:start] + number + data[start + size :]


def _png_chunk(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    """Damage one chunk, or add one, under a checksum that agrees: else it is never looked into."""
    chunks = []
    at = len(PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return data
    where = rng.randrange(len(chunks))
    name, body = chunks[where]
    if rng.random() < 0.5:
        added = rng.choice((b"PLTE", b"tRNS", b"eXIf", b"IHDR", b"IDAT", b"acTL", b"iCCP", b"zTXt"))
        chunks.insert(where, (added, rng.randbytes(rng.choice((0, 1, 7, 13, 30)))))
    elif body:
        kind = rng.choice((_flip_bits, _set_number, _truncate, _insert))
        chunks[where] = (name, kind(body, [], rng))
    return PNG + b"".join(
        len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
        for name, body in chunks
    )


def _jpeg_segment(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    """Put a segment before or behind another."""
    starts = [2]
    while starts[-1] + 4 < len(data) and data[starts[-1]] == 0xFF and data[starts[-1] + 1] != 0xDA:
        starts.append(starts[-1] + 2 + int.from_bytes(data[starts[-1] + 2 : starts[-1] + 4], "big"))
    marker = rng.choice((0xC0, 0xC2, 0xC4, 0xDB, 0xDD, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE))
    body = rng.choice((b"Exif\0\0II*\0", b"JFIF\0", b"Adobe\0", b"")) + rng.randbytes(
        rng.choice((0, 9, 60))
    )
    at = rng.choice(starts)
    segment = bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body
    return data[:at] + segment + data[at:]


def _riff_chunk(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    body = rng.randbytes(rng.choice((0, 10, 30)))
    name = rng.choice((b"VP8X", b"VP8L", b"VP8 ", b"EXIF", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
    at = rng.choice((12, len(data)))
    longer = data[:at] + name + len(body).to_bytes(4, "little") + body + data[at:]
    return longer[:4] + (len(longer) - 8).to_bytes(4, "little") + longer[8:]


def _tiff_entry(data: bytes, _others: Sequence[bytes], rng: Random) -> bytes:
    """A directory entry (tag, type, count, value) becomes another, or stands there twice."""
    order = "little" if data[:2] == b"II" else "big"
    at = int.from_bytes(data[4:8], order)
    count = int.from_bytes(data[at : at + 2], order)
    if not 0 < count < 100:
        return data
    entry = at + 2 + 12 * rng.randrange(count)
    if rng.random() < 0.2:
        other = at + 2 + 12 * rng.randrange(count)
        return data[:entry] + data[other : other + 12] + data[entry + 12 :]
    offset, size = rng.choice(((0, 2), (2, 2), (4, 4), (8, 2), (8, 4), (8, 4)))
    number = rng.choice((*EDGES, rng.randrange(len(data)), rng.randrange(256, 340)))
    start = entry + offset
    changed = (number & (256**size - 1)).to_bytes(size, order)  # type: ignore[arg-type]
    return data[:start] + changed + data[start + size :]


Kind = Callable[[bytes, Sequence[bytes], Random], bytes]
KINDS: tuple[Kind, ...] = (
    _flip_bits, _flip_early, _truncate, _splice, _drop, _repeat, _insert, _set_number
)  # fmt: skip


def _kinds_of(data: bytes) -> list[Kind]:
    """Damages that keep the format together, so that they reach deeper; as likely as the others."""
    for magic, kind in (
        (PNG, _png_chunk),
        (b"\xff\xd8", _jpeg_segment),
        (b"RIFF", _riff_chunk),
        (b"II*\0", _tiff_entry),
        (b"MM\0*", _tiff_entry),
    ):
        if data.startswith(magic):
            return [kind] * len(KINDS)
    return []
