"""What is installed, by the metadata of the packages: nothing is imported for that."""

from importlib import metadata

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

OURSELVES = "posegen"

ONNXRUNTIME = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-openvino",
    "onnxruntime-training",
    "onnxruntime-directml",
    "onnxruntime-rocm",
    "onnxruntime-migraphx",
    "onnxruntime-qnn",
)
OPENCV = (
    "opencv-python-headless",
    "opencv-python",
    "opencv-contrib-python-headless",
    "opencv-contrib-python",
)
"""Distributions that write the same files: of each group one may be installed."""


class Extras(msgspec.Struct, frozen=True):
    """By name, what each extra lacks: requirements, and the version where another is installed.
    `base` is what the package needs itself."""

    base: list[str]
    lacking: dict[str, list[str]]

    @property
    def installed(self) -> list[str]:
        return [name for name, lacks in self.lacking.items() if not lacks]

    @property
    def addable(self) -> list[str]:
        """Those that are not here and go along with what is: none with a second ONNX Runtime."""
        here = {*installed(ONNXRUNTIME)}
        others = {*ONNXRUNTIME} - here if here else set()
        return [
            name
            for name, lacks in self.lacking.items()
            if lacks and not others & {Requirement(need.partition(" (")[0]).name for need in lacks}
        ]


def version(distribution: str) -> str | None:
    """None where it is not installed, or its metadata is broken."""
    try:
        found: str | None = metadata.version(distribution)
    except (metadata.PackageNotFoundError, KeyError, OSError):
        return None
    return found


def installed(distributions: tuple[str, ...]) -> dict[str, str]:
    found = {name: version(name) for name in distributions}
    return {name: number for name, number in found.items() if number is not None}


def read_extras() -> Extras | None:
    """None where posegen itself was not installed, such as in a checkout on the path."""
    try:
        ours = metadata.metadata(OURSELVES)
    except metadata.PackageNotFoundError:
        return None
    wanted = []
    for text in ours.get_all("Requires-Dist") or []:
        try:
            wanted.append(Requirement(text))
        except InvalidRequirement:
            continue
    names = ours.get_all("Provides-Extra") or []
    return Extras(
        _lacking([need for need in wanted if _applies(need, "")]),
        {name: _lacking(_of_extra(wanted, name)) for name in names},
    )


def _of_extra(wanted: list[Requirement], extra: str) -> list[Requirement]:
    found = []
    for need in wanted:
        if not _applies(need, extra) or _applies(need, ""):
            continue
        if need.name == OURSELVES:
            for other in sorted(need.extras - {extra}):
                found += _of_extra(wanted, other)
        else:
            found.append(need)
    return found


def _applies(need: Requirement, extra: str) -> bool:
    return need.marker is None or need.marker.evaluate({"extra": extra})


def _lacking(needs: list[Requirement]) -> list[str]:
    lacks = []
    for need in needs:
        here = version(need.name)
        if here is None:
            lacks.append(f"{need.name}{need.specifier}")
        elif not _fits(need, here):
            lacks.append(f"{need.name}{need.specifier} ({here} is installed)")
    return list(dict.fromkeys(lacks))


def _fits(need: Requirement, version: str) -> bool:
    try:
        return need.specifier.contains(version, prereleases=True)
    except InvalidVersion:  # a vendor's own, about which nothing can be said
        return True
