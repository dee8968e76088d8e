"""A server of model repositories in this process: the endpoints of the KServe protocol, version 2,
over HTTP and gRPC, that a client of Triton Inference Server needs.

It holds requests to the configuration as Triton does, and runs the repository's files by ONNX
Runtime. It joins no requests.
"""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import onnxruntime
from google.protobuf import json_format, text_format
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

TYPES = {"UINT8": np.uint8, "FP16": np.float16, "FP32": np.float32}
NAMES = {np.dtype(dtype): name for name, dtype in TYPES.items()}
HEADER_LENGTH = "Inference-Header-Content-Length"

Arrays = dict[str, np.ndarray]


def read_config(file: Path) -> model_config_pb2.ModelConfig:
    """`file` as Triton reads it: an unknown field or a wrong type is an error."""
    return text_format.Parse(file.read_text(), model_config_pb2.ModelConfig())


class BadRequest(Exception):
    """What the client is told."""


class Served:
    """The models of a repository, each in its newest version."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self.configs = {
            folder.name: read_config(folder / "config.pbtxt") for folder in repository.iterdir()
        }
        self.sessions: dict[str, onnxruntime.InferenceSession] = {}

    def config(self, name: str) -> model_config_pb2.ModelConfig:
        if name not in self.configs:
            raise BadRequest(f"Request for unknown model: '{name}' is not found")
        return self.configs[name]

    def metadata(self, name: str) -> dict[str, Any]:
        config = self.config(name)
        batch = [-1] if config.max_batch_size else []

        def tensor(each: Any) -> dict[str, Any]:
            kind = model_config_pb2.DataType.Name(each.data_type).removeprefix("TYPE_")
            return {"name": each.name, "datatype": kind, "shape": batch + list(each.dims)}

        return {
            "name": name,
            "versions": [str(self.version(name))],
            "platform": config.platform or config.backend,
            "inputs": [tensor(each) for each in config.input],
            "outputs": [tensor(each) for each in config.output],
        }

    def version(self, name: str) -> int:
        folders = (self.repository / name).iterdir()
        return max(int(folder.name) for folder in folders if folder.name.isdecimal())

    def infer(self, name: str, given: Arrays) -> Arrays:
        config = self.config(name)
        described = self.metadata(name)
        self._check(described["inputs"], given, config.max_batch_size)
        if config.platform == "ensemble":
            return self._ensemble(config, given)
        made = dict(
            zip(
                [tensor["name"] for tensor in described["outputs"]],
                self._session(config).run([each.name for each in config.output], given),
                strict=True,
            )
        )
        self._check(described["outputs"], made, config.max_batch_size)
        return made

    def _ensemble(self, config: model_config_pb2.ModelConfig, given: Arrays) -> Arrays:
        held = dict(given)
        for step in config.ensemble_scheduling.step:
            if step.model_version != self.version(step.model_name):
                raise BadRequest(f"{step.model_name}: version {step.model_version} is not served")
            feeds = {name: held[tensor] for name, tensor in step.input_map.items()}
            made = self.infer(step.model_name, feeds)
            held.update({tensor: made[name] for name, tensor in step.output_map.items()})
        return {each.name: held[each.name] for each in config.output}

    def _session(self, config: model_config_pb2.ModelConfig) -> onnxruntime.InferenceSession:
        if config.name not in self.sessions:
            folder = self.repository / config.name / str(self.version(config.name))
            path = folder / config.default_model_filename
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self.sessions[config.name] = onnxruntime.InferenceSession(
                str(path / "model.onnx" if path.is_dir() else path),
                options,
                providers=["CPUExecutionProvider"],
            )
        return self.sessions[config.name]

    @staticmethod
    def _check(tensors: list[dict[str, Any]], given: Arrays, max_batch: int) -> None:
        if {tensor["name"] for tensor in tensors} != given.keys():
            raise BadRequest(f"expected {[t['name'] for t in tensors]}, got {sorted(given)}")
        rows = set()
        for tensor in tensors:
            array = given[tensor["name"]]
            wanted = tensor["shape"]
            if NAMES[array.dtype] != tensor["datatype"] or len(wanted) != array.ndim:
                raise BadRequest(f"{tensor['name']}: {array.dtype} {array.shape} for {tensor}")
            if any(size not in (-1, held) for size, held in zip(wanted, array.shape, strict=True)):
                raise BadRequest(f"{tensor['name']}: unexpected shape {array.shape}, not {wanted}")
            rows.add(array.shape[0])
        if max_batch and (len(rows) > 1 or max(rows) > max_batch):
            raise BadRequest(f"batch sizes {sorted(rows)}, at most one, up to {max_batch}")


@contextmanager
def http_server(served: Served) -> Iterator[str]:
    """The address, HOST:PORT, of a server that runs until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            *_, name, last = self.path.split("/")
            if last == "config":
                self._answer(lambda: json_format.MessageToDict(
                    served.config(name), preserving_proto_field_name=True
                ))  # fmt: skip
            else:
                self._answer(lambda: served.metadata(last))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            length = int(self.headers[HEADER_LENGTH])
            request, rest = json.loads(body[:length]), body[length:]
            name = self.path.split("/")[-2]
            try:
                arrays = {}
                for tensor in request["inputs"]:
                    size = tensor["parameters"]["binary_data_size"]
                    array = np.frombuffer(rest[:size], TYPES[tensor["datatype"]])
                    arrays[tensor["name"]] = array.reshape(tensor["shape"])
                    rest = rest[size:]
                made = served.infer(name, arrays)
            except BadRequest as error:
                self._send(400, json.dumps({"error": str(error)}).encode())
                return
            outputs = [
                {
                    "name": key,
                    "datatype": NAMES[array.dtype],
                    "shape": array.shape,
                    "parameters": {"binary_data_size": array.nbytes},
                }
                for key, array in made.items()
            ]
            answer = {"model_name": name, "model_version": "1", "outputs": outputs}
            header = json.dumps(answer).encode()
            content = b"".join(array.tobytes() for array in made.values())
            self._send(200, header + content, {HEADER_LENGTH: str(len(header))})

        def _answer(self, make: Any) -> None:
            try:
                self._send(200, json.dumps(make()).encode())
            except BadRequest as error:
                self._send(400, json.dumps({"error": str(error)}).encode())

        def _send(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(code)
            for key, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def grpc_server(served: Served) -> Iterator[str]:
    """As `http_server`, over gRPC."""

    class Service(service_pb2_grpc.GRPCInferenceServiceServicer):
        def ModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:
            found = self._told(context, lambda: served.metadata(request.name))
            return json_format.ParseDict(found, service_pb2.ModelMetadataResponse())

        def ModelConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
            config = self._told(context, lambda: served.config(request.name))
            return service_pb2.ModelConfigResponse(config=config)

        def ModelInfer(self, request: Any, context: grpc.ServicerContext) -> Any:
            arrays = {
                tensor.name: np.frombuffer(raw, TYPES[tensor.datatype]).reshape(tensor.shape)
                for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True)
            }
            made = self._told(context, lambda: served.infer(request.model_name, arrays))
            response = service_pb2.ModelInferResponse(model_name=request.model_name)
            for name, array in made.items():
                kind = NAMES[array.dtype]
                response.outputs.add(name=name, datatype=kind, shape=array.shape)
                response.raw_output_contents.append(array.tobytes())
            return response

        def _told(self, context: grpc.ServicerContext, make: Any) -> Any:
            try:
                return make()
            except BadRequest as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(2), options=unlimited)
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
