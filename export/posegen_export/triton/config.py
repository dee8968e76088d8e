"""The configuration of one model: what `config.pbtxt` says."""

from collections.abc import Sequence

from posegen_export.triton.pbtxt import Message, Name, Value, entries
from posegen_export.triton.serving import Device, Model, Options, Role, ServingBackend
from posegen_runtime.manifest import TensorSpec

TYPES = {"uint8": "TYPE_UINT8", "float16": "TYPE_FP16", "float32": "TYPE_FP32"}
FILES = {
    ServingBackend.ONNX: "model.onnx",
    ServingBackend.ONNX_TENSORRT: "model.onnx",
    ServingBackend.TENSORRT: "model.plan",
}
BACKENDS = {
    ServingBackend.ONNX: "onnxruntime",
    ServingBackend.ONNX_TENSORRT: "onnxruntime",
    ServingBackend.TENSORRT: "tensorrt",
}
HEURISTIC = "1"
"""Triton's number for cuDNN's choice by rule, as the runtime has it: timing takes seconds at each
new batch size. As an option of the provider it would be overwritten."""


def config_of(model: Model, options: Options, version: int, models: Sequence[Model]) -> Message:
    """The configuration of `model`, whose newest version is `version`.

    `models` are all that are written with it: the ensemble names the same version of each, so that
    parts of two exports never serve one request.
    """
    message: dict[str, Value] = {"name": model.name}
    if model.role is Role.SHARED:
        message["platform"] = "ensemble"
    else:
        message["backend"] = BACKENDS[options.backend]
        message["default_model_filename"] = FILES[options.backend]
    message["max_batch_size"] = options.max_batch if model.batches else 0
    message["input"] = [_tensor(spec, model.batches) for spec in model.inputs]
    message["output"] = [_tensor(spec, model.batches) for spec in model.outputs]
    message["version_policy"] = {"latest": {"num_versions": 1}}
    if model.role is Role.SHARED:
        message["ensemble_scheduling"] = {"step": _steps(models, version)}
        return message
    if model.batches:
        message["dynamic_batching"] = {
            "preferred_batch_size": list(options.preferred or (options.max_batch,)),
            "max_queue_delay_microseconds": options.queue_delay,
        }
    if model.role is Role.CONDITIONS:
        message["response_cache"] = {"enable": True}
    message["instance_group"] = [{"count": options.instances, "kind": Name(_kind(options))}]
    message.update(_runtime(options))
    message["model_warmup"] = _warmups(model, options)
    return message


def _tensor(spec: TensorSpec, batches: bool) -> Message:
    """Where the server makes batches, it adds their dimension itself."""
    sizes = [-1 if isinstance(size, str) else size for size in spec.shape]
    return {
        "name": spec.name,
        "data_type": Name(TYPES[spec.dtype]),
        "dims": sizes[1:] if batches else sizes,
    }


def _kind(options: Options) -> str:
    if options.backend is not ServingBackend.ONNX:
        return "KIND_GPU"
    return f"KIND_{options.device.name}"


def _runtime(options: Options) -> dict[str, Value]:
    """What ONNX Runtime is told. FP32 means FP32: TF32 is off."""
    if options.backend is ServingBackend.TENSORRT:
        return {}
    parameters = {"intra_op_thread_count": str(options.threads)} if options.threads else {}
    accelerators: list[Message] = []
    if options.backend is ServingBackend.ONNX_TENSORRT:
        tensorrt = {"precision_mode": "FP32"}
        if options.engine_cache:
            tensorrt["trt_engine_cache_enable"] = "1"
            tensorrt["trt_engine_cache_path"] = options.engine_cache
        accelerators.append({"name": "tensorrt", "parameters": entries(tensorrt)})
    if options.device is not Device.CPU:
        accelerators.append({"name": "cuda", "parameters": entries({"use_tf32": "0"})})
        parameters["cudnn_conv_algo_search"] = HEURISTIC
    runtime: dict[str, Value] = {}
    if accelerators:
        runtime["optimization"] = {
            "execution_accelerators": {"gpu_execution_accelerator": accelerators}
        }
    if parameters:
        named = {key: {"string_value": value} for key, value in parameters.items()}
        runtime["parameters"] = entries(named)
    return runtime


def _warmups(model: Model, options: Options) -> list[Message]:
    """One image and a full batch, before the first request: memory is taken, kernels are chosen,
    and TensorRT inside ONNX Runtime builds its engine for all batches between."""
    many = any(isinstance(spec.shape[0], str) for spec in model.inputs)
    rows = sorted({1, options.max_batch}) if many else [1]
    warmups: list[Message] = []
    for count in rows:
        inputs: dict[str, Value] = {}
        for spec in model.inputs:
            sizes = [count if isinstance(size, str) else size for size in spec.shape]
            inputs[spec.name] = {
                "data_type": Name(TYPES[spec.dtype]),
                "dims": sizes[1:] if model.batches else sizes,
                "zero_data": True,
            }
        # The server takes this for a number of requests, which it joins where it may; none at 0.
        requests = count if model.batches else 1
        warmups.append(
            {"name": f"{count} at once", "batch_size": requests, "inputs": entries(inputs)}
        )
    return warmups


def _steps(models: Sequence[Model], version: int) -> list[Message]:
    """Encode the conditions, then the masks with them. Every tensor keeps its name on the way."""
    by_role = {model.role: model for model in models}
    return [
        {
            "model_name": step.name,
            "model_version": version,
            "input_map": entries({spec.name: spec.name for spec in step.inputs}),
            "output_map": entries({spec.name: spec.name for spec in step.outputs}),
        }
        for step in (by_role[Role.CONDITIONS], by_role[Role.CACHED])
    ]
