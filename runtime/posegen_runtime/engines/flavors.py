"""Which TensorRT is here: TensorRT 10.3 or newer, 11, or TensorRT-RTX. Nobody else asks.

One path serves them all, because precision lives in the graph. What only some versions have is
listed here, and what an option needs and a flavour lacks is refused by the option's name.
"""

import functools
import importlib
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any

from posegen_runtime.engines.log import Log, make_logger
from posegen_runtime.errors import PoseGenError


class Flavor(str, Enum):
    """A family of TensorRT. The value is what ``--flavor`` takes."""

    TENSORRT = "tensorrt"
    """TensorRT proper: builds on the GPU that runs the engine."""
    RTX = "rtx"
    """TensorRT for RTX: builds anywhere, and finishes the engine on the GPU when it is loaded."""

    @property
    def package(self) -> str:
        """The module to import."""
        return "tensorrt" if self is Flavor.TENSORRT else "tensorrt_rtx"

    @property
    def wheel(self) -> str:
        """What pip installs, quoted for a shell."""
        return f"'{self.package.replace('_', '-')}>={'.'.join(map(str, self.oldest))}'"

    @property
    def oldest(self) -> tuple[int, int]:
        """The first version that is supported."""
        return (10, 3) if self is Flavor.TENSORRT else (1, 4)


SOME_VERSIONS = frozenset(
    {
        "BuilderFlag.DISTRIBUTIVE_INDEPENDENCE",
        "ComputeCapability",
        "CudaGraphStrategy",
        "DynamicShapesKernelSpecializationStrategy",
        "IBuilderConfig.num_compute_capabilities",
        "IBuilderConfig.set_compute_capability",
        "ICudaEngine.create_runtime_config",
        "IRuntimeConfig.cuda_graph_strategy",
        "IRuntimeConfig.dynamic_shapes_kernel_specialization_strategy",
        "NetworkDefinitionCreationFlag.STRONGLY_TYPED",
    }
)
"""Names that not every version has: ask `TensorRT.has`, or the flavour, before using one."""

REFUSED: dict[Flavor, dict[str, str]] = {
    Flavor.TENSORRT: {"--compute-capability": "it builds for the GPU that it runs on"},
    Flavor.RTX: {
        "--timing-cache": "it times nothing while it builds",
        "--version-compatible": "it comes without the lean runtime that such an engine carries",
        "--hardware-compatible": "its engines run on every GPU from Ampere on as they are",
    },
}
"""Options that a flavour does not take, with the reason."""

JETPACK = "; on a Jetson it comes with JetPack, for `python -m venv --system-site-packages`"


@dataclass(frozen=True)
class TensorRT:
    """An installed TensorRT."""

    flavor: Flavor
    version: tuple[int, ...]
    module: Any
    logger: Log
    """The one logger of this process: TensorRT keeps the first that it is given."""

    def has(self, name: str) -> bool:
        """Whether this version has `name`, one of `SOME_VERSIONS`."""
        if name not in SOME_VERSIONS:
            raise ValueError(f"{name} is not listed in SOME_VERSIONS")
        try:
            attrgetter(name)(self.module)
        except AttributeError:
            return False
        return True

    def refuse(self, option: str) -> None:
        """Raise `PoseGenError` when this flavour does not take `option`."""
        why = REFUSED[self.flavor].get(option)
        if why is not None:
            raise PoseGenError(f"{option}: {self} does not take it, since {why}; leave it out")

    def __str__(self) -> str:
        return f"{self.flavor.package} {'.'.join(map(str, self.version))}"


def find_flavor(asked: Flavor | str = "auto") -> TensorRT:
    """The installed TensorRT of that flavour; "auto" is TensorRT where it is installed, else RTX.

    Raises `PoseGenError` when it is not installed (the message names the extra), cannot be loaded,
    or is too old (the message names the version).
    """
    if asked != "auto":
        try:
            flavor = Flavor(asked)
        except ValueError as error:
            raise PoseGenError(f"flavor {asked!r}: must be auto, tensorrt or rtx") from error
        found = _load(flavor)
        if found is None:
            raise PoseGenError(
                f"{flavor.package} is not installed: pip install 'posegen[{flavor.value}]'"
                f"{JETPACK if flavor is Flavor.TENSORRT else ''}"
            )
        return found
    for flavor in Flavor:
        found = _load(flavor)
        if found is not None:
            return found
    raise PoseGenError(
        "TensorRT is not installed: pip install 'posegen[tensorrt]', or 'posegen[rtx]' for "
        f"TensorRT-RTX{JETPACK}"
    )


@functools.cache
def _load(flavor: Flavor) -> TensorRT | None:
    try:
        module = importlib.import_module(flavor.package)
    except ModuleNotFoundError as error:
        if error.name == flavor.package:
            return None
        raise PoseGenError(_unloadable(flavor, error)) from error
    except (ImportError, OSError) as error:  # a shared library is missing or of another version
        raise PoseGenError(_unloadable(flavor, error)) from error
    version = tuple(int(part) for part in module.__version__.split(".") if part.isdigit())
    if version < flavor.oldest:
        oldest = ".".join(map(str, flavor.oldest))
        raise PoseGenError(
            f"{flavor.package} {module.__version__} is too old, {oldest} or newer is needed: "
            f"pip install -U {flavor.wheel}, or on a Jetson take JetPack 6"
        )
    return TensorRT(flavor, version, module, make_logger(module))


def _unloadable(flavor: Flavor, error: Exception) -> str:
    return (
        f"{flavor.package} is installed but cannot be loaded ({error}); "
        f"repair it: pip install --force-reinstall {flavor.wheel}; posegen-run --doctor tells more"
    )
