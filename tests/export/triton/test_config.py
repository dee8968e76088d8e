"""Configurations, read back with Triton's own definitions and held against the graphs."""

from pathlib import Path

import onnx
import pytest
from google.protobuf import text_format
from onnx import TensorProto
from tritonclient.grpc.model_config_pb2 import (
    TYPE_FP16,
    TYPE_FP32,
    TYPE_UINT8,
    ModelConfig,
    ModelInstanceGroup,
)

from kserve_server import read_config
from posegen_export.triton.config import config_of
from posegen_export.triton.pbtxt import to_text
from posegen_export.triton.serving import Device, Options, ServingBackend, models_of
from posegen_runtime.bundle import Bundle
from tiny_bundle import write_tiny_bundle

TYPES = {
    TensorProto.UINT8: TYPE_UINT8,
    TensorProto.FLOAT16: TYPE_FP16,
    TensorProto.FLOAT: TYPE_FP32,
}
SHARED = {"cars", "cars_conditions", "cars_cached", "cars_shared"}
KIND = ModelInstanceGroup.Kind


def configs(bundle: Path, **changes) -> dict[str, ModelConfig]:
    """Of each model of `bundle`, by what follows its name."""
    opened = Bundle.load(bundle)
    options = Options(**{"name": "cars", "max_batch": 4, **changes})
    options.check(opened)
    models = models_of(opened, options)
    return {
        model.name.removeprefix("cars"): text_format.Parse(
            to_text(config_of(model, options, 3, models)), ModelConfig()
        )
        for model in models
    }


@pytest.fixture
def tiny(tmp_path) -> Path:
    return write_tiny_bundle(tmp_path / "bundle", viewpoint=True)


def dimensions(value: onnx.ValueInfoProto) -> list[int]:
    sizes = value.type.tensor_type.shape.dim
    return [size.dim_value if size.HasField("dim_value") else -1 for size in sizes]


@pytest.mark.parametrize(
    ("what", "precision", "names"),
    [
        ("pose", "fp32", {"cars"}),
        ("shipped", "fp32", SHARED),
        ("shipped", "fp16", SHARED),
        ("shipped", "int8", SHARED),
    ],
)
def test_shapes_and_types_are_those_of_the_graph(repository, what, precision, names):
    _, root = repository(what, precision)
    assert {folder.name for folder in root.iterdir()} == names
    for name in names - {"cars_shared"}:
        config = read_config(root / name / "config.pbtxt")
        assert config.name == name
        path = root / name / "1" / config.default_model_filename
        file = path / "model.onnx" if path.is_dir() else path
        graph = onnx.load(file, load_external_data=False).graph
        for tensors, values in ((config.input, graph.input), (config.output, graph.output)):
            assert [each.name for each in tensors] == [value.name for value in values]
            for each, value in zip(tensors, values, strict=True):
                assert each.data_type == TYPES[value.type.tensor_type.elem_type]
                held, said = dimensions(value), list(each.dims)
                assert held[0] == -1
                if config.max_batch_size:
                    assert said == held[1:]
                else:
                    assert said[0] in (-1, 1)
                    assert said[1:] == held[1:]
        # What serves a whole request has one row, what belongs to a mask as many as there are.
        if not config.max_batch_size:
            rows = {each.name: each.dims[0] for each in (*config.input, *config.output)}
            many = {tensor for tensor, count in rows.items() if count == -1}
            assert many == {"mask", "viewpoint", "image"} & rows.keys()


def test_requests_are_joined_only_where_each_row_is_its_own(tiny):
    held = configs(tiny, preferred=(2, 4), queue_delay=700)
    assert held[""].max_batch_size == 4
    assert list(held[""].dynamic_batching.preferred_batch_size) == [2, 4]
    assert held[""].dynamic_batching.max_queue_delay_microseconds == 700
    for name in ("_conditions", "_cached", "_shared"):
        assert held[name].max_batch_size == 0
        assert held[name].WhichOneof("scheduling_choice") in (None, "ensemble_scheduling")
    assert list(configs(tiny)[""].dynamic_batching.preferred_batch_size) == [4]


