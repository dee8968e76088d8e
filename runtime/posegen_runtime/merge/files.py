"""Which files belong to an image of a shard, and what they are called in the whole output."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import ImageResult, ImageRow, State
from posegen_runtime.links import Linker
from posegen_runtime.merge.shards import Shard
from posegen_runtime.sinks.samples import NAME, SHARDS, shard_name
from posegen_runtime.sinks.shard import ShardStatistics, write_statistics
from posegen_runtime.sinks.tree import REJECTED

YOLO_LABELS = "labels/yolo/labels"
FOLDERS = ("images", "masks", REJECTED)


def has_tars(shard: Shard) -> bool:
    """Whether it was written as webdataset shards."""
    return (shard.path / SHARDS).is_dir()


def add_tars(shard: Shard, linker: Linker, out: Path) -> None:
    """Link the tars of one shard, with statistics whose jobs are those of the whole run.

    The first tars of all shards come first, then the second ones.
    """
    for file in sorted((shard.path / SHARDS).glob("shard-*.json")):
        found = _statistics(file)
        tar = out / shard_name(_number(shard, file.with_suffix(".tar").name))
        if found.tar:
            source = file.with_name(found.tar)
            if source.exists() and source.stat().st_size != found.bytes:
                raise PoseGenError(
                    f"{source}: has {source.stat().st_size} bytes and not {found.bytes}; "
                    "copy that shard once more"
                )
            linker.add(source, tar.relative_to(out).as_posix())
        else:
            tar.parent.mkdir(parents=True, exist_ok=True)
            tar.unlink(missing_ok=True)
        moved = msgspec.structs.replace(
            found,
            tar=tar.name if found.tar else None,
            first_job=shard.part.number(found.first_job),
            last_job=shard.part.number(found.last_job),
            job_step=shard.part.count * found.job_step,
        )
        write_statistics(tar, moved)


def add_files(shard: Shard, row: ImageRow, linker: Linker) -> ImageResult:
    """Link what a row names, unless it is in a tar, and give the row of the whole run."""
    names = {"image": row.image, "mask_file": row.mask_file}
    for field, name in names.items():
        tar = NAME.fullmatch(name)
        if tar:
            number = _number(shard, PurePosixPath(tar[1]).name)
            names[field] = f"{shard_name(number)}/{tar[2]}"
        elif row.state is State.REJECTED and not (shard.path / name).exists():
            names[field] = ""  # nobody needs it, so it may have been deleted
        elif name:
            _link(shard, name, linker)
    for label in _labels(shard, row):
        _link(shard, label, linker)
    return ImageResult(
        object=row.object,
        state=row.state,
        reason=row.reason,
        data=row.data,
        timings=row.timings,
        finished=row.finished or 0.0,
        **names,
    )


def _labels(shard: Shard, row: ImageRow) -> Iterator[str]:
    """The files that are written beside an image; all others follow from the ledger."""
    if row.image.startswith("images/") and (shard.path / YOLO_LABELS).is_dir():
        stem = row.image.removeprefix("images/").rpartition(".")[0]
        name = f"{YOLO_LABELS}/{stem}.txt"
        if row.state is State.DONE or (shard.path / name).exists():
            yield name


def _link(shard: Shard, name: str, linker: Linker) -> None:
    """A ledger that was tampered with links nothing from elsewhere."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.parts[0] not in (*FOLDERS, "labels"):
        raise PoseGenError(f"{shard.path}: its ledger names {name}, which no run writes")
    linker.add(shard.path / name, name)


def _number(shard: Shard, tar: str) -> int:
    return shard.part.number(int(tar.removeprefix("shard-").removesuffix(".tar")))


def _statistics(file: Path) -> ShardStatistics:
    try:
        return msgspec.json.decode(file.read_bytes(), type=ShardStatistics)
    except (OSError, msgspec.DecodeError, ValueError) as error:
        raise PoseGenError(
            f"{file}: are no statistics of a shard ({error}); copy that shard once more"
        ) from error
