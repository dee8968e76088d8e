"""`posegen-run --replay run.json`: does a run done again give the same images?"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from posegen_runtime.bundle import MANIFEST, sha256_of
from posegen_runtime.choices import SinkName
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import load_bundle
from posegen_runtime.judging import check_same
from posegen_runtime.ledger import ImageRow, Ledger, State
from posegen_runtime.options import RunOptions
from posegen_runtime.parity import GATES, compare
from posegen_runtime.parts import WHOLE, Part
from posegen_runtime.paths import read_bytes, write_atomic
from posegen_runtime.progress import say
from posegen_runtime.records import read_record
from posegen_runtime.run import run
from posegen_runtime.run_record import SCHEMA, RunRecord
from posegen_runtime.sinks.opening import reader_of
from posegen_runtime.sinks.tree import REPLAY, RUN

NOT_REPEATED = (
    *("out", "fresh", "retry_failed", "preview"),
    *("lanes", "batch", "workers"),
    *("engine", "address", "actors", "actor_cpus", "actor_gpus"),
)
"""Options that change no image."""
MADE = (State.DONE, State.REJECTED)


class Verdict(str, Enum):
    """One image of the earlier run beside that of the replay."""

    IDENTICAL = "identical"
    """The same bytes."""
    WITHIN = "within the gates"
    """Other pixels, by no more than the gates of the precision allow."""
    DIFFERENT = "different"
    MISSING = "missing"
    """Made by one of the runs only, or its file is gone."""


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What `replay.json` holds. `images`: names of those that are not identical, with the verdict
    and the figures missed."""

    run: str
    precision: str
    counts: dict[str, int]
    images: list[dict[str, Any]] = []

    @property
    def same(self) -> bool:
        return not self.counts[Verdict.DIFFERENT.value] + self.counts[Verdict.MISSING.value]


