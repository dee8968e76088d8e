"""What options choose from; apart from what works on images, so that the command starts quickly."""

from enum import Enum


class Fit(str, Enum):
    """How a mask comes to the model's size."""

    AUTO = "auto"
    """``frame`` when the mask has the model's aspect and no small object, else ``object``."""
    OBJECT = "object"
    FRAME = "frame"
    STRETCH = "stretch"


class MaskChannel(str, Enum):
    """Which part of a mask file holds the object."""

    AUTO = "auto"
    LUMA = "luma"
    """Grey value; of a palette image, that of its colours."""
    ALPHA = "alpha"
    INDEX = "index"
    """Palette index; of a grey image, its value."""


class Device(str, Enum):
    """Where to run. `AUTO` is CUDA when the installed ONNX Runtime was built with it."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"

    def provider(self) -> str:
        """The execution provider that this choice asks for."""
        from posegen_runtime.backends.onnx import CPU, CUDA, engine

        if self is Device.AUTO:
            return CUDA if CUDA in engine().get_available_providers() else CPU
        return CUDA if self is Device.CUDA else CPU


class Axis(str, Enum):
    """A direction in the frame of the user's model."""

    X = "x"
    MINUS_X = "-x"
    Y = "y"
    MINUS_Y = "-y"
    Z = "z"
    MINUS_Z = "-z"


class ImageFormat(str, Enum):
    PNG = "png"
    JPG = "jpg"
