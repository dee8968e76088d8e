"""What is known of an engine: the JSON beside it."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from posegen_runtime.engines.flavors import Flavor
from posegen_runtime.engines.gpu import Capability
from posegen_runtime.engines.options import BuildOptions, Profile
from posegen_runtime.engines.precision import Layers

SCHEMA = 1
AMPERE: Capability = (8, 0)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an engine depends on. Two equal ones are the same engine."""

    model: str
    """sha256 over the graph and its weights file."""
    graph: str
    shared: bool
    precision: str
    flavor: Flavor
    version: tuple[int, ...]
    platform: str
    """System and processor, such as "linux-aarch64": no engine runs on another."""
    target: Capability | None
    """Compute capability that it was built for; None is every GPU from Ampere on."""
    profile: Profile
    workspace: int | None
    version_compatible: bool
    hardware_compatible: bool

    @property
    def key(self) -> str:
        """The name of its files."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """`KEY.json` beside `KEY.engine`."""

    schema: int = SCHEMA
    bundle: str
    """Name of the bundle, for messages."""
    identity: Identity
    bytes: int
    sha256: str
    seconds: float
    """How long the build took."""
    gpu: str
    """Name of the GPU in the machine that built it; empty where there was none."""
    network_layers: Layers
    """What the parsed network computes in: convolutions and matrix products by type."""
    engine_layers: Layers
    """What the built engine computes in: layers by type of input; empty where no GPU could tell."""
    parity: dict[str, Any] = {}
    """Figures of the golden set through this engine, by precision of the variant; empty until it
    ran."""


def why_unfit(
    held: Identity, wanted: Identity, options: BuildOptions, capability: Capability | None
) -> str | None:
    """Why the engine `held` cannot serve where `wanted` would be built; None when it can.

    `wanted` says what a build would give now, `options` which of it was asked for, `capability`
    what this machine's GPU is.
    """
    checks = (
        (held.graph, wanted.graph, "graph {}, not {}"),
        (held.shared, wanted.shared, "conditions shared: {}, not {}"),
        (held.precision, wanted.precision, "precision {}, not {}"),
        (held.model, wanted.model, "another model ({:.12}, not {:.12})"),
        (held.flavor.value, wanted.flavor.value, "flavor {}, not {}"),
        (held.platform, wanted.platform, "platform {}, not {}"),
    )
    for has, wants, text in checks:
        if has != wants:
            return text.format(has, wants)
    if not _runs_on_version(held, wanted):
        return f"version {_dotted(held.version)}, not {_dotted(wanted.version)}"
    if not _runs_on_gpu(held, wanted, options, capability):
        return f"compute capability {_dotted(held.target)}, not {_dotted(wanted.target)}"
    if options.profile is not None and held.profile != wanted.profile:
        return f"batches {held.profile}, not {wanted.profile}"
    if options.workspace is not None and held.workspace != wanted.workspace:
        return f"workspace {held.workspace or 'unlimited'}, not {wanted.workspace} bytes"
    if options.version_compatible and not held.version_compatible:
        return "one version only"
    if options.hardware_compatible and not held.hardware_compatible:
        return "one GPU only"
    return None


def _runs_on_version(held: Identity, wanted: Identity) -> bool:
    if not held.version_compatible:
        return held.version == wanted.version
    return held.version[0] == wanted.version[0] and held.version <= wanted.version


def _runs_on_gpu(
    held: Identity, wanted: Identity, options: BuildOptions, capability: Capability | None
) -> bool:
    if held.target == wanted.target:
        return True
    if options.compute_capability is not None or capability is None:
        return False
    if held.hardware_compatible:
        return capability >= AMPERE
    return held.target == capability


def _dotted(numbers: tuple[int, ...] | None) -> str:
    return "8.0 and later" if numbers is None else ".".join(map(str, numbers))


def read_sidecar(file: Path) -> Sidecar | None:
    """The sidecar in `file`, None when it is none of this version."""
    try:
        sidecar = msgspec.json.decode(file.read_bytes(), type=Sidecar)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return None
    return sidecar if sidecar.schema == SCHEMA else None
