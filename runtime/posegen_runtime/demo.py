"""Inputs for `posegen-run --demo`: the golden set that every bundle carries."""

from posegen_runtime.bundle import Bundle
from posegen_runtime.jobs import Source


def demo_inputs(bundle: Bundle) -> dict[str, list[Source]]:
    """Masks, appearances and backgrounds inside the bundle, by input name, sorted."""
    found: dict[str, set[str]] = {"mask": set(), "appearance": set(), "background": set()}
    for golden in bundle.manifest.golden:
        for name in found:
            path = getattr(golden, name)
            if path is not None:
                found[name].add(path)
    return {
        name: [Source(bundle.path(path), path.removeprefix("golden/")) for path in sorted(paths)]
        for name, paths in found.items()
    }
