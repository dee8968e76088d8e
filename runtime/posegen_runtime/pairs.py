"""`--pairs FILE`: which appearance and background go with each mask, listed by the user."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.frames.files import Members
from posegen_runtime.jobs import Job
from posegen_runtime.paths import read_bytes
from posegen_runtime.sources import Source
from posegen_runtime.stems import OutputStems

KINDS = ("mask", "appearance", "background")
LARGEST = 2**30
"""Bytes."""


class Pair(msgspec.Struct, frozen=True):
    """One job. Names as in `Source`; None where the bundle takes none."""

    mask: str
    appearance: str | None
    background: str | None


def read_pairs(
    path: Path,
    inputs: Mapping[str, Sequence[Source]],
    frames: Mapping[str, Members] | None = None,
    looks_drawn: bool = False,
) -> list[Pair]:
    """A CSV file whose first line names its columns: ``mask`` and those of ``appearance`` and
    ``background`` that the bundle takes; a line for each job. What has no column, though the
    bundle takes it, is drawn as without the file where there is one of it only.

    `inputs` are the files found, by kind. `frames`: the masks of each frame, where those stand for
    the masks. `looks_drawn`: appearances are drawn for each object, not for the job. Raises
    `PoseGenError` naming the line.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise PoseGenError(f"--pairs {path}: larger than 1 GB; split it")
        text = read_bytes(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PoseGenError(f"--pairs {path}: cannot be read ({reason})") from error
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise PoseGenError(f"--pairs {path}: is no CSV file ({error})") from error
    if not rows:
        raise PoseGenError(f"--pairs {path}: is empty; its first line names the columns")
    _check_commas(path, rows[0])
    if looks_drawn and "appearance" in [name.strip() for name in rows[0]]:
        raise PoseGenError(
            f"--pairs {path}: appearances are drawn for each object of a frame; leave the column "
            "appearance out"
        )
    columns = _columns(path, [name.strip() for name in rows[0]], inputs)
    known = {kind: {source.name for source in inputs[kind]} for kind in KINDS}
    only = {kind: inputs[kind][0].name for kind in KINDS if len(inputs[kind]) == 1}
    pairs = []
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) != len(rows[0]):
            raise PoseGenError(
                f"--pairs {path}: line {number} has {len(row)} values, the first line names "
                f"{len(rows[0])}"
            )
        named = {kind: _cell(row[column], known[kind]) for kind, column in columns.items()}
        for kind, name in named.items():
            if kind == "mask" and name not in known[kind] and frames:
                raise PoseGenError(f"--pairs {path}: line {number}: {_no_frame(name, frames)}")
            if name not in known[kind]:
                raise PoseGenError(
                    f"--pairs {path}: line {number}: there is no {kind} {name!r}; names are paths "
                    f"below the folder of --{'masks' if kind == 'mask' else kind}"
                )
        given = {kind: named.get(kind, only.get(kind)) for kind in KINDS}
        pairs.append(Pair(str(given["mask"]), given["appearance"], given["background"]))
    if not pairs:
        raise PoseGenError(f"--pairs {path}: lists no job below its first line")
    return pairs


def _no_frame(name: str, frames: Mapping[str, Members]) -> str:
    for frame, members in frames.items():
        if any(mask.name == name for _, mask in members):
            return f"{name} is a mask of the frame {frame}; the column mask names frames"
    first = next(iter(frames))
    return f"there is no frame {name!r}; with --paste the column mask names frames, such as {first}"


def _cell(text: str, names: set[str]) -> str:
    """Without blanks around it, but where a file's own name has them."""
    return text if text in names else text.strip()


def _check_commas(path: Path, first: Sequence[str]) -> None:
    for sign, name in ((";", "';'"), ("\t", "tabs"), ("|", "'|'")):
        words = [word.strip() for word in first[0].split(sign)] if len(first) == 1 else []
        if len(words) > 1 and words[0] in KINDS:
            raise PoseGenError(
                f"--pairs {path}: its columns are separated by {name}; save it with commas"
            )


def _columns(
    path: Path, names: list[str], inputs: Mapping[str, Sequence[Source]]
) -> dict[str, int]:
    for name in names:
        if name not in KINDS:
            raise PoseGenError(
                f"--pairs {path}: column {name!r} in its first line; give {', '.join(KINDS)}"
            )
        if names.count(name) > 1:
            raise PoseGenError(f"--pairs {path}: column {name!r} comes twice in its first line")
        if not inputs[name]:
            raise PoseGenError(f"--pairs {path}: the bundle takes no {name}; leave the column out")
    for kind in KINDS:
        if kind not in names and (kind == "mask" or len(inputs[kind]) > 1):
            raise PoseGenError(
                f"--pairs {path}: its first line lacks the column {kind}"
                + ("" if kind == "mask" else f", and --{kind} names several")
            )
    return {name: column for column, name in enumerate(names)}


def plan_pairs(pairs: Sequence[Pair], inputs: Mapping[str, Sequence[Source]]) -> Iterator[Job]:
    """A job for each pair, in their order; the k-th of a mask is its variation k."""
    sources = {kind: {source.name: source for source in inputs[kind]} for kind in KINDS}
    stems = OutputStems(inputs["mask"])
    counts = Counter(pair.mask for pair in pairs)
    seen: Counter[str] = Counter()
    for number, pair in enumerate(pairs):
        variation = seen[pair.mask]
        seen[pair.mask] += 1
        digits = len(str(counts[pair.mask] - 1))
        several = counts[pair.mask] > 1
        yield Job(
            mask=sources["mask"][pair.mask],
            stem=stems[pair.mask],
            variation=variation,
            variation_suffix=f"-v{variation:0{digits}}" if several else "",
            appearance=sources["appearance"][pair.appearance] if pair.appearance else None,
            background=sources["background"][pair.background] if pair.background else None,
            number=number,
        )
