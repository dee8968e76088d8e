"""The command `posegen-export int8` on folders of made-up images, and what it leaves."""

from pathlib import Path


def arguments(bundle: Path, folders: Path, conditioned: bool = True) -> list[str]:
    """Of `posegen-export int8`, on few samples."""
    names = ("masks", "appearance", "background") if conditioned else ("masks",)
    given = [text for name in names for text in (f"--{name}", str(folders / name))]
    return ["int8", str(bundle), *given, "--samples", "48", "--method", "minmax"]


def cache_of(bundle: Path) -> Path:
    """Beside the bundle, as the next."""
    return bundle.with_name(f"{bundle.name}.cache.json")


def report_of(bundle: Path) -> Path:
    return bundle.with_name(f"{bundle.name}.report")
