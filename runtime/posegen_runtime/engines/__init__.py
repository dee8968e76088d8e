"""TensorRT engines: built on the machine that runs them, kept in a cache, never in a bundle.

    flavors    which TensorRT is installed, what it has and what it refuses
    network    ONNX → network, with TensorRT's reasons where it refuses the graph
    build      network → engine
    loading    engine → what a GPU runs
    precision  what it really computes in
    cache      where it is kept, sidecar what is known of it
    ensure     the one call that the rest of the runtime needs

No TensorRT is imported until a function here is called, and no module until its name is asked for:
every run asks whether there is a GPU, and most have none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posegen_runtime.engines.cache import EngineFile as EngineFile
    from posegen_runtime.engines.cache import record_parity as record_parity
    from posegen_runtime.engines.ensure import ensure_engine as ensure_engine
    from posegen_runtime.engines.flavors import Flavor as Flavor
    from posegen_runtime.engines.flavors import TensorRT as TensorRT
    from posegen_runtime.engines.flavors import find_flavor as find_flavor
    from posegen_runtime.engines.options import BuildOptions as BuildOptions
    from posegen_runtime.engines.options import Profile as Profile
    from posegen_runtime.engines.sidecar import Sidecar as Sidecar

_HOMES = {
    "cache": ("EngineFile", "record_parity"),
    "ensure": ("ensure_engine",),
    "flavors": ("Flavor", "TensorRT", "find_flavor"),
    "options": ("BuildOptions", "Profile"),
    "sidecar": ("Sidecar",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
