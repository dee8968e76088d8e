"""Which backends give an image other bytes when other images are in its batch."""

from posegen_runtime.backends.choosing import AUTO, Choice
from posegen_runtime.choices import BackendName


def why_varying(choice: Choice) -> str:
    """Why some values of an image may depend on the size of its batch; "" where none does.

    ONNX Runtime in FP32 and OpenVINO, which takes row by row, gave the same bytes at every size.
    """
    if choice.backend is BackendName.CPU and choice.precision == "int8":
        return "ONNX Runtime chooses INT8 kernels by the size of a batch"
    if choice.backend is BackendName.CUDA:
        return "cuDNN chooses kernels by the size of a batch"
    if choice.backend is BackendName.TENSORRT:
        from posegen_runtime.engines.flavors import find_flavor

        tensorrt = find_flavor(AUTO)
        if not tensorrt.has("BuilderFlag.DISTRIBUTIVE_INDEPENDENCE"):
            return f"{tensorrt} cannot be told to treat each image alike, 10.12 and newer can"
    return ""