def test_the_ensemble_s_steps_fit_together(tiny):
    held = configs(tiny)
    ensemble = held["_shared"]
    assert not ensemble.instance_group
    assert not ensemble.model_warmup
    assert not ensemble.HasField("optimization")
    known = {each.name: (each.data_type, list(each.dims)) for each in ensemble.input}
    assert list(known) == ["mask", "appearance", "background", "viewpoint"]
    for step in ensemble.ensemble_scheduling.step:
        model = held[step.model_name.removeprefix("cars")]
        assert step.model_version == 3
        assert set(step.input_map) == {each.name for each in model.input}
        for each in model.input:
            assert known[step.input_map[each.name]] == (each.data_type, list(each.dims))
        for each in model.output:
            known[step.output_map[each.name]] = (each.data_type, list(each.dims))
    (image,) = ensemble.output
    assert known["image"] == (image.data_type, list(image.dims)) == (TYPE_UINT8, [-1, 64, 64, 3])


def test_encoded_conditions_are_kept_by_the_server(tiny):
    held = configs(tiny)
    assert {name for name, each in held.items() if each.response_cache.enable} == {"_conditions"}


@pytest.mark.parametrize(
    ("device", "kind", "tf32"),
    [(Device.AUTO, KIND.KIND_AUTO, "0"), (Device.GPU, KIND.KIND_GPU, "0"),
     (Device.CPU, KIND.KIND_CPU, None)],
)  # fmt: skip
def test_fp32_means_fp32_wherever_it_runs(tiny, device, kind, tf32):
    for name, config in configs(tiny, device=device, instances=3, threads=2).items():
        if name == "_shared":
            continue
        (group,) = config.instance_group
        assert (group.kind, group.count) == (kind, 3)
        accelerators = config.optimization.execution_accelerators
        assert not accelerators.cpu_execution_accelerator
        given = {
            each.name: dict(each.parameters) for each in accelerators.gpu_execution_accelerator
        }
        assert given == ({} if tf32 is None else {"cuda": {"use_tf32": tf32}})
        parameters = {key: each.string_value for key, each in config.parameters.items()}
        assert parameters.pop("intra_op_thread_count") == "2"
        assert parameters == ({} if tf32 is None else {"cudnn_conv_algo_search": "1"})


def test_tensorrt_in_onnx_runtime_comes_before_cuda(tiny):
    backend = ServingBackend.ONNX_TENSORRT
    config = configs(tiny, backend=backend, engine_cache="/engines")["_cached"]
    assert config.backend == "onnxruntime"
    assert config.instance_group[0].kind == KIND.KIND_GPU
    first, second = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert (first.name, second.name) == ("tensorrt", "cuda")
    assert dict(first.parameters) == {
        "precision_mode": "FP32",
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": "/engines",
    }
    assert dict(second.parameters) == {"use_tf32": "0"}


def test_plans_are_told_nothing_of_onnx_runtime(tiny):
    config = configs(tiny, backend=ServingBackend.TENSORRT)[""]
    assert (config.backend, config.default_model_filename) == ("tensorrt", "model.plan")
    assert config.instance_group[0].kind == KIND.KIND_GPU
    assert not config.HasField("optimization")
    assert not config.parameters


def test_the_first_request_finds_it_warm(tiny):
    held = configs(tiny)
    for name, rows in (("", [1, 4]), ("_cached", [1, 4]), ("_conditions", [1])):
        config = held[name]
        # The server takes `batch_size` for a number of requests and leaves out what has none.
        batches = [each.batch_size for each in config.model_warmup]
        assert batches == (rows if config.max_batch_size else [1] * len(rows))
        for warmup, count in zip(config.model_warmup, rows, strict=True):
            assert set(warmup.inputs) == {each.name for each in config.input}
            for each in config.input:
                given = warmup.inputs[each.name]
                assert given.data_type == each.data_type
                assert list(given.dims) == [count if size == -1 else size for size in each.dims]
                assert given.zero_data


def test_a_largest_batch_of_one_is_warmed_once(tiny):
    assert [each.batch_size for each in configs(tiny, max_batch=1)[""].model_warmup] == [1]
