"""Where engines live: a folder of `KEY.engine`, raw bytes, and `KEY.json`, the sidecar.

Every file is written whole or not at all, so that readers need no lock. Deleting any of it is safe.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from posegen_runtime.engines.gpu import Capability
from posegen_runtime.engines.options import BuildOptions
from posegen_runtime.engines.sidecar import Identity, Sidecar, read_sidecar, why_unfit
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import read_bytes, write_atomic

VARIABLE = "POSEGEN_CACHE"


@dataclass(frozen=True)
class EngineFile:
    """An engine that is there and whole."""

    path: Path
    sidecar: Sidecar


def cache_folder() -> Path:
    """`$POSEGEN_CACHE/engines`, or `posegen/engines` in the user's cache folder; made if missing.

    Raises `PoseGenError` when it cannot be made.
    """
    named = os.environ.get(VARIABLE)
    users = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = (Path(named) if named else Path(users) / "posegen") / "engines"
    try:
        folder = folder.expanduser()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: this user has no home
        reason = getattr(error, "strerror", None) or error
        raise PoseGenError(
            f"{folder}: the engine cache cannot be made ({reason}); "
            f"name another folder in {VARIABLE}"
        ) from error
    return folder


def find(
    folder: Path,
    bundle: str,
    wanted: Identity,
    options: BuildOptions,
    capability: Capability | None,
    tell: Callable[[str], None],
) -> EngineFile | None:
    """The newest engine in `folder` that serves; `tell` hears why one that seemed to did not."""
    reasons = []
    for file in sorted(folder.glob("*.json"), key=_modified, reverse=True):
        sidecar = read_sidecar(file)
        if sidecar is None:
            continue
        held = sidecar.identity
        reason = why_unfit(held, wanted, options, capability)
        engine = file.with_suffix(".engine")
        if reason is None:
            damage = _damage(engine, sidecar)
            if damage is None:
                return EngineFile(engine, sidecar)
            tell(f"{engine}: {damage}; building it again")
            return None
        same = (held.graph, held.shared, held.precision) == (
            wanted.graph,
            wanted.shared,
            wanted.precision,
        )
        if same and sidecar.bundle == bundle:
            reasons.append(f"the cached engine {engine.name} is of {reason}; building another")
    if reasons:
        tell(reasons[0])
    return None


def save(folder: Path, plan: memoryview, sidecar: Sidecar) -> EngineFile:
    """Write an engine and then its sidecar, which makes it count."""
    engine = folder / f"{sidecar.identity.key}.engine"
    write_atomic(engine, plan)
    return _write_sidecar(EngineFile(engine, sidecar))


def record_parity(file: EngineFile, parity: dict[str, Any]) -> EngineFile:
    """`file` with the golden set's figures in its sidecar, on disk too."""
    return _write_sidecar(
        EngineFile(file.path, msgspec.structs.replace(file.sidecar, parity=parity))
    )


def _write_sidecar(file: EngineFile) -> EngineFile:
    text = msgspec.json.format(msgspec.json.encode(file.sidecar), indent=2)
    write_atomic(file.path.with_suffix(".json"), text + b"\n")
    return file


def _damage(engine: Path, sidecar: Sidecar) -> str | None:
    if not engine.is_file():
        return "is gone"
    size = engine.stat().st_size
    if size != sidecar.bytes:
        return f"has {size} bytes instead of {sidecar.bytes}"
    if hashlib.sha256(read_bytes(engine)).hexdigest() != sidecar.sha256:
        return "is not the engine that was built"
    return None


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:  # another process has just removed it
        return 0.0
