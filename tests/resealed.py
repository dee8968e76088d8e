"""A stranger's bundle: whatever was done to it, its hashes agree."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

MANIFEST = "bundle.json"


def reseal(bundle: Path, change: Callable[[dict[str, Any]], None] = lambda manifest: None) -> Path:
    """Apply `change` to the manifest, and record every file as it is now."""
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["files"] = {
        file.relative_to(bundle).as_posix(): {
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "bytes": file.stat().st_size,
        }
        for file in sorted(bundle.rglob("*"))
        if file.is_file() and file.name != MANIFEST
    }
    change(manifest)
    (bundle / MANIFEST).write_text(json.dumps(manifest))
    return bundle
