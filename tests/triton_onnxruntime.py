"""ONNX Runtime as a backend that Triton runs through Python.

The server in the package nvidia-pytriton is Triton's own, but has the Python backend alone.
Copied to `onnxruntime/model.py`, this serves models that ask for the onnxruntime backend, by the
rules of the real one: requests are joined where the model has a `max_batch_size`, only there.
"""

import json
import os
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config: Any) -> Any:
        return config

    def initialize(self, arguments: dict[str, str]) -> None:
        config = json.loads(arguments["model_config"])
        self.joins = config["max_batch_size"] > 0
        folder = os.path.join(arguments["model_repository"], arguments["model_version"])
        path = os.path.join(folder, config["default_model_filename"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            os.path.join(path, "model.onnx") if os.path.isdir(path) else path,
            options,
            providers=["CPUExecutionProvider"],
        )
        self.inputs = [tensor.name for tensor in self.session.get_inputs()]
        self.outputs = [tensor.name for tensor in self.session.get_outputs()]

    def execute(self, requests: list[Any]) -> list[Any]:
        feeds = [self._feed(each) for each in requests]
        if not self.joins:
            return [self._response(self.session.run(self.outputs, feed)) for feed in feeds]
        ends = np.cumsum([len(feed[self.inputs[0]]) for feed in feeds])
        joined = {name: np.concatenate([feed[name] for feed in feeds]) for name in self.inputs}
        made = self.session.run(self.outputs, joined)
        rows = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        return [self._response([array[some] for array in made]) for some in rows]

    # By DLPack, not as NumPy arrays: the backend was built for another version of NumPy.

    def _feed(self, request: Any) -> dict[str, np.ndarray]:
        named = {name: triton.get_input_tensor_by_name(request, name) for name in self.inputs}
        return {name: np.from_dlpack(tensor) for name, tensor in named.items()}

    def _response(self, arrays: list[np.ndarray]) -> Any:
        tensors = [
            triton.Tensor.from_dlpack(name, np.ascontiguousarray(array))
            for name, array in zip(self.outputs, arrays, strict=True)
        ]
        return triton.InferenceResponse(tensors)