def replay(record_file: Path, out: Path, changes: Mapping[str, Any]) -> Replay:
    """Run again what `record_file` tells of, into `out`, and compare every image.

    `changes` are options to take in place of the recorded ones: another backend, or places that
    inputs have been moved to. Raises `PoseGenError` when the record cannot be read, the bundle is
    another one, or the run cannot be done.
    """
    if record_file.is_dir():
        record_file = record_file / RUN
    if not record_file.is_file():
        raise PoseGenError(f"--replay {record_file}: no such file; name the run.json of a run")
    record = _record(record_file)
    earlier = record_file.parent
    _check_apart(earlier, out)
    options = msgspec.structs.replace(_options(record, record_file, out), **changes)
    _check_bundle(record, record_file, options)
    check_same(options, record.options, record_file)
    with Ledger.open(earlier, write=False):
        pass  # what cannot be compared need not be run
    if run(options).interrupted:
        raise KeyboardInterrupt  # to compare half of it would call the rest missing
    precision = _record(out / RUN).options["precision"]
    before, after = Read(earlier, options.sink), Read(out, options.sink)
    counts: Counter[str] = Counter({verdict.value: 0 for verdict in Verdict})
    told: list[dict[str, Any]] = []
    with (
        Ledger.open(earlier, write=False) as first,
        Ledger.open(out, write=False) as second,
    ):
        for one, other in _pairs(first, second):
            verdict, missed = _judge(one, other, before, after, precision)
            counts[verdict.value] += 1
            if verdict is not Verdict.IDENTICAL:
                row = one or other
                assert row is not None
                told.append({"image": row.image, "verdict": verdict.value, "missed": missed})
    result = Replay(
        run=str(record_file.absolute()),
        precision=precision,
        counts=dict(counts),
        images=told,
    )
    write_atomic(out / REPLAY, msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    return result


def _record(file: Path) -> RunRecord:
    return read_record(read_bytes(file), RunRecord, SCHEMA, file, "run record", "run again")


def _check_apart(earlier: Path, out: Path) -> None:
    one, other = Path(os.path.realpath(earlier)), Path(os.path.realpath(out))
    if one == other or one in other.parents or other in one.parents:
        raise PoseGenError(
            f"--out {out}: lies inside the run to repeat, {earlier}, or the other way round; "
            "name a folder apart from it"
        )


def _options(record: RunRecord, file: Path, out: Path) -> RunOptions:
    names = set(RunOptions.__struct_fields__) - set(NOT_REPEATED)
    given = {name: value for name, value in record.options.items() if name in names}
    try:
        given["shard"] = msgspec.to_builtins(Part.parse(str(given.get("shard", WHOLE))))
        return msgspec.convert({**given, "out": str(out)}, RunOptions, dec_hook=_decode)
    except (msgspec.ValidationError, PoseGenError) as error:
        raise PoseGenError(f"{file}: its options cannot be read ({error})") from error


def _decode(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)


def _check_bundle(record: RunRecord, file: Path, options: RunOptions) -> None:
    bundle = load_bundle(options.bundle)
    here, there = sha256_of(bundle.root / MANIFEST), str(record.bundle.get("sha256"))
    if here != there:
        raise PoseGenError(
            f"{file}: was made with the bundle {record.bundle.get('name')} ({there[:12]}…), "
            f"{bundle.root} is another one ({here[:12]}…); name the right one with --bundle"
        )


class Read:
    """Bytes of an output's images by their names in the ledger; None where there are none."""

    def __init__(self, out: Path, sink: SinkName) -> None:
        self._read = reader_of(out, sink)

    def __call__(self, name: str) -> bytes | None:
        try:
            return self._read(name) if name else None
        except PoseGenError:
            return None


def _pairs(first: Ledger, second: Ledger) -> Iterator[tuple[ImageRow | None, ImageRow | None]]:
    """Rows of the same image, in order; None where a run did not make it."""
    ours, theirs = first.rows(MADE), second.rows(MADE)
    one, other = next(ours, None), next(theirs, None)
    while one or other:
        behind = other is None or (one is not None and _place(one) < _place(other))
        ahead = one is None or (other is not None and _place(other) < _place(one))
        yield (None if ahead else one), (None if behind else other)
        if not ahead:
            one = next(ours, None)
        if not behind:
            other = next(theirs, None)


def _place(row: ImageRow) -> tuple[int, str]:
    return row.job, row.object


def _judge(
    one: ImageRow | None, other: ImageRow | None, before: Read, after: Read, precision: str
) -> tuple[Verdict, list[str]]:
    if one and other and one.mask != other.mask:
        return Verdict.MISSING, [f"the replay made {other.mask} in its place"]
    if one and other and one.state is not other.state:
        return Verdict.DIFFERENT, [f"was {one.state.value} and is {other.state.value}"]
    if one is None or other is None:
        return Verdict.MISSING, [f"made by the {'replay' if one is None else 'earlier run'} only"]
    files = before(one.image), after(other.image)
    masks = before(one.mask_file), after(other.mask_file)
    if None in files or None in masks:
        return Verdict.MISSING, ["its file is gone"]
    if masks[0] != masks[1]:
        return Verdict.DIFFERENT, ["the mask is another one"]
    if files[0] == files[1]:
        return Verdict.IDENTICAL, []
    images = [_decoded(data) for data in files]
    mask = _decoded(masks[0], cv2.IMREAD_GRAYSCALE)
    if images[0] is None or images[1] is None or mask is None:
        return Verdict.MISSING, ["its file cannot be read"]
    if images[0].shape != images[1].shape:
        return Verdict.DIFFERENT, ["it has another size"]
    gate = GATES[precision]
    figures = compare(images[1][None], images[0][None], mask[None], ssim=gate.needs_ssim)
    missed = gate.missed(figures)
    return (Verdict.DIFFERENT if missed else Verdict.WITHIN), missed


def _decoded(data: bytes | None, flags: int = cv2.IMREAD_COLOR) -> np.ndarray | None:
    return None if data is None else cv2.imdecode(np.frombuffer(data, np.uint8), flags)


def print_replay(result: Replay, out: Path, shown: int = 10) -> None:
    """The counts, and the first images that are different or missing."""
    total = sum(result.counts.values())
    words = ", ".join(f"{count} {name}" for name, count in result.counts.items())
    print(f"{total} images: {words} (gates of {result.precision}): {out / REPLAY}")
    bad = [
        image
        for image in result.images
        if image["verdict"] in (Verdict.DIFFERENT.value, Verdict.MISSING.value)
    ]
    for image in bad[:shown]:
        say(f"{image['verdict']}: {image['image']}: {'; '.join(image['missed'])}")
    if len(bad) > shown:
        say(f"and {len(bad) - shown} more in {REPLAY}")
