"""A bundle into a model repository, whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from posegen_export.triton.config import config_of
from posegen_export.triton.engines import Content, contents_of
from posegen_export.triton.layout import (
    CONFIG,
    RECORD,
    Held,
    Record,
    check_root,
    held_of,
    sealed,
)
from posegen_export.triton.pbtxt import to_text
from posegen_export.triton.serving import Model, Options, models_of
from posegen_runtime import __version__
from posegen_runtime.bundle import MANIFEST, Bundle, sha256_of
from posegen_runtime.errors import PoseGenError


@dataclass(frozen=True)
class Written:
    """What a repository serves now. `is_new`: this version was added; else it was there, and only
    its configuration was brought up to date."""

    models: list[Model]
    version: int
    is_new: bool


def write_repository(
    bundle: Bundle, options: Options, target: Path, tell: Callable[[str], None]
) -> Written:
    """Add `bundle` to the repository `target`, which is made where it is missing.

    The first export is version 1 of each model. Another bundle of the same interface becomes the
    next version, and earlier ones stay; the same bundle again is no new version. Other models are
    not touched. Whatever ends it early, nothing of it is left in `target`.

    Raises `PoseGenError` naming the option, file or folder that does not allow it.
    """
    root = target.resolve()
    options.check(bundle)
    check_root(root)
    models = models_of(bundle, options)
    folders = [root / model.name for model in models]
    blank = [_record(bundle, options, model, Content()) for model in models]
    # Looked at before engines are built, which takes minutes.
    held = [
        held_of(folder, model, options, record)
        for folder, model, record in zip(folders, models, blank, strict=True)
    ]
    contents = contents_of(bundle, models, options, tell)
    records = [
        _record(bundle, options, model, content)
        for model, content in zip(models, contents, strict=True)
    ]
    is_new = not _is_there(held, records)
    version = max(one.version for one in held) + is_new
    with _staging(root) as stage:
        new = stage / "repository"
        new.mkdir()
        for model, content, record, before in zip(models, contents, records, held, strict=True):
            folder = new / model.name
            folder.mkdir()
            if is_new:
                _write_version(folder / str(version), content, record, stage)
            text = sealed(to_text(config_of(model, options, version, models)))
            if text != before.config:
                (folder / CONFIG).write_bytes(text.encode())
        _move(_places(new, root))
    return Written(models, version, is_new)


def _record(bundle: Bundle, options: Options, model: Model, content: Content) -> Record:
    return Record(
        posegen=__version__,
        bundle=bundle.manifest.name,
        bundle_sha256=sha256_of(bundle.root / MANIFEST),
        precision=options.precision,
        backend=options.backend.value,
        inputs=model.inputs,
        outputs=model.outputs,
        files=content.hashes,
        engine=content.engine,
    )


def _is_there(held: list[Held], records: list[Record]) -> bool:
    """Is the newest version of every model, under one number, already made of the same files?"""
    if len({one.version for one in held}) > 1:
        return False
    return all(
        one.record is not None and one.record.files == record.files
        for one, record in zip(held, records, strict=True)
    )


def _write_version(folder: Path, content: Content, record: Record, stage: Path) -> None:
    folder.mkdir()
    for name, source in content.sources.items():
        (folder / name).parent.mkdir(exist_ok=True)
        _place(source, folder / name, stage / f".{content.hashes[name]}")
    encoded = msgspec.json.format(msgspec.json.encode(record), indent=2)
    (folder / RECORD).write_bytes(encoded + b"\n")


def _place(source: Path, target: Path, first: Path) -> None:
    """A copy of `source`, which models share where they hold the same bytes. Never a link into the
    bundle or the cache: what happens there must not change what is served."""
    if not first.exists():
        shutil.copyfile(source, first)
    try:
        os.link(first, target)
    except OSError:  # a disk without hard links
        shutil.copyfile(first, target)


@contextmanager
def _staging(root: Path) -> Iterator[Path]:
    """An empty folder on the disk of `root`, gone when the block ends."""
    beside = root.parent
    try:
        beside.mkdir(parents=True, exist_ok=True)
        # The repository may be a disk of its own, or its parent closed to us.
        if root.is_dir() and (
            os.stat(root).st_dev != os.stat(beside).st_dev or not os.access(beside, os.W_OK)
        ):
            beside = root
        stage = Path(tempfile.mkdtemp(dir=beside, prefix=f".{root.name}.", suffix=".part"))
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        raise PoseGenError(
            f"{root}: cannot be written ({error.strerror or error}); free space or name another "
            "folder"
        ) from error


Place = tuple[Path, Path]
"""Where something lies, and where it belongs."""


def _places(new: Path, root: Path) -> list[Place]:
    """What is to be renamed, the largest whole that is not there yet; configurations last, as one
    may name the versions of others."""
    if not root.exists():
        return [(new, root)]
    models: list[Place] = []
    versions: list[Place] = []
    configs: list[Place] = []
    for folder in sorted(new.iterdir()):
        final = root / folder.name
        if not final.exists():
            models.append((folder, final))
            continue
        for entry in folder.iterdir():
            (configs if entry.name == CONFIG else versions).append((entry, final / entry.name))
    return [*versions, *models, *configs]


def _move(places: list[Place]) -> None:
    """Rename each first path to the second one, a file in place of an older one; on any failure,
    none of them."""
    undo: list[Callable[[], None]] = []
    try:
        for source, final in places:
            if final.is_file():
                kept = source.with_name(f"{source.name}.old")
                shutil.copyfile(final, kept)
                undo.append(partial(os.replace, kept, final))
            else:
                undo.append(partial(_back, source, final))
            os.replace(source, final)
    except BaseException:
        for step in reversed(undo):
            step()
        raise


def _back(source: Path, final: Path) -> None:
    """Ctrl-C comes before a rename or after it."""
    if not source.exists():
        os.replace(final, source)
