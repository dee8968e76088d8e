"""Checkpoint → bundle, whole or not at all."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from posegen_export.inputs import Inputs
from posegen_runtime.bundle import MANIFEST, sha256_of
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import write_png
from posegen_runtime.manifest import FileRecord, Golden, Manifest
from posegen_runtime.poses import Three

Pixels = npt.NDArray[np.uint8]


def check_target(path: Path) -> None:
    """Raise `PoseGenError` when a bundle must not be written to `path`.

    An earlier bundle is replaced, an empty folder is filled, anything else is left alone.
    """
    if path.is_dir() and ((path / MANIFEST).is_file() or not any(path.iterdir())):
        return
    if path.exists() or path.is_symlink():
        raise PoseGenError(f"{path}: exists and is not a bundle; name another folder with -o")


@contextlib.contextmanager
def staging(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its place when the block ends well.

    When it does not, the folder is gone and `target` is as it was.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    try:
        part.mkdir(parents=True)
        yield part
        if target.exists():
            target.replace(old)
        part.replace(target)
    except OSError as error:
        raise PoseGenError(
            f"{target}: cannot be written ({error.strerror}); free space or name another folder"
        ) from error
    finally:
        if old.exists() and not target.exists():  # Ctrl-C comes anywhere
            old.replace(target)
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write_golden(
    root: Path, names: tuple[str, ...], inputs: Inputs, reference: Pixels
) -> tuple[list[Golden], dict[str, str]]:
    """Write ``golden/`` and ``defaults/``: all masks of `inputs` with their `reference` images.

    Appearances and backgrounds are few and shared by many goldens; the first of each is the
    default. Returns the goldens and the defaults, with paths relative to `root`.
    """
    (root / "golden").mkdir()
    pools = {"appearance": inputs.appearances, "background": inputs.backgrounds}
    conditions = [name for name in names if name in pools]
    if conditions:
        (root / "defaults").mkdir()
    for name in conditions:
        for number, image in enumerate(pools[name]):
            write_png(root / _condition_path(name, number), image)
    goldens = []
    for row, (mask, image) in enumerate(zip(inputs.masks, reference, strict=True)):
        golden = Golden(
            mask=f"golden/mask_{row:02d}.png",
            image=f"golden/image_{row:02d}.png",
            **{n: _condition_path(n, inputs.condition_index(n, row)) for n in conditions},
            viewpoint=_vector(inputs.viewpoints[row]) if "viewpoint" in names else None,
        )
        write_png(root / golden.mask, mask)
        write_png(root / golden.image, image)
        goldens.append(golden)
    return goldens, {name: _condition_path(name, 0) for name in conditions}


def _vector(viewpoint: npt.NDArray[np.float32]) -> Three:
    x, y, z = viewpoint.tolist()
    return (x, y, z)


def _condition_path(name: str, number: int) -> str:
    """Goldens use the defaults too, so that nothing is stored twice."""
    return f"defaults/{name}.png" if number == 0 else f"golden/{name}_{number}.png"


def write_manifest(root: Path, fields: dict[str, Any]) -> Manifest:
    """Write ``bundle.json`` with every file's sha256 and size; see `Manifest` for `fields`."""
    files = {
        path.relative_to(root).as_posix(): FileRecord(
            sha256=sha256_of(path), bytes=path.stat().st_size
        )
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
    manifest = Manifest(files=files, **fields)
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (root / MANIFEST).write_bytes(encoded + b"\n")
    return manifest
