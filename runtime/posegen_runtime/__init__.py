"""Generate pose-labelled images from an exported bundle, without PyTorch."""

from typing import TYPE_CHECKING

from posegen_runtime.errors import PoseGenError

if TYPE_CHECKING:
    from posegen_runtime.generator import PoseGenerator

__version__ = "0.1.0"
__all__ = ["PoseGenError", "PoseGenerator", "__version__"]


def __getattr__(name: str) -> object:
    if name == "PoseGenerator":
        from posegen_runtime.generator import PoseGenerator

        return PoseGenerator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
