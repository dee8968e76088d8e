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


class BackendName(str, Enum):
    """What runs the graphs. `AUTO` is chosen by `backends.choosing`, which says why; each other one
    is that and no other."""

    AUTO = "auto"
    CPU = "cpu"
    """ONNX Runtime on the CPU."""
    CUDA = "cuda"
    """ONNX Runtime through CUDA."""
    TENSORRT = "tensorrt"
    """A native engine of TensorRT or TensorRT-RTX, built where it runs."""
    OPENVINO = "openvino"
    """OpenVINO on the CPU."""
    NULL = "null"
    """Nothing: images are their masks at once, to time all that is not inference."""

    @property
    def on_gpu(self) -> bool:
        return self in (BackendName.CUDA, BackendName.TENSORRT)

    @property
    def leaves_cpu(self) -> bool:
        """Whether the CPU has time for reading and writing while it works."""
        return self.on_gpu or self is BackendName.NULL


class Axis(str, Enum):
    """A direction in the frame of the user's model."""

    X = "x"
    MINUS_X = "-x"
    Y = "y"
    MINUS_Y = "-y"
    Z = "z"
    MINUS_Z = "-z"


class SinkName(str, Enum):
    FILES = "files"
    WEBDATASET = "webdataset"
    """Tar files of fixed size."""


class EngineName(str, Enum):
    LOCAL = "local"
    RAY = "ray"


class ImageFormat(str, Enum):
    PNG = "png"
    JPG = "jpg"


class MeshUnit(str, Enum):
    MILLIMETRE = "mm"
    CENTIMETRE = "cm"
    METRE = "m"
    INCH = "in"

    @property
    def metres(self) -> float:
        return {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254}[self.value]
